"""Which rows of a run are published, in which form, and what the card says about them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from hf_oss_instruct.data import Row
from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing.rules import Rules
from hf_oss_instruct.publishing.scan import rows_of, secret_of

SAMPLE_ROWS = 3
READ = ("seed", "problem", "solution", "lang", "licenses", "repo_name", "seed_dataset", "file_path", "start_line", "end_line")


@dataclass
class RowFacts:
    """Facts about the rows, counted in one pass."""

    languages: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    repositories: dict[str, Counter[str]] = field(default_factory=dict)
    sources: Counter[str] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)
    not_to_show: int = 0


def row_facts(folder: Path, rules: Rules, with_seeds: bool) -> RowFacts:
    """Count the rows of a run's folder.

    Args:
        folder: the folder of the run.
        rules: conditions for publishing, which say whose code may be shown.
        with_seeds: whether the samples contain their snippets.

    Raises:
        PublishError: a table lacks a column.
    """
    facts = RowFacts()
    for row in _rows(folder / "data"):
        facts.languages[row["lang"]] += 1
        facts.licenses.update(row["licenses"] or ["not stated"])
        facts.sources[row["seed_dataset"]] += 1
        where = row["repo_name"] or row["seed_dataset"] or "unknown"
        facts.repositories.setdefault(where, Counter()).update(row["licenses"] or ["not stated"])
        facts.not_to_show += not rules.may_be_shown(row["licenses"])
        if len(facts.samples) < SAMPLE_ROWS:
            facts.samples.append(cast(Row, row if with_seeds else row | {"seed": ""}))
    return facts


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("train-*.parquet")):
        for _, table in rows_of(str(path), path):
            if missing := [name for name in READ if name not in table.column_names]:
                raise PublishError(f"{str(path)!r} has no column {missing[0]!r}. Run the same synthesize command again.")
            yield from table.select(list(READ)).to_pylist()


def shown_rows(path: Path, rules: Rules, with_seeds: bool) -> tuple[pa.Table, Counter[str]]:
    """The publishable rejected rows of a file, and how many others there are by reason.

    Args:
        path: a Parquet file of rejected rows.
        rules: conditions for publishing.
        with_seeds: whether rows contain their snippets.
    """
    whole = pa.concat_tables(table for _, table in rows_of(str(path), path))
    table = whole if with_seeds else without_seeds(whole)
    withheld, keep = Counter[str](), []
    for row in table.to_pylist():
        reason = None
        # First: no option overrides an opt-out.
        if row.get("reason") == "denied":
            reason = "denied"
        elif secret_of(row, rules.secret_in):
            reason = "with a secret"
        elif with_seeds and not rules.allow_any_license and not rules.may_be_shown(row.get("licenses")):
            reason = "whose license is unknown or forbids it"
        withheld.update([reason] if reason else [])
        keep.append(reason is None)
    return table.filter(pa.array(keep, pa.bool_())), withheld


def without_seeds(table: pa.Table) -> pa.Table:
    """The same rows with empty snippets."""
    # A rejected answer may quote the snippet.
    for name in {"seed", "received"} & set(table.column_names):
        empty = pa.array(["" if name == "seed" else None] * len(table), pa.string())
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), empty)
    return table


def as_parquet(table: pa.Table) -> bytes:
    """A table as a Parquet file. Equal rows yield equal bytes, so a repeated upload is recognized."""
    with tempfile.TemporaryFile() as file:
        pq.write_table(table, file, compression="zstd", use_content_defined_chunking=True, write_page_index=True)
        file.seek(0)
        return file.read()
