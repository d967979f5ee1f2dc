"""The rows beside a page: scripts that a page from disk can load, where it may not fetch files.

A script calls `ossRows(name, data)` with gzipped JSON in base64, an alphabet in which no text of a row can end the script.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.data import storable
from hf_oss_instruct.reporting.page.facets import FACETS, tables, title, values_of
from hf_oss_instruct.reporting.page.provenance import link
from hf_oss_instruct.reporting.rows import ReportRows, batches
from hf_oss_instruct.storage.workdir import write_atomically, writing

CHUNK_ROWS = 500
"""Rows of a script."""
GZIP = 31
"""`wbits` of zlib for the gzip format, which `DecompressionStream` reads."""
LEVEL = 4
INDEX = "index"
FOLDER = "rows"
_SCRIPT = re.compile(rf"(\d{{5,}}|{INDEX})\.js")


def write_chunks(rows: ReportRows, folder: Path) -> int:
    """Write the scripts.

    Args:
        rows: the dataset.
        folder: the folder of the page, without the scripts of an earlier report.

    Returns:
        The number of rows.

    Raises:
        RunError: the folder cannot be written.
    """
    target = folder / FOLDER
    with writing(target):
        target.mkdir(exist_ok=True)
    titles: list[str] = []
    ids: list[Any] = []
    waiting: list[dict[str, Any]] = []
    written = 0
    for row in _all(rows):
        titles.append(title(row, rows.problem))
        ids.append(row.get("seed_id"))
        waiting.append(prepared(row))
        if len(waiting) == CHUNK_ROWS:
            _write(target, f"{written:05d}", waiting)
            written, waiting = written + 1, []
    if waiting:
        _write(target, f"{written:05d}", waiting)
    kept = rows.kept.count_rows()
    index = {
        "rows": len(titles),
        "kept": kept,
        "chunk": CHUNK_ROWS,
        "titles": titles,
        "ids": ids,
        "facets": _facets(rows, kept, len(titles)),
    }
    _write(target, INDEX, index)
    return len(titles)


def remove_chunks(folder: Path) -> None:
    """Remove the scripts of an earlier report, and their folder if nothing else is in it.

    Args:
        folder: the folder of the page.
    """
    target = folder / FOLDER
    if not target.is_dir():
        return
    for path in target.iterdir():
        # Only scripts of ours: somebody may keep other files there.
        if _SCRIPT.fullmatch(path.name):
            path.unlink()
    with suppress(OSError):
        target.rmdir()


def _all(rows: ReportRows) -> Iterator[dict[str, Any]]:
    for _, table in tables(rows):
        for batch in batches(table):
            yield from batch.to_pylist()


def prepared(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for the browser: what it holds, without empty cells, and the link to its seed."""
    shown = {name: value for name, value in row.items() if value is not None and value != []}
    if (address := link(row)) is not None:
        shown["_link"] = address
    return shown


def _facets(rows: ReportRows, kept: int, total: int) -> list[dict[str, Any]]:
    which = {"name": "table", "label": "Rows", "listed": False, "values": ["kept", "rejected"]}
    facets = [which | {"codes": [0] * kept + [1] * (total - kept)}]
    for facet in FACETS:
        values = values_of(rows, facet)
        if values is not None and len(values.dictionary):
            facets.append({"name": facet.name, "label": facet.label, "listed": facet.listed, **_ordered(values)})
    return facets


def _ordered(values: pa.DictionaryArray) -> dict[str, Any]:
    """Values in alphabetical order, and the number of each row's, -1 if it has none."""
    order = pc.sort_indices(values.dictionary)
    inverse = pc.sort_indices(order)  # the inverse of a permutation
    codes = pc.fill_null(pc.cast(pc.take(inverse, values.indices), pa.int64()), -1)
    return {"values": values.dictionary.take(order).to_pylist(), "codes": codes.to_pylist()}


def _write(folder: Path, name: str, value: Any) -> None:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    data = base64.b64encode(packer.compress(encoded(value)) + packer.flush()).decode()
    write_atomically(folder / f"{name}.js", f'ossRows("{name}","{data}")\n')


def encoded(value: Any) -> bytes:
    """JSON of anything that Arrow holds: bytes, dates and numbers that JSON lacks are text."""
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS)


def _as_text(value: Any) -> str:
    return storable(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
