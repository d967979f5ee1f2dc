"""Which texts of a column are nearly equal: MinHash proposes pairs, the exact Jaccard similarity of their n-grams decides.

MinHash by one permutation (Li, Owen & Zhang 2012) with the empty bins filled from full ones (Shrivastava & Li 2014, "improved
densification"), so a text costs one hash an n-gram; bands of bins as in datasketch's MinHashLSH.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.ngrams import Hashes, Places

GRAM = 5
"""Words of an n-gram; of scripts without spaces, characters."""
FEWEST_GRAMS = 10
"""Shorter texts take no part: too little is left of them to call two of them nearly equal."""
BANDS, ROWS = 25, 5
"""At Jaccard similarity 0.7, 1 − (1 − 0.7⁵)²⁵ = 99 % of the pairs are proposed; at 0.3, 6 %."""
BINS = 128
NEIGHBOURS = 8
"""A text is compared with so many of a bucket's first, and with so many right before it: large buckets stay affordable."""
PAIRS_AT_ONCE = 20_000
_HASH_BITS = np.uint64(48)
"""Of an n-gram's hash, when pairs are compared: a mistake anywhere in a million pairs has odds of 1 : 20,000."""
_EMPTY = np.uint32(2**32 - 1)
_DRAW = np.random.default_rng(20231204)
_COINS = _DRAW.integers(0, 2, BINS).astype(bool)
_OF_BANDS = _DRAW.permutation(BINS)[: BANDS * ROWS]
"""The bins of the bands: neighbours, which may have the same value, seldom stand in one band."""
_STEP = np.uint32(0x9E3779B1)

Sketches: TypeAlias = np.ndarray[Any, np.dtype[np.uint32]]
"""(rows, BINS): the least hash in each bin; or (rows, BANDS): a key for each band."""


def near_pairs(column: pa.ChunkedArray, threshold: float) -> tuple[Places, Places, np.ndarray[Any, np.dtype[np.float64]]]:
    """Pairs of nearly equal texts: places of the later, of the earlier, and their similarity.

    Args:
        column: the texts.
        threshold: least Jaccard similarity of two texts' sets of word 5-grams, from 0 to 1.
    """
    rows, keys = _band_keys(column)
    later, earlier = _candidates(rows, keys)
    similarity = np.concatenate([np.empty(0), *_similarities(column, later, earlier)])
    near = similarity >= threshold
    return later[near], earlier[near], similarity[near]


def _band_keys(column: pa.ChunkedArray) -> tuple[Places, Sketches]:
    """The rows with enough n-grams, and (rows, BANDS) keys of them: of two near texts, some band's keys are equal."""
    numbers, keys = [np.empty(0, np.int64)], [np.empty((0, BANDS), np.uint32)]
    for rows in ngrams.texts(column):
        found = ngrams.words(rows, ngrams.IDENTIFIERS, unspaced=True)
        grams, row_of = ngrams.grams(found.hashes, found.ends, GRAM)
        counts = np.bincount(row_of, minlength=len(rows))
        sketch = np.full(len(rows) * BINS, _EMPTY)
        np.minimum.at(sketch, row_of * BINS + (grams >> np.uint64(57)).astype(np.int64), grams.astype(np.uint32))
        enough = np.flatnonzero(counts >= FEWEST_GRAMS)
        bins = _filled(sketch.reshape(-1, BINS)[enough])[:, _OF_BANDS].astype(np.uint64).reshape(-1, BANDS, ROWS)
        numbers.append(rows.first + enough)
        keys.append(
            (ngrams.mix((bins * ngrams._OF_PLACE[:ROWS]).sum(axis=2, dtype=np.uint64)) >> np.uint64(32)).astype(np.uint32)
        )
    return np.concatenate(numbers), np.concatenate(keys)


def _filled(sketch: Sketches) -> Sketches:
    """Empty bins take the value of the next full one to the left or right, as each bin's coin says, moved by the distance."""
    places = np.arange(BINS, dtype=np.int16)
    full = sketch != _EMPTY
    left = np.maximum.accumulate(np.where(full, places, np.int16(-1)), axis=1)
    left = np.where(left < 0, left[:, -1:], left)  # around the end
    right = np.minimum.accumulate(np.where(full, places, np.int16(BINS))[:, ::-1], axis=1)[:, ::-1]
    right = np.where(right == BINS, right[:, :1], right)
    source = np.where(_COINS, left, right)
    values = np.take_along_axis(sketch, source.astype(np.int64), axis=1)
    return values + (places - source).astype(np.uint32) * _STEP


