"""Read the rows of a benchmark's file: Parquet, JSON, or JSON lines (also gzipped)."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_oss_instruct.structured import any_json


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file.

    Attributes:
        number: line of JSON lines, or row number in the file, from 1.
        value: columns to values; any JSON value where a file holds something else.
        line: the text of the row in a file of JSON lines, without surrounding white space; None in other formats.
    """

    number: int
    value: Any
    line: bytes | None = None


def read_rows(file: Path, columns: Collection[str] | None = None) -> Iterator[FileRow]:
    """The rows of a file, one after the other.

    Args:
        file: a path that ends in `.parquet`, `.json`, `.jsonl` or `.jsonl.gz`.
        columns: columns to read, as far as the file has them; None for all. Tests can weigh gigabytes.

    Raises:
        OSError, EOFError, ValueError, zlib.error: the file is damaged; pyarrow's errors are among these.
    """
    if file.name.endswith(".parquet"):
        import pyarrow.parquet as pq

        parquet = pq.ParquetFile(file)
        names = parquet.schema_arrow.names
        wanted = names if columns is None else [name for name in names if name in columns]
        batches = parquet.iter_batches(columns=wanted)
        rows: Iterator[FileRow] = (
            FileRow(number, row) for number, row in enumerate((row for batch in batches for row in batch.to_pylist()), 1)
        )
    else:
        rows = _json_rows(file)
    for row in rows:
        if columns is None or not isinstance(row.value, dict):
            yield row
        else:
            yield FileRow(row.number, {name: value for name, value in row.value.items() if name in columns}, row.line)


def _json_rows(file: Path) -> Iterator[FileRow]:
    with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as lines:
        if file.name.endswith(".json"):
            whole = any_json(lines.read())
            for number, value in enumerate(whole if isinstance(whole, list) else [whole], 1):
                yield FileRow(number, value)
            return
        for number, line in enumerate(lines, 1):
            if text := line.strip():
                yield FileRow(number, any_json(text), text)
