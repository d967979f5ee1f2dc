"""Text as numbers: what numpy finds in bytes is what a plain regular expression finds in strings."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.storage.spill import Hashes

TEXTS = st.lists(st.text(alphabet="aB_9 \n(é.\u3000", max_size=30) | st.just("long" * 20), max_size=8)
PLAIN = {
    "identifiers": (ngrams.IDENTIFIERS, lambda text: re.findall(r"[A-Za-z0-9_\u0080-\U0010ffff]+", text)),
    "prose": (ngrams.PROSE, lambda text: re.findall(r"[a-z0-9]+", "".join(c if c.isascii() else " " for c in text).lower())),
}


def by_row(found: ngrams.Words, values: Hashes) -> list[list[int]]:
    return [values[start:stop].tolist() for start, stop in zip(found.ends, found.ends[1:], strict=False)]


@given(TEXTS, st.sampled_from(list(PLAIN)), st.integers(1, 50))
def test_words_are_those_of_a_plain_search_whatever_the_batch(texts: list[str], kind: str, batch_bytes: int) -> None:
    letters, plain = PLAIN[kind]
    found = []
    for rows in ngrams.texts(ngrams.of_strings(texts), batch_bytes):
        counted = ngrams.words(rows, letters)
        found += by_row(counted, counted.hashes)
    assert found == [[ngrams.word_hash(word) for word in plain(text)] for text in texts]


@given(TEXTS, st.integers(1, 6))
def test_grams_stay_within_their_row_and_equal_ones_are_equal(texts: list[str], n: int) -> None:
    plain = PLAIN["identifiers"][1]
    expected = [
        (row, tuple(found[at : at + n])) for row, found in enumerate(map(plain, texts)) for at in range(len(found) - n + 1)
    ]
    (rows,) = ngrams.texts(ngrams.of_strings(texts)) if texts else [ngrams.ColumnTexts(0, np.empty(0, np.uint8), np.array([0]))]
    found = ngrams.words(rows, ngrams.IDENTIFIERS)
    hashes, row_of = ngrams.grams(found.hashes, found.ends, n)
    assert row_of.tolist() == [row for row, _ in expected]
    assert len(set(hashes.tolist())) == len({gram for _, gram in expected})
    family = {
        length: (counted.tolist(), of.tolist())
        for length, counted, of in ngrams.ngrams_of_lengths(found.hashes, found.ends, range(1, n + 1))
    }
    assert family.get(n, ([], [])) == (hashes.tolist(), row_of.tolist())


def test_null_is_empty_text_and_slices_keep_their_rows() -> None:
    column = pa.chunked_array([pa.array(["zero", None, "two words", "three"]).slice(1)])
    (rows,) = ngrams.texts(column)
    assert [rows.text(row) for row in range(len(rows))] == ["", "two words", "three"]
