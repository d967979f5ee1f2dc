"""Read any dataset, from files or the Hub, into one table with types that the checks understand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.json as pj
import pyarrow.parquet as pq

from hf_oss_instruct.curation.annotations import CONTAMINATED_BY, DETAIL, FLAGS, REASON
from hf_oss_instruct.data import storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.hub import HUB_ID, check_endpoint
from hf_oss_instruct.schemas import SCHEMA
from hf_oss_instruct.storage.arrow import flat, holds_text, value_type
from hf_oss_instruct.storage.formats import NAMES, PARQUET, csv_header, delimiter, is_table, json_rows, tables_below, unpacked
from hf_oss_instruct.storage.run_report import RUN_REPORT, missing_tables
from hf_oss_instruct.terminal.display import error_message

SEED_ID = "seed_id"
RESERVED = (SEED_ID, REASON, DETAIL, FLAGS, CONTAMINATED_BY)
"""Columns that the checks read and write."""
RUN_COLUMNS = frozenset(SCHEMA.names[:9])
"""Columns of every row that a run wrote."""


def read(source: str) -> pa.Table:
    """Read all rows of a dataset.

    Args:
        source: a run's folder; a table or a folder of tables; or the id of a dataset on the Hub.

    Raises:
        SeedError: it does not exist or cannot be read.
    """
    path = Path(source)
    if not path.exists():
        return _plain(_from_hub(source))
    is_run = (path / RUN_REPORT).exists()
    # Without these checks, the lines of the journal or the rejected rows would be read as the dataset.
    if reason := missing_tables(path):
        raise SeedError(reason)
    if is_run and (path / "rejected").is_dir() and not (path / "data").is_dir():
        raise SeedError(f"{source!r} kept no rows. Pass another run; {str(path / 'rejected')!r} has the reasons.")
    folder = path / "data" if is_run and (path / "data").is_dir() else path
    files = [folder] if folder.is_file() else [folder / name for name in tables_below(folder)]
    files = [file for file in files if is_table(file.name)]
    if not files:
        raise SeedError(f"{source!r} contains no tables. Pass a run folder, or files with rows in {NAMES}.")
    return _plain(_concatenated([_read_file(file) for file in files]))


def without_reserved(table: pa.Table, *, ours: bool = False) -> tuple[pa.Table, dict[str, str]]:
    """Rename columns that have the name of one of our columns but another meaning. Returns the table, and old name → new name.

    Rows of a run keep their `seed_id`, `detail`, `flags` and `contaminated_by`. In other tables these names mean something else,
    except for a `seed_id` that is unique.

    Args:
        table: rows.
        ours: whether this library wrote the table, whatever its columns.
    """
    ours = ours or set(table.column_names) >= RUN_COLUMNS
    kinds = {SEED_ID: pa.types.is_string, DETAIL: pa.types.is_string, FLAGS: _is_words, CONTAMINATED_BY: _is_words}
    clashing = [
        name
        for name in RESERVED
        if name in table.column_names
        and not (name in kinds and kinds[name](table.schema.field(name).type) and (ours or _is_key(name, table)))
    ]
    renamed = {name: _unused_name(f"source_{name}", table.column_names) for name in clashing}
    return table.rename_columns([renamed.get(name, name) for name in table.column_names]), renamed


def _is_key(name: str, table: pa.Table) -> bool:
    column = table[name]
    return name == SEED_ID and not column.null_count and pc.count_distinct(column).as_py() == len(column)


def _is_words(kind: pa.DataType) -> bool:
    return pa.types.is_null(kind) or (pa.types.is_list(kind) and holds_text(kind.value_type))


def _unused_name(name: str, taken: Sequence[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _read_file(file: Path) -> pa.Table:
    try:
        if file.name.lower().endswith(PARQUET):
            return pq.read_table(file)
        with file.open("rb") as raw:
            rows = unpacked(raw, file.name)
            return _read_csv(rows, file) if {".csv", ".tsv"} & set(file.suffixes[-2:]) else _read_json(rows, file)
    except (OSError, EOFError, UnicodeDecodeError, pa.ArrowException) as error:
        raise SeedError(f"{str(file)!r} cannot be read: {error_message(error)}. Repair it, or leave it out.") from error


def _read_csv(rows: Any, file: Path) -> pa.Table:
    names, encoding = csv_header(rows, file.name)
    if not names:
        return pa.table({})
    return pv.read_csv(
        rows,
        pv.ReadOptions(encoding=encoding or "utf8"),
        pv.ParseOptions(delimiter=delimiter(file.name), newlines_in_values=True),
        # Inferred types would change texts such as `007`, and differ from file to file.
        pv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
    )


def _read_json(rows: Any, file: Path) -> pa.Table:
    if file.suffix == ".jsonl":
        try:
            # Arrow refuses rows that do not fit into one block; its default is 1 MiB.
            return pj.read_json(rows, pj.ReadOptions(block_size=2**26))
        except pa.ArrowException:  # mixed types, or invalid JSON: parse row by row to find out which
            rows.seek(0)
    parsed = list(json_rows(rows, str(file)))
    if None in parsed:
        raise SeedError(f"Line {parsed.index(None) + 1} of {str(file)!r} is too long to be a row. Leave it out.")
    names = dict.fromkeys(name for row in parsed for name in row or ())
    return pa.table({name: _column([(row or {}).get(name) for row in parsed]) for name in names})


def _column(values: Sequence[Any]) -> pa.Array:
    """Values as a column; values of mixed types as JSON text."""
    try:
        return pa.array(values)
    except UnicodeEncodeError:  # JSON may smuggle in half of a surrogate pair
        return _column([_storable(value) for value in values])
    except (pa.ArrowException, OverflowError):
        return pa.array([_as_text(value) for value in values], pa.large_string())


def _storable(value: Any) -> Any:
    """A JSON value whose texts UTF-8 can hold."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return {storable(key): _storable(item) for key, item in value.items()} if isinstance(value, dict) else value


