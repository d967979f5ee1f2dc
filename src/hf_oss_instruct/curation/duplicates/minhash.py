"""Near-duplicate texts of a column: MinHash proposes pairs, and the exact Jaccard similarity of their n-grams decides.

One-permutation MinHash (Li, Owen & Zhang 2012) whose empty bins are filled from full ones (Shrivastava & Li 2014, "improved
densification"), so that a text costs one hash per n-gram; bands of bins as in datasketch's MinHashLSH.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.ngrams import ColumnTexts
from hf_oss_instruct.storage.spill import Hashes, Positions, SortedSpill, Spill, distinct, key_ranges

NGRAM = 5
"""Words per n-gram; characters in scripts without spaces."""
MIN_NGRAMS = 10
"""Least number of n-grams: shorter texts are not compared, because they are too short to tell."""
BANDS, ROWS = 25, 5
"""At Jaccard similarity 0.7, 1 − (1 − 0.7⁵)²⁵ = 99 % of the pairs are proposed; at 0.3, 6 %."""
# 2⁷, since seven bits of a hash choose a bin; the bands take 125 of them.
BINS = 128
MAX_NEIGHBORS = 8
"""A text is compared with this many first texts of its bucket, and with as many directly before it: this bounds large buckets."""
# They have at most 40,000 texts, whose numbers fit into the 16 bits above `_HASH_BITS`.
BATCH_PAIRS = 20_000
MAX_HELD_TEXTS = 2**14
"""Texts whose n-grams are kept in memory while their pairs are compared: some 20 MB for texts of 150 words."""
HELD_PAIRS = 2000
"""Pairs of such texts that are compared at a time."""
_HASH_BITS = np.uint64(48)
"""Bits of an n-gram's hash in comparisons: the odds of an error anywhere in a million pairs are 1 : 20,000."""
_EMPTY = np.uint32(2**32 - 1)
# The draw is fixed, because keys are compared between processes and machines.
_DRAW = np.random.default_rng(20231204)
_COINS = _DRAW.integers(0, 2, BINS).astype(bool)
_OF_BANDS = _DRAW.permutation(BINS)[: BANDS * ROWS]
"""Bins of each band: neighboring bins, which may have copied values, are seldom in the same band."""
# A prime near 2³² divided by the golden ratio, so that its multiples are far apart.
_STEP = np.uint32(0x9E3779B1)

Sketches: TypeAlias = np.ndarray[Any, np.dtype[np.uint32]]
"""(rows, BINS): the minimum hash in each bin; or (rows, BANDS): a key for each band."""
Keys: TypeAlias = np.ndarray[Any, np.dtype[np.uint32]]
"""(rows,): the keys of one band."""


class Signatures(NamedTuple):
    """Facts about some texts, so that they can be compared without them.

    Attributes:
        rows: (compared,), the texts with enough n-grams.
        keys: (compared, BANDS), their keys: near duplicates agree in some band.
        grams: (grams,), the distinct n-grams of each text as sorted 48-bit numbers.
        ends: (texts + 1,), where in `grams` texts begin and end.
    """

    rows: Positions
    keys: Sketches
    grams: Hashes
    ends: Positions


class BandKeys:
    """The keys of texts that come in portions, on disk: near duplicates agree in some band.

    Args:
        batch_bytes: bytes of text whose keys are computed at a time.
    """

    def __init__(self, batch_bytes: int = ngrams.BATCH_BYTES) -> None:
        self._texts, self._batch_bytes = 0, batch_bytes
        self._rows, self._bands = Spill(np.int64), [Spill(np.uint32) for _ in range(BANDS)]

    def add(self, texts: pa.Array) -> None:
        """Add the keys of the next texts, as far as they have enough n-grams."""
        for rows, grams, row_of in _gram_hashes([texts], self._batch_bytes):
            enough, keys_of_bands = _keys_of(rows, grams, row_of)
            self._rows.append(self._texts + enough)
            for band, keys in zip(self._bands, keys_of_bands.T, strict=True):
                band.append(keys)
        self._texts += len(texts)

    def candidates(self) -> SortedSpill:
        """Pairs of texts that may be near duplicates, on disk; `unpacked` gives their positions."""
        rows, pairs = self._rows.read(), SortedSpill()
        for band in self._bands:
            keys = band.read()
            for positions in key_ranges(keys):
                for band_pairs in _of_one_band(keys[positions], rows[positions]):
                    pairs.add(band_pairs)
        return pairs


