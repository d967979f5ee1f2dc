"""Hash the words of Arrow text columns, and their n-grams, many rows at once.

Rows are not converted to Python strings: words are located in the columns' bytes and hashed eight bytes at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from hf_oss_instruct.storage.spill import Hashes, Positions, distinct

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]


BATCH_BYTES = 2**18
"""Bytes of text processed at a time, so that the numbers computed from it fit into the processor's cache."""
WORD_BYTES = 8
"""Bytes hashed at a time."""
LONG_WORD_BYTES = 64
"""Words with at least this many bytes are hashed with xxhash."""
# An odd factor for each position in an n-gram, so that the order of words counts. The draw is fixed,
# because hashes are stored and compared: in the cached index of benchmarks, and between machines.
_OF_POSITION = np.random.default_rng(20231204).integers(1, 2**63, 64, dtype=np.uint64) | np.uint64(1)
# Masks of the first bytes of a number, which are its low ones (little-endian).
_FIRST_BYTES = np.array([(1 << 8 * length) - 1 for length in range(WORD_BYTES + 1)], np.uint64)


def alphabet(letters: str, *, fold: bool = False, beyond_ascii: bool = False) -> Bytes:
    """(256,): byte → the letter that it counts as, 0 if it is not a letter.

    Args:
        letters: the ASCII letters of words.
        fold: whether to ignore case.
        beyond_ascii: whether every character beyond ASCII is a letter.
    """
    table = np.zeros(256, np.uint8)  # (256,)
    for letter in letters.encode():
        table[letter] = ord(chr(letter).lower()) if fold else letter
    if beyond_ascii:
        table[128:] = np.arange(128, 256)
    return table


DIGITS, LOWERCASE = "0123456789", "abcdefghijklmnopqrstuvwxyz"
IDENTIFIERS = alphabet(LOWERCASE + LOWERCASE.upper() + DIGITS + "_", beyond_ascii=True)
"""Letters of identifiers: `max_value` is one word."""
PROSE = alphabet(LOWERCASE + LOWERCASE.upper() + DIGITS, fold=True)
"""Letters of prose: `Max_value` is the words `max` and `value`."""


