"""Some rows of a table as fields of documents, converted to Python values on first access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from hf_oss_instruct.data import storable
from hf_oss_instruct.seeds.reading import DEFAULT, ReadOptions
from hf_oss_instruct.seeds.tables.column_names import FIELDS, fields_of, require_content, text_columns
from hf_oss_instruct.seeds.tables.text_columns import read_contents
from hf_oss_instruct.seeds.vectorized import TextBuffer
from hf_oss_instruct.storage.arrow import flat, holds_text

FLAGS = frozenset({"is_vendor", "is_generated"})
SKIPPED = "\0skipped"
"""Key that marks a JSON row whose content was not read; no column can have this name."""


class Columns:
    """Some rows of a table, one source file each. A column is converted to Python values on first access.

    Args:
        rows: number of rows.
        arrays: field → its column, for the existing fields.
        texts: the contents; None if the table has ids only.
        skipped: row → reason, for contents that are not read.
    """

    def __init__(
        self,
        rows: int,
        arrays: dict[str, pa.Array | list[Any]],
        texts: TextBuffer | None,
        skipped: Mapping[int, str] | None = None,
    ) -> None:
        self._rows, self.arrays, self.texts = rows, arrays, texts
        self.skipped = skipped or {}
        self._values: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, field: str) -> list[Any]:
        """The value of a field in each row; None if it is missing."""
        if field not in self._values:
            self._values[field] = self._plain(field)
        return self._values[field]

    def take(self, rows: Sequence[int]) -> Columns:
        """Some of the rows."""
        arrays = {
            field: [column[row] for row in rows] if isinstance(column, list) else column.take(pa.array(rows, pa.int64()))
            for field, column in self.arrays.items()
            # The contents are in `texts`, which shares its buffer: taking rows of this column would copy it.
            if field != "content"
        }
        skipped = {index: self.skipped[row] for index, row in enumerate(rows) if row in self.skipped} if self.skipped else {}
        return Columns(len(rows), arrays, self.texts.only(rows) if self.texts else None, skipped)

    def _plain(self, field: str) -> list[Any]:
        column = self.arrays.get(field)
        if column is None:
            return [False if field in FLAGS else None] * self._rows
        return [_plain(field, value) for value in column] if isinstance(column, list) else _plain_column(field, column)


def table_columns(table: pa.Table, reading: ReadOptions = DEFAULT) -> Columns:
    """The rows of a flat table in memory.

    Raises:
        SeedError: it has no column with code.
    """
    fields = fields_of(table.column_names, text_columns(table.schema), reading)
    if "content" not in fields:
        require_content({}, table.column_names, "the table", reading)
    chunked = {field: table.column(column) for field, column in fields.items()}
    arrays = {field: chunks.chunk(0) if chunks.num_chunks == 1 else chunks.combine_chunks() for field, chunks in chunked.items()}
    return from_arrow(arrays, len(table), "the table", reading)


def from_arrow(arrays: dict[str, pa.Array], rows: int, path: str, reading: ReadOptions) -> Columns:
    """Return the rows of Arrow columns.

    Args:
        arrays: field → its column.
        rows: number of rows.
        path: name of the table in errors.
        reading: how contents are read.
    """
    texts, skipped = read_contents(arrays["content"], reading, path) if "content" in arrays else (None, {})
    return Columns(rows, dict(arrays), texts, skipped)


def from_rows(rows: Sequence[dict[str, Any]], ids_only: bool, path: str, reading: ReadOptions) -> Columns:
    """Return rows of JSON.

    Args:
        rows: field → its value, for each row.
        ids_only: whether the rows have no text, only ids of Software Heritage.
        path: name of the table in errors.
        reading: how contents are read.
    """
    values: dict[str, Any] = {field: [row.get(field) for row in rows] for field in FIELDS if field != "content"}
    if ids_only:
        return Columns(len(rows), values, None)
    contents = pa.array([_plain("content", row.get("content")) or "" for row in rows], pa.large_string())  # (rows,)
    texts, skipped = read_contents(contents, reading, path)
    return Columns(len(rows), values, texts, skipped | {n: row[SKIPPED] for n, row in enumerate(rows) if SKIPPED in row})


def _plain_column(field: str, array: pa.Array) -> list[Any]:
    """Cast a column to the type of its field; a column of any other type counts as missing."""
    array = flat(array)
    if field == "licenses" and (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return _lists(array)
    if field in FLAGS or field == "licenses" or not holds_text(array.type):
        return [_plain(field, value) for value in array.to_pylist()]
    return [text or None for text in array.to_pylist()]


def _lists(array: pa.Array) -> list[Any]:
    """Lists of text as tuples; twice as fast as `to_pylist`."""
    if not holds_text(array.type.value_type) or array.null_count:
        return [_plain("licenses", value) for value in array.to_pylist()]
    values, ends = array.flatten().to_pylist(), array.offsets.to_pylist()
    # The offsets of a slice do not begin at 0.
    first = ends[0] if ends else 0
    lists = (values[start - first : stop - first] for start, stop in pairwise(ends))
    return [tuple(names) if None not in names else _plain("licenses", names) for names in lists]


def _plain(field: str, value: Any) -> Any:
    """Convert a value to the type of its field; a value of any other type counts as missing."""
    if field in FLAGS:
        return value is True
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if field == "bytes":
        return value if isinstance(value, int) else None
    if field == "row_id" and isinstance(value, int):
        return str(value)
    if field == "licenses" and isinstance(value, list):
        return tuple(storable(name) for name in value if isinstance(name, str))
    text = storable(value) if isinstance(value, str) and value else None
    return (text,) if text and field == "licenses" else text
