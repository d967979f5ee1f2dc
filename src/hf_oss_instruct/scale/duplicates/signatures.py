"""Stage 1: the signatures of a task's texts, in files that later stages read in part, without the texts.

A position is the number of a document among all: that of its task in the 32 high bits, that in the task in the 32 low ones.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.duplicates import THRESHOLD, exact, minhash
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.scale.duplicates.files import SIGNATURES, outputs
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.storage.spill import Hashes, Positions
from hf_oss_instruct.storage.workdir import differences, write_atomically
from hf_oss_instruct.structured import read_object

JOB = "job.json"
"""Written last, so its presence means that the task's signatures are whole."""
BITS = np.uint64(32)
EXACT, NEAR = "duplicates", "near_duplicates"


@dataclass(frozen=True)
class DuplicatesJob:
    """What is compared.

    Attributes:
        check: `duplicates` or `near_duplicates`, as the checks of `curate` are named.
        columns: the texts to compare, each with itself.
        threshold: of near duplicates: least Jaccard similarity of two texts' sets of word 5-grams, 0 to 1.
        order: the column whose numbers say which row is earlier; None for the order of tasks, and of documents in each.
        version: of the signatures.

    Raises:
        UsageError: a check of another name, no column, or a threshold that is not in 0 … 1.
    """

    check: str = NEAR
    columns: tuple[str, ...] = exact.COMPARED
    threshold: float = THRESHOLD
    order: str | None = "index"
    version: int = 1

    def __post_init__(self) -> None:
        if self.check not in (EXACT, NEAR):
            raise UsageError(f"{self.check!r} does not look for duplicates. Use {EXACT!r} or {NEAR!r}.")
        if not self.columns:
            raise UsageError("columns is empty. Pass at least one column to compare, such as columns=('problem', 'solution').")
        if not 0 < self.threshold <= 1:
            raise UsageError(f"The threshold must be above 0 and at most 1, not {self.threshold}.")

    @property
    def bands(self) -> int:
        """Keys of a text."""
        return minhash.BANDS if self.check == NEAR else 1


class SignatureWriter:
    """Writes the signatures of one task.

    Args:
        folder: of all stages.
        shard: the task.
        job: what is compared.
    """

    def __init__(self, folder: Path, shard: Shard, job: DuplicatesJob) -> None:
        self._job, self._folder = job, folder / SIGNATURES / shard.name
        # Left by a task that was killed.
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._orders: list[Positions] = []
        self._ids: list[bytes] = []
        self._columns = [_Column(self._folder, number, job.check) for number in range(len(job.columns))]

    def add(self, orders: Sequence[int], ids: Sequence[str], texts: Mapping[str, Sequence[str]]) -> None:
        """Add documents.

        Args:
            orders: (documents,), values of the column that orders them, or zeros.
            ids: their ids.
            texts: column → its texts.
        """
        self._orders.append(np.array(orders, np.int64))
        self._ids.extend(identity.encode(errors="replace") for identity in ids)
        for name, column in zip(self._job.columns, self._columns, strict=True):
            column.add(ngrams.of_strings(list(texts[name])))

    def finish(self) -> None:
        """Write the state kept in memory until all documents are known."""
        np.save(self._folder / "order.npy", np.concatenate([np.empty(0, np.int64), *self._orders]))
        np.save(self._folder / "ids.npy", np.array(self._ids, "S"))
        for column in self._columns:
            column.finish()
        write_atomically(self._folder / JOB, json.dumps(asdict(self._job)))


class _Column:
    """The signatures of a column. n-grams are written as they come, since they are as large as the texts."""

    def __init__(self, folder: Path, number: int, check: str) -> None:
        self._path, self._near = folder / str(number), check == NEAR
        self._texts = 0
        self._rows: list[Positions] = []
        self._keys: list[np.ndarray[Any, Any]] = []
        self._lengths: list[Positions] = []

    def add(self, texts: pa.ChunkedArray) -> None:
        if self._near:
            signatures = minhash.signatures(texts)
            self._rows.append(signatures.rows + self._texts)
            self._keys.append(signatures.keys)
            self._lengths.append(np.diff(signatures.ends))
            with self._path.with_suffix(".grams").open("ab") as file:
                file.write(signatures.grams.astype("<u8").tobytes())
        else:
            marks = exact.hashes_without_whitespace(texts)  # (texts,)
            rows = np.flatnonzero(marks)  # (texts with a mark,)
            self._rows.append(rows + self._texts)
            self._keys.append(marks[rows][:, None])
        self._texts += len(texts)

    def finish(self) -> None:
        bands, kind = (minhash.BANDS, np.uint32) if self._near else (1, np.uint64)
        keys = np.concatenate([np.empty((0, bands), kind), *self._keys])  # (rows, bands)
        np.save(self._path.with_suffix(".rows.npy"), np.concatenate([np.empty(0, np.int64), *self._rows]))
        np.save(self._path.with_suffix(".keys.npy"), np.ascontiguousarray(keys.T))  # (bands, rows): one task reads one band
        if self._near:
            np.save(self._path.with_suffix(".ends.npy"), np.cumsum(np.concatenate([[0], *self._lengths]), dtype=np.int64))


