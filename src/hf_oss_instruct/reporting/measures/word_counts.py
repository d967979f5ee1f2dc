"""How often each word occurs in each text: scikit-learn's words, found in Arrow's bytes and known by their hashes.

By default, scikit-learn takes lower case and maximal runs of at least two letters, digits and `_`. Its dict of strings takes a
gigabyte for the words of a million rows of code; hashes take eight bytes each, and no row becomes a Python string.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.storage.spill import Hashes, Positions

HASH_BITS = 53
"""Bits of a word's hash: the odds that any two of a million words share one are 1 : 18,000."""
# A row's number shares 64 bits with the hash of a word, so that one sort counts all words of all rows.
BATCH_ROWS = 2 ** (64 - HASH_BITS)
MAX_CHARS = 100_000
"""Characters of a problem or solution that are read: a cell of a megabyte is not prose."""
BUFFER_WORDS = 2**22
"""Words of rows that wait until they are counted together."""
_LETTERS = ngrams.alphabet(ngrams.LOWERCASE + ngrams.LOWERCASE.upper() + ngrams.DIGITS + "_", fold=True, beyond_ascii=True)
_CHARACTER = np.ones(256, np.int64)
"""(256,): first byte of a character in UTF-8 → its bytes."""
_CHARACTER[0xC0:], _CHARACTER[0xE0:], _CHARACTER[0xF0:] = 2, 3, 4


@dataclass(frozen=True, slots=True)
class WordCounts:
    """The distinct words of some consecutive texts.

    Attributes:
        words: (pairs,), sorted within each text.
        counts: (pairs,), how often each stands there.
        rows: (pairs,), the number of the text, from 0.
        texts: how many texts these are.
    """

    words: Hashes
    counts: Positions
    rows: Positions
    texts: int


def counted(chunks: Iterable[pa.Array]) -> Iterator[WordCounts]:
    """The words of texts, some at a time, in their order."""
    for texts in _batches(chunks):
        words, rows, _ = _words(texts)
        keys = np.sort((rows.astype(np.uint64) << np.uint64(HASH_BITS)) | words)  # (words,)
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.empty(0, np.int64)
        counts = np.diff(np.append(first, len(keys)))  # (pairs,)
        pairs = keys[first]  # (pairs,)
        low = np.uint64(2**HASH_BITS - 1)
        yield WordCounts(pairs & low, counts, (pairs >> np.uint64(HASH_BITS)).astype(np.int64), len(texts))


def spelled(chunks: Iterable[pa.Array], wanted: Sequence[int]) -> dict[int, str]:
    """How words are written, from the first text that has each; the texts are read until all words are found.

    Args:
        chunks: the texts.
        wanted: hashes of words.
    """
    missing = np.unique(np.array(wanted, np.uint64))  # (missing,)
    spellings: dict[int, str] = {}
    for texts in _batches(chunks) if len(missing) else ():
        words, _, (starts, stops) = _words(texts)
        positions = np.flatnonzero(np.isin(words, missing))  # (found,)
        for position in positions[np.unique(words[positions], return_index=True)[1]]:
            spellings[int(words[position])] = (
                texts.data[starts[position] : stops[position]].tobytes().decode(errors="replace").lower()
            )
        missing = np.setdiff1d(missing, words)  # (still missing,)
        if not len(missing):
            break
    return spellings


def hashes_of(words: Sequence[str]) -> Hashes:
    """The hashes of some words in lower case, in their order."""
    return ngrams.word_hashes(words) >> np.uint64(64 - HASH_BITS)


@dataclass
class Frequencies:
    """Number of texts that contain each word.

    Attributes:
        words: (words,), sorted, after `finish`.
        texts: (words,), the number of texts with each.
    """

    words: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    texts: Positions = field(default_factory=lambda: np.empty(0, np.int64))
    _waiting: list[Hashes] = field(default_factory=list)
    _size: int = 0

    def add(self, words: Hashes) -> None:
        """Count the distinct words of texts."""
        self._waiting.append(words)
        self._size += len(words)
        if self._size > BUFFER_WORDS:
            self.finish()

    def finish(self) -> None:
        """Count the buffered texts."""
        ordered = np.sort(np.concatenate([np.empty(0, np.uint64), *self._waiting]))  # (waiting,)
        self._waiting, self._size = [], 0
        if not len(ordered):
            return
        first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))  # (new words,)
        words, counts = ordered[first], np.diff(np.append(first, len(ordered)))  # both (new words,)
        positions = np.searchsorted(self.words, words)  # (new words,)
        known = np.zeros(len(words), bool)  # (new words,)
        inside = positions < len(self.words)
        known[inside] = self.words[positions[inside]] == words[inside]
        self.texts[positions[known]] += counts[known]
        self.words = np.insert(self.words, positions[~known], words[~known])
        self.texts = np.insert(self.texts, positions[~known], counts[~known])


def _batches(chunks: Iterable[pa.Array]) -> Iterator[ngrams.ColumnTexts]:
    for chunk in chunks:
        for start in range(0, len(chunk), BATCH_ROWS):
            yield from ngrams.texts([_with_word_boundaries(chunk.slice(start, BATCH_ROWS))])


def _with_word_boundaries(texts: pa.Array) -> pa.Array:
    """The texts; those beyond ASCII with blanks between their words, since all its bytes count as letters."""
    other = pc.invert(pc.string_is_ascii(texts))
    if not pc.any(other).as_py():
        return texts
    # Case beyond ASCII is folded here: `_LETTERS` knows that of ASCII only.
    plain = pc.replace_substring_regex(pc.utf8_lower(texts.filter(other)), r"[^\pL\pN_]+", " ")
    return pc.replace_with_mask(texts, other, plain)


def _words(texts: ngrams.ColumnTexts) -> tuple[Hashes, Positions, tuple[Positions, Positions]]:
    """Hash and text of every word of at least two characters, and where in the bytes it begins and ends."""
    words = ngrams.words(texts, _LETTERS)
    rows = np.repeat(np.arange(len(texts)), np.diff(words.ends))  # (words,)
    long: np.ndarray[Any, np.dtype[np.bool_]] = words.stops - words.starts > _CHARACTER[texts.data[words.starts]]
    hashes = words.hashes[long] >> np.uint64(64 - HASH_BITS)  # (long words,)
    return hashes, rows[long], (words.starts[long], words.stops[long])
