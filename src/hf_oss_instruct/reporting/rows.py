"""The rows that a report is about: kept and rejected, read lazily from a folder, a table, the Hub or memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from hf_oss_instruct.curation.pairs.columns import PAIRS
from hf_oss_instruct.curation.rows import read
from hf_oss_instruct.data import storable
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.reporting.access import RowAccess
from hf_oss_instruct.schemas import SCHEMA
from hf_oss_instruct.storage.arrow import flat, holds_text, value_type
from hf_oss_instruct.storage.run_report import RUN_REPORT, missing_tables
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.terminal.display import error_message, one_line, plural

TRAINING, RESULTS = "training.json", "results.json"
BATCH_ROWS = 2_000
"""Rows that are in memory at a time."""


@dataclass(frozen=True)
class ReportRows:
    """Facts about a dataset.

    Attributes:
        name: its name.
        kept: the rows of the dataset.
        rejected: its rejected rows; None if it has no such table.
        problem, solution: names of the columns with these texts.
        run: contents of `run.json`, if there is one.
        trainings, results: contents of the `training.json` and `results.json` in the folder and one level below, by folder.
    """

    name: str
    kept: pds.Dataset
    rejected: pds.Dataset | None = None
    problem: str = "problem"
    solution: str = "solution"
    run: dict[str, Any] = field(default_factory=dict)
    trainings: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(int(table.count_rows()) for table in (self.kept, self.rejected) if table is not None)

    def column(self, name: str, *, rejected: bool = False, lists: bool = False) -> pa.Array | None:
        """A whole column of the kept rows, as `column_of` returns it.

        Args:
            name: the column.
            rejected: whether to read the rejected rows instead.
            lists: whether cells may be lists of values.
        """
        return column_of(self.rejected if rejected else self.kept, name, lists=lists)

    def texts(self) -> Iterator[tuple[pa.Array, pa.Array]]:
        """Problems and solutions, `BATCH_ROWS` rows at a time; an empty text where a row has none."""
        for batch in batches(self.kept, [self.problem, self.solution]):
            problem, solution = (pc.fill_null(pc.cast(batch[name], pa.large_string()), "") for name in batch.schema.names)
            yield problem, solution

    def problems(self) -> Iterator[pa.Array]:
        """The problems alone, as `texts` returns them."""
        for batch in batches(self.kept, [self.problem]):
            yield pc.fill_null(pc.cast(batch[self.problem], pa.large_string()), "")

    def take(self, positions: Sequence[int]) -> list[dict[str, Any]]:
        """Some kept rows, in the given order."""
        return RowAccess(self.kept).take(positions)


def column_of(table: pds.Dataset | None, name: str, *, lists: bool = False) -> pa.Array | None:
    """A whole column, decoded to a plain type.

    Args:
        table: the rows.
        name: the column.
        lists: whether cells may be lists of values.

    Returns:
        (rows,); None if the table lacks the column, or if a cell holds more than a value, as a column of this name in a dataset
        of others may.
    """
    if table is None or name not in table.schema.names:
        return None
    kind = value_type(table.schema.field(name).type)
    if pa.types.is_nested(kind) and not (lists and is_list(kind) and not pa.types.is_nested(value_type(kind.value_type))):
        return None
    return flat(pa.concat_arrays(flat(chunk) for chunk in table.to_table(columns=[name])[name].chunks or [pa.array([], kind)]))


def is_list(kind: pa.DataType) -> bool:
    """Whether the cells of a column are lists that Arrow can flatten."""
    return any(is_kind(kind) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list))


def batches(table: pds.Dataset, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a table in portions, one portion ahead: memory stays small whatever the row groups are."""
    scanned = table.to_batches(
        columns=None if columns is None else list(columns),
        batch_size=BATCH_ROWS,
        batch_readahead=1,
        fragment_readahead=1,
    )
    yield from (batch for batch in scanned if len(batch))


def open_rows(source: Any, columns: Sequence[str] | None = None) -> ReportRows:
    """Open a dataset.

    Args:
        source: the folder of a run, of a curation, of a training or of scores; tables, files or folders of them; the id of a
            dataset on the Hub; or rows in memory: an Arrow table, a `datasets.Dataset`, a pandas DataFrame, a list of dicts.
        columns: names of the columns with problem and solution; recognized by default.

    Raises:
        SeedError: there is nothing to read.
        UsageError: it has no such columns.
    """
    if not isinstance(source, (str, Path)):
        return _checked(ReportRows("rows", pds.dataset(_in_memory(source))), columns)
    path = Path(source)
    if reason := missing_tables(path):
        raise SeedError(reason)
    facts: dict[str, Any] = {
        "run": _object(path / RUN_REPORT) or {},
        "trainings": _objects(path, TRAINING),
        "results": _objects(path, RESULTS),
    }
    name = path.resolve().name if path.exists() else str(source)
    shards = {inner: sorted((path / inner).glob("*.parquet")) for inner in ("data", "rejected")}
    if shards["data"] or (facts["run"] and shards["rejected"]):
        rejected = _shards(shards["rejected"]) if shards["rejected"] else None
        # A run that kept nothing still has rejected rows to show.
        kept = _shards(shards["data"]) if shards["data"] else pds.dataset(SCHEMA.empty_table())
        return _checked(ReportRows(name, kept, rejected, **facts), columns)
    # The folder of a training or of scores has no rows of its own.
    if (facts["trainings"] or facts["results"]) and not facts["run"]:
        return ReportRows(name, pds.dataset(pa.table({"problem": pa.nulls(0, pa.string())})), **facts)
    return _checked(ReportRows(name, pds.dataset(read(str(source))), **facts), columns)


