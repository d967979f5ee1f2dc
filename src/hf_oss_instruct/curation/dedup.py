"""Which rows say what an earlier row said: exact duplicates, white space aside."""

from __future__ import annotations

import numpy as np
import xxhash

from hf_oss_instruct.data import KEEP, Row, Verdict

COMPARED = ("seed", "problem", "solution")
RECENT = 2**15
"""Marks in a Python set before they are packed."""


class ExactDuplicates:
    """Drops a row whose seed, problem or solution stood in a kept row before, all white space removed.

    Rows must come in seed order: the first of a group stays.

    Source:
        ise-uiuc/magicoder, `clean_data.py`; the paper's only de-duplication.
    """

    name, version = "duplicates", 1

    def __init__(self) -> None:
        self._seen = _Marks()

    def __call__(self, row: Row) -> Verdict:
        """Keep or drop one row, and remember it if it is kept."""
        marks = []
        for column in COMPARED:
            squeezed = "".join(row[column].split())  # type: ignore[literal-required]  # the three names above
            mark = xxhash.xxh3_64_intdigest(f"{column}\0{squeezed}".encode())
            if mark in self._seen:
                return Verdict("duplicate", f"its {column} stood in an earlier row")
            marks.append(mark)
        for mark in marks:
            self._seen.add(mark)
        return KEEP


class _Marks:
    """A set of 64-bit numbers at 8 bytes each; a Python set takes ten times that, and there are three for each row."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._old = np.empty(0, np.uint64)

    def __contains__(self, mark: int) -> bool:
        if mark in self._recent:
            return True
        at = self._old.searchsorted(np.uint64(mark))
        return bool(at < len(self._old) and self._old[at] == mark)

    def add(self, mark: int) -> None:
        self._recent.add(mark)
        if len(self._recent) >= RECENT:
            self._old = np.union1d(self._old, np.fromiter(self._recent, np.uint64, len(self._recent)))
            self._recent.clear()
