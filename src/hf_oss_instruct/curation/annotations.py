"""Columns in which checks write their results: `reason`, `detail`, `flags` and `contaminated_by`. No row is removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.data import REASONS

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
    old = [_column(table, name, pa.string()) for name in (REASON, DETAIL)]
    if not why and REASON in table.column_names:
        return table
    fresh = [row for row in why if old[0][row] is None]
    for row in fresh:
        old[0][row], old[1][row] = reason, why[row]
    for name, values in zip((REASON, DETAIL), old, strict=True):
        table = _with(table, name, pa.array(values, pa.string()))
    return table


def flag(table: pa.Table, found: Mapping[int, Sequence[str]], column: str = FLAGS) -> pa.Table:
    """Add words to the lists in a column; a null list without new words stays null."""
    kind = pa.list_(pa.string())
    if not found:
        return table if column in table.column_names else table.append_column(column, pa.nulls(len(table), kind))
    values = _column(table, column, kind)
    for row, new in found.items():
        values[row] = list(dict.fromkeys([*(values[row] or []), *new]))
    return _with(table, column, pa.array(values, kind))


def _column(table: pa.Table, name: str, kind: pa.DataType) -> list[Any]:
    return table[name].to_pylist() if name in table.column_names else [None] * len(table)


def _with(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    if name not in table.column_names:
        return table.append_column(name, values)
    return table.set_column(
        table.column_names.index(name), table.schema.field(name).with_type(values.type).with_nullable(True), values
    )