@dataclass(frozen=True, slots=True)
class ColumnTexts:
    """Some consecutive rows of a column.

    Attributes:
        first: number of the first row in its column.
        data: (bytes,), the rows one after the other.
        ends: (rows + 1,), where in `data` rows begin and end.
    """

    first: int
    data: Bytes
    ends: Positions

    def __len__(self) -> int:
        return len(self.ends) - 1

    def text(self, row: int) -> str:
        """A row as a string; invalid UTF-8 is replaced."""
        return self.data[self.ends[row] : self.ends[row + 1]].tobytes().decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some texts.

    Attributes:
        hashes: (words,), equal for equal words.
        ends: (rows + 1,), where in `hashes` rows begin and end.
        starts, stops: (words,), byte offsets in the texts where each word begins and ends.
    """

    hashes: Hashes
    ends: Positions
    starts: Positions
    stops: Positions


def texts(column: pa.ChunkedArray | Iterable[pa.Array], batch_bytes: int = BATCH_BYTES) -> Iterator[ColumnTexts]:
    """A text column, or its chunks, in portions of about `batch_bytes`, at least one row each. Nulls are empty texts."""
    first = 0
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else column:
        # Large strings have 64-bit offsets, whatever the type of the column.
        chunk = pc.fill_null(chunk.cast(pa.large_string()), "")
        _, offsets, values = chunk.buffers()
        if len(chunk) == 0:
            continue
        ends = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]  # (rows + 1,)
        # A chunk of empty texts may have no buffer of values.
        data = np.frombuffer(values, np.uint8) if values is not None and values.size else np.empty(0, np.uint8)  # (bytes,)
        start = 0
        while start < len(chunk):
            stop = max(int(np.searchsorted(ends, ends[start] + batch_bytes, "right")) - 1, start + 1)
            yield ColumnTexts(first + start, data[ends[start] : ends[stop]], ends[start : stop + 1] - ends[start])
            start = stop
        first += len(chunk)


def of_strings(values: list[str]) -> pa.ChunkedArray:
    """Strings as a text column."""
    return pa.chunked_array(
        [pa.array([value.encode(errors="replace") for value in values], pa.large_binary()).cast(pa.large_string())]
    )


def words(rows: ColumnTexts, letters: Bytes, *, unspaced: bool = False) -> Words:
    """The words of some texts: maximal runs of letters within a row.

    Args:
        rows: the texts.
        letters: (256,), as returned by `alphabet`.
        unspaced: whether each character of a script that puts no spaces between words (Chinese, Japanese, Thai, …) is a word.
    """
    folded = np.take(letters, rows.data)  # (bytes,)
    # A margin on both sides, so that a run of letters at the first or last byte has two edges as well.
    is_letter = np.concatenate([[False], folded != 0, [False]])  # (bytes + 2,)
    edges = np.flatnonzero(is_letter[1:] != is_letter[:-1])  # (2 · runs,): starts and stops in turn
    inner = distinct(np.concatenate([rows.ends[1:-1], _unspaced(rows.data)]) if unspaced else rows.ends[1:-1])
    seams = inner[is_letter[inner] & is_letter[inner + 1]]  # where two rows meet in letters, the word ends
    edges = np.insert(edges, np.searchsorted(edges, seams).repeat(2), seams.repeat(2))  # (2 · words,)
    starts, stops = edges[::2], edges[1::2]  # (words,)
    return Words(_hashes(folded, starts, stops), np.searchsorted(starts, rows.ends), starts, stops)


def _unspaced(data: Bytes) -> Positions:
    """Byte offsets where characters of scripts without spaces begin and end in UTF-8."""
    # Bytes that begin a character of three or four bytes; the last two of valid UTF-8 cannot.
    positions = np.flatnonzero(data[:-2] >= 0xE0)  # (characters,)
    first, second = data[positions], data[positions + 1]
    scripts = (first >= 0xE3) & (first <= 0xE9)  # U+3000 to U+9FFF: Chinese, kana and their punctuation
    scripts |= (first == 0xEF) & (second >= 0xA4) & (second <= 0xBE)  # compatibility and full-width forms
    scripts |= (first == 0xE0) & (second >= 0xB8)  # Thai, Lao, Tibetan
    scripts |= (first == 0xE1) & np.isin(second, [0x80, 0x81, 0x82, 0x9E, 0x9F])  # Myanmar, Khmer
    scripts |= (first == 0xF0) & (second >= 0xA0)  # U+20000 and above: rarer Chinese characters
    starts = positions[scripts]
    return np.concatenate([starts, np.minimum(starts + np.where(first[scripts] == 0xF0, 4, 3), len(data))])


def grams(hashes: Hashes, ends: Positions, n: int) -> tuple[Hashes, Positions]:
    """Hash every n consecutive words of a row. Returns hashes and rows, both (grams,).

    Args:
        hashes: (words,).
        ends: (rows + 1,), where rows begin and end in it.
        n: number of words, 64 at most.
    """
    rows = len(ends) - 1
    if len(hashes) < n:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    row_of = np.repeat(np.arange(rows), np.diff(ends))  # (words,)
    whole = len(hashes) - n + 1
    mixed = hashes[:whole] * _OF_POSITION[0]  # (words - n + 1,)
    # N-grams across two rows are hashed too, and dropped below: that is cheaper than a loop over rows. Sums wrap at 2⁶⁴.
    for position in range(1, n):
        mixed += hashes[position : position + whole] * _OF_POSITION[position]
    within = row_of[:whole] == row_of[n - 1 :]  # (words - n + 1,)
    return mixed[within], row_of[:whole][within]


def ngrams_of_lengths(hashes: Hashes, ends: Positions, lengths: Collection[int]) -> Iterator[tuple[int, Hashes, Positions]]:
    """`grams` of several lengths, each computed from the previous one: length, hashes, rows.

    Args:
        hashes: (words,).
        ends: (rows + 1,), where rows begin and end in it.
        lengths: numbers of words, each 64 at most; they come in ascending order.
    """
    row_of = np.repeat(np.arange(len(ends) - 1), np.diff(ends))  # (words,)
    mixed = np.zeros(len(hashes), np.uint64)  # (words,)
    for position in range(min(max(lengths), len(hashes))):
        mixed = mixed[: len(hashes) - position]  # (words - position,)
        mixed += hashes[position:] * _OF_POSITION[position]
        if position + 1 not in lengths:
            continue
        within = row_of[: len(mixed)] == row_of[position:]  # (words - position,)
        yield position + 1, mixed[within], row_of[: len(mixed)][within]


def windows(data: Bytes, starts: Positions, size: int) -> Hashes:
    """(starts,): hash of some bytes at each start.

    Args:
        data: (bytes,).
        starts: offsets in `data`, at least `size` bytes before its end.
        size: bytes to hash, a multiple of 8.
    """
    first = sliding_uint64(data)  # (bytes,)
    mixed = np.zeros(len(starts), np.uint64)  # (starts,)
    for position in range(size // WORD_BYTES):
        mixed += mix64(first[starts + position * WORD_BYTES]) * _OF_POSITION[position]
    return mixed


def mix64(numbers: Hashes) -> Hashes:
    """Mix bits: every bit of the result depends on every bit of the number (finalizer of splitmix64)."""
    mixed = numbers ^ (numbers >> np.uint64(30))  # (numbers,)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def known_positions(hashes: Hashes, known: Hashes) -> Positions:
    """Positions of the hashes that are among a few known ones (sorted)."""
    # Most words are not among the known ones. Their low bits show that for nearly all, and the exact test is for the few left.
    table = np.zeros(2**16, bool)  # (2¹⁶,)
    table[known & np.uint64(2**16 - 1)] = True
    positions = np.flatnonzero(np.take(table, (hashes & np.uint64(2**16 - 1)).astype(np.int64)))  # (possible,)
    return positions[np.isin(hashes[positions], known)]


def word_hash(word: str) -> int:
    """The hash of a word as `words` computes it; the word must be folded already."""
    return int(word_hashes([word])[0])


def word_hashes(several: Sequence[str]) -> Hashes:
    """The hashes of some words, in their order."""
    encoded = [word.encode(errors="replace") for word in several]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)  # (words + 1,)
    return _hashes(np.frombuffer(b"".join(encoded), np.uint8), ends[:-1], ends[1:])


def sliding_uint64(data: Bytes) -> Hashes:
    """(bytes,): the eight bytes from each byte on as one number; zeros after the end."""
    padded = np.concatenate([data, np.zeros(WORD_BYTES, np.uint8)])  # (bytes + WORD_BYTES,)
    # A view with a stride of one byte, instead of eight shifted copies.
    return np.ndarray((len(data),), np.uint64, padded, 0, (1,))


def _hashes(data: Bytes, starts: Positions, stops: Positions) -> Hashes:
    """(starts,): hashes of the bytes from each start to its stop."""
    numbers, lengths = sliding_uint64(data), stops - starts
    hashes = mix64(
        (numbers[starts] & _FIRST_BYTES[np.minimum(lengths, WORD_BYTES)]) ^ _OF_POSITION[np.minimum(lengths, LONG_WORD_BYTES - 1)]
    )
    # Most words are shorter than eight bytes: each round works on the ones that are left.
    for position in range(WORD_BYTES, LONG_WORD_BYTES, WORD_BYTES):
        longer = np.flatnonzero(lengths > position)  # (longer words,)
        if not len(longer):
            break
        rest = np.minimum(lengths[longer] - position, WORD_BYTES)
        hashes[longer] = mix64(hashes[longer] * _OF_POSITION[0] + (numbers[starts[longer] + position] & _FIRST_BYTES[rest]))
    for long in np.flatnonzero(lengths > LONG_WORD_BYTES):
        hashes[long] = xxhash.xxh3_64_intdigest(data[starts[long] : stops[long]].tobytes())
    return hashes
