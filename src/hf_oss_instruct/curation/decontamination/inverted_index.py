"""An inverted index: millions of hashes → numbers of the texts that contain them, in four arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from hf_oss_instruct.storage.spill import Hashes, Positions

TextNumbers: TypeAlias = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True, slots=True)
class InvertedIndex:
    """A map from hashes to the numbers of the texts that contain them.

    Attributes:
        hashes: (hashes,), sorted, each once.
        ends: (hashes + 1,), where in `owners` the owners of a hash begin and end; 32 bits wide.
        owners: (entries,), numbers of owners; 32 bits wide.
        prefilter: (2, slots), whether any hash has these high bits, and these low bits: it answers most lookups.
    """

    hashes: Hashes
    ends: TextNumbers
    owners: TextNumbers
    prefilter: np.ndarray[Any, np.dtype[np.bool_]]

    @classmethod
    def of(cls, hashes: Hashes, owners: TextNumbers) -> InvertedIndex:
        """Build an index from pairs of hash and owner.

        Args:
            hashes: (entries,).
            owners: (entries,), ascending.
        """
        order = _stable_order(hashes)  # (entries,)
        hashes, owners = hashes[order], owners[order]
        new = np.ones(len(hashes), bool)  # (entries,): whether an entry differs from the one before it
        new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
        hashes, owners = hashes[new], owners[new]  # (distinct pairs,)
        first = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]])[: len(hashes)])  # (distinct hashes,)
        ends = np.append(first, len(hashes)).astype(np.int32)  # (distinct hashes + 1,)
        return cls.from_parts(hashes[first], ends, owners)

    @classmethod
    def from_parts(cls, hashes: Hashes, ends: TextNumbers, owners: TextNumbers) -> InvertedIndex:
        """Rebuild an index from its arrays; the prefilter is made of the hashes.

        Args:
            hashes: (hashes,), sorted, each once.
            ends: (hashes + 1,), where in `owners` the owners of a hash begin and end.
            owners: (entries,).
        """
        # 16 to 32 slots per hash, so that most unknown hashes meet an empty one; at most 2²⁴ (16 MiB) in each table.
        prefilter = np.zeros((2, 1 << min(max(16 * len(hashes), 1 << 12).bit_length(), 24)), bool)  # (2, slots)
        prefilter[0, cls._slots(hashes, prefilter.shape[1])] = True
        prefilter[1, (hashes & np.uint64(prefilter.shape[1] - 1)).astype(np.int64)] = True
        return cls(hashes, ends, owners, prefilter)

    def without_common(self, most: int) -> InvertedIndex:
        """The index without hashes that have more than `most` owners."""
        counts = np.diff(self.ends)  # (hashes,)
        rare = counts <= most  # (hashes,)
        ends = np.concatenate([[0], np.cumsum(counts[rare])]).astype(np.int32)  # (rare hashes + 1,)
        return InvertedIndex.from_parts(self.hashes[rare], ends, self.owners[np.repeat(rare, counts)])

    def find(self, hashes: Hashes) -> tuple[Positions, Positions]:
        """Look up hashes: the positions of those that are known, and their numbers in `self.hashes`."""
        if not len(self.hashes):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        slots = self.prefilter.shape[1]
        positions = np.flatnonzero(np.take(self.prefilter[0], self._slots(hashes, slots)))  # (candidates,)
        positions = positions[np.take(self.prefilter[1], (hashes[positions] & np.uint64(slots - 1)).astype(np.int64))]
        # A hash above all known ones would be past the end.
        entries = np.minimum(np.searchsorted(self.hashes, hashes[positions]), len(self.hashes) - 1)  # (candidates,)
        hit = self.hashes[entries] == hashes[positions]  # (candidates,)
        return positions[hit], entries[hit]

    def expand(self, rows: Positions, entries: Positions) -> tuple[Positions, TextNumbers]:
        """Expand pairs of (row, hash number) to pairs of (row, owner), one for each owner of the hash."""
        counts = self.ends[entries + 1] - self.ends[entries]  # (pairs,)
        # The number of each pair among those of its hash: a running number, less the first one of the hash.
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)  # (new pairs,)
        return np.repeat(rows, counts), self.owners[np.repeat(self.ends[entries], counts) + within]

    @staticmethod
    def _slots(hashes: Hashes, size: int) -> Positions:
        return (hashes >> np.uint64(64 - size.bit_length() + 1)).astype(np.int64)


def _stable_order(hashes: Hashes) -> Positions:
    """`np.argsort(hashes, kind="stable")` in half the time: sorts numbers whose low bits are replaced by their position."""
    low = np.uint64((1 << len(hashes).bit_length()) - 1)
    packed = np.sort((hashes & ~low) | np.arange(len(hashes), dtype=np.uint64))  # (entries,)
    order = (packed & low).astype(np.int64)  # (entries,)
    packed &= ~low
    for position in np.flatnonzero(hashes[order[1:]] < hashes[order[:-1]]).tolist():  # rare: only the high bits are equal
        start, stop = np.searchsorted(packed, packed[position], "left"), np.searchsorted(packed, packed[position], "right")
        part = order[start:stop]  # (entries with these high bits,)
        order[start:stop] = part[np.argsort(hashes[part], kind="stable")]
    return order
