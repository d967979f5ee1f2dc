"""How many different tasks a set of problems has: near duplicates count as one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_64_intdigest

from hf_oss_instruct.curation.duplicates import THRESHOLD, minhash
from hf_oss_instruct.storage.shards import mapped
from hf_oss_instruct.storage.spill import Positions, SortedSpill, Spill, distinct, key_ranges, merged

BATCH_BYTES = 2**16
"""Bytes of text that are hashed at a time: few, because a run does it in a thread, whose freed memory stays with the process."""


class DistinctTasks:
    """Counts the distinct problems of a dataset that comes in portions, most of the work while it does."""

    def __init__(self) -> None:
        self._rows, self._texts, self._keys = 0, Spill(np.uint64), minhash.BandKeys(BATCH_BYTES)

    def add(self, problems: pa.Array) -> None:
        """Add the next problems. Nulls are empty texts."""
        problems = problems.fill_null("")
        self._rows += len(problems)
        # Letter case and the width of blanks make no other problem.
        texts = (" ".join(text.lower().split()).encode() for text in problems.to_pylist())
        self._texts.append(np.fromiter(map(xxh3_64_intdigest, texts), np.uint64, len(problems)))
        self._keys.add(problems)

    def count(self, problems: Callable[[], Iterable[pa.Array]]) -> dict[str, Any]:
        """Count distinct problems: word for word, and after near duplicates (Jaccard of word 5-grams ≥ 0.7) are joined.

        Args:
            problems: reads all texts that were added, in portions.

        Returns:
            `rows`, `distinct_problems`, `distinct_tasks`, `near_duplicate_rate` (0 to 1) and `threshold`; without texts only
            `rows`.
        """
        if not self._rows:
            return {"rows": 0}
        candidates, compared = self._keys.candidates(), np.zeros(self._rows, bool)  # compared: (rows,)
        for [pairs] in merged(candidates):
            for side in minhash.unpacked(pairs):
                compared[side] = True
        wanted = np.flatnonzero(compared)  # (compared,)
        hashes = self._texts.read()  # (rows,)
        exact = sum(len(distinct(hashes[positions])) for positions in key_ranges(hashes))
        # Texts that are too short for MinHash count one each, even if they are equal: there are never more tasks than distinct
        # texts.
        tasks = min(self._rows - len(wanted) + _groups(_some(problems(), wanted), wanted, candidates), exact)
        return {
            "rows": self._rows,
            "distinct_problems": exact,
            "distinct_tasks": tasks,
            "near_duplicate_rate": round(1 - tasks / self._rows, 4),
            "threshold": THRESHOLD,
        }


def distinct_tasks(problems: Callable[[], Iterable[pa.Array]]) -> dict[str, Any]:
    """Count the distinct problems of a complete dataset, see `DistinctTasks.count`.

    Args:
        problems: reads the texts in portions, each time from the beginning.
    """
    tasks = DistinctTasks()
    for portion in problems():
        tasks.add(portion)
    return tasks.count(problems)


def _groups(texts: pa.ChunkedArray, positions: Positions, candidates: SortedSpill) -> int:
    """The number of groups of near duplicates.

    The first round compares one pair of each text, and drops the pairs that are in one group by then, so that a dataset of many
    near duplicates costs about as many comparisons as it has rows. Each further round compares twice as many of those that are
    left, because many texts are hashed again in each.

    Args:
        texts: those that are compared.
        positions: (texts,), theirs in the dataset.
        candidates: the pairs to compare, by positions in the dataset.
    """
    labels = np.arange(len(texts))  # (texts,): a text of the same group; the first one of a group has its own number
    for [pairs] in merged(candidates):
        later, earlier = (np.searchsorted(positions, side) for side in minhash.unpacked(pairs))  # both (pairs,)
        similarity, width = minhash.ExactSimilarity(texts, distinct(np.concatenate([later, earlier]))), 1
        while len(later):
            next_ones = np.arange(len(later)) - np.searchsorted(later, later) < width  # (left,): the next of each text
            near = similarity(later[next_ones], earlier[next_ones]) >= THRESHOLD
            _join(labels, later[next_ones][near], earlier[next_ones][near])
            left = ~next_ones & (_firsts(labels, later) != _firsts(labels, earlier))  # (left,)
            later, earlier, width = later[left], earlier[left], 2 * width
    return int((labels == np.arange(len(labels))).sum())


def _firsts(labels: Positions, texts: Positions) -> Positions:
    """(texts,): the first texts of the groups that some texts are in."""
    firsts = labels[texts]  # (texts,)
    while not np.array_equal(further := labels[firsts], firsts):
        firsts = further
    labels[texts] = firsts  # the next time it is one step
    return firsts


def _join(labels: Positions, one: Positions, other: Positions) -> None:
    """Make the groups of each pair of texts one; the smallest label stays.

    Source:
        Zhang, Azad & Hu 2020, "FastSV": each group takes the smallest label next to it, and labels point to labels, until
        none changes.
    """
    while True:
        mine, theirs = _firsts(labels, one), _firsts(labels, other)
        if np.array_equal(mine, theirs):
            return
        np.minimum.at(labels, np.maximum(mine, theirs), np.minimum(mine, theirs))


def _some(chunks: Iterable[pa.Array], positions: Positions) -> pa.ChunkedArray:
    """The texts at some positions, in their order, on disk."""

    def portions() -> Iterator[pa.Table]:
        first = 0
        for chunk in chunks:
            start, end = np.searchsorted(positions, (first, first + len(chunk)))
            yield pa.table({"text": chunk.take(pa.array(positions[start:end] - first)).cast(pa.large_string())})
            first += len(chunk)

    with tempfile.TemporaryDirectory(prefix="hf-oss-instruct-") as folder:
        # The mapping stays valid without the file: its blocks are freed with the last reference.
        return mapped(portions(), pa.schema({"text": pa.large_string()}), Path(folder) / "texts.arrow")["text"]
