"""The rows of any table in our columns, as tasks take them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from hf_oss_instruct.curation.pairs.columns import TableColumns, columns_of, language_of
from hf_oss_instruct.curation.pairs.texts import problem_of, solution_of, tests_of
from hf_oss_instruct.curation.rows import RUN_COLUMNS, read
from hf_oss_instruct.data import Row, digest, storable
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.schemas import SCHEMA, with_lineage

UNKNOWN = "unknown"
"""Teacher of rows that do not say who wrote them."""
_WITHOUT_PROVENANCE = {
    "seed": "",
    "teacher": UNKNOWN,
    "prompt_hash": "",
    "seed_dataset": "",
    "start_line": 0,
    "end_line": 0,
    "sampler": "",
    "rng_seed": 0,
}


@dataclass(frozen=True)
class SourceRows:
    """A table whose rows a run goes over. Iterating gives its rows, in our columns.

    Attributes:
        source: the source as named by the caller.
        table: its rows.
        columns: which of its columns are read.
        language: language of rows without one in a column or on a code fence.
    """

    source: str
    table: pa.Table
    columns: TableColumns
    language: str

    def __len__(self) -> int:
        return len(self.table)

    @property
    def ours(self) -> bool:
        """Whether a run wrote the rows."""
        return set(self._typed) >= RUN_COLUMNS

    @cached_property
    def _typed(self) -> list[str]:
        """The columns of our schema that the table has with the right types."""
        schema = with_lineage(SCHEMA)
        existing = [name for name in schema.names if name in self.table.column_names]
        return [name for name in existing if _same(self.table.schema.field(name).type, schema.field(name).type)]

    def first(self, n: int | None) -> SourceRows:
        """The first rows; None for all."""
        return self if n is None else replace(self, table=self.table.slice(0, n))

    @property
    def identity(self) -> dict[str, Any]:
        """What identifies these rows as the source of a run, as `workdir.locked_for_job` records it."""
        names = self.columns
        return {
            "source": str(Path(self.source).resolve()) if Path(self.source).exists() else self.source,
            "columns": [names.problem, names.solution, names.tests, names.language],
            "language": self.language,
        }

    @property
    def name(self) -> str:
        """The source as reports and cards name it: of a path only the last part."""
        return Path(self.source).resolve().name if Path(self.source).exists() else self.source

    def __iter__(self) -> Iterator[Row]:
        """The rows. Those of a run keep their columns; others get an id by their text."""
        names, ours, seen = self.columns, self.ours, Counter[str]()
        read_ones = (names.problem, names.solution, names.tests, names.language, names.entry_point, names.task_id)
        wanted = [name for name in self.table.column_names if ours or name in read_ones]
        index = 0
        for batch in self.table.select(wanted).to_batches(1000):
            for columns in batch.to_pylist():
                row = self._row(columns, ours)
                if not ours:
                    # The id depends only on the text and the number of equal rows before it: other rows may come or go.
                    key = digest(row["problem"], row["solution"])
                    seen[key] += 1
                    row |= {"seed_id": digest(key, seen[key]), "raw_index": index, "index": index, **_WITHOUT_PROVENANCE}
                index += 1
                yield cast(Row, row)

    def _row(self, columns: Mapping[str, Any], ours: bool) -> dict[str, Any]:
        names = self.columns
        row: dict[str, Any] = dict.fromkeys(SCHEMA.names)
        row |= {name: columns[name] for name in self._typed} if ours else {}
        entry_point = columns[names.entry_point] if names.entry_point else None
        return row | {
            "problem": storable(problem_of(columns[names.problem], names)),
            "solution": storable(solution_of(columns[names.problem], columns[names.solution], names)),
            "lang": language_of(
                columns[names.language] if names.language else row.get("lang"),
                self.language,
                columns[names.task_id] if names.task_id else None,
            ),
            "tests": tests_of(columns[names.tests], entry_point) if names.tests else None,
        }


def _same(kind: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a column can be taken as it is; a column without values has no type."""
    large = pa.types.is_large_string(kind) and pa.types.is_string(wanted)
    return bool(kind == wanted or large or pa.types.is_null(kind))


def read_source(source: str, columns: Mapping[str, str] | str | None = None, language: str = "python") -> SourceRows:
    """Read the rows of a dataset, and find the columns that hold problems, solutions and tests.

    Args:
        source: folder of a run; tables or a folder of them; or the id of a dataset on the Hub.
        columns: `problem`, `solution`, `tests`, `language` → name of the column, if it is not a usual one.
        language: language of rows without one in a column or on a code fence.

    Raises:
        UsageError: there are no rows, or they have no problems or no solutions.
        SeedError: the source cannot be read.
    """
    table = read(source)
    if not len(table):
        raise UsageError(f"{source!r} has no rows. Pass a folder or table with rows.")
    return SourceRows(source, table, columns_of(table.column_names, columns), language)
