"""What the rows of a table say, in our words: each field is looked for under the names that the real data sets use."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice, pairwise
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hf_oss_instruct.data import storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.synthesis.picking import Texts

FIELDS: dict[str, tuple[str, ...]] = {
    "content": ("content",),
    "row_id": ("hexsha", "content_id", "blob_id", "id", "row_id"),
    "lang": ("lang", "language"),
    "repo_name": ("max_stars_repo_name", "repo_name", "repo_path", "repo"),
    "repo_commit": ("max_stars_repo_head_hexsha", "commit_id", "revision_id", "repo_commit"),
    "file_path": ("max_stars_repo_path", "file_path", "path"),
    "licenses": ("max_stars_repo_licenses", "detected_licenses", "licenses", "license"),
    "license_type": ("license_type",),
    "is_vendor": ("is_vendor",),
    "is_generated": ("is_generated",),
    "blob_id": ("blob_id",),
    "encoding": ("src_encoding",),
    "bytes": ("length_bytes",),
}
"""Field → column names it goes by: v1 and starcoderdata first, then v3 and v2, then plain words."""
FLAGS = frozenset({"is_vendor", "is_generated"})
BATCH, REPOSITORIES, LINES = 256, 4, 64
"""Rows read at a time: files of a flat table, repositories of a nested one, lines of JSON."""
RELEASE = 16
"""Row groups of flat rows after which memory goes back: asking for it anew costs half of what decoding does."""


class Columns:
    """Some rows of a table, one file each. A column becomes Python values when it is asked for.

    Args:
        rows: number of rows.
        arrays: field → its column, for the fields that are there.
        texts: the contents; None where the table has ids only.
    """

    def __init__(self, rows: int, arrays: dict[str, pa.Array | list[Any]], texts: Texts | None) -> None:
        self._rows, self.arrays, self.texts = rows, arrays, texts
        self._values: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, field: str) -> list[Any]:
        """The value of a field in each row, None where the row says nothing."""
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
        return Columns(len(rows), arrays, self.texts.only(rows) if self.texts else None)

    def _plain(self, field: str) -> list[Any]:
        column = self.arrays.get(field)
        if column is None:
            return [False if field in FLAGS else None] * self._rows
        return [_plain(field, value) for value in column] if isinstance(column, list) else _plain_column(field, column)


def parquet_columns(file: IO[bytes], path: str, strip_metadata: bool) -> Iterator[Columns]:
    """The rows of a parquet file.

    Args:
        file: the file.
        path: its name, for errors.
        strip_metadata: leave out the prefixes of starcoderdata.

    Raises:
        SeedError: it holds neither text nor ids.
    """
    table = pq.ParquetFile(file, buffer_size=2**18)
    schema = table.schema_arrow
    outer = _columns_of(schema.names)
    nested = None if "content" in outer else _files_struct(schema)
    inner = {} if nested is None else _columns_of(nested.field(i).name for i in range(nested.num_fields))
    _require_content(outer if nested is None else inner, schema.names, path)
    leaves = {leaf.path for leaf in map(table.schema.column, range(len(table.schema)))}
    wanted = [leaf for leaf in leaves if leaf.split(".")[0] in outer.values() or _inner_leaf(leaf) in inner.values()]
    size = BATCH if nested is None else REPOSITORIES
    for group in range(table.num_row_groups):
        for batch in table.iter_batches(batch_size=size, row_groups=[group], columns=wanted, use_threads=False):
            arrays, rows = {field: batch.column(column) for field, column in outer.items()}, len(batch)
            if nested is not None:
                arrays = _unnested(arrays, batch.column("files"), inner)
                rows = len(next(iter(arrays.values())))
            yield _from_arrow(arrays, rows, path, strip_metadata)
        if nested is not None or group % RELEASE == RELEASE - 1:
            pa.default_memory_pool().release_unused()  # it would keep several row groups' worth


def table_columns(table: pa.Table) -> Columns:
    """The rows of a flat table in memory.

    Raises:
        SeedError: it has no column `content`.
    """
    fields = _columns_of(table.column_names)
    if "content" not in fields:
        _require_content({}, table.column_names, "the table")
    chunked = {field: table.column(column) for field, column in fields.items()}
    arrays = {field: one.chunk(0) if one.num_chunks == 1 else one.combine_chunks() for field, one in chunked.items()}
    return _from_arrow(arrays, len(table), "the table", True)


def _unnested(arrays: dict[str, pa.Array], files: pa.Array, inner: dict[str, str]) -> dict[str, pa.Array]:
    """The columns of all files in some repositories, with their repositories' columns beside them."""
    repositories, inside = pc.list_parent_indices(files), pc.list_flatten(files)
    shared = {field: array.take(repositories) for field, array in arrays.items()}
    columns = shared | {field: pc.struct_field(inside, column) for field, column in inner.items()}
    if inside.null_count:
        columns = {field: array.filter(inside.is_valid()) for field, array in columns.items()}
    return columns