def candidates(column: pa.ChunkedArray | Iterable[pa.Array]) -> SortedSpill:
    """Pairs of texts that may be near duplicates, on disk; `unpacked` gives their positions.

    Args:
        column: the texts, or their chunks, which are read once.
    """
    keys = BandKeys()
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else column:
        keys.add(chunk)
    return keys.candidates()


def unpacked(pairs: Hashes) -> tuple[Positions, Positions]:
    """Positions of the later and of the earlier text of pairs, both (pairs,)."""
    return (pairs >> np.uint64(32)).astype(np.int64), (pairs & np.uint64(2**32 - 1)).astype(np.int64)


def exact(column: pa.ChunkedArray, later: Positions, earlier: Positions) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(pairs,): the exact Jaccard similarity of the candidates' sets of word 5-grams.

    Args:
        column: the texts.
        later: (pairs,), positions of texts.
        earlier: (pairs,), those that they are compared with.
    """
    return np.concatenate([np.empty(0), *(jaccard(*portion) for portion in _portions(column, later, earlier))])


class ExactSimilarity:
    """`exact` for several rounds of pairs of the same texts: these are hashed once, unless there are many.

    Args:
        column: the texts.
        rows: (texts,), positions of those that may be in a pair, sorted.
    """

    def __init__(self, column: pa.ChunkedArray, rows: Positions) -> None:
        self._column, self._rows = column, rows
        self._sets = _gram_sets(_taken(column, rows)) if len(rows) <= MAX_HELD_TEXTS else None

    def __call__(self, later: Positions, earlier: Positions) -> np.ndarray[Any, np.dtype[np.float64]]:
        """(pairs,): as `exact`."""
        if self._sets is None:
            return exact(self._column, later, earlier)
        one, other = np.searchsorted(self._rows, later), np.searchsorted(self._rows, earlier)  # both (pairs,)
        portions = (slice(start, start + HELD_PAIRS) for start in range(0, len(one), HELD_PAIRS))
        return np.concatenate([np.empty(0), *(jaccard(*self._sets, one[some], other[some]) for some in portions)])


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of two texts' sets of word 5-grams, as `near_pairs` compares them.

    Texts that are too short to be compared that way are equal (1.0) if their words are, else different (0.0).
    """
    [similar] = similarities([one, other], [0], [1])
    return float(one.casefold().split() == other.casefold().split()) if similar is None else similar


def similarities(texts: Sequence[str], one: Sequence[int], other: Sequence[int]) -> list[float | None]:
    """Jaccard similarities of pairs of texts.

    Args:
        texts: the texts, each of which may be in several pairs.
        one: (pairs,), positions in `texts`.
        other: (pairs,), those that they are compared with.

    Returns:
        A similarity for each pair, 0 to 1; None if one of the texts is too short to be compared.
    """
    column = pa.chunked_array([pa.array(texts, pa.large_string())])
    result: list[float | None] = []
    for grams, ends, left, right in _portions(column, np.array(one, np.int64), np.array(other, np.int64)):
        sizes = np.diff(ends)  # (texts,): distinct n-grams of each
        enough = np.minimum(sizes[left], sizes[right]) >= MIN_NGRAMS  # (pairs,)
        alike = iter(jaccard(grams, ends, left[enough], right[enough]).tolist())
        result.extend(next(alike) if compared else None for compared in enough)
    return result


def signatures(column: pa.ChunkedArray) -> Signatures:
    """The keys and the n-grams of a column's texts, read once."""
    numbers, keys, sets = [np.empty(0, np.int64)], [np.empty((0, BANDS), np.uint32)], [np.empty(0, np.uint64)]
    for rows, grams, row_of in _gram_hashes(column):
        enough, keys_of_part = _keys_of(rows, grams, row_of)
        numbers.append(enough)
        keys.append(keys_of_part)
        sets.append(_numbered(rows, grams, row_of))
    return Signatures(np.concatenate(numbers), np.concatenate(keys), *_distinct_sets(sets, len(column)))


