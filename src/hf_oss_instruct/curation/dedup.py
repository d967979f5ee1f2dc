"""Which rows say what an earlier row said: exact duplicates, white space aside."""

from __future__ import annotations

import xxhash

from hf_oss_instruct.data import KEEP, Row, Verdict
from hf_oss_instruct.packed import NumberMap

COMPARED = ("seed", "problem", "solution")


class ExactDuplicates:
    """Drops a row whose seed, problem or solution stood in a kept row before, all white space removed.

    Rows must come in seed order: the first of a group stays.

    Source:
        ise-uiuc/magicoder, `clean_data.py`; the paper's only de-duplication.
    """

    name, version = "duplicates", 1

    def __init__(self) -> None:
        self._seen = NumberMap()

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
            self._seen.set(mark, 1)
        return KEEP
