"""What `verify` leaves of a table: the rows that are kept, those that are not, preference pairs, report and card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from hf_oss_instruct.curation import checks
from hf_oss_instruct.curation.annotations import FLAGS, REASON
from hf_oss_instruct.curation.earlier_report import EarlierReport
from hf_oss_instruct.curation.pairs.columns import TableColumns, text_of
from hf_oss_instruct.curation.pairs.texts import solution_of, with_solution
from hf_oss_instruct.curation.preference import preference_pairs
from hf_oss_instruct.curation.rows import RUN_COLUMNS
from hf_oss_instruct.data import FORMAT_VERSION, Outcome, Pending, Rejection, Row, is_row, storable
from hf_oss_instruct.publishing.cards.dataset_card import curated_card
from hf_oss_instruct.schemas import PREFERENCE_SCHEMA, SFT_SCHEMA, VERIFICATION_COLUMNS, VERIFIED_SCHEMA
from hf_oss_instruct.storage.run_report import RunReport, write_run_report
from hf_oss_instruct.storage.workdir import write_atomically
from hf_oss_instruct.synthesis.tables import SourceRows
from hf_oss_instruct.synthesis.tables.output import rename_existing, with_reasons, write_parts
from hf_oss_instruct.synthesis.verifying.rows import facts_in
from hf_oss_instruct.synthesis.verifying.stats import VerificationStats
from hf_oss_instruct.templates import to_prompt_completion
from hf_oss_instruct.verification.memo import VERSION


@dataclass
class VerificationOutcomes:
    """The outcomes of the rows, by row number."""

    stats: VerificationStats = field(default_factory=VerificationStats)
    kept: dict[int, Row] = field(default_factory=dict)
    rejected: dict[int, Rejection] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    pending: int = 0
    settled: int = 0
    why: str = ""

    def settle(self, outcome: Outcome) -> None:
        """Record the outcome of the next row."""
        number, self.settled = self.settled, self.settled + 1
        if isinstance(outcome, Rejection):
            self.rejected[number] = outcome
            self.reasons[outcome.reason] += 1
            assert outcome.verified
            self.stats.count(outcome.verified, outcome.verified["language"], outcome.verified["cause"])
        elif is_row(outcome):
            self.kept[number] = outcome
            self.stats.count(outcome, *facts_in(outcome))
        else:
            assert isinstance(outcome, Pending)
            self.pending += 1
            self.why = self.why or outcome.why


def report_of(rows: SourceRows, outcomes: VerificationOutcomes, facts: RunReport) -> RunReport:
    """The contents of `run.json`.

    Args:
        rows: the source.
        outcomes: the outcomes of its rows.
        facts: requests and times, see `TableRun.facts`.
    """
    run, names = EarlierReport(rows.source), rows.columns
    # This verification takes the place of an earlier one.
    earlier = [check for check in run.checks if check["name"] != "execution"]
    known = {check["name"] for check in earlier}
    others = [
        checks.skipped_entry(step.name, "verify runs solutions only; see curate")
        for step in checks.STEPS
        if step.name not in {*known, "denied"}
    ]
    result = outcomes.stats.report(len(outcomes.kept))
    return {
        "format_version": FORMAT_VERSION,
        "source": rows.name,
        "source_counts": run.counts or None,
        **run.of_the_run,
        "columns": names.read,
        "requested": len(rows),
        "kept": len(outcomes.kept),
        "rejected": dict(outcomes.reasons.most_common()),
        "pending": outcomes.pending,
        **facts,
        "checks": [{"name": "execution", "version": VERSION, "status": "done"}, *earlier, *others],
        "sandbox": ", ".join(result["sandbox"]) or None,
        "verification": result,
    }


def write(out: Path, rows: SourceRows, outcomes: VerificationOutcomes, report: RunReport) -> None:
    """Tables, then card and, last, the report.

    Args:
        out: the folder.
        rows: the source.
        outcomes: the outcomes of its rows.
        report: the contents of `run.json`, to which the counts of pairs and the renamed columns are added.
    """
    table, names = rows.table, rows.columns
    ours = set(table.column_names) >= RUN_COLUMNS
    written = VERIFICATION_COLUMNS if ours else (*VERIFICATION_COLUMNS, FLAGS, REASON)
    base, renamed = rename_existing(table, written, overwrite=ours)
    kept, dropped = sorted(outcomes.kept), sorted(outcomes.rejected)
    data = _with_columns(base.take(pa.array(kept, pa.int64())), [outcomes.kept[index] for index in kept])
    data = _with_solutions(data, names, renamed, [outcomes.kept[index] for index in kept])
    lost = [outcomes.rejected[index] for index in dropped]
    rejected = _with_columns(base.take(pa.array(dropped, pa.int64())), [rejection.verified or {} for rejection in lost])
    pairs = [to_prompt_completion(outcomes.kept[index]) for index in kept]
    preferences = [pair for index in kept for pair in preference_pairs(outcomes.kept[index])]
    parts = {
        "data": data,
        "rejected": with_reasons(rejected, lost),
        "sft": pa.Table.from_pylist(pairs, SFT_SCHEMA),
        "preference": pa.Table.from_pylist(preferences, PREFERENCE_SCHEMA),
    }
    write_parts(out, rows.source, parts)
    now = names.renamed(renamed)
    report |= {"pairs": len(pairs), "preferences": len(preferences), "columns_renamed": renamed}
    report |= {"pair_columns": {"problem": now.problem, "solution": now.solution}}
    write_atomically(out / "README.md", curated_card(out.resolve().name, report, "verify"))
    write_run_report(out, report)


def _with_columns(table: pa.Table, rows: list[Any]) -> pa.Table:
    for name in VERIFICATION_COLUMNS:
        kind = VERIFIED_SCHEMA.field(name).type
        table = table.append_column(name, pa.array([row.get(name) for row in rows], kind))
    if any(flags := [row.get(FLAGS) for row in rows]):
        values = pa.array(flags, VERIFIED_SCHEMA.field(FLAGS).type)  # (rows,)
        index = table.schema.get_field_index(FLAGS)
        table = table.set_column(index, FLAGS, values) if index >= 0 else table.append_column(FLAGS, values)
    return table


def _with_solutions(table: pa.Table, names: TableColumns, renamed: Mapping[str, str], rows: list[Row]) -> pa.Table:
    """The table with the kept solutions, where they differ from the rows' own."""
    column = renamed.get(names.solution, names.solution)
    problems, own = table[renamed.get(names.problem, names.problem)].to_pylist(), table[column].to_pylist()
    new = [
        value if row["solution"] == storable(solution_of(problem, value, names)) else with_solution(value, row["solution"], names)
        for row, problem, value in zip(rows, problems, own, strict=True)
    ]
    # No solution was repaired or selected: the column stays as it is, with its type.
    if new == own:
        return table
    kind = table.schema.field(column).type
    fits = names.chat or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    values = pa.array(new, kind) if fits else pa.array([text_of(value) for value in new], pa.string())  # (rows,)
    return table.set_column(table.column_names.index(column), column, values)
