r"""The first draw of the sampler `hash`, vectorized over an Arrow column.

`sampling.hash_spans` is the reference implementation; the tests compare the two. Documents stay in Arrow's buffer: one bit per
byte marks line ends, counting bits finds the nth line end, and only the snippets become Python strings.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from hf_oss_instruct.data import Document, Provenance, Skipped
from hf_oss_instruct.errors import SeedError

MAX_LINES = 15
"""A snippet has 1 to 15 lines (paper, section 2.1; `min_lines`, `max_lines` in ise-uiuc/magicoder)."""
BOM = codecs.BOM_UTF8
PREFIXES = re.compile(
    rb"(\xef\xbb\xbf)?((<reponame>[^<\n]*(<filename>[^<\n]*)?|<filename>[^<\n]*)(<gh_stars>[^<\n]*)?\n?|<gh_stars>[^<\n]*\n?)?"
    rb"(\xef\xbb\xbf)?"
)
"""A byte order mark; and starcoderdata opens a text with `<reponame>NAME<filename>PATH<gh_stars>RANGE` and a newline, each part
optional."""

BLOCK_BYTES = 2**17
"""Bytes processed at a time, so that they and the results stay in the processor's cache."""

Integers: TypeAlias = npt.NDArray[np.int64]
Span: TypeAlias = tuple[int, int, str]
"""First and last line, counted from 1, and the text."""


@dataclass(frozen=True)
class TextBuffer:
    """Texts in one contiguous buffer.

    Attributes:
        data: the bytes, UTF-8.
        start, stop: offsets in `data` where each text begins and ends, both (texts,).
        name: where they come from, for errors.
    """

    data: npt.NDArray[np.uint8]
    start: Integers
    stop: Integers
    name: str = "a table"

    @classmethod
    def of(cls, array: pa.Array, *, as_stored: bool = False, name: str = "a table") -> TextBuffer:
        """The texts of a column, without copying them; nulls are empty.

        Args:
            array: a column of strings, plain or large.
            as_stored: keep byte order marks and the prefixes of starcoderdata.
            name: where they come from, for errors.
        """
        width = np.int32 if pa.types.is_string(array.type) else np.int64
        _, ends, data = array.buffers()
        if not len(array) or ends is None:
            offsets = np.zeros(len(array) + 1, np.int64)  # (texts + 1,)
        else:
            offsets = np.frombuffer(ends, width)[array.offset : array.offset + len(array) + 1].astype(np.int64)  # (texts + 1,)
        first, last = int(offsets[0]), int(offsets[-1])
        text = np.frombuffer(data, np.uint8)[first:last] if data is not None else np.zeros(0, np.uint8)  # (bytes,)
        start, stop = offsets[:-1] - first, offsets[1:] - first  # both (texts,)
        if array.null_count:
            stop = np.where(array.is_null().to_numpy(zero_copy_only=False), start, stop)  # (texts,)
        texts = cls(text, start, stop, name)
        return texts if as_stored else texts._without_prefixes()

    @classmethod
    def none(cls, number: int) -> TextBuffer:
        """A number of empty texts."""
        return cls(np.zeros(0, np.uint8), *np.zeros((2, number), np.int64))

    def _without_prefixes(self) -> TextBuffer:
        if not len(self.data):
            return self
        start = self.start.copy()  # (texts,)
        first = self.data[np.minimum(start, len(self.data) - 1)]  # (texts,): the first byte of each
        # The first byte rules out nearly all texts, so the pattern runs on few.
        for number in np.flatnonzero(((first == ord("<")) | (first == BOM[0])) & (self.stop > start)):
            match = PREFIXES.match(self.data.data[int(start[number]) : int(self.stop[number])])
            start[number] += match.end() if match else 0
        return TextBuffer(self.data, start, self.stop, self.name)

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, number: int) -> str:
        return self.decoded(int(self.start[number]), int(self.stop[number]))

    @cached_property
    def view(self) -> memoryview:
        """The bytes as a memoryview: slicing a numpy array takes several times as long."""
        return self.data.data

    def decoded(self, begin: int, end: int) -> str:
        """Decode the text between two offsets in `data`.

        Raises:
            SeedError: it is not UTF-8.
        """
        try:
            return str(self.view[begin:end], "utf-8")
        except UnicodeDecodeError as error:
            raise SeedError(
                f"{self.name!r} cannot be read: {error.reason}. Convert it to UTF-8, or leave the file out."
            ) from error

    def head(self, number: int, size: int) -> bytes:
        """The first bytes of a text, at most `size`."""
        begin = int(self.start[number])
        return self.data[begin : min(begin + size, int(self.stop[number]))].tobytes()

    def only(self, numbers: Sequence[int]) -> TextBuffer:
        """Some of the texts, in the same buffer."""
        return TextBuffer(self.data, self.start[numbers], self.stop[numbers], self.name)


@dataclass(frozen=True)
class DocumentBatch:
    """Consecutive documents of a table.

    Attributes:
        items: the provenance of each, or why it is skipped.
        texts: the text of each; undefined if it is skipped.
    """

    items: list[Provenance | Skipped]
    texts: TextBuffer

    def documents(self) -> Iterator[Document | Skipped]:
        """The documents one by one."""
        for number, item in enumerate(self.items):
            yield item if isinstance(item, Skipped) else Document(self.texts[number], item)


