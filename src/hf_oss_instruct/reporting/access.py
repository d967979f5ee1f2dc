"""Rows by their number: a row group is read, not the table, so that a million rows are as quick as a thousand."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pds


class RowAccess:
    """Reads rows of a table by their numbers.

    Args:
        table: the table; of a Parquet file only the requested row groups are read.
    """

    def __init__(self, table: pds.Dataset) -> None:
        self._names = table.schema.names
        parts = [part for fragment in table.get_fragments() for part in _row_groups(fragment)]
        self._parts = [part for part, _ in parts]
        self._starts = [0, *accumulate(rows for _, rows in parts)]

    def __len__(self) -> int:
        return int(self._starts[-1])

    def take(self, positions: Sequence[int], columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Some rows, in the given order.

        Args:
            positions: their numbers, from 0.
            columns: columns to read, as far as the table has them; all by default.
        """
        wanted = None if columns is None else [name for name in columns if name in self._names]
        rows_at: dict[int, dict[str, Any]] = {}
        # Each row group is read once, whatever the order of the rows.
        for number in sorted({self._part_of(position) for position in positions}):
            start, own = self._starts[number], sorted({position for position in positions if self._part_of(position) == number})
            rows = self._parts[number].to_table(columns=wanted)
            # Not `Table.take`, which lacks some types, such as views of strings.
            rows_at |= {position: rows.slice(position - start, 1).to_pylist()[0] for position in own}
        return [rows_at[position] for position in positions]

    def portion(self, position: int, columns: Sequence[str]) -> tuple[int, pa.Table]:
        """The row group that a row is in: the number of its first row, and some of its columns."""
        number = self._part_of(position)
        return self._starts[number], self._parts[number].to_table(columns=list(columns))

    def _part_of(self, position: int) -> int:
        return bisect_right(self._starts, position) - 1


def _row_groups(fragment: pds.Fragment) -> list[tuple[pds.Fragment, int]]:
    """The row groups of a fragment, each with its number of rows: `count_rows` of a subset counts the whole file (pyarrow 26)."""
    if not isinstance(fragment, pds.ParquetFileFragment):
        return [(fragment, fragment.count_rows())]
    return [(fragment.subset(row_group_ids=[group.id]), group.num_rows) for group in fragment.row_groups if group.num_rows]
