"""The map of hashes holds what a plain dictionary would, also where hashes differ in their last bits only."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.curation.decontamination.benchmark_index import _distinct_words
from hf_oss_instruct.curation.decontamination.inverted_index import InvertedIndex

CLOSE = st.sampled_from([0, 1, 2, 3, 2**63, 2**63 + 1, 2**64 - 1]) | st.integers(0, 2**64 - 1)
"""Hashes of which many are equal in all but their last bits, which the sort by packed numbers must put right."""


@given(st.lists(st.tuples(CLOSE, st.integers(0, 5)), max_size=40), st.lists(CLOSE, max_size=5))
def test_every_hash_is_found_with_its_owners_in_order(pairs: list[tuple[int, int]], others: list[int]) -> None:
    pairs.sort(key=lambda pair: pair[1])
    plain = defaultdict(set)
    for value, owner in pairs:
        plain[value].add(owner)
    lookup = InvertedIndex.of(
        np.array([value for value, _ in pairs], np.uint64), np.array([owner for _, owner in pairs], np.int32)
    )
    assert lookup.hashes.tolist() == sorted(plain)
    asked = np.array([*plain, *others], np.uint64)
    found: dict[int, list[int]] = defaultdict(list)
    for place, owner in zip(*lookup.expand(*lookup.find(asked)), strict=True):
        found[int(asked[place])].append(int(owner))
    assert {value: owners[: len(plain[value])] for value, owners in found.items()} == {
        value: sorted(owners) for value, owners in plain.items()
    }


@given(st.lists(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=12), max_size=5), st.integers(1, 5))
def test_an_n_gram_counts_each_different_word_once(rows: list[list[tuple[int, bool]]], n: int) -> None:
    tokens = [token for row in rows for token in row]
    ends = np.cumsum([0, *map(len, rows)])
    hashes = np.array([value for value, _ in tokens], np.uint64)
    counted = np.array([counts for _, counts in tokens], bool)
    expected = [len({value for value, counts in row[at : at + n] if counts}) for row in rows for at in range(len(row) - n + 1)]
    assert _distinct_words(hashes, counted, ends, n).tolist() == expected
