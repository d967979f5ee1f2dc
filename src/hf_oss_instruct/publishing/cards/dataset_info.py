"""Columns and sizes of a config for a card's `dataset_info`, read from the Parquet files.

`datasets` writes the same with private functions, and importing it takes seconds; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def dataset_info(config: str, folder: str, files: Mapping[str, Path | bytes]) -> dict[str, Any]:
    """Build one entry of `dataset_info`.

    Args:
        config: name of the config.
        folder: folder of its files in the repository.
        files: path in the repository → local file, or its bytes.
    """
    ours = [content for path, content in files.items() if path.startswith(f"{folder}/") and path.endswith(".parquet")]
    opened = [pq.ParquetFile(pa.BufferReader(content) if isinstance(content, bytes) else content) for content in ours]
    download = sum(len(content) if isinstance(content, bytes) else content.stat().st_size for content in ours)
    # Uncompressed, unlike `download_size`; only the footer of the file is read.
    size = sum(file.metadata.row_group(n).total_byte_size for file in opened for n in range(file.num_row_groups))
    rows = sum(file.metadata.num_rows for file in opened)
    return {
        "config_name": config,
        "features": [_feature(field) for field in opened[0].schema_arrow] if opened else [],
        "splits": [{"name": "train", "num_bytes": size, "num_examples": rows}],
        "download_size": download,
        "dataset_size": size,
    }


def _feature(field: pa.Field) -> dict[str, Any]:
    kind = field.type
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        inner = [_feature(kind.value_type.field(index)) for index in range(kind.value_type.num_fields)]
        return {"name": field.name, "list": inner}
    if pa.types.is_list(kind):
        return {"name": field.name, "list": _dtype(kind.value_type)}
    return {"name": field.name, "dtype": _dtype(kind)}


def _dtype(kind: pa.DataType) -> str:
    """The name that `datasets` uses for an Arrow type."""
    names = {pa.float64(): "float64", pa.float32(): "float32", pa.string(): "string", pa.large_string(): "large_string"}
    return names.get(kind, str(kind))