def _compact(texts: TextBuffer) -> TextBuffer:
    """The same texts without the gaps between them, if the gaps take most of the buffer."""
    sizes = texts.stop - texts.start  # (texts,), bytes
    if sizes.sum() * 4 > len(texts.data):
        return texts
    pieces = [texts.data[a:b] for a, b in zip(texts.start, texts.stop, strict=True)]
    ends = np.cumsum(sizes)  # (texts,), bytes
    return TextBuffer(np.concatenate([texts.data[:0], *pieces]), ends - sizes, ends, texts.name)


def first_spans(texts: TextBuffer, row_ids: Sequence[str], rng_seed: int) -> list[Span]:
    """First line, last line (from 1) and text of each document's first draw; the text is blank if it drew blank lines.

    Args:
        texts: the documents, (documents,).
        row_ids: their ids, (documents,).
        rng_seed: random seed of the draw.
    """
    texts = _compact(texts)
    ends = _LineEnds(texts.data)
    before = ends.rank(texts.start)  # (texts,): line ends of the buffer before each text
    inside = ends.rank(texts.stop) - before  # (texts,)
    last_byte = texts.data[np.maximum(texts.stop - 1, 0)] if len(texts.data) else np.zeros(len(texts), np.uint8)  # (texts,)
    lines = inside + ((texts.start == texts.stop) | (last_byte != ord("\n")))  # (texts,): a last line may lack its line end
    hashes = (xxhash.xxh3_64_intdigest(row_id.encode(), rng_seed) for row_id in row_ids)
    draws = np.fromiter(hashes, np.uint64, len(texts))  # (texts,)
    low, high = draws & np.uint64(0xFFFFFFFF), draws >> np.uint64(32)  # both (texts,)
    # Lemire's multiply-shift: the high 32 bits scaled to the number of lines, without the bias of a modulus
    first = (high * lines.astype(np.uint64) >> np.uint64(32)).astype(np.int64)  # (texts,), counted from 0
    last = np.minimum(first + 1 + (low % np.uint64(MAX_LINES)).astype(np.int64), lines)  # (texts,), counted from 1
    begin = np.where(first == 0, texts.start, ends.select(before + first - 1) + 1)  # (texts,), bytes
    end = np.where(last <= inside, ends.select(before + last - 1), texts.stop)  # (texts,), bytes
    bounds = list(zip((first + 1).tolist(), last.tolist(), begin.tolist(), end.tolist(), strict=True))
    view = texts.view
    try:
        return [(start, stop, str(view[a:b], "utf-8")) for start, stop, a, b in bounds]
    except UnicodeDecodeError:
        # It raises an error that names the place.
        return [(start, stop, texts.decoded(a, b)) for start, stop, a, b in bounds]


class _LineEnds:
    r"""Rank and select over the `\n` of a text, with one bit per byte."""

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self._words = np.zeros(len(data) // 64 + 1, "<u8")  # (words,): 64 bytes of text each
        bits, ends = self._words.view(np.uint8), np.empty(BLOCK_BYTES, bool)  # (bytes / 8,), and a buffer
        for first in range(0, len(data), BLOCK_BYTES):
            here = np.equal(data[first : first + BLOCK_BYTES], ord("\n"), out=ends[: len(data) - first])  # (at most BLOCK_BYTES,)
            packed = np.packbits(here, bitorder="little")
            bits[first // 8 : first // 8 + len(packed)] = packed
        # (words + 1,): line ends before each word; 32 bits where they suffice halve the memory of the searches below
        self._before: Integers = np.zeros(len(self._words) + 1, np.int32 if len(data) < 2**31 else np.int64)
        np.cumsum(np.bitwise_count(self._words), dtype=self._before.dtype, out=self._before[1:])

    def rank(self, positions: Integers) -> Integers:
        """Rank: the number of line ends before each byte."""
        words, bits = positions >> 6, (positions & 63).astype(np.uint64)  # both (positions,)
        below = self._words[words] & ((np.uint64(1) << bits) - np.uint64(1))  # (positions,)
        counts: Integers = self._before[words] + np.bitwise_count(below)
        return counts

    def select(self, numbers: Integers) -> Integers:
        """Select: the byte offset of each nth line end, counted from 0; undefined if there are fewer."""
        # Out of range where a text has no such line end: the callers choose another value there.
        numbers = np.clip(numbers, 0, max(int(self._before[-1]) - 1, 0))
        words: Integers = np.minimum(np.searchsorted(self._before, numbers, side="right") - 1, len(self._words) - 1)
        positions: Integers = words * 64 + _nth_bit(self._words[words], (numbers - self._before[words]).astype(np.uint8))
        return positions


def _nth_bit(words: npt.NDArray[np.uint64], numbers: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The position of each word's nth one bit, counted from 0, by binary search over the lower 32, 16, 8 … bits."""
    positions = np.zeros(len(words), np.uint8)  # (words,)
    for half in (32, 16, 8, 4, 2, 1):
        lower: npt.NDArray[np.uint8] = np.bitwise_count(words & np.uint64((1 << half) - 1))
        upper = (numbers >= lower).view(np.uint8)  # (words,)
        numbers = numbers - lower * upper
        words = words >> (upper * np.uint8(half))
        positions += upper * np.uint8(half)
    return positions
