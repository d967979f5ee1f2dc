"""The four stages as steps of datatrove pipelines, each pipeline with its own tasks. Needs the extra `scale`.

The rows that stay are exactly those that `merge` and `curate` keep in one process: near duplicates are decided by the exact
similarity of their texts, and no row goes because of one that goes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from datatrove.data import Document

from hf_oss_instruct.curation.annotations import DETAIL, REASON
from hf_oss_instruct.curation.duplicates import THRESHOLD
from hf_oss_instruct.curation.duplicates.exact import COMPARED
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.scale.duplicates.buckets import write_buckets
from hf_oss_instruct.scale.duplicates.clusters import read_clusters, write_clusters
from hf_oss_instruct.scale.duplicates.signatures import NEAR, DuplicatesJob, SignatureFiles, SignatureWriter
from hf_oss_instruct.scale.steps import DatatroveStep, Documents
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.synthesis.output import BATCH_ROWS


class DuplicateSignatures(DatatroveStep):
    """Stage 1, with any number of tasks: writes the signatures of all documents, and passes the documents on.

    Args:
        folder: of all stages, new for each set of documents; all tasks must share it.
        check: `near_duplicates`, or `duplicates` for exact ones.
        columns: the texts to compare, each with itself; `text` is that of the document if its metadata has no such column.
        threshold: least Jaccard similarity of near duplicates' sets of word 5-grams, 0 to 1.
        order: the column whose numbers say which row is earlier; None for the order of tasks, and of documents in each.

    Raises:
        UsageError: a check of another name, no column, or a threshold that is not in 0 … 1.
    """

    type, name = "👯 - OSS-Instruct", "signatures"

    def __init__(
        self,
        folder: str | Path,
        check: str = NEAR,
        *,
        columns: Sequence[str] = COMPARED,
        threshold: float = THRESHOLD,
        order: str | None = "index",
    ) -> None:
        super().__init__()
        self.folder = str(folder)
        self.job = DuplicatesJob(check, tuple(columns), threshold, order)

    def run(self, data: Documents | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            UsageError: a document lacks a column.
        """
        job, incoming = self.job, iter(data or ())
        writer = SignatureWriter(Path(self.folder), Shard(rank, world_size), job)
        while documents := list(islice(incoming, BATCH_ROWS)):
            orders = [_value(document, job.order) if job.order else 0 for document in documents]
            texts = {name: [_value(document, name) or "" for document in documents] for name in job.columns}
            writer.add(orders, [document.id for document in documents], texts)
            yield from documents
        writer.finish()


class DuplicateBuckets(DatatroveStep):
    """Stage 2, with any number of tasks: compares the texts that agree in a key.

    The work can be divided by columns and by the 25 keys of each, and among more tasks by ranges of keys.

    Args:
        folder: of all stages.
    """

    type, name = "👯 - OSS-Instruct", "buckets"

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.folder = str(folder)

    def run(self, data: Documents | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            RunError: a task of stage 1 has not finished.
        """
        yield from data or ()
        self.count("records", write_buckets(Path(self.folder), Shard(rank, world_size)))


class DuplicateClusters(DatatroveStep):
    """Stage 3, with one task: decides which documents go.

    Args:
        folder: of all stages.
    """

    type, name = "👯 - OSS-Instruct", "clusters"

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.folder = str(folder)

    def run(self, data: Documents | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            UsageError: there are several tasks.
            RunError: a task of stage 2 has not finished.
        """
        yield from data or ()
        if world_size != 1:
            raise UsageError(f"DuplicateClusters has {world_size} tasks. Give its pipeline tasks=1: one task decides for all.")
        self.count("rejected", write_clusters(Path(self.folder)))


class DuplicateFilter(DatatroveStep):
    """Stage 4, with the tasks and documents of stage 1: drops and counts the duplicates.

    Args:
        folder: of all stages.
        keep_rejected: pass rejected rows on, with `reason` and `detail` in their metadata.
    """

    type, name = "👯 - OSS-Instruct", "filter"

    def __init__(self, folder: str | Path, *, keep_rejected: bool = False) -> None:
        super().__init__()
        self.folder, self.keep_rejected = str(folder), keep_rejected

    def run(self, data: Documents | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            RunError: stage 3 has not finished, or these are not the documents of stage 1.
        """
        shard = Shard(rank, world_size)
        rejected, signatures = read_clusters(Path(self.folder), shard), SignatureFiles(Path(self.folder))
        reason, ids, number = signatures.job.check, signatures.ids_of_task(rank), 0
        for number, document in enumerate(data or (), 1):
            # Duplicates are named by their number in the task: other documents here would reject the wrong ones.
            if number > len(ids) or document.id.encode(errors="replace") != ids[number - 1]:
                raise RunError(_other_documents(shard, f"document {number - 1:,} is {document.id!r}"))
            if detail := rejected.get(number - 1):
                self.count(f"rejected_{reason}")
                if not self.keep_rejected:
                    continue
                document.metadata |= {REASON: reason, DETAIL: detail}
            else:
                self.count("kept")
            yield document
        if number < len(ids):
            raise RunError(_other_documents(shard, f"there are {number:,} documents, and not {len(ids):,}"))


def _other_documents(shard: Shard, what: str) -> str:
    return (
        f"Task {shard} does not read the documents whose signatures were written: {what}. Give both pipelines "
        "the same steps before DuplicateSignatures and DuplicateFilter."
    )


def _value(document: Document, column: str) -> Any:
    """A column of a document.

    Raises:
        UsageError: there is none.
    """
    if column in document.metadata:
        return document.metadata[column]
    if column == "text":
        return document.text
    available = ", ".join(document.metadata) or "none"
    raise UsageError(
        f"Document {document.id!r} has no column {column!r}; its columns: {available}. Name others with columns, or order=None."
    )
