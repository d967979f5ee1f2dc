"""Recognize table files, and read the rows of JSON, JSON Lines and CSV files, compressed or not."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import ijson
import pyarrow as pa
import pyarrow.csv as pc

from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.storage.run_report import RUN_REPORT, RUN_REPORT_OPENS

UTF8 = "utf-8"
BOMS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks and their encodings."""
PARQUET = ".parquet"
TABLE = re.compile(r"(?i)\.(parquet|(jsonl|ndjson|json|csv|tsv)(\.(gz|zst|bz2|xz))?)$")
UNMISTAKABLE = re.compile(r"(?i)\.(parquet|(jsonl|ndjson)(\.\w+)?)$")
"""File names that are always tables; a `.json` or `.csv` file beside one of these is not a table."""
METADATA = frozenset(
    "dataset_infos.json dataset_info.json dataset_dict.json state.json package.json package-lock.json tsconfig.json run.json "
    "metadata.json config.json".split()
)
"""Files with a table's suffix that hold metadata."""
NAMES = "parquet, JSON Lines, JSON or CSV (also .gz, .zst, .bz2, .xz)"
"""The formats, for errors."""
OPENERS: dict[str, Callable[[Any], Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda file: pa.CompressedInputStream(file, "zstd"),
}
"""Suffix → function that opens a compressed file."""
MAX_LINE_BYTES = 2**27
"""Maximum length in bytes of a JSON line. Longer lines are skipped, to bound memory."""
SNIFF_BYTES = 2**16
SCORES = "scores"
OUTPUTS = {
    SCORES: ("results.json", "verdicts.jsonl"),
    "a training": ("training.json", "recipe.yaml"),
    "an export": ("export.json", "README.md"),
}
"""What the output folder of an evaluation, a training or an export contains → files that are found together in it."""
CSV_BLOCK_BYTES = 2**24
"""Block size in bytes for parsing CSV; no row may be longer."""


def is_table(name: str) -> bool:
    """Whether a file name is that of a supported table format."""
    return TABLE.search(name) is not None and PurePosixPath(name).name.lower() not in METADATA


def tables_among(names: Iterable[str]) -> list[str]:
    """Select the tables among file names: Parquet and JSON Lines, or `.json` and `.csv` if there are none."""
    tables = [name for name in names if is_table(name)]
    return [name for name in tables if UNMISTAKABLE.search(name)] or tables


def tables_below(folder: Path) -> list[str]:
    """The tables in a folder and the folders below it, as paths relative to it.

    Hidden folders and links to folders are not followed; neither is what this library wrote below it, so that a run's output
    inside its own source is never read as a source.
    """
    paths = []
    for here, inner, names in os.walk(folder):
        # In place: `os.walk` enters the folders that are left in this list, in this order.
        inner[:] = sorted(name for name in inner if not name.startswith(".") and not is_output(Path(here, name)))
        paths += [Path(here, name).relative_to(folder).as_posix() for name in names if Path(here, name).is_file()]
    return sorted(tables_among(paths))


def is_output(folder: Path) -> bool:
    """Whether a folder is one that this library writes: a run's, a curated dataset, results, a trained model."""
    return output_in(folder) is not None


def output_in(folder: Path) -> str | None:
    """What a folder contains, if this library wrote it: `a run` (or a dataset that was made of one), or a key of `OUTPUTS`."""
    try:
        with (folder / RUN_REPORT).open("rb") as file:
            if file.read(len(RUN_REPORT_OPENS)) == RUN_REPORT_OPENS:
                return "a run"
    except OSError:
        pass
    return next((kind for kind, names in OUTPUTS.items() if all((folder / name).is_file() for name in names)), None)


def unpacked(file: IO[bytes], path: str) -> io.BufferedReader[Any]:
    """Return the contents of a file, decompressed on the fly if its name has the suffix of a compressed file."""
    suffix = PurePosixPath(path).suffix.lower()
    opened: Any = OPENERS[suffix](file) if suffix in OPENERS else file
    # so that the beginning of any file can be peeked at
    return opened if hasattr(opened, "peek") else io.BufferedReader(opened, SNIFF_BYTES)


def json_rows(file: io.BufferedReader[Any], path: str) -> Iterator[dict[str, Any] | None]:
    """Yield the rows of a JSON Lines file, or of a `.json` file with one object per line, concatenated objects, or an array.

    Args:
        file: the file, unpacked.
        path: its name, for errors.

    Yields:
        A row; None for a line that is longer than `MAX_LINE_BYTES`.

    Raises:
        SeedError: a line, or the file, is not JSON, or contains anything but objects.
    """
    if ".json" in PurePosixPath(path.lower()).suffixes and not _stands_on_a_line(file.peek(SNIFF_BYTES)[:SNIFF_BYTES]):
        yield from _values(file, path)
        return
    for number, line in enumerate(_bounded_lines(file), 1):
        if line is None:
            yield None
        elif line.strip():
            yield _object(line, number, path)


def _stands_on_a_line(head: bytes) -> bool:
    """Whether the first line of a `.json` file is a complete object, or one too long to tell."""
    line, end, _ = head.strip().partition(b"\n")
    if line.startswith(b"["):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return not end
    return True


def _values(file: io.BufferedReader[Any], path: str) -> Iterator[dict[str, Any]]:
    array = file.peek(SNIFF_BYTES).lstrip().startswith(b"[")
    # use_float: ijson's default is Decimal, whereas rows of JSON Lines have floats.
    rows = ijson.items(file, "item" if array else "", multiple_values=True, use_float=True)
    try:
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                raise SeedError(f"Value {number} of {path!r} is not a JSON object. Each must be one, with a column for the code.")
            yield row
    except ijson.JSONError as error:
        raise SeedError(f"{path!r} is not JSON: {' '.join(str(error).split())[:200]}. Fix it, or leave it out.") from error


def _bounded_lines(file: IO[bytes]) -> Iterator[bytes | None]:
    while line := file.readline(MAX_LINE_BYTES):
        if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        # The rest of the line is read and dropped in parts, so that it never is in memory as a whole.
        while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield None


def _object(line: bytes, number: int, path: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", None) or str(error).splitlines()[0].rstrip(".")
        raise SeedError(f"Line {number} of {path!r} is not JSON: {reason}. Fix or remove the line.") from error
    if not isinstance(row, dict):
        raise SeedError(f"Line {number} of {path!r} is not a JSON object. Each line must be one, with a column for the code.")
    return row


def csv_header(file: io.BufferedReader[Any], path: str) -> tuple[list[str], str | None]:
    """Return the column names of a CSV or TSV file, and its encoding if it has a byte order mark. Nothing is consumed."""
    # `peek` may return more than it was asked for.
    head = file.peek(SNIFF_BYTES)[:SNIFF_BYTES]
    encoding = next((name for mark, name in BOMS if head.startswith(mark)), None)
    text = head.decode(encoding or "utf-8", errors="replace").removeprefix("\ufeff")
    return next(csv.reader(text.splitlines(keepends=True), delimiter=delimiter(path)), []), encoding


def csv_batches(
    file: io.BufferedReader[Any], path: str, columns: Collection[str], encoding: str | None
) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a CSV or TSV file with a header line, as bytes, because not all of them need be valid text.

    Args:
        file: the file, unpacked.
        path: its name, which says what separates values.
        columns: names of the columns.
        encoding: its encoding, where its bytes are not split by ASCII commas (UTF-16); None leaves them as they are.
    """
    reader = pc.open_csv(
        file,
        pc.ReadOptions(use_threads=False, block_size=CSV_BLOCK_BYTES, encoding=encoding or "utf8"),
        # Source code in a CSV column contains new lines.
        pc.ParseOptions(delimiter=delimiter(path), newlines_in_values=True),
        pc.ConvertOptions(include_columns=list(columns), column_types=dict.fromkeys(columns, pa.binary())),
    )
    yield from reader


def delimiter(path: str) -> str:
    """Return the delimiter of a CSV or TSV file."""
    return "\t" if ".tsv" in PurePosixPath(path.lower()).suffixes else ","
