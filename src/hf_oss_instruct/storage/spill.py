"""Arrays of numbers that grow on disk instead of in memory."""

from __future__ import annotations

import errno
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import IO, Any, Generic, TypeAlias, TypeVar

import numpy as np

from hf_oss_instruct.errors import RunError

Positions: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Hashes: TypeAlias = np.ndarray[Any, np.dtype[np.uint64]]
Number = TypeVar("Number", np.uint32, np.uint64, np.int64)

MEMORY_BYTES = 2**18
"""Bytes from which on an array is on disk."""
RANGE_NUMBERS = 2**21
"""Numbers that `key_ranges` yields at a time, which bounds the memory of what is computed from them."""
SORT_NUMBERS = 2**19
"""Numbers that are kept in memory until they are sorted."""
MERGE_NUMBERS = 2**18
"""Numbers that `merged` yields at a time, unless more have the same high half."""


class Spill(Generic[Number]):
    """An array that is appended to, and then read as a memory map.

    Its file is temporary, in the folder that the environment variable `TMPDIR` names, and has no name there: it leaves nothing
    behind, even if the process is killed.

    Args:
        dtype: the type of its numbers.
    """

    def __init__(self, dtype: type[Number]) -> None:
        self._dtype: type[Number] = dtype
        self._fresh: list[np.ndarray[Any, np.dtype[Number]]] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def append(self, numbers: np.ndarray[Any, np.dtype[Number]]) -> None:
        """Append numbers.

        Raises:
            RunError: the disk is full.
        """
        self._fresh.append(numbers)
        self._bytes += numbers.nbytes
        if self._bytes > MEMORY_BYTES:
            self._write()

    def read(self) -> np.ndarray[Any, np.dtype[Number]]:
        """All numbers, (numbers,); if they are many, as a memory map, whose pages the system can drop.

        Raises:
            RunError: as `append`.
        """
        if self._file is None:
            return np.concatenate([np.empty(0, self._dtype), *self._fresh])
        self._write()
        return np.memmap(self._file, self._dtype, "r")

    def _write(self) -> None:
        try:
            if self._file is None:
                # It stays open while the object lives, because it has no name to open it by.
                self._file = tempfile.TemporaryFile(prefix="hf-oss-instruct-")
                weakref.finalize(self, self._file.close)
            for numbers in self._fresh:
                self._file.write(np.ascontiguousarray(numbers).data)
            # A memory map shows only what has left Python's buffer.
            self._file.flush()
        except OSError as error:
            # What it has buffered cannot be written when the program ends, either.
            with suppress(OSError):
                if self._file:
                    self._file.close()
            raise RunError(_not_written(error)) from error
        self._fresh, self._bytes = [], 0


def _not_written(error: OSError) -> str:
    """What to do if a temporary file cannot be written."""
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return f"A temporary file cannot be opened: {error.strerror}. Allow more (ulimit -n), and repeat the command or call."
    if tempfile.tempdir is None:  # no folder was found
        return f"No folder for temporary files can be written: {error.strerror}. Set TMPDIR to a writable folder."
    return (
        f"Temporary files in {tempfile.tempdir!r} cannot be written: {error.strerror}. Set TMPDIR to a folder with more space, "
        "and repeat the command or call."
    )


class SortedSpill:
    """A set of 64-bit numbers that grows on disk. It is sorted a portion at a time; `merged` reads it in order."""

    def __init__(self) -> None:
        self._sorted, self._ends = Spill(np.uint64), [0]
        self._fresh: list[Hashes] = []
        self._size = 0

    def add(self, numbers: Hashes) -> None:
        """Add numbers, which may be in it already.

        Raises:
            RunError: the disk is full.
        """
        self._fresh.append(numbers)
        self._size += len(numbers)
        if self._size >= SORT_NUMBERS:
            self._sort()

    def runs(self) -> list[Hashes]:
        """Return the sorted portions. A number may be in several."""
        if self._size:
            self._sort()
        every = self._sorted.read()  # (numbers of all portions,)
        return [every[start:stop] for start, stop in pairwise(self._ends)]

    def _sort(self) -> None:
        run = distinct(np.concatenate(self._fresh))  # (distinct,)
        self._sorted.append(run)
        self._ends.append(self._ends[-1] + len(run))
        self._fresh, self._size = [], 0


def merged(*sets: SortedSpill) -> Iterator[list[Hashes]]:
    """Read sets of numbers side by side in ranges: yields the numbers of each set in one range, sorted.

    Ranges are in ascending order and hold about `MERGE_NUMBERS` numbers. Numbers with the same 32 high bits are never divided.
    """
    ranges = [(0, 2**32, [numbers.runs() for numbers in sets])]  # the high bits from and below which their numbers are
    while ranges:
        low, high, runs_in_range = ranges.pop()
        if sum(len(run) for runs in runs_in_range for run in runs) > MERGE_NUMBERS and high - low > 1:
            middle = (low + high) // 2
            parts = [[np.split(run, [np.searchsorted(run, np.uint64(middle << 32))]) for run in runs] for runs in runs_in_range]
            ranges.append((middle, high, [[upper for _, upper in runs if len(upper)] for runs in parts]))
            ranges.append((low, middle, [[lower for lower, _ in runs if len(lower)] for runs in parts]))
        elif any(runs_in_range):
            yield [distinct(np.concatenate([np.empty(0, np.uint64), *runs])) for runs in runs_in_range]


def distinct(numbers: np.ndarray[Any, np.dtype[Number]]) -> np.ndarray[Any, np.dtype[Number]]:
    """Sorted distinct numbers; many times as fast as `np.unique`, which uses a hash table."""
    ordered = np.sort(numbers)  # (numbers,)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def key_ranges(keys: np.ndarray[Any, np.dtype[Number]], at_once: int = 0) -> Iterator[Positions]:
    """The positions of hashes, about `at_once` at a time, in order; equal hashes come together.

    Args:
        keys: (keys,), evenly distributed over all numbers of their type.
        at_once: how many to yield at a time; `RANGE_NUMBERS` by default.
    """
    at_once = at_once or RANGE_NUMBERS
    parts = -(-len(keys) // at_once)
    for part in range(parts):
        yield np.concatenate(
            [
                start + np.flatnonzero(range_of(keys[start : start + at_once], parts) == part)
                for start in range(0, len(keys), at_once)
            ]
        )


def range_of(keys: np.ndarray[Any, np.dtype[Number]], parts: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """(keys,): which of several equal ranges each hash is in."""
    # A product of the high half and the number of ranges fits into 64 bits.
    high = keys >> 32 if keys.dtype == np.uint64 else keys  # (keys,)
    return high.astype(np.uint64) * np.uint64(parts) >> np.uint64(32)