def json_columns(file: IO[bytes], path: str, strip_metadata: bool) -> Iterator[Columns]:
    """The rows of a JSONL file, which may be compressed (`.gz`); see `parquet_columns`.

    Raises:
        SeedError: a line is no JSON object, or holds neither text nor ids.
    """
    rows = _json_rows(file, path)
    trouble: Exception | None = None
    while not trouble:
        some: list[dict[str, Any]] = []
        try:
            for row in islice(rows, LINES):
                some.append(row)
        except Exception as error:  # after what was read before it
            trouble = error
        for ids_only, run in groupby(some, lambda row: "content" not in row):
            yield _from_rows(list(run), ids_only, path, strip_metadata)
        if not some:
            break
    if trouble:
        raise trouble


def _json_rows(file: IO[bytes], path: str) -> Iterator[dict[str, Any]]:
    """The fields of each file in a JSONL."""
    lines: IO[bytes] = gzip.open(file) if path.lower().endswith(".gz") else file  # type: ignore[assignment]
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = getattr(error, "msg", one_line(error))
            raise SeedError(f"Line {number} of {path!r} is no JSON: {why}. Mend the line, or leave it out.") from error
        if not isinstance(row, dict):
            raise SeedError(f"Line {number} of {path!r} is no JSON object. Each line must be one, with a key 'content'.")
        files = [file for file in _list(row.get("files")) if isinstance(file, dict)]
        outer, inner = _columns_of(row), _columns_of(name for file in files for name in file)
        nested = "files" in row and "content" not in outer
        if files or not nested:
            _require_content(inner if nested else outer, row, path)
        shared = {field: row[column] for field, column in outer.items()}
        if not nested:
            yield shared
        for inside in files if nested else ():
            yield shared | {field: inside.get(column) for field, column in inner.items()}


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


def _require_content(columns: dict[str, str], names: Iterable[str], path: str) -> None:
    if "content" in columns or "blob_id" in columns:
        return
    raise SeedError(
        f"{path!r} has no column 'content'; it has {', '.join(sorted(names))}. Rename the column that holds the code."
    )


def _columns_of(names: Iterable[str]) -> dict[str, str]:
    """Field → the column that holds it, for the fields that are there."""
    present = set(names)
    return {field: column for field, columns in FIELDS.items() for column in columns[::-1] if column in present}


def _from_arrow(arrays: dict[str, pa.Array], rows: int, path: str, strip_metadata: bool) -> Columns:
    texts = Texts.of(arrays["content"], strip_metadata=strip_metadata, name=path) if "content" in arrays else None
    return Columns(rows, dict(arrays), texts)


def _from_rows(rows: Sequence[dict[str, Any]], ids_only: bool, path: str, strip_metadata: bool) -> Columns:
    values: dict[str, Any] = {field: [row.get(field) for row in rows] for field in FIELDS if field != "content"}
    if ids_only:
        return Columns(len(rows), values, None)
    contents = pa.array([_plain("content", row.get("content")) or "" for row in rows], pa.large_string())
    return Columns(len(rows), values, Texts.of(contents, strip_metadata=strip_metadata, name=path))


def _plain_column(field: str, array: pa.Array) -> list[Any]:
    """A column as the type that its field has; a column of another type says nothing."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if field == "licenses" and (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return _lists(array)
    if field in FLAGS or field == "licenses" or not _holds_text(array.type):
        return [_plain(field, value) for value in array.to_pylist()]
    return [text or None for text in array.to_pylist()]


def _lists(array: pa.Array) -> list[Any]:
    """Lists of text as tuples; twice as fast as `to_pylist`."""
    if not _holds_text(array.type.value_type) or array.null_count:
        return [_plain("licenses", value) for value in array.to_pylist()]
    values, ends = array.flatten().to_pylist(), array.offsets.to_pylist()
    first = ends[0] if ends else 0
    lists = (values[start - first : stop - first] for start, stop in pairwise(ends))
    return [tuple(names) if None not in names else _plain("licenses", names) for names in lists]


def _holds_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _plain(field: str, value: Any) -> Any:
    """A value as the type that its field has; a value of another type says nothing."""
    if field in FLAGS:
        return value is True
    if field == "bytes":
        return value if isinstance(value, int) else None
    if field == "row_id" and isinstance(value, int):
        return str(value)
    if field == "licenses" and isinstance(value, list):
        return tuple(storable(name) for name in value if isinstance(name, str))
    text = storable(value) if isinstance(value, str) and value else None
    return (text,) if text and field == "licenses" else text


def one_line(error: BaseException) -> str:
    """What an error says, on one line without the full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
