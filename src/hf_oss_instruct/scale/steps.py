"""Our work as steps of a datatrove pipeline, along with datatrove's readers, filters and writers.

A document carries a row: `text` is the solution (of a seed, the snippet), `id` the seed's id, and `metadata` all columns.
Needs the extra `scale`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.utils.logging import logger

from hf_oss_instruct.curation.annotations import DETAIL, REASON
from hf_oss_instruct.curation.checks import BY_NAME, CurationOptions
from hf_oss_instruct.curation.decontamination.benchmarks import find
from hf_oss_instruct.data import Pending, Rejection, Row, Skipped, is_row
from hf_oss_instruct.errors import OssInstructError, RunInterruptedError, TeacherError, UsageError
from hf_oss_instruct.scale.run_shard import ShardRun, check_finished
from hf_oss_instruct.schemas import provenance_columns, seed_of
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.storage.run_report import JOURNAL, VERDICTS
from hf_oss_instruct.storage.shards import Shards
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.concepts import pair_task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.output import BATCH_ROWS
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.synthesis.runtime.sync import iterate_sync
from hf_oss_instruct.synthesis.stream import rows
from hf_oss_instruct.synthesis.verifying import Prepare, open_verification
from hf_oss_instruct.teachers.resolve import open_teacher, with_teachers
from hf_oss_instruct.verification.memo import Verdicts

Documents = Iterable[Document]


class DatatroveStep(PipelineStep):  # type: ignore[misc]  # datatrove has no types
    """A step that passes on what comes before it, then adds its own documents."""

    def run(self, data: Documents | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`."""
        raise NotImplementedError

    def count(self, name: str, n: int = 1) -> None:
        """Add to a number of datatrove's `stats.json`."""
        self.stat_update(name, value=n)


