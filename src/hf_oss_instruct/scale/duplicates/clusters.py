"""Stage 3: one task decides which documents go, by the rule that `curate` and `merge` have; stage 4 asks it for each task's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hf_oss_instruct.curation.duplicates import exact, near
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.scale.duplicates.buckets import MARK, PAIR, Records
from hf_oss_instruct.scale.duplicates.files import BUCKETS, CLUSTERS, outputs
from hf_oss_instruct.scale.duplicates.signatures import BITS, NEAR, SignatureFiles
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.storage.atomic import atomic_write
from hf_oss_instruct.storage.spill import Hashes, Positions, distinct

SCHEMA = pa.schema([pa.field("document", pa.int64(), nullable=False), pa.field("detail", pa.string(), nullable=False)])
"""A task's documents that go: their numbers in the task, and why."""


def write_clusters(folder: Path) -> int:
    """Decide which documents go: a row that repeats an earlier one that stays.

    Args:
        folder: of all stages.

    Returns:
        How many documents go.

    Raises:
        RunError: a task of the stage before has not finished.
    """
    signatures = SignatureFiles(folder)
    records = _distinct(folder, PAIR if signatures.job.check == NEAR else MARK)
    positions, details = (_near if signatures.job.check == NEAR else _exact)(signatures, records)
    order = np.argsort(positions)  # (rejected,)
    # (tasks + 1,): a position has its task in the high bits, so each task's documents stand together.
    ends = np.searchsorted(positions[order], np.arange(len(signatures) + 1, dtype=np.uint64) << BITS)
    (folder / CLUSTERS).mkdir(parents=True, exist_ok=True)
    for task in range(len(signatures)):
        mine = order[ends[task] : ends[task + 1]]
        documents = (positions[mine] & np.uint64(2**32 - 1)).astype(np.int64)  # (rejected of the task,)
        table = pa.table([pa.array(documents), pa.array([details[row] for row in mine], pa.string())], SCHEMA)
        with atomic_write(folder / CLUSTERS / f"{Shard(task, len(signatures)).name}.parquet") as file:
            pq.write_table(table, file)
    return len(positions)


def read_clusters(folder: Path, shard: Shard) -> Mapping[int, str]:
    """The documents of a task that go, and why.

    Raises:
        RunError: the stage before has not finished, or had signatures of another number of tasks.
    """
    paths = outputs(folder, CLUSTERS)
    if len(paths) != shard.count:
        raise RunError(
            f"Signatures were written by {len(paths)} tasks, but {shard.count} filter. Use the same number of tasks, each "
            "reading the same documents."
        )
    table = pq.read_table(paths[shard.index])
    return dict(zip(table["document"].to_pylist(), table["detail"].to_pylist(), strict=True))


def _distinct(folder: Path, kind: np.dtype[np.void]) -> Records:
    """The records of all tasks, each once: near duplicates are found in several bands."""
    known, fresh, size = np.empty(0, kind), list[Records](), 0
    paths = outputs(folder, BUCKETS)
    for number, path in enumerate(paths, 1):
        fresh.append(np.load(path, allow_pickle=False))
        size += len(fresh[-1])
        # Sorted only when there are more new records than known ones, so each is sorted only a few times.
        if size > max(len(known), 2**20) or number == len(paths):
            known, fresh, size = _unique(np.concatenate([known, *fresh])), [], 0
    return known


def _unique(records: Records) -> Records:
    # Without the similarity, which the other fields determine.
    names = [name for name in records.dtype.names or () if name != "similarity"]
    ordered = records[np.lexsort([records[name] for name in names])]  # (records,)
    new = np.zeros(len(ordered), bool)  # (records,)
    new[:1] = True
    for name in names:
        new[1:] |= ordered[name][1:] != ordered[name][:-1]
    return ordered[new]


def _near(signatures: SignatureFiles, pairs: Records) -> tuple[Hashes, list[str]]:
    """Positions of the documents that go, and why."""
    documents = distinct(np.concatenate([pairs["later"], pairs["earlier"]]))  # (documents,)
    ranks = _ranks(signatures, documents)  # (documents,)
    later, earlier = (ranks[np.searchsorted(documents, pairs[side])] for side in ("later", "earlier"))  # both (pairs,)
    order = np.lexsort((pairs["column"], earlier, later))  # (pairs,)
    chosen = pairs[order[near.rejecting_pairs(later[order], earlier[order])]]  # (rejected,)
    # In this order ids are read task by task.
    chosen = chosen[np.argsort(chosen["earlier"], kind="stable")]
    columns = [signatures.job.columns[column] for column in chosen["column"]]
    details = map(near.near_duplicate_detail, columns, chosen["similarity"].tolist(), signatures.ids(chosen["earlier"]))
    return chosen["later"], list(details)


def _exact(signatures: SignatureFiles, records: Records) -> tuple[Hashes, list[str]]:
    """Positions of the documents that go, and why."""
    documents, columns = distinct(records["position"]), signatures.job.columns
    marks = np.zeros((len(documents), len(columns)), np.uint64)  # (documents, columns)
    marks[np.searchsorted(documents, records["position"]), records["column"]] = records["mark"]
    in_order = np.argsort(_ranks(signatures, documents))  # (documents,)
    same = [*exact.first_repeats((row, marks[row].tolist()) for row in in_order.tolist())]
    return documents[[row for row, _ in same]], [exact.duplicate_detail(columns[column]) for _, column in same]


def _ranks(signatures: SignatureFiles, positions: Hashes) -> Positions:
    """(positions,): numbers that are smaller for earlier rows, of sorted positions."""
    ranks = np.empty(len(positions), np.int64)
    ranks[np.lexsort((positions, signatures.orders(positions)))] = np.arange(len(positions))
    return ranks
