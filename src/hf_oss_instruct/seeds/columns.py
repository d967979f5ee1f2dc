"""Map the columns of a table to the fields of a document, under the names that public code datasets use for them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice, pairwise
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hf_oss_instruct.arrow import flat, holds_text
from hf_oss_instruct.data import storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.formats import csv_batches, csv_header, json_rows
from hf_oss_instruct.seeds.reading import DEFAULT, ReadOptions
from hf_oss_instruct.seeds.text_columns import read_contents
from hf_oss_instruct.seeds.vectorized import Texts

CODE = (
    *("content", "code", "whole_func_string", "func_code_string", "original_string", "function", "func", "source_code"),
    *("file_content", "file_contents", "contents", "code_snippet", "snippet", "text", "body", "source"),
)
"""Columns that hold code (The Stack, github-code, CodeSearchNet, Defects4J-like datasets, …), the most specific names first."""
FIELDS: dict[str, tuple[str, ...]] = {
    "content": CODE,
    "row_id": ("hexsha", "content_id", "blob_id", "id", "row_id"),
    "lang": ("lang", "language", "programming_language"),
    "repo_name": ("max_stars_repo_name", "repo_name", "repository_name", "repo_path", "repo"),
    "repo_commit": ("max_stars_repo_head_hexsha", "commit_id", "revision_id", "repo_commit"),
    "file_path": ("max_stars_repo_path", "file_path", "func_path_in_repository", "path", "filename", "file_name"),
    "licenses": ("max_stars_repo_licenses", "detected_licenses", "licenses", "license"),
    "license_type": ("license_type",),
    "is_vendor": ("is_vendor",),
    "is_generated": ("is_generated",),
    "blob_id": ("blob_id",),
    "encoding": ("src_encoding",),
    "bytes": ("length_bytes",),
}
"""Field → names of its column: those of The Stack v1 and starcoderdata first, then of v3 and v2, then plain words."""
FLAGS = frozenset({"is_vendor", "is_generated"})
BATCH, REPOSITORIES, LINES = 256, 4, 64
"""Rows read at a time: files of a flat table, repositories of a nested one, lines of JSON."""
LEFT_OUT = "\0left_out"
"""Key that marks a JSON row whose content was not read; no column can have this name."""
RELEASE = 16
"""Row groups of flat rows after which memory is released: allocating it again costs half as much as decoding."""


class Columns:
    """Some rows of a table, one source file each. A column is converted to Python values on first access.

    Args:
        rows: number of rows.
        arrays: field → its column, for the fields that are there.
        texts: the contents; None where the table has ids only.
        skipped: row → reason, for contents that are not read.
    """

    def __init__(
        self,
        rows: int,
        arrays: dict[str, pa.Array | list[Any]],
        texts: Texts | None,
        skipped: Mapping[int, str] | None = None,
    ) -> None:
        self._rows, self.arrays, self.texts = rows, arrays, texts
        self.skipped = skipped or {}
        self._values: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, field: str) -> list[Any]:
        """The value of a field in each row; None where it is missing."""
        if field not in self._values:
            self._values[field] = self._plain(field)
        return self._values[field]

    def take(self, rows: Sequence[int]) -> Columns:
        """Some of the rows."""
        arrays = {
            field: [column[row] for row in rows] if isinstance(column, list) else column.take(pa.array(rows, pa.int64()))
            for field, column in self.arrays.items()
            if field != "content"
        }
        skipped = {place: self.skipped[row] for place, row in enumerate(rows) if row in self.skipped} if self.skipped else {}
        return Columns(len(rows), arrays, self.texts.only(rows) if self.texts else None, skipped)

    def _plain(self, field: str) -> list[Any]:
        column = self.arrays.get(field)
        if column is None:
            return [False if field in FLAGS else None] * self._rows
        return [_plain(field, value) for value in column] if isinstance(column, list) else _plain_column(field, column)


def parquet_columns(file: IO[bytes], path: str, reading: ReadOptions) -> Iterator[Columns]:
    """The rows of a parquet file.

    Args:
        file: the file.
        path: its name, for errors.
        reading: how its contents are read.

    Raises:
        SeedError: it holds neither text nor ids.
    """
    table = pq.ParquetFile(file, buffer_size=2**18)
    schema = table.schema_arrow
    outer = _columns_of(schema.names, _text_columns(schema), reading)
    nested = _files_struct(schema) if outer.get("content") != "content" else None
    inner: dict[str, str] = {}
    if nested is not None:
        fields = [nested.field(i) for i in range(nested.num_fields)]
        inner = _columns_of((field.name for field in fields), _text_columns(fields), reading)
        outer.pop("content", None)
    _require_content(outer if nested is None else inner, schema.names, path, reading)
    leaves = {leaf.path for leaf in map(table.schema.column, range(len(table.schema)))}
    wanted = [leaf for leaf in leaves if leaf.split(".")[0] in outer.values() or _inner_leaf(leaf) in inner.values()]
    size = BATCH if nested is None else REPOSITORIES
    for group in range(table.num_row_groups):
        for batch in table.iter_batches(batch_size=size, row_groups=[group], columns=wanted, use_threads=False):
            arrays, rows = {field: batch.column(column) for field, column in outer.items()}, len(batch)
            if nested is not None:
                arrays = _unnested(arrays, batch.column("files"), inner)
                rows = len(next(iter(arrays.values())))
            yield _from_arrow(arrays, rows, path, reading)
        if nested is not None or group % RELEASE == RELEASE - 1:
            pa.default_memory_pool().release_unused()  # it would keep several row groups' worth


def csv_columns(file: io.BufferedReader[Any], path: str, reading: ReadOptions) -> Iterator[Columns]:
    """The rows of a CSV or TSV file with a header line; see `parquet_columns`."""
    names, marked = csv_header(file, path)
    if not names:
        return
    outer = _columns_of(names, names, reading)
    _require_content(outer, names, path, reading)
    for batch in csv_batches(file, path, list(dict.fromkeys(outer.values())), marked):
        yield _from_arrow({field: batch.column(column) for field, column in outer.items()}, len(batch), path, reading)


def table_columns(table: pa.Table, reading: ReadOptions = DEFAULT) -> Columns:
    """The rows of a flat table in memory.

    Raises:
        SeedError: it has no column with code.
    """
    fields = _columns_of(table.column_names, _text_columns(table.schema), reading)
    if "content" not in fields:
        _require_content({}, table.column_names, "the table", reading)
    chunked = {field: table.column(column) for field, column in fields.items()}
    arrays = {field: one.chunk(0) if one.num_chunks == 1 else one.combine_chunks() for field, one in chunked.items()}
    return _from_arrow(arrays, len(table), "the table", reading)


def _unnested(arrays: dict[str, pa.Array], files: pa.Array, inner: dict[str, str]) -> dict[str, pa.Array]:
    """Flatten nested repositories: one row per file, with the columns of its repository repeated."""
    repositories, inside = pc.list_parent_indices(files), pc.list_flatten(files)
    shared = {field: array.take(repositories) for field, array in arrays.items()}
    columns = shared | {field: pc.struct_field(inside, column) for field, column in inner.items()}
    if inside.null_count:
        columns = {field: array.filter(inside.is_valid()) for field, array in columns.items()}
    return columns


def json_columns(file: io.BufferedReader[Any], path: str, reading: ReadOptions) -> Iterator[Columns]:
    """The rows of a file of JSON; see `parquet_columns`.

    Raises:
        SeedError: a line is not a JSON object, or has neither text nor ids.
    """
    rows = _json_files(file, path, reading)
    trouble: Exception | None = None
    while not trouble:
        some: list[dict[str, Any]] = []
        try:
            for row in islice(rows, LINES):
                some.append(row)
        except Exception as error:  # the error is raised after the rows before it were yielded
            trouble = error
        for ids_only, run in groupby(some, lambda row: "content" not in row):
            yield _from_rows(list(run), ids_only, path, reading)
        if not some:
            break
    if trouble:
        raise trouble


def _json_files(file: io.BufferedReader[Any], path: str, reading: ReadOptions) -> Iterator[dict[str, Any]]:
    """The fields of each file in a file of JSON."""
    code: str | None = None  # if a row has no text, another column must not be mistaken for its code
    for row in json_rows(file, path):
        if row is None:
            yield {"content": None, LEFT_OUT: "too_large"}
            continue
        outer = _columns_of(row, [code] if code and code in row else _strings(row), reading)
        code = outer.get("content", code)
        files = [file for file in _list(row.get("files")) if isinstance(file, dict)]
        if nested := "files" in row and outer.get("content") != "content" and (bool(files) or not row["files"]):
            outer.pop("content", None)
        inner = _columns_of(
            {name for file in files for name in file}, {name for file in files for name in _strings(file)}, reading
        )
        if files or not nested:
            _require_content(inner if nested else outer, row, path, reading)
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


def _files_struct(schema: pa.Schema) -> pa.StructType | None:
    kinds = (pa.types.is_list, pa.types.is_large_list)
    if "files" not in schema.names or not any(is_kind(schema.field("files").type) for is_kind in kinds):
        return None
    inside = schema.field("files").type.value_type
    return inside if pa.types.is_struct(inside) else None


def _inner_leaf(leaf: str) -> str | None:
    """`files.list.element.content` → `content`: the parquet path of a column inside the list."""
    parts = leaf.split(".")
    return parts[3] if parts[0] == "files" and len(parts) > 3 else None


def _require_content(columns: Mapping[str, str], names: Iterable[str], path: str, reading: ReadOptions) -> None:
    if "content" in columns or ("blob_id" in columns and not reading.code_column):
        return
    shown = ", ".join(sorted(names))
    if reading.code_column:
        raise SeedError(f"{path!r} has no text in a column {reading.code_column!r}; it has {shown}. Name one with --code-column.")
    raise SeedError(
        f"{path!r} has no text in a column called {', '.join(CODE[:3])}, …; it has {shown}. Name the column that holds the code: "
        "--code-column NAME."
    )


def _columns_of(names: Iterable[str], texts: Iterable[str], reading: ReadOptions) -> dict[str, str]:
    """Field → the column that holds it, for the fields that are there; the code must be in one of `texts`."""
    present, readable = set(names), set(texts)
    found = {field: column for field, columns in FIELDS.items() for column in columns[::-1] if column in present}
    code = [column for column in ([reading.code_column] if reading.code_column else CODE) if column in readable]
    return found | {"content": code[0]} if code else {field: column for field, column in found.items() if field != "content"}


def _text_columns(fields: Iterable[pa.Field]) -> list[str]:
    return [field.name for field in fields if pa.types.is_null(field.type) or holds_text(field.type, or_bytes=True)]


def _from_arrow(arrays: dict[str, pa.Array], rows: int, path: str, reading: ReadOptions) -> Columns:
    texts, skipped = read_contents(arrays["content"], reading, path) if "content" in arrays else (None, {})
    return Columns(rows, dict(arrays), texts, skipped)


def _from_rows(rows: Sequence[dict[str, Any]], ids_only: bool, path: str, reading: ReadOptions) -> Columns:
    values: dict[str, Any] = {field: [row.get(field) for row in rows] for field in FIELDS if field != "content"}
    if ids_only:
        return Columns(len(rows), values, None)
    contents = pa.array([_plain("content", row.get("content")) or "" for row in rows], pa.large_string())
    texts, skipped = read_contents(contents, reading, path)
    return Columns(len(rows), values, texts, skipped | {n: row[LEFT_OUT] for n, row in enumerate(rows) if LEFT_OUT in row})


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


def one_line(error: BaseException) -> str:
    """An error's message on one line, without the full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