class RunShard(DatatroveStep):
    """One shard of a plan, with its journal: `run-shard PLAN --shard RANK/WORLD_SIZE`.

    A task that failed or was killed resumes when datatrove runs it again. The kept rows are passed on.

    Args:
        how: the plan, the teacher, the limits; a plan in a folder needs a file system that all tasks share.
    """

    type, name = "🌱 - OSS-Instruct", "shard of a plan"

    def __init__(self, how: ShardRun) -> None:
        super().__init__()
        self.how = how

    def run(self, data: Documents | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            UsageError: there are more or fewer tasks than shards.
            TeacherError: seeds have no answer; datatrove marks the task as failed, and runs it again.
            OssInstructError: what stopped the run.
        """
        yield from data or ()
        shard = self.how.shard_of(rank, world_size)
        try:
            yield from self._rows(shard)
        # Before its base class: an interrupted task must fail, so that datatrove runs it again.
        except RunInterruptedError:
            raise
        except OssInstructError as error:
            if not self.how.go_on:
                raise
            logger.error(f"shard {shard}: {error}")

    def _rows(self, shard: Shard) -> Iterator[Document]:
        for out, result in self.how.run(shard, say=logger.warning):
            self._count(result.stats)
            check_finished(shard, result)
            for path in sorted((out / "data").glob("*.parquet")):
                yield from documents_in(path)

    def _count(self, stats: RunStats) -> None:
        self.count("kept", stats.kept)
        self.count("requests_sent", stats.usage.requests_sent)
        for reason, n in stats.rejected.items():
            self.count(f"rejected_{reason}", n)


class SeedReader(DatatroveStep):
    """Draws the seeds of a source; task RANK of WORLD_SIZE has every WORLD_SIZE-th one.

    Args:
        plan: which seeds, of all tasks together.
        source: where they come from, as `--seeds` names it; by default the plan's own name for it.
    """

    type, name = "🌱 - OSS-Instruct", "seeds"

    def __init__(self, plan: SeedPlan, source: str | None = None) -> None:
        super().__init__()
        self.plan, self.source = plan, source or plan.source

    def run(self, data: Documents | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`."""
        yield from data or ()
        # Every task reads the whole source, because a seed's place in it decides which task it belongs to.
        source = open_source(self.source, revision=self.plan.revision)
        for item in sample(source, replace(self.plan, shard=Shard(rank, world_size))):
            if isinstance(item, Skipped):
                self.count(f"skipped_{item.reason}")
            else:
                self.count("seeds")
                yield Document(item.snippet, item.seed_id, metadata=provenance_columns(item))


class Synthesize(DatatroveStep):
    """Turns each seed into a row, and verifies it if the run's options say so.

    Args:
        journals: folder in which each task keeps the answers that it received, so that a task that runs again pays for no
            answer twice.
        spec: the run; its seeds and checks are not used, since the steps before and after have them.
    """

    type, name = "🧪 - OSS-Instruct", "synthesize"

    def __init__(self, journals: str | Path, spec: RunSpec) -> None:
        super().__init__()
        self.journals, self.spec = str(journals), spec

    def run(self, data: Documents | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            TeacherError: a seed has no answer after all retries; datatrove marks the task as failed.
        """
        spec, teacher = with_teachers(self.spec), open_teacher(self.spec.teacher)
        shard = Shard(rank, world_size)
        made = rows(
            (seed_of(document.metadata) for document in data or ()),
            pair_task(spec, teacher),
            verification=open_verification(spec, teacher),
            concurrency=spec.teacher.in_flight,
            timeout=spec.teacher.timeout,
            journal=Path(self.journals) / shard.name,
            limits=spec.limits.of_shard(shard),
            complete=True,
            on_left_out=self._left_out,
        )
        for row in made:
            self.count("kept")
            yield document_of(row)

    def _left_out(self, outcome: Rejection | Pending | Skipped) -> None:
        self.count(f"rejected_{outcome.reason}" if isinstance(outcome, Rejection) else "pending")


class Verify(DatatroveStep):
    """Runs each row's solution with its tests in the sandbox; passes on what `keep` says, with the columns of verification.

    It needs processors and no teacher, unless tests, solutions or repairs are requested: give it a separate pipeline, with
    separate machines.

    Args:
        folder: in which each task keeps its verdicts and answers, so that a task that runs again runs no program twice.
        spec: its parts `verification`, `teacher` and `limits` count.
    """

    type, name = "🧪 - OSS-Instruct", "verify"

    def __init__(self, folder: str | Path, spec: RunSpec | None = None) -> None:
        super().__init__()
        self.folder, self.spec = str(folder), (spec or RunSpec()).changed(verification={"verify": True})

    def run(self, data: Documents | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            TeacherError: a row was not verified; datatrove marks the task as failed.
            SandboxError: the machine has no sandbox.
        """
        spec, home = with_teachers(self.spec), Path(self.folder) / Shard(rank, world_size).name
        opened = open_verification(spec, open_teacher(spec.teacher), exclusive=True)
        assert opened
        with Journal(home / JOURNAL) as journal, Verdicts(home / VERDICTS) as verdicts:
            stream = partial(
                outcomes,
                (document.metadata for document in data or ()),
                [Prepare(replace(opened, verdicts=verdicts))],
                journal,
                concurrency=spec.teacher.in_flight,
                retry_policy=RetryPolicy.of(spec.limits, spec.teacher.timeout),
                budget=Budget(spec.limits.of_shard(Shard(rank, world_size))),
            )
            for outcome in iterate_sync(stream):
                if is_row(outcome):
                    self.count("kept")
                    yield document_of(outcome)
                elif isinstance(outcome, Rejection):
                    self.count(f"rejected_{outcome.reason}")
                elif isinstance(outcome, Pending):
                    raise TeacherError(f"A row was not verified: {outcome.why}. Finished results are kept; run the task again.")


class Check(DatatroveStep):
    """A check of `curate` that looks at one row at a time: rejected rows are dropped and counted.

    Args:
        name: `decontamination` or `denied`, as in `curate --steps`.
        benchmarks: what decontamination compares with.
        keep_rejected: pass rejected rows on, with `reason` and `detail` in their metadata.
    """

    type = "🔻 - OSS-Instruct"

    def __init__(self, name: str, *, benchmarks: Iterable[str] = (), keep_rejected: bool = False) -> None:
        if name not in BY_NAME or BY_NAME[name].whole_set:
            single = ", ".join(step.name for step in BY_NAME.values() if not step.whole_set)
            raise UsageError(f"{name!r} is not a check of single rows. Use one of: {single}.")
        self.name, self.benchmarks, self.keep_rejected = name, tuple(benchmarks), keep_rejected
        super().__init__()

    def run(self, data: Documents | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`."""
        check = BY_NAME[self.name].make(CurationOptions(lists=tuple(find(self.benchmarks))))
        incoming = iter(data or ())
        while documents := list(islice(incoming, BATCH_ROWS)):
            checked = check(pa.Table.from_pylist([document.metadata for document in documents]))
            for document, row in zip(documents, checked.to_pylist(), strict=True):
                if row.get(REASON):
                    self.count(f"rejected_{row[REASON]}")
                    if not self.keep_rejected:
                        continue
                document.metadata = {name: value for name, value in row.items() if value or name not in (REASON, DETAIL)}
                yield document


class RowReader(DatatroveStep):
    """Reads the rows of a dataset; task RANK of WORLD_SIZE has every WORLD_SIZE-th file.

    Args:
        folder: parquet files in our columns, such as those of `RowWriter`.
    """

    type, name = "📖 - OSS-Instruct", "rows"

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self.folder = str(folder)

    def run(self, data: Documents | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`.

        Raises:
            UsageError: the folder has no parquet files.
        """
        yield from data or ()
        if not (paths := sorted(Path(self.folder).glob("*.parquet"))):
            raise UsageError(f"{self.folder!r} has no parquet files. Pass the folder of a RowWriter, or data/ of a dataset.")
        for path in paths[rank::world_size]:
            yield from documents_in(path)


class RowWriter(DatatroveStep):
    """Writes rows as parquet files of a dataset, one folder of files for all tasks; passes the rows on.

    Args:
        folder: where `train-RANK-of-WORLD_SIZE.parquet` goes.
        schema: the columns.
    """

    type, name = "💽 - OSS-Instruct", "rows"

    def __init__(self, folder: str | Path, schema: pa.Schema) -> None:
        super().__init__()
        self.folder, self.schema = str(folder), schema

    def run(self, data: Documents | None, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """See `PipelineStep.run`."""
        # In a folder of the task's own until all are written: a task that is killed leaves no file among the others.
        shards = Shards(Path(self.folder) / f".{rank:05d}", self.schema)
        for document in data or ():
            shards.add({name: document.metadata.get(name) for name in self.schema.names})
            yield document
        for number, path in enumerate(shards.finish()):
            suffix = f"-{number:05d}" if number else ""
            path.replace(Path(self.folder) / f"train-{rank:05d}-of-{world_size:05d}{suffix}.parquet")
        if shards.folder.is_dir():
            shards.folder.rmdir()


def document_of(row: Row | dict[str, Any]) -> Document:
    """A row as a document: its solution as text, all columns as metadata."""
    return Document(row["solution"], row["seed_id"], metadata=dict(row))


def documents_in(path: Path) -> Iterator[Document]:
    """The rows of a parquet file as documents."""
    for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS):
        yield from map(document_of, batch.to_pylist())
