"""A memory-efficient map from integers to integers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np

RECENT, SHARE = 2**15, 16
"""Entries in a Python dict before they are packed: so many, or one for this many that are packed. Packing copies all entries, and
in this way takes the same time for each, however many there are."""


class NumberMap:
    """Maps integers to integers, all 0 … 2⁶⁴−1, with 16 to 26 bytes per entry; a dict needs 160.

    The newest entries are in a dict, at most one in 16 or 32,768; then they are merged into two arrays, sorted by key.
    """

    def __init__(self) -> None:
        self._recent: dict[int, int] = {}
        self._keys, self._values = np.empty(0, np.uint64), np.empty(0, np.uint64)
        self._sorted = self._keys.data  # bisecting a memoryview is four times as fast as the array for single keys

    def __contains__(self, key: int) -> bool:
        return self.get(key) is not None

    def __len__(self) -> int:
        return len(self._keys) + sum(self._packed(key) is None for key in self._recent)

    def get(self, key: int) -> int | None:
        """Return the latest value of a key, or None."""
        value = self._recent.get(key)
        return self._packed(key) if value is None else value

    def set(self, key: int, value: int) -> None:
        """Set the value of a key, replacing an earlier one."""
        self._recent[key] = value
        if len(self._recent) >= max(RECENT, len(self._keys) // SHARE):
            self._pack()

    def values(self) -> Iterator[int]:
        """Return the latest value of every key, sorted by key."""
        self._pack()
        return map(int, self._values)

    def _packed(self, key: int) -> int | None:
        at = bisect_left(self._sorted, key)
        return int(self._values[at]) if at < len(self._sorted) and self._sorted[at] == key else None

    def _pack(self) -> None:
        size = len(self._recent)
        keys = np.fromiter(self._recent.keys(), np.uint64, size)  # (recent,)
        values = np.fromiter(self._recent.values(), np.uint64, size)
        order = np.argsort(keys)
        keys, values = keys[order], values[order]
        at = np.searchsorted(self._keys, keys)
        known = at < len(self._keys)
        known[known] = self._keys[at[known]] == keys[known]
        self._values[at[known]] = values[known]
        self._sorted = np.empty(0, np.uint64).data  # so that nothing keeps the old keys
        self._keys = np.insert(self._keys, at[~known], keys[~known])  # (entries,): no second copy of everything, as sorting needs
        self._values = np.insert(self._values, at[~known], values[~known])
        self._sorted = self._keys.data
        self._recent.clear()
