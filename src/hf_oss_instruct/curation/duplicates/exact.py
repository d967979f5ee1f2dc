"""Find rows with a text that occurred in an earlier row, ignoring white space."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.annotations import not_rejected, reject
from hf_oss_instruct.data import KEEP, CheckResult, Row
from hf_oss_instruct.storage.packed import NumberMap
from hf_oss_instruct.storage.spill import Hashes, key_ranges

COMPARED = ("seed", "problem", "solution")
_WHITE = b"\t\n\v\f\r\x1c\x1d\x1e\x1f "
"""The ASCII characters that `str.split` treats as white space."""


class ExactDuplicates:
    """Drops rows whose seed, problem or solution occurred in an earlier kept row, ignoring white space.

    Rows must come in seed order: the first of a group is kept. Blank texts never match.

    Args:
        columns: the columns to compare, each with itself.

    Source:
        ise-uiuc/magicoder, `clean_data.py`, the paper's only deduplication.
    """

    name, version = "duplicates", 1

    def __init__(self, columns: Sequence[str] = COMPARED) -> None:
        self._columns, self._seen = columns, NumberMap()

    def __call__(self, row: Row) -> CheckResult:
        """Keep or drop one row, and remember it if it is kept."""
        marks = []
        for column in self._columns:
            text = "".join(row[column].split())  # type: ignore[literal-required]  # text columns of a row
            if not text:
                continue
            mark = xxhash.xxh3_64_intdigest(f"{column}\0{text}".encode())
            if mark in self._seen:
                return CheckResult("duplicate", duplicate_detail(column))
            marks.append(mark)
        # Only now: a row must not be rejected for repeating one that was rejected itself.
        for mark in marks:
            self._seen.set(mark, 1)
        return KEEP


def exact_duplicates(table: pa.Table, columns: Sequence[str] = COMPARED) -> pa.Table:
    """Reject rows that share a text or `seed_id` with an earlier kept row as `duplicate`: `ExactDuplicates` for a whole table.

    Args:
        table: rows in seed order.
        columns: the text columns to compare, each with itself; those that the table lacks are left out.
    """
    names = [name for name in columns if name in table.column_names]
    # Ids rarely repeat, and counting is cheaper than comparing them.
    if "seed_id" in table.column_names and pc.count_distinct(table["seed_id"]).as_py() < len(table):
        names.insert(0, "seed_id")
    numbers = [hashes_without_whitespace(table[name]) for name in names]
    again = np.any([np.zeros(len(table), bool), *map(repeated, numbers)], axis=0)  # (rows,)
    rows = np.flatnonzero(again & not_rejected(table)).tolist()
    same = first_repeats((row, [int(column[row]) for column in numbers]) for row in rows)
    return reject(table, "duplicate", {row: duplicate_detail(names[column]) for row, column in same})


def first_repeats(rows: Iterable[tuple[int, Sequence[int]]]) -> Iterator[tuple[int, int]]:
    """The rows that share a text with an earlier kept row, each with the number of the first column in which it does.

    Args:
        rows: in order, each with a hash of its text in every column, which is 0 where that never matches.
    """
    seen: list[set[int]] | None = None
    for row, marks in rows:
        seen = seen or [set() for _ in marks]
        same = next((column for column, mark in enumerate(marks) if mark in seen[column]), None)
        if same is None:
            for mark, before in zip(marks, seen, strict=True):
                before.update({mark} - {0})
        else:
            yield row, same


def duplicate_detail(column: str) -> str:
    """The detail of an exact duplicate."""
    return f"its {column} stood in an earlier row"


def repeated(numbers: Hashes) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(numbers,): whether a hash occurs more than once; zeros do not count."""
    is_repeated = np.zeros(len(numbers), bool)  # (numbers,)
    for positions in key_ranges(numbers):
        order = positions[np.argsort(numbers[positions], kind="stable")]  # (positions,)
        same = numbers[order][1:] == numbers[order][:-1]  # (positions - 1,)
        is_repeated[order[1:][same]] = is_repeated[order[:-1][same]] = True
    return np.asarray(is_repeated & (numbers != 0), bool)


def hashes_without_whitespace(column: pa.ChunkedArray) -> Hashes:
    """(rows,): a hash of each text without white space, 0 for blank ones."""
    hashes = np.zeros(len(column), np.uint64)  # (rows,)
    for rows in ngrams.texts(column):
        data, ends = rows.data.tobytes(), rows.ends.tolist()
        for row, (start, stop) in enumerate(pairwise(ends), rows.first):
            text = data[start:stop]
            # `translate` is faster, but removes single bytes, and white space beyond ASCII has several.
            bare = text.translate(None, _WHITE) if text.isascii() else "".join(text.decode(errors="replace").split()).encode()
            if bare:
                # 0 means blank.
                hashes[row] = xxhash.xxh3_64_intdigest(bare) or 1
    return hashes