def _as_text(value: Any) -> str | None:
    return (
        None
        if value is None
        else storable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
    )


def _concatenated(tables: Sequence[pa.Table]) -> pa.Table:
    """Concatenate tables; a column whose types in several files are incompatible becomes JSON text."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        kinds: dict[str, set[pa.DataType]] = {}
        for table in tables:
            for field in table.schema:
                kinds.setdefault(field.name, set()).add(field.type)
        mixed = {name for name, found in kinds.items() if len(found - {pa.null()}) > 1}
        return pa.concat_tables([_with_text(table, mixed) for table in tables], promote_options="permissive")


def _with_text(table: pa.Table, names: set[str]) -> pa.Table:
    columns = {
        name: pa.array(map(_as_text, column.to_pylist()), pa.large_string()) if name in names else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return pa.table(columns)


def _plain(table: pa.Table) -> pa.Table:
    """Convert every text column to plain strings."""
    for number, field in enumerate(table.schema):
        if holds_text(field.type) and not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            kind = pa.string() if pa.types.is_string(value_type(field.type)) else pa.large_string()
            chunks = [flat(chunk).cast(kind) for chunk in table.column(number).chunks]
            table = table.set_column(number, field.name, pa.chunked_array(chunks, kind))
    return table


def every_text_column(table: pa.Table, *, or_bytes: bool = False) -> list[str]:
    """Every column of text, or of binary values that may be text."""
    return [field.name for field in table.schema if holds_text(field.type, or_bytes=or_bytes)]


def as_text(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Decode some binary columns as text.

    Raises:
        SeedError: a value is not valid UTF-8.
    """
    for name in names:
        column = table[name]
        try:
            if holds_text(column.type):
                # Arrow does not check texts when it reads a file.
                column.validate(full=True)
                continue
            chunks = [flat(chunk).cast(pa.large_string()) for chunk in column.chunks]
        except pa.ArrowInvalid as error:
            raise SeedError(
                f"The column {name!r} is not UTF-8: {error}. Re-encode it, or leave it out with --columns."
            ) from error
        table = table.set_column(table.column_names.index(name), name, pa.chunked_array(chunks, pa.large_string()))
    return table


def _from_hub(source: str) -> pa.Table:
    if not HUB_ID.fullmatch(source):
        raise SeedError(
            f"{source!r} is neither a local file or folder nor the id of a dataset on the Hub (NAMESPACE/NAME). Check the name."
        )
    import datasets

    check_endpoint()
    try:
        return datasets.load_dataset(source, split="train").data.table
    except Exception as error:  # `datasets` raises many types for a dataset that cannot be loaded
        why = error_message(error)
        raise SeedError(
            f"{source!r} is not a local file or folder, and cannot be loaded from the Hub: {why}. Check its name and the network."
        ) from error
