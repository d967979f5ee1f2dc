"""A map from integers to integers for more entries than fit into memory."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from hf_oss_instruct.storage.spill import Spill

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.uint64]]

BUFFER_ENTRIES = 2**15
"""Entries in a Python dict before they are packed."""
MERGE_ENTRIES = 2**16
"""Entries of a run that are merged at a time."""


class NumberMap:
    """Maps integers to integers, all 0 … 2⁶⁴−1. It takes 16 bytes of disk per entry, and at most about 7 MB of memory.

    The newest entries are in a dict. Older ones are in runs sorted by key, each on disk if it is large; a run is merged with the
    one before it when it has half as many entries, so that there are few (O'Neil et al. 1996, "The log-structured merge-tree").
    """

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._runs: list[_Run] = []

    def __contains__(self, key: int) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        # Several runs may hold the same key.
        self.pack()
        return sum(len(run.keys) for run in self._runs)

    def get(self, key: int) -> int | None:
        """Return the latest value of a key, or None."""
        value = self._recent.get(key)
        if value is None:
            for run in reversed(self._runs):
                if (value := run.get(key)) is not None:
                    break
        return value

    def set(self, key: int, value: int) -> None:
        """Set the value of a key, replacing an earlier one."""
        self._recent[key] = value
        if len(self._recent) >= BUFFER_ENTRIES:
            self._flush()

    def values(self) -> Iterator[int]:
        """Return the latest value of every key, sorted by key."""
        self.pack()
        for run in self._runs:
            for start in range(0, len(run.values), MERGE_ENTRIES):
                yield from run.values[start : start + MERGE_ENTRIES].tolist()

    def pack(self) -> None:
        """Merge all entries into one run: of a map that is complete, this frees most of the memory."""
        if self._recent:
            self._flush()
        while len(self._runs) > 1:
            self._merge_last()

    def _flush(self) -> None:
        size = len(self._recent)
        keys = np.fromiter(self._recent.keys(), np.uint64, size)  # (recent,)
        values = np.fromiter(self._recent.values(), np.uint64, size)  # (recent,)
        order = np.argsort(keys)  # (recent,)
        self._runs.append(_Run(keys[order], values[order]))
        self._recent.clear()
        while len(self._runs) > 1 and 2 * len(self._runs[-1].keys) > len(self._runs[-2].keys):
            self._merge_last()

    def _merge_last(self) -> None:
        newer, older = self._runs.pop(), self._runs.pop()
        self._runs.append(_merged(older, newer))


class _Run:
    """Entries sorted by key: keys and values, both (entries,)."""

    def __init__(self, keys: Numbers, values: Numbers) -> None:
        self.keys, self.values = keys, values
        self._sorted = keys.data  # bisecting a memoryview is four times as fast as the array for single keys

    def get(self, key: int) -> int | None:
        at = bisect_left(self._sorted, key)
        return int(self.values[at]) if at < len(self._sorted) and self._sorted[at] == key else None


def _merged(older: _Run, newer: _Run) -> _Run:
    """Both runs as one, a portion at a time; of a key in both, the newer value stays."""
    keys, values = Spill(np.uint64), Spill(np.uint64)
    first = second = 0
    while first < len(older.keys) or second < len(newer.keys):
        old, new = older.keys[first : first + MERGE_ENTRIES], newer.keys[second : second + MERGE_ENTRIES]  # (old,), (new,)
        last = min(int(part[-1]) for part in (old, new) if len(part))  # up to here, both portions are complete
        # As uint64: compared with a signed number, the keys would become floats, which are exact up to 53 bits only.
        old, new = (part[: np.searchsorted(part, np.uint64(last), "right")] for part in (old, new))
        # Keys of one run are distinct, which `assume_unique` relies on.
        kept = np.isin(old, new, assume_unique=True, invert=True)  # (old,)
        both = np.concatenate([old[kept], new])  # (kept + new,)
        order = np.argsort(both)  # (kept + new,)
        keys.append(both[order])
        parts = (older.values[first : first + len(old)][kept], newer.values[second : second + len(new)])
        values.append(np.concatenate(parts)[order])
        first, second = first + len(old), second + len(new)
    return _Run(keys.read(), values.read())