class SignatureFiles:
    """The signatures of all tasks.

    Args:
        folder: of all stages.

    Raises:
        RunError: a task has not finished, or tasks compared different things.
    """

    def __init__(self, folder: Path) -> None:
        self._tasks = outputs(folder, SIGNATURES)
        self.job = _job(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def of_band(self, column: int, band: int, part: int, parts: int) -> tuple[np.ndarray[Any, Any], Hashes]:
        """The keys of one part of a band, and the positions of their texts, both (texts,), in the order of the rows.

        Args:
            column: its number.
            band: number of the key.
            part: which of `parts` equal ranges of keys.
            parts: how many ranges there are.
        """
        keys: list[np.ndarray[Any, Any]] = []
        orders, positions = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
        for task, folder in enumerate(self._tasks):
            # Mapped, so that only this band is read.
            every = np.load(folder / f"{column}.keys.npy", mmap_mode="r")[band]  # (rows,)
            high = every >> 32 if every.dtype == np.uint64 else every  # (rows,)
            # Multiply-shift: the high bits of a key, which is a hash, scaled to the number of parts.
            chosen = np.flatnonzero(high.astype(np.uint64) * np.uint64(parts) >> BITS == part)
            rows = np.load(folder / f"{column}.rows.npy", mmap_mode="r")[chosen]  # (texts of the part,)
            keys.append(every[chosen])
            orders.append(np.load(folder / "order.npy", mmap_mode="r")[rows])
            positions.append(np.uint64(task << 32) | rows.astype(np.uint64))
        position, order = np.concatenate(positions), np.concatenate(orders)  # both (texts,)
        by_row = np.lexsort((position, order))  # (texts,)
        return np.concatenate(keys)[by_row], position[by_row]

    def orders(self, positions: Hashes) -> Positions:
        """(positions,): the numbers that order documents."""
        return np.concatenate(
            [np.empty(0, np.int64), *(self._array(task, "order.npy")[rows] for task, rows in _by_task(positions))]
        )

    def ids(self, positions: Hashes) -> list[str]:
        """The ids of documents, given by sorted positions."""
        return [
            name.decode()
            for task, rows in _by_task(positions)
            for name in np.asarray(self._array(task, "ids.npy")[rows]).tolist()
        ]

    def ids_of_task(self, task: int) -> np.ndarray[Any, Any]:
        """(documents,): the ids of a task's documents, encoded."""
        return self._array(task, "ids.npy")

    def gram_sets(self, column: int, positions: Hashes) -> tuple[Hashes, Positions]:
        """The n-grams of documents, given by sorted positions, as `minhash.jaccard` needs them."""
        sets, sizes = [np.empty(0, np.uint64)], [np.zeros(1, np.int64)]
        for task, rows in _by_task(positions):
            ends = self._array(task, f"{column}.ends.npy")
            starts, lengths = ends[rows], ends[rows + 1] - ends[rows]  # both (documents,)
            shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)  # (grams,): from a number here to one in the file
            grams = np.memmap(self._tasks[task] / f"{column}.grams", "<u8", "r")  # (all n-grams of the task,)
            sets.append(np.asarray(grams[shift + np.arange(len(shift))], np.uint64))
            sizes.append(lengths)
        return np.concatenate(sets), np.cumsum(np.concatenate(sizes))

    def _array(self, task: int, name: str) -> np.ndarray[Any, Any]:
        array: np.ndarray[Any, Any] = np.load(self._tasks[task] / name, mmap_mode="r")
        return array


def _by_task(positions: Hashes) -> Iterator[tuple[int, Positions]]:
    """Tasks with the numbers of their documents, of sorted positions."""
    tasks, rows = (positions >> BITS).astype(np.int64), (positions & np.uint64(2**32 - 1)).astype(np.int64)  # both (positions,)
    for start, stop in pairwise([*np.flatnonzero(np.diff(tasks, prepend=-1)).tolist(), len(tasks)]):
        yield int(tasks[start]), rows[start:stop]


def _job(tasks: Iterable[Path]) -> DuplicatesJob:
    """What all tasks compared."""
    jobs: list[dict[str, Any]] = []
    for folder in tasks:
        try:
            jobs.append(read_object(folder / JOB))
        except ValueError as error:
            raise RunError(f"{error}. The task was stopped: run the pipeline of signatures again.") from error
        if changed := differences(jobs[0], jobs[-1], places=("in the first task", "in this one")):
            raise RunError(
                f"{str(folder)!r} has signatures of another kind: {'; '.join(changed)}. Write all of them again, in a new folder."
            )
    return DuplicatesJob(**jobs[0] | {"columns": tuple(jobs[0]["columns"])})
