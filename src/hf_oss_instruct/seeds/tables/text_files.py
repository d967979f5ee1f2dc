"""Read CSV, TSV and JSON tables of code, batch by batch."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from typing import Any

from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.tables.column_names import fields_of, require_content
from hf_oss_instruct.seeds.tables.columns import SKIPPED, Columns, from_arrow, from_rows
from hf_oss_instruct.storage.formats import csv_batches, csv_header, json_rows

LINES = 64  # lines of JSON read at a time


def csv_columns(file: io.BufferedReader[Any], path: str, reading: ReadOptions) -> Iterator[Columns]:
    """The rows of a CSV or TSV file with a header line; see `parquet_columns`.

    Args:
        file: the file, decompressed.
        path: its name, for errors.
        reading: how its contents are read.
    """
    names, marked = csv_header(file, path)
    if not names:
        return
    outer = fields_of(names, names, reading)
    require_content(outer, names, path, reading)
    for batch in csv_batches(file, path, list(dict.fromkeys(outer.values())), marked):
        yield from_arrow({field: batch.column(column) for field, column in outer.items()}, len(batch), path, reading)


def json_columns(file: io.BufferedReader[Any], path: str, reading: ReadOptions) -> Iterator[Columns]:
    """The rows of a file of JSON; see `parquet_columns`.

    Args:
        file: the file, decompressed.
        path: its name, for errors.
        reading: how its contents are read.

    Raises:
        SeedError: a line is not a JSON object, or has neither text nor ids.
    """
    rows = _json_files(file, path, reading)
    failure: Exception | None = None
    while not failure:
        some: list[dict[str, Any]] = []
        try:
            for row in islice(rows, LINES):
                some.append(row)
        except Exception as error:  # the error is raised after the rows before it were yielded
            failure = error
        # Rows with their text and rows with only ids may alternate, and are read differently.
        for ids_only, run in groupby(some, lambda row: "content" not in row):
            yield from_rows(list(run), ids_only, path, reading)
        if not some:
            break
    if failure:
        raise failure


def _json_files(file: io.BufferedReader[Any], path: str, reading: ReadOptions) -> Iterator[dict[str, Any]]:
    """The fields of each file in a file of JSON."""
    # If a row has no text, another column must not be mistaken for its code.
    code: str | None = None
    for row in json_rows(file, path):
        if row is None:
            yield {"content": None, SKIPPED: "too_large"}
            continue
        outer = fields_of(row, [code] if code and code in row else _strings(row), reading)
        code = outer.get("content", code)
        files = [file for file in _list(row.get("files")) if isinstance(file, dict)]
        if nested := "files" in row and outer.get("content") != "content" and (bool(files) or not row["files"]):
            outer.pop("content", None)
        inner = fields_of({name for file in files for name in file}, {name for file in files for name in _strings(file)}, reading)
        if files or not nested:
            require_content(inner if nested else outer, row, path, reading)
        shared = {field: row[column] for field, column in outer.items()}
        if not nested:
            yield shared
        for inside in files if nested else ():
            yield shared | {field: inside.get(column) for field, column in inner.items()}


def _strings(row: Mapping[str, Any]) -> list[str]:
    """The keys of a row whose values are text or null."""
    return [name for name, value in row.items() if value is None or isinstance(value, str)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
