"""How many different tasks a set of problems has: near duplicates count as one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from xxhash import xxh3_64_intdigest

from hf_oss_instruct.curation import minhash
from hf_oss_instruct.curation.dedup import THRESHOLD
from hf_oss_instruct.curation.ngrams import Positions
from hf_oss_instruct.curation.ngrams import distinct as distinct_numbers
from hf_oss_instruct.shards import mapped
from hf_oss_instruct.spill import Spill, key_ranges


def distinct_tasks(problems: Callable[[], Iterable[pa.Array]]) -> dict[str, Any]:
    """Count distinct problems: word for word, and after near duplicates (Jaccard of word 5-grams ≥ 0.7) are joined.

    Args:
        problems: reads the texts in portions, each time from the beginning.

    Returns:
        `rows`, `distinct_problems`, `distinct_tasks`, `near_duplicate_rate` (0 to 1) and `threshold`; without texts only `rows`.
    """
    count = sum(map(len, problems()))
    if not count:
        return {"rows": 0}
    later, earlier = minhash.candidates(problems())
    wanted = np.union1d(later, earlier)
    groups = _groups(_some(problems(), wanted), *(np.searchsorted(wanted, one) for one in (later, earlier)))
    exact = _distinct(problems())
    tasks = min(count - len(wanted) + groups, exact)
    return {
        "rows": count,
        "distinct_problems": exact,
        "distinct_tasks": tasks,
        "near_duplicate_rate": round(1 - tasks / count, 4),
        "threshold": THRESHOLD,
    }


def _groups(texts: pa.ChunkedArray, later: Positions, earlier: Positions) -> int:
    """The number of groups of near duplicates among texts, given the pairs to compare, sorted by the later text.

    Each round compares one pair of each text and drops the pairs that are in one group by then, so that a dataset of many near
    duplicates costs about as many comparisons as it has rows.
    """
    labels = np.arange(len(texts))  # (texts,): the group of each text, named by its first text
    while len(later):
        first = np.ones(len(later), bool)
        first[1:] = later[1:] != later[:-1]
        near = minhash.exact(texts, later[first], earlier[first]) >= THRESHOLD
        labels = _joined(labels, later[first][near], earlier[first][near])
        left = ~first & (labels[later] != labels[earlier])
        later, earlier = later[left], earlier[left]
    return len(distinct_numbers(labels))


def _joined(labels: Positions, one: Positions, other: Positions) -> Positions:
    """The labels after the groups of each pair of texts became one; the smallest label stays.

    Source:
        Zhang, Azad & Hu 2020, "FastSV": each group takes the smallest label next to it, and labels point to labels, until
        none changes.
    """
    while True:
        low = np.minimum(labels[one], labels[other])
        found = labels.copy()
        np.minimum.at(found, labels[one], low)
        np.minimum.at(found, labels[other], low)
        while not np.array_equal(further := found[found], found):
            found = further
        if np.array_equal(found, labels):
            return labels
        labels = found


def _some(chunks: Iterable[pa.Array], positions: Positions) -> pa.ChunkedArray:
    """The texts at some positions, in their order, on disk."""

    def portions() -> Iterator[pa.Table]:
        first = 0
        for chunk in chunks:
            start, end = np.searchsorted(positions, (first, first + len(chunk)))
            yield pa.table({"text": chunk.take(pa.array(positions[start:end] - first)).cast(pa.large_string())})
            first += len(chunk)

    with tempfile.TemporaryDirectory(prefix="hf-oss-instruct-") as folder:
        return mapped(portions(), pa.schema({"text": pa.large_string()}), Path(folder) / "texts.arrow")["text"]


def _distinct(chunks: Iterable[pa.Array]) -> int:
    """The number of distinct texts, where letter case and the width of blanks make no difference."""
    hashes = Spill(np.uint64)
    for chunk in chunks:
        texts = (" ".join(text.lower().split()).encode() for text in chunk.to_pylist())
        hashes.append(np.fromiter(map(xxh3_64_intdigest, texts), np.uint64, len(chunk)))
    every = hashes.read()
    return sum(len(distinct_numbers(every[positions])) for positions in key_ranges(every))
