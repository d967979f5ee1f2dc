"""Stage 2: which documents repeat others, found by each task among its share of the keys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from hf_oss_instruct.curation.duplicates import exact, minhash
from hf_oss_instruct.scale.duplicates.files import BUCKETS
from hf_oss_instruct.scale.duplicates.signatures import NEAR, SignatureFiles
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.storage.atomic import atomic_write
from hf_oss_instruct.storage.spill import Hashes, distinct

Records: TypeAlias = np.ndarray[Any, np.dtype[np.void]]

PAIR = np.dtype([("later", "<u8"), ("earlier", "<u8"), ("column", "u1"), ("similarity", "<f8")])
"""Near duplicates: their positions, the number of the column, and the Jaccard similarity there."""
MARK = np.dtype([("position", "<u8"), ("column", "u1"), ("mark", "<u8")])
"""A text that others repeat exactly: the position of its document, the number of the column, and its hash."""


def write_buckets(folder: Path, shard: Shard) -> int:
    """Compare the texts that agree in a key, and write those that repeat others.

    The work of all tasks is divided by columns and bands, and if there are more tasks than these, by ranges of keys.

    Args:
        folder: of all stages.
        shard: the task.

    Returns:
        How many records were written.

    Raises:
        RunError: a task of the stage before has not finished.
    """
    signatures = SignatureFiles(folder)
    job = signatures.job
    # Equal texts have equal keys, so a range of keys can be looked at without the others.
    parts = max(1, shard.count // (len(job.columns) * job.bands))
    units = [*product(range(len(job.columns)), range(job.bands), range(parts))]
    # One empty array, since `concatenate` needs at least one.
    records = [np.empty(0, PAIR if job.check == NEAR else MARK)]
    for column, band, part in units[shard.index :: shard.count]:
        keys, positions = signatures.of_band(column, band, part, parts)
        records.extend(_near(signatures, column, keys, positions) if job.check == NEAR else [_marks(column, keys, positions)])
    merged = np.concatenate(records)  # (records,)
    (folder / BUCKETS).mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / BUCKETS / f"{shard.name}.npy") as file:
        np.save(file, merged, allow_pickle=False)
    return len(merged)


def _near(signatures: SignatureFiles, column: int, keys: minhash.Sketches, positions: Hashes) -> Iterator[Records]:
    """The near duplicates among the texts of a bucket, a portion at a time."""
    every_later, every_earlier = minhash.pairs_of_band(keys)  # both (pairs,)
    # A portion at a time, because the n-grams of its texts are in memory.
    for start in range(0, len(every_later), minhash.BATCH_PAIRS):
        later, earlier = (positions[rows[start : start + minhash.BATCH_PAIRS]] for rows in (every_later, every_earlier))
        wanted = distinct(np.concatenate([later, earlier]))  # (documents,)
        grams, ends = signatures.gram_sets(column, wanted)
        similarity = minhash.jaccard(grams, ends, np.searchsorted(wanted, later), np.searchsorted(wanted, earlier))  # (portion,)
        near = similarity >= signatures.job.threshold  # (portion,)
        pairs = np.empty(int(near.sum()), PAIR)  # (near pairs,)
        pairs["later"], pairs["earlier"], pairs["column"], pairs["similarity"] = (
            later[near],
            earlier[near],
            column,
            similarity[near],
        )
        yield pairs


def _marks(column: int, keys: Hashes, positions: Hashes) -> Records:
    """The texts that occur more than once."""
    again = exact.repeated(keys)  # (texts,)
    marks = np.empty(int(again.sum()), MARK)  # (repeated texts,)
    marks["position"], marks["column"], marks["mark"] = positions[again], column, keys[again]
    return marks
