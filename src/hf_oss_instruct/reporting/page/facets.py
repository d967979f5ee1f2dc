"""The filters of the row browser, and the entries of its list: the same for a page and for the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from hf_oss_instruct.reporting.rows import ReportRows, column_of, is_list
from hf_oss_instruct.storage.arrow import flat

KEPT, REJECTED = "kept", "rejected"
TITLE_CHARS = 110
"""Characters of a row in the list."""
RATES = ("0", "above 0, below 0.5", "0.5 to below 1", "1")


@dataclass(frozen=True, slots=True)
class Facet:
    """Something to filter by.

    Attributes:
        name, label: identifier, and what a reader sees.
        column: the column it is made of.
        listed: whether the list shows its value.
        values: (column, rows) → the value of each row, None if it has none.
    """

    name: str
    label: str
    column: str
    listed: bool = False
    values: Callable[[pa.Array], pa.Array] = lambda column: _text(column)


def _text(values: pa.Array) -> pa.Array:
    """The values as texts; the first of a list, since nearly every row has one license."""
    if is_list(values.type):
        values = pc.list_element(pc.if_else(pc.greater(pc.list_value_length(values), 0), values, None), 0)
    # A value is an entry of a menu: long ones are cut.
    return pc.utf8_slice_codeunits(pc.cast(flat(values), pa.string()), 0, 200)


def _rates(column: pa.Array) -> pa.Array:
    rate = pc.cast(column, pa.float64(), safe=False)
    conditions = pc.make_struct(pc.less_equal(rate, 0), pc.less(rate, 0.5), pc.less(rate, 1), pc.greater_equal(rate, 1))
    return pc.case_when(conditions, *(pa.scalar(name) for name in RATES))


FACETS = (
    Facet("lang", "Language", "lang", listed=True),
    Facet("license", "License", "licenses"),
    Facet("reason", "Rejected because", "reason", listed=True),
    Facet("status", "Status of the run", "execution_status", listed=True),
    Facet("rate", "Pass rate", "pass_rate", values=_rates),
    Facet("round", "Round of evolution", "round"),
    Facet("operation", "Operation of evolution", "operation"),
    Facet("repository", "Repository", "repo_name", listed=True),
)
"""Besides `table`: kept or rejected."""


def tables(rows: ReportRows) -> Iterator[tuple[str, pds.Dataset]]:
    """The tables of the browser, the kept rows first."""
    yield KEPT, rows.kept
    if rows.rejected is not None:
        yield REJECTED, rows.rejected


def values_of(rows: ReportRows, facet: Facet) -> pa.DictionaryArray | None:
    """The value of each row, kept ones first; None if no table has the column."""
    parts, known = [], False
    for _, table in tables(rows):
        if (column := column_of(table, facet.column, lists=True)) is not None:
            parts.append(_safely(facet, column))
            known = True
        else:
            parts.append(pa.nulls(table.count_rows(), pa.string()))
    return pc.dictionary_encode(pa.concat_arrays(parts)) if known else None


def _safely(facet: Facet, column: pa.Array) -> pa.Array:
    try:
        return pc.cast(facet.values(column), pa.string())
    except pa.ArrowException:  # a column of another dataset with this name and another type
        return pa.nulls(len(column), pa.string())


def title(row: Mapping[str, Any], problem: str) -> str:
    """The beginning of a row's text: of its problem, or of the seed of a rejected row."""
    text = next(
        (value for name in (problem, "seed", "received") if isinstance(value := row.get(name), str) and value.strip()), ""
    )
    # Cut first: a text may be a megabyte.
    return " ".join(text[: 4 * TITLE_CHARS].split())[:TITLE_CHARS]
