"""Write the output of a run over a table: its rows with all their columns and further ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from hf_oss_instruct.curation.annotations import DETAIL, REASON
from hf_oss_instruct.curation.run import CONFIG
from hf_oss_instruct.data import Rejection
from hf_oss_instruct.storage.shards import Shards
from hf_oss_instruct.storage.workdir import write_atomically


def rename_existing(table: pa.Table, names: Sequence[str], *, overwrite: bool) -> tuple[pa.Table, dict[str, str]]:
    """Make room for columns that a run writes. Returns the table, and old name → new name.

    Args:
        table: the source.
        names: the columns that will be written.
        overwrite: whether columns of these names come from an earlier run and are overwritten; others are renamed.
    """
    existing = [name for name in names if name in table.column_names]
    if overwrite:
        return table.drop_columns(existing), {}
    renamed: dict[str, str] = {}
    for name in existing:
        new = f"source_{name}"
        while new in table.column_names:
            new += "_"
        renamed[name] = new
    return table.rename_columns([renamed.get(name, name) for name in table.column_names]), renamed


def with_reasons(table: pa.Table, rejections: Sequence[Rejection]) -> pa.Table:
    """Rejected rows with the columns `reason` and `detail`."""
    for name, values in (
        (REASON, [rejection.reason for rejection in rejections]),
        (DETAIL, [rejection.detail for rejection in rejections]),
    ):
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table.append_column(name, pa.array(values, pa.string()))
    return table


def write_parts(out: Path, source: str, parts: Mapping[str, pa.Table]) -> None:
    """Write tables into folders of a dataset, and the run config of a source that is a run.

    Args:
        out: the dataset.
        source: folder of a run, or any other source.
        parts: folder, such as `data`, → its rows.
    """
    for name, part in parts.items():
        shards = Shards(out / name, part.schema)
        shards.abandon()  # left by a killed session
        shards.add_table(part)
        shards.finish()
    config = Path(source) / CONFIG
    if config.is_file():
        write_atomically(out / CONFIG, config.read_bytes())