def _shards(paths: Sequence[Path]) -> pds.Dataset:
    """The rows of several files, with the columns of all of them."""
    try:
        fragments = list(pds.dataset(paths).get_fragments())
        # Without this, Arrow takes the columns of the first file for those of all.
        schema = pa.unify_schemas(
            [fragment.physical_schema.remove_metadata() for fragment in fragments], promote_options="permissive"
        )
        return pds.dataset(paths, schema=schema)
    except (pa.ArrowException, OSError) as error:
        raise SeedError(
            f"The tables in '{paths[0].parent}' cannot be read as one: {error_message(error)}. Repair them."
        ) from error


def _checked(rows: ReportRows, columns: Sequence[str] | None) -> ReportRows:
    names = rows.kept.schema.names
    if columns is not None and len(columns) != 2:
        raise UsageError(f"--columns {','.join(columns)!r} names {plural(len(columns), 'column')}. Pass two: problem,solution.")
    pairs = [tuple(columns)] if columns else PAIRS
    for problem, solution in pairs:
        if {problem, solution} <= set(names) and all(
            _text(rows.kept.schema.field(column).type) for column in (problem, solution)
        ):
            return ReportRows(rows.name, rows.kept, rows.rejected, problem, solution, rows.run, rows.trainings, rows.results)
    if not len(rows.kept.schema) or (not rows.kept.count_rows() and not columns):
        return rows
    texts = [field.name for field in rows.kept.schema if _text(field.type)]
    kinds = ", ".join(one_line(f"{field.name} ({field.type})", 80) for field in rows.kept.schema)
    if len(texts) < 2:
        raise UsageError(f"A report needs problem and solution as text columns, but the rows have {kinds}. Pass rows with both.")
    wanted = " and ".join(columns) if columns else "problem and solution"
    raise UsageError(f"The rows have no text columns {wanted}. Choose two with --columns: {', '.join(texts)}.")


def _text(kind: pa.DataType) -> bool:
    return holds_text(kind) or pa.types.is_null(kind)


def _in_memory(rows: Any) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows
    if isinstance(rows, Mapping):  # a datasets.DatasetDict, or columns
        raise UsageError(
            f"These are several tables or columns ({', '.join(map(str, rows))}). Pass one table, such as rows['train']."
        )
    # Known by their methods, because importing datasets or pandas to ask would take time.
    if hasattr(rows, "with_format") and hasattr(rows, "__len__"):  # a datasets.Dataset
        return rows.with_format("arrow")[:]
    if hasattr(rows, "iloc"):  # a pandas DataFrame
        return pa.Table.from_pandas(rows, preserve_index=False)
    listed = list(rows) if isinstance(rows, Iterable) else [rows]
    for bad in (row for row in listed if not isinstance(row, Mapping)):
        raise UsageError(
            f"A row is {bad!r:.80}, of type {type(bad).__name__}. Pass a list of dicts, a Dataset, a DataFrame, a table, or a "
            "path."
        )
    names = dict.fromkeys(str(name) for row in listed for name in row)
    return pa.table({name: _array([row.get(name) for row in listed]) for name in names})


def _array(values: list[Any]) -> pa.Array:
    """A column; values of several types, which Arrow has no column for, as texts."""
    try:
        return pa.array(values)
    except (pa.ArrowException, TypeError, OverflowError, UnicodeError):
        return pa.array([None if value is None else storable(str(value)) for value in values], pa.string())


def _objects(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    """Files of a name in a folder and one level below: folder, relative, → contents."""
    if not folder.is_dir():
        return {}
    objects = {path.parent.relative_to(folder).as_posix(): _object(path) for path in (folder / name, *folder.glob(f"*/{name}"))}
    return {folder.resolve().name if inner == "." else inner: facts for inner, facts in sorted(objects.items()) if facts}


def _object(path: Path) -> dict[str, Any] | None:
    try:
        return read_object(path, {}) if path.is_file() else None
    except ValueError:
        return None