def _candidates(rows: Places, keys: Sketches) -> tuple[Places, Places]:
    """Pairs of rows with equal keys in a band, each once, in order."""
    found = np.empty(0, np.uint64)
    for band in range(keys.shape[1]):
        found = ngrams.distinct(np.concatenate([found, _of_one_band(keys[:, band])]))
    later, earlier = (found >> np.uint64(32)).astype(np.int64), (found & np.uint64(2**32 - 1)).astype(np.int64)
    return rows[later], rows[earlier]


def _of_one_band(keys: Sketches) -> Hashes:
    """Pairs of places as `later << 32 | earlier`."""
    both = np.sort((keys.astype(np.uint64) << np.uint64(32)) | np.arange(len(keys), dtype=np.uint64))
    ordered, order = both >> np.uint64(32), both & np.uint64(2**32 - 1)
    shared = np.zeros(len(order), bool)
    shared[1:] = ordered[1:] == ordered[:-1]
    first = np.maximum.accumulate(np.where(shared, 0, np.arange(len(order))))  # where each one's bucket begins
    places = np.flatnonzero(shared)
    pairs = [np.empty(0, np.uint64)]
    for distance in range(NEIGHBOURS):
        for other in (first[places] + distance, places - distance - 1):
            inside = (other < places) & (other >= first[places])
            pairs.append((order[places[inside]] << np.uint64(32)) | order[other[inside]])
    return ngrams.distinct(np.concatenate(pairs))


def _similarities(column: pa.ChunkedArray, later: Places, earlier: Places) -> Iterator[np.ndarray[Any, np.dtype[np.float64]]]:
    """Exact Jaccard similarities, portion by portion."""
    for start in range(0, len(later), PAIRS_AT_ONCE):
        one, other = later[start : start + PAIRS_AT_ONCE], earlier[start : start + PAIRS_AT_ONCE]
        rows = ngrams.distinct(np.concatenate([one, other]))
        grams, ends = _gram_sets(column.take(pa.array(rows)))
        yield _jaccard(grams, ends, np.searchsorted(rows, one), np.searchsorted(rows, other))


def _gram_sets(column: pa.ChunkedArray) -> tuple[Hashes, Places]:
    """The n-grams of every text as sorted 48-bit numbers, each once, and where texts begin and end."""
    keys = [np.empty(0, np.uint64)]
    for rows in ngrams.texts(column):
        found = ngrams.words(rows, ngrams.IDENTIFIERS, unspaced=True)
        grams, row_of = ngrams.grams(found.hashes, found.ends, GRAM)
        keys.append(((row_of + rows.first).astype(np.uint64) << _HASH_BITS) | (grams >> (np.uint64(64) - _HASH_BITS)))
    every = ngrams.distinct(np.concatenate(keys))
    ends = np.searchsorted(every, np.arange(len(column) + 1, dtype=np.uint64) << _HASH_BITS)
    return every & ((np.uint64(1) << _HASH_BITS) - np.uint64(1)), ends


def _jaccard(grams: Hashes, ends: Places, one: Places, other: Places) -> np.ndarray[Any, np.dtype[np.float64]]:
    sizes = np.diff(ends)
    left, right = _by_pair(grams, ends, one), _by_pair(grams, ends, other)
    at = np.minimum(np.searchsorted(right, left), len(right) - 1)
    common = np.bincount((left[right[at] == left] >> _HASH_BITS).astype(np.int64), minlength=len(one))
    return common / (sizes[one] + sizes[other] - common)


def _by_pair(grams: Hashes, ends: Places, rows: Places) -> Hashes:
    """The n-grams of the given rows one after the other, each below the number of its pair: sorted."""
    lengths = np.diff(ends)[rows]
    shift = np.repeat(ends[rows] - (np.cumsum(lengths) - lengths), lengths)
    pair = np.repeat(np.arange(len(rows), dtype=np.uint64) << _HASH_BITS, lengths)
    return pair | grams[shift + np.arange(len(shift))]
