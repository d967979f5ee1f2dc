"""The output of `judge`: rows with their scores, rejected rows, report and card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from hf_oss_instruct.curation import checks
from hf_oss_instruct.curation.earlier_report import EarlierReport
from hf_oss_instruct.curation.preference import preference_table
from hf_oss_instruct.data import FORMAT_VERSION, Rejection, Row
from hf_oss_instruct.methods.judging.statistics import statistics
from hf_oss_instruct.methods.judging.tasks import Judging
from hf_oss_instruct.publishing.cards.dataset_card import curated_card
from hf_oss_instruct.schemas import JUDGING, SFT_SCHEMA
from hf_oss_instruct.storage.run_report import RunReport, write_run_report
from hf_oss_instruct.storage.workdir import write_atomically
from hf_oss_instruct.synthesis.tables import SourceRows
from hf_oss_instruct.synthesis.tables.output import rename_existing, with_reasons, write_parts
from hf_oss_instruct.templates import to_prompt_completion

STATUS = "execution_status"
EXECUTION_COLUMNS = (STATUS, "pass_rate")
"""Columns that say what running a row's solution showed."""


def report_of(
    rows: SourceRows,
    judging: Judging,
    kept: Mapping[int, Row],
    rejected: Mapping[int, Rejection],
    facts: RunReport,
) -> RunReport:
    """The contents of `run.json`.

    Args:
        rows: the source.
        judging: rubric, judges and threshold.
        kept: its kept rows, by row number.
        rejected: the rejected rows, by row number.
        facts: requests and times, see `TableRun.facts`.
    """
    run = EarlierReport(rows.source)
    known = {check["name"] for check in run.checks}
    others = [
        checks.skipped_entry(step.name, "judge only asks for scores; see curate")
        for step in checks.STEPS
        if step.name not in {*known, "denied"}
    ]
    verification = run.verification
    # Rows that judging rejects leave the end of the funnel, too.
    verified: RunReport = (
        {"verification": verification | {"funnel": verification["funnel"] | {"kept": len(kept)}}} if verification else {}
    )
    return {
        "format_version": FORMAT_VERSION,
        "source": rows.name,
        "source_counts": run.counts or None,
        **run.of_the_run,
        "columns": rows.columns.read,
        "requested": len(rows),
        "kept": len(kept),
        "rejected": dict(Counter(rejection.reason for rejection in rejected.values()).most_common()),
        "pending": len(rows) - len(kept) - len(rejected),
        **facts,
        "checks": [*run.checks, *others],
        **verified,
        "judging": statistics(judging.rubric, [judge.identity for judge in judging.judges], _judged(rows, kept, rejected))
        | {"min_judge_mean": judging.least},
        "tasks": judging.described(),
    }


def write(out: Path, rows: SourceRows, kept: Mapping[int, Row], rejected: Mapping[int, Rejection], report: RunReport) -> None:
    """Tables, then card and, last, the report.

    Args:
        out: the folder.
        rows: the source.
        kept: its kept rows, by row number.
        rejected: the rejected rows, by row number.
        report: the contents of `run.json`, to which counts and the names of columns are added.
    """
    columns = [column.name for column in JUDGING]
    base, renamed = rename_existing(
        rows.table, [*columns, *(() if rows.ours else ("reason", "detail"))], overwrite=_are_scores(rows)
    )
    order = sorted(rejected)
    data = _with_scores(base, {index: dict(row) for index, row in kept.items()})
    rejected_table = _with_scores(base, {index: rejection.columns or {} for index, rejection in rejected.items()})
    parts = {
        "data": data,
        "rejected": with_reasons(rejected_table, [rejected[index] for index in order]),
        "sft": pa.Table.from_pylist([to_prompt_completion(kept[index]) for index in sorted(kept)], SFT_SCHEMA),
    }
    names = rows.columns.renamed(renamed)
    report |= {"pairs": len(kept), "columns_renamed": renamed}
    report |= {"pair_columns": {"problem": names.problem, "solution": names.solution}}
    if (preferences := preference_table(data, names)) is not None:
        parts["preference"] = preferences
        report["preferences"] = len(preferences)
    write_parts(out, rows.source, parts)
    write_atomically(out / "README.md", curated_card(out.resolve().name, report, "judge"))
    write_run_report(out, report)


def _are_scores(rows: SourceRows) -> bool:
    """Whether the table has the scores of an earlier judging, which are overwritten."""
    schema = rows.table.schema
    return all(schema.field(column.name).type == column.type for column in JUDGING if column.name in schema.names)


def _with_scores(base: pa.Table, judged: Mapping[int, Mapping[str, Any]]) -> pa.Table:
    """The rows with these numbers, with the columns of judging."""
    order = sorted(judged)
    table = base.take(pa.array(order, pa.int64()))
    for column in JUDGING:
        table = table.append_column(column.name, pa.array([judged[index].get(column.name) for index in order], column.type))
    return table


def _judged(rows: SourceRows, kept: Mapping[int, Row], rejected: Mapping[int, Rejection]) -> list[dict[str, Any]]:
    """The scores of every row, next to its test results."""
    columns = {index: dict(row) for index, row in kept.items()}
    columns |= {index: {"seed_id": rejection.seed.seed_id, **(rejection.columns or {})} for index, rejection in rejected.items()}
    present = [name for name in EXECUTION_COLUMNS if name in rows.table.column_names]
    ran = rows.table.select(present).to_pylist() if present else [{}] * len(rows)
    return [{**dict.fromkeys(EXECUTION_COLUMNS), **columns[index], **ran[index]} for index in sorted(columns)]
