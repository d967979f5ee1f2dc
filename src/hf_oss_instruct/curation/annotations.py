"""Columns in which checks write their results: `reason`, `detail`, `flags` and `contaminated_by`. No row is removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.data import REASONS

CHUNK_ROWS = 1000
"""Rows of a chunk of a new column."""
REASON, DETAIL, FLAGS, CONTAMINATED_BY = "reason", "detail", "flags", "contaminated_by"


def not_rejected(table: pa.Table) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(rows,): whether no check has rejected the row."""
    if REASON not in table.column_names:
        return np.ones(len(table), bool)
    return np.asarray(pc.is_null(table[REASON]).to_numpy(zero_copy_only=False), bool)


def reject(table: pa.Table, reason: str, why: Mapping[int, str]) -> pa.Table:
    """Mark some rows of a table as rejected.

    Args:
        table: rows.
        reason: one of `data.REASONS`.
        why: row number → detail, in one line. Rows that are rejected already keep their first reason.
    """
    assert reason in REASONS, reason
    alive = not_rejected(table)  # (rows,)
    why = {row: detail for row, detail in why.items() if alive[row]}
    table = _changed(table, REASON, pa.string(), dict.fromkeys(why, reason))
    return _changed(table, DETAIL, pa.string(), why)


def flag(table: pa.Table, words: Mapping[int, Sequence[str]], column: str = FLAGS) -> pa.Table:
    """Add words to the lists in a column; a null list without new words stays null.

    Args:
        table: rows.
        words: row number → words to add; a word that is there already is not repeated.
        column: a column of lists of words, which is appended if the table lacks it.
    """
    return _changed(table, column, pa.list_(pa.string()), words, lambda old, new: list(dict.fromkeys([*(old or []), *new])))


def _changed(
    table: pa.Table,
    name: str,
    kind: pa.DataType,
    values: Mapping[int, Any],
    combine: Callable[[Any, Any], Any] = lambda old, new: new,
) -> pa.Table:
    """Set some values of a column, which is appended if it is missing. Only chunks in which something changes are copied."""
    exists = name in table.column_names
    chunks, first = [], 0
    rows = np.sort(np.fromiter(values, np.int64, len(values)))  # (values,)
    for chunk in table[name].chunks if exists else _nulls(len(table), kind):
        inside = rows[slice(*np.searchsorted(rows, (first, first + len(chunk))))].tolist()
        if inside:
            changed = chunk.to_pylist()
            for row in inside:
                changed[row - first] = combine(changed[row - first], values[row])
            chunk = pa.array(changed, kind)
        # A source may have nulls or large strings here, and all chunks of a column need one type.
        chunks.append(chunk.cast(kind))
        first += len(chunk)
    column = pa.chunked_array(chunks, kind)
    if not exists:
        return table.append_column(name, column)
    if not values:
        return table
    return table.set_column(table.column_names.index(name), table.schema.field(name).with_type(kind).with_nullable(True), column)


def _nulls(rows: int, kind: pa.DataType) -> Iterator[pa.Array]:
    """A column of nulls, in chunks that share their memory."""
    chunk = pa.nulls(min(rows, CHUNK_ROWS), kind)
    for first in range(0, rows, CHUNK_ROWS):
        yield chunk[: rows - first]


def identity(table: pa.Table, row: int) -> str:
    """How other rows name a row: its `seed_id`, or its number in a table without."""
    return str(table["seed_id"][row]) if "seed_id" in table.column_names else f"row {row}"