def pairs_of_band(keys: Keys) -> tuple[Positions, Positions]:
    """Pairs of texts with equal keys in one band, as far as they are compared: later and earlier, both (pairs,), sorted.

    Args:
        keys: (texts,), the band's keys, in the order of the texts.
    """
    pairs = _of_one_band(keys, np.arange(len(keys)))
    return unpacked(distinct(np.concatenate([np.empty(0, np.uint64), *pairs])))


def _gram_hashes(
    column: pa.ChunkedArray | Iterable[pa.Array], batch_bytes: int = ngrams.BATCH_BYTES
) -> Iterator[tuple[ColumnTexts, Hashes, Positions]]:
    """Some texts at a time with their n-grams: hashes, and the number of their text among these; both (grams,)."""
    for rows in ngrams.texts(column, batch_bytes):
        words = ngrams.words(rows, ngrams.IDENTIFIERS, unspaced=True)
        yield rows, *ngrams.grams(words.hashes, words.ends, NGRAM)


def _keys_of(rows: ColumnTexts, grams: Hashes, row_of: Positions) -> tuple[Positions, Sketches]:
    """The rows with enough n-grams among some texts, and their keys (rows, BANDS)."""
    counts = np.bincount(row_of, minlength=len(rows))  # (rows,)
    # The 7 high bits of an n-gram's hash choose its bin, the 32 low bits compete for the minimum there.
    sketch = np.full(len(rows) * BINS, _EMPTY)  # (rows · BINS,)
    np.minimum.at(sketch, row_of * BINS + (grams >> np.uint64(57)).astype(np.int64), grams.astype(np.uint32))
    enough = np.flatnonzero(counts >= MIN_NGRAMS)  # (compared,)
    # A key is a hash of the five minima of its band, since only their equality matters.
    bins = _filled(sketch.reshape(-1, BINS)[enough])[:, _OF_BANDS].astype(np.uint64).reshape(-1, BANDS, ROWS)
    mixed = ngrams.mix64((bins * ngrams._OF_POSITION[:ROWS]).sum(axis=2, dtype=np.uint64))  # (rows, BANDS)
    return rows.first + enough, (mixed >> np.uint64(32)).astype(np.uint32)


def _filled(sketch: Sketches) -> Sketches:
    """Fill each empty bin from the next full one, to the left or right by a coin flip per bin, offset by the distance."""
    positions = np.arange(BINS, dtype=np.int16)  # (BINS,)
    full = sketch != _EMPTY  # (rows, BINS), as all below
    left = np.maximum.accumulate(np.where(full, positions, np.int16(-1)), axis=1)  # (rows, BINS)
    left = np.where(left < 0, left[:, -1:], left)  # bins are circular
    right = np.minimum.accumulate(np.where(full, positions, np.int16(BINS))[:, ::-1], axis=1)[:, ::-1]
    right = np.where(right == BINS, right[:, :1], right)  # (rows, BINS)
    source = np.where(_COINS, left, right)  # (rows, BINS): the bin that each is filled from, itself if it is full
    values = np.take_along_axis(sketch, source.astype(np.int64), axis=1)  # (rows, BINS)
    # without the offset, two texts with one equal bin would agree in all bins that are filled from it
    return values + (positions - source).astype(np.uint32) * _STEP


def _of_one_band(keys: Keys, positions: Positions) -> Iterator[Hashes]:
    """Pairs of positions, sorted ones, whose keys are equal, as `later << 32 | earlier`. Some come twice."""
    # one sort of 64-bit numbers instead of an argsort: rows of a bucket become neighbors, in row order
    both = np.sort((keys.astype(np.uint64) << np.uint64(32)) | positions.astype(np.uint64))  # (rows,)
    ordered, order = both >> np.uint64(32), both & np.uint64(2**32 - 1)  # keys and positions, (rows,)
    shared = np.zeros(len(order), bool)  # (rows,): whether the row before has the same key
    shared[1:] = ordered[1:] == ordered[:-1]
    first = np.maximum.accumulate(np.where(shared, 0, np.arange(len(order))))  # (rows,): where each row's bucket begins
    again = np.flatnonzero(shared)  # (rows after the first of their bucket,)
    for distance in range(MAX_NEIGHBORS):
        for other in (first[again] + distance, again - distance - 1):
            inside = (other < again) & (other >= first[again])  # (again,)
            yield (order[again[inside]] << np.uint64(32)) | order[other[inside]]


