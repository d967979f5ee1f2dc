"""Read Parquet tables of code: the columns in use, batch by batch, also of repositories with nested files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.tables.column_names import fields_of, require_content, text_columns
from hf_oss_instruct.seeds.tables.columns import Columns, from_arrow

FILES, REPOSITORIES = 256, 4  # rows read at a time: files of a flat table, repositories of a nested one
RELEASE_EVERY = 16
"""Row groups of flat rows after which memory is released: allocating it again costs half as much as decoding."""


def parquet_columns(file: IO[bytes], path: str, reading: ReadOptions) -> Iterator[Columns]:
    """The rows of a parquet file.

    Args:
        file: the file.
        path: its name, for errors.
        reading: how its contents are read.

    Raises:
        SeedError: it holds neither text nor ids.
    """
    # With a buffer, column chunks are read in pieces instead of whole.
    table = pq.ParquetFile(file, buffer_size=2**18)
    schema = table.schema_arrow
    outer = fields_of(schema.names, text_columns(schema), reading)
    # A column called `content` means flat rows, whatever `files` holds.
    nested = _files_struct(schema) if outer.get("content") != "content" else None
    inner: dict[str, str] = {}
    if nested is not None:
        fields = [nested.field(i) for i in range(nested.num_fields)]
        inner = fields_of((field.name for field in fields), text_columns(fields), reading)
        outer.pop("content", None)
    require_content(outer if nested is None else inner, schema.names, path, reading)
    leaves = {leaf.path for leaf in map(table.schema.column, range(len(table.schema)))}
    wanted = [leaf for leaf in leaves if leaf.split(".")[0] in outer.values() or _inner_leaf(leaf) in inner.values()]
    size = FILES if nested is None else REPOSITORIES
    for group in range(table.num_row_groups):
        # One thread decodes as fast as several here, and takes less CPU.
        for batch in table.iter_batches(batch_size=size, row_groups=[group], columns=wanted, use_threads=False):
            arrays, rows = {field: batch.column(column) for field, column in outer.items()}, len(batch)
            if nested is not None:
                arrays = _unnested(arrays, batch.column("files"), inner)
                rows = len(next(iter(arrays.values())))
            yield from_arrow(arrays, rows, path, reading)
        if nested is not None or group % RELEASE_EVERY == RELEASE_EVERY - 1:
            # Otherwise it would keep several row groups' worth.
            pa.default_memory_pool().release_unused()


def _unnested(arrays: dict[str, pa.Array], files: pa.Array, inner: dict[str, str]) -> dict[str, pa.Array]:
    """Flatten nested repositories: one row per file, with the columns of its repository repeated."""
    repositories, inside = pc.list_parent_indices(files), pc.list_flatten(files)  # both (files,)
    shared = {field: array.take(repositories) for field, array in arrays.items()}
    columns = shared | {field: pc.struct_field(inside, column) for field, column in inner.items()}
    if inside.null_count:
        columns = {field: array.filter(inside.is_valid()) for field, array in columns.items()}
    return columns


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
