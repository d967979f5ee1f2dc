"""Answer the browser over a table of any size: filters from small columns, texts only where they are shown or searched."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.reporting.access import RowAccess
from hf_oss_instruct.reporting.page.chunks import prepared
from hf_oss_instruct.reporting.page.facets import FACETS, KEPT, REJECTED, tables, title, values_of
from hf_oss_instruct.reporting.rows import ReportRows, column_of
from hf_oss_instruct.storage.arrow import holds_text

SEARCH_S = 0.2
"""Seconds after which a search returns the rows found so far."""
CACHE_SIZE = 8
"""Filters and searches that are remembered."""
MAX_VALUES = 2_000
"""Values of a facet that are sent; a repository that is not among them can still be typed."""


@dataclass
class _Search:
    positions: np.ndarray[Any, np.dtype[np.int64]]
    looked: int = 0
    found: list[int] = field(default_factory=list)


class RowLookup:
    """Answers the browser. Rows are numbered consecutively: the kept ones, then the rejected ones.

    Args:
        rows: the dataset.
    """

    def __init__(self, rows: ReportRows) -> None:
        self._rows = rows
        self._tables = [(name, table, RowAccess(table)) for name, table in tables(rows)]
        self._kept = len(self._tables[0][2])
        self._total = sum(len(access) for _, _, access in self._tables)
        self._facets: dict[str, pa.DictionaryArray | None] = {}
        # A lock for each column: reading one takes a moment, in which others can be answered.
        self._reading = {facet.name: Lock() for facet in FACETS}
        self._searches: OrderedDict[tuple[Any, ...], _Search] = OrderedDict()
        self._lock = Lock()

    def facets(self) -> list[dict[str, Any]]:
        """What can be filtered by: name, label and values. The values of a column are None until `values` is called."""
        names = {name for _, table, _ in self._tables for name in table.schema.names}
        listed = [{"name": facet.name, "label": facet.label, "values": None} for facet in FACETS if facet.column in names]
        return [{"name": "table", "label": "Rows", "values": [name for name, *_ in self._tables]}, *listed]

    def values(self, name: str) -> list[str]:
        """The values of a column to filter by, sorted, at most `MAX_VALUES`; none if the column does not exist."""
        facet = self._facet(name)
        return [] if facet is None else sorted(facet.dictionary.to_pylist())[:MAX_VALUES]

    def _facet(self, name: str) -> pa.DictionaryArray | None:
        """The value of every row, read on first use: a million rows need a moment for each column."""
        for facet in FACETS:
            if facet.name == name:
                with self._reading[name]:
                    if name not in self._facets:
                        self._facets[name] = values_of(self._rows, facet)
                    return self._facets[name]
        return None

    def find(self, text: str, chosen: Mapping[str, str], offset: int, limit: int) -> dict[str, Any]:
        """A page of the list.

        Args:
            text: text to search for, ignoring case; empty for all rows.
            chosen: facet → value.
            offset: number of the first one, of those found.
            limit: how many.

        Returns:
            `items` (key, title, details), `total`, `rows` (that pass the filters), `looked` (of these, searched), and
            `cursor`, which is not empty while a search is not finished: pass it with the same query to continue.
        """
        for name in chosen:
            self._facet(name)  # what takes long, before others have to wait
        with self._lock:
            search = self._search(text.strip().lower(), chosen)
            # Other requests wait for the lock, so a long search answers with what it has and continues with the next request.
            deadline = time.monotonic() + SEARCH_S
            while search.looked < len(search.positions) and len(search.found) < offset + limit and time.monotonic() < deadline:
                self._search_next_group(search, text.strip().lower())
            whole = search.looked >= len(search.positions)
            positions = (search.found if text.strip() else search.positions)[offset : offset + limit]
            return {
                "items": self._items([int(position) for position in positions]),
                "total": len(search.found) if text.strip() else len(search.positions),
                "rows": len(search.positions),
                "looked": search.looked,
                "cursor": "" if whole or not text.strip() else "more",
            }

    def row(self, key: str) -> dict[str, Any] | None:
        """A row by its key (`kept-0`) or its `seed_id`: `key` and `row`; None if there is none."""
        with self._lock:
            position = self._position(key)
            return None if position is None else {"key": self._key(position), "row": prepared(self._take([position])[0])}

    def _search(self, text: str, chosen: Mapping[str, str]) -> _Search:
        question = (text, *sorted(chosen.items()))
        if question not in self._searches:
            positions = np.arange(self._total)  # (rows,)
            for name, value in chosen.items():
                positions = positions[self._matches(name, value)[positions]]  # (matching,)
            self._searches[question] = _Search(positions, 0 if text else len(positions))
        self._searches.move_to_end(question)
        # The browser asks for a list page by page, and continues a search.
        while len(self._searches) > CACHE_SIZE:
            self._searches.popitem(last=False)
        return self._searches[question]

    def _matches(self, name: str, value: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if name == "table":
            kept = np.arange(self._total) < self._kept  # (rows,)
            return kept if value == KEPT else ~kept
        if (values := self._facet(name)) is None:
            return np.zeros(self._total, bool)
        # The value is compared with the distinct values, and rows by its number among these.
        code = pc.index(values.dictionary, pa.scalar(value, values.dictionary.type)).as_py()
        matches: np.ndarray[Any, np.dtype[np.bool_]] = (
            pc.fill_null(values.indices, -1).to_numpy() == code if code >= 0 else np.zeros(self._total, bool)
        )
        return matches

    def _search_next_group(self, search: _Search, text: str) -> None:
        """Search the next row group that holds rows which pass the filters."""
        position = int(search.positions[search.looked])
        first, access, names = self._table_of(position)
        start, portion = access.portion(position - first, names)
        end = int(np.searchsorted(search.positions, first + start + len(portion)))
        hits = np.zeros(len(portion), bool)  # (rows of the group,)
        for column in portion.itercolumns():
            column = pc.cast(column, pa.large_string())
            hits |= pc.fill_null(pc.match_substring(column, text, ignore_case=True), False).to_numpy()
        candidates = search.positions[search.looked : end]  # (candidates,)
        search.found += candidates[hits[candidates - first - start]].tolist()
        search.looked = end

    def _table_of(self, position: int) -> tuple[int, RowAccess, list[str]]:
        """The table of a row: the number of its first row, its rows, and its columns of text."""
        number, first = (0, 0) if position < self._kept else (1, self._kept)
        _, table, access = self._tables[number]
        return first, access, [field.name for field in table.schema if holds_text(field.type)]

    def _items(self, positions: list[int]) -> list[dict[str, Any]]:
        columns = [self._rows.problem, "seed", "received", *(facet.column for facet in FACETS)]
        listed = [facet for facet in FACETS if facet.listed]
        return [
            {
                "key": self._key(position),
                "title": title(row, self._rows.problem),
                "details": " · ".join(str(row[facet.column]) for facet in listed if row.get(facet.column)),
            }
            for position, row in zip(positions, self._take(positions, columns), strict=True)
        ]

    def _take(self, positions: list[int], columns: list[str] | None = None) -> list[dict[str, Any]]:
        return [row for rows in self._by_table(positions, columns) for row in rows]

    def _by_table(self, positions: list[int], columns: list[str] | None) -> Iterator[list[dict[str, Any]]]:
        yield self._tables[0][2].take([position for position in positions if position < self._kept], columns)
        if self._total > self._kept:
            yield self._tables[1][2].take([position - self._kept for position in positions if position >= self._kept], columns)

    def _key(self, position: int) -> str:
        return f"{KEPT}-{position}" if position < self._kept else f"{REJECTED}-{position - self._kept}"

    def _position(self, key: str) -> int | None:
        name, _, number = key.partition("-")
        # `isdigit` is also true of digits that `int` refuses, such as ².
        if name in (KEPT, REJECTED) and number.isascii() and number.isdigit():
            position = int(number) + (self._kept if name == REJECTED else 0)
            return position if position < (self._kept if name == KEPT else self._total) else None
        first = 0
        for _, table, access in self._tables:
            ids = column_of(table, "seed_id")
            if ids is not None and holds_text(ids.type):
                index = pc.index(ids, pa.scalar(key, ids.type)).as_py()
                if index >= 0:
                    return first + int(index)
            first += len(access)
        return None