def _portions(
    column: pa.ChunkedArray, one: Positions, other: Positions
) -> Iterator[tuple[Hashes, Positions, Positions, Positions]]:
    """Some pairs of texts at a time, which bounds memory: `_gram_sets` of their texts, and the pairs' positions among these."""
    for start in range(0, len(one), BATCH_PAIRS):
        left, right = one[start : start + BATCH_PAIRS], other[start : start + BATCH_PAIRS]
        rows = distinct(np.concatenate([left, right]))  # (texts,)
        yield *_gram_sets(_taken(column, rows)), np.searchsorted(rows, left), np.searchsorted(rows, right)


def _taken(column: pa.ChunkedArray, rows: Positions) -> pa.ChunkedArray:
    """The texts at some rows, which are sorted. Arrow's own `take` copies all chunks into one first, which may be gigabytes."""
    ends = np.cumsum([0, *map(len, column.chunks)])  # (chunks + 1,): where chunks begin and end
    chunks = np.searchsorted(ends, rows, "right") - 1  # (rows,)
    parts = [column.chunk(chunk).take(pa.array(rows[chunks == chunk] - ends[chunk])) for chunk in distinct(chunks).tolist()]
    return pa.chunked_array(parts, column.type)


def _gram_sets(column: pa.ChunkedArray) -> tuple[Hashes, Positions]:
    """The distinct n-grams of each text as sorted 48-bit numbers (grams,), and where texts begin and end (rows + 1,)."""
    return _distinct_sets((_numbered(*found) for found in _gram_hashes(column)), len(column))


def _numbered(rows: ColumnTexts, grams: Hashes, row_of: Positions) -> Hashes:
    """(grams,): n-grams as 48-bit numbers, below the 16 low bits of the number of their text."""
    return ((row_of + rows.first).astype(np.uint64) << _HASH_BITS) | (grams >> (np.uint64(64) - _HASH_BITS))


def _distinct_sets(numbered: Iterable[Hashes], texts: int) -> tuple[Hashes, Positions]:
    """What `_gram_sets` gives, from the n-grams of at most 2¹⁶ texts, as `_numbered` gives them for some texts at a time."""
    assert texts <= 2**16, texts
    # Portions have ascending numbers of texts, so what is sorted within each is sorted.
    every = np.concatenate([np.empty(0, np.uint64), *map(distinct, numbered)])  # (grams,)
    ends = np.searchsorted(every, np.arange(texts, dtype=np.uint64) << _HASH_BITS)  # (texts,)
    every &= (np.uint64(1) << _HASH_BITS) - np.uint64(1)
    return every, np.append(ends, len(every))


def jaccard(grams: Hashes, ends: Positions, one: Positions, other: Positions) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(pairs,): exact Jaccard similarities of pairs of texts.

    Args:
        grams: (grams,), the distinct n-grams of each text, sorted.
        ends: (texts + 1,), where in `grams` texts begin and end.
        one: (pairs,), numbers of texts, at most 2¹⁶ pairs.
        other: (pairs,), those that they are compared with.
    """
    sizes = np.diff(ends)  # (texts,): distinct n-grams of each text
    # N-grams of a pair have its number in their high bits, so one search in sorted numbers intersects all pairs at once.
    left, right = _by_pair(grams, ends, one), _by_pair(grams, ends, other)  # (grams,) of either side
    at = np.minimum(np.searchsorted(right, left), len(right) - 1)  # (left,)
    common = np.bincount((left[right[at] == left] >> _HASH_BITS).astype(np.int64), minlength=len(one))  # (pairs,)
    return common / (sizes[one] + sizes[other] - common)


def _by_pair(grams: Hashes, ends: Positions, rows: Positions) -> Hashes:
    """The n-grams of the given rows, with the pair's number in their high bits, so that they are sorted."""
    lengths = np.diff(ends)[rows]  # (pairs,)
    shift = np.repeat(ends[rows] - (np.cumsum(lengths) - lengths), lengths)  # (grams,): from a position here to one in `grams`
    pair = np.repeat(np.arange(len(rows), dtype=np.uint64) << _HASH_BITS, lengths)  # (grams,)
    return pair | grams[shift + np.arange(len(shift))]
