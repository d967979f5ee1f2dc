"""The files of a run's folder: tables, report and card."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.curation.annotations import DETAIL, REASON, not_rejected
from hf_oss_instruct.curation.checks import BY_NAME, CurationOptions, report_entry, skipped_entry
from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList
from hf_oss_instruct.curation.duplicates.distinct_tasks import DistinctTasks
from hf_oss_instruct.curation.duplicates.exact import COMPARED, ExactDuplicates
from hf_oss_instruct.curation.duplicates.near import cluster_sizes
from hf_oss_instruct.curation.preference import preference_pairs
from hf_oss_instruct.data import FORMAT_VERSION, KEEP, Outcome, Pending, Rejection, Row, Skipped
from hf_oss_instruct.publishing.cards.dataset_card import dataset_card
from hf_oss_instruct.schemas import (
    PREFERENCE_SCHEMA,
    REJECTED_SCHEMA,
    SCHEMA,
    SFT_SCHEMA,
    provenance_columns,
    schema_of,
    with_lineage,
)
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.storage.run_report import RunReport, write_run_report
from hf_oss_instruct.storage.shards import Shards
from hf_oss_instruct.storage.workdir import write_atomically
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.synthesis.verifying.rows import NOT_VERIFIABLE, facts_in
from hf_oss_instruct.synthesis.verifying.stats import VerificationStats
from hf_oss_instruct.teachers.mixture import MixedTeacher
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.templates import to_prompt_completion
from hf_oss_instruct.verification.memo import VERSION as VERDICTS

CARD = "README.md"
PACKAGES = ("hf-oss-instruct", "datasets", "huggingface_hub", "pyarrow")
BATCH_ROWS = 1000
"""Rows that checks of single rows process at a time."""


class DatasetWriter:
    """Writes the configs of a dataset: runs the checks, and counts rows by outcome.

    Rows that pass the checks of single rows are stored in `.unchecked/`; checks of the whole dataset run at the end.

    Args:
        out: the folder.
        stats: the counts, updated with every outcome.
        spec: the run, with its checks.
        lists: the benchmarks to check against.
        evolved: how rows were evolved, None for others. Evolved rows share their parent's seed, and their solutions may be
            alike: duplicates are searched among problems and solutions, near duplicates among problems.
    """

    def __init__(
        self,
        out: Path,
        stats: RunStats,
        spec: RunSpec,
        lists: Sequence[BenchmarkList] = (),
        *,
        evolved: EvolutionSpec | None = None,
    ) -> None:
        self._out, self._stats, self._spec = out, stats, spec
        compared = ("problem", "solution") if evolved else COMPARED
        self._options = CurationOptions(
            columns=compared, lists=tuple(lists), rule=spec.checks.rule, drop=spec.checks.contaminated == "drop"
        )
        self._alike = replace(self._options, columns=("problem",), threshold=evolved.max_similarity) if evolved else self._options
        self._duplicate = ExactDuplicates(compared) if spec.checks.duplicates else None
        self._single = [BY_NAME["decontamination"].make(self._options)] if lists else []
        self._whole = [BY_NAME[name] for name in ("near_duplicates", "same_names") if spec.checks.near_duplicates]
        self._clusters: dict[str, int] = {}
        self._distinct_tasks = DistinctTasks()
        self._fresh: list[Row] = []
        kept, rejected = schema_of(verified=spec.verification.verify, concepts=spec.prompt.concepts), REJECTED_SCHEMA
        self._schema, self._of_rejected = (with_lineage(kept), with_lineage(rejected)) if evolved else (kept, rejected)
        stats.verification = VerificationStats() if spec.verification.verify else None
        self._unchecked = Shards(self._out / ".unchecked", self._schema, scratch=True)
        self._default = Shards(self._out / "data", self._schema)
        self._sft = Shards(self._out / "sft", SFT_SCHEMA)
        self._rejected = Shards(self._out / "rejected", self._of_rejected)
        self._preference = Shards(self._out / "preference", PREFERENCE_SCHEMA)
        self._all = (self._unchecked, self._default, self._sft, self._rejected, self._preference)

    def settle(self, outcome: Outcome) -> None:
        """Count and write one outcome. Outcomes come in seed order, so that the first of several duplicates is kept."""
        stats = self._stats
        if self._spec.seeds.balance and not isinstance(outcome, Skipped):
            stats.count_seed(outcome)
        if isinstance(outcome, Skipped):
            (stats.refused if outcome.snippet else stats.skipped)[outcome.reason] += 1
        elif isinstance(outcome, Pending):
            stats.unanswered += 1
            stats.pending_why = stats.pending_why or outcome.why
        elif isinstance(outcome, Rejection):
            stats.first_why = stats.first_why or f"{outcome.reason}: {outcome.detail}"
            if stats.verification and outcome.verified:
                stats.verification.count(outcome.verified, outcome.verified["language"], outcome.verified["cause"])
            elif stats.verification and outcome.reason == NOT_VERIFIABLE:
                stats.verification.count_incomplete(outcome.seed.origin.lang)
            columns = provenance_columns(outcome.seed) | dict(outcome.columns or {})
            self._reject(columns, outcome.reason, outcome.detail, outcome.received)
        else:
            if stats.verification:
                stats.verification.count(outcome, *facts_in(outcome))
            verdict = self._duplicate(outcome) if self._duplicate else KEEP
            if verdict.reason is None:
                # For now: a check of the whole dataset may still reject it (`_not_rejected`).
                stats.kept += 1
                self._fresh.append(outcome)
            else:
                self._reject(outcome, verdict.reason, verdict.detail, outcome["solution"])

    async def consume(self, outcomes: AsyncIterator[Outcome]) -> None:
        """Count and write every outcome of a stream."""
        stats = self._stats
        async for outcome in outcomes:
            self.settle(outcome)
            if self.is_due:  # in a thread, so that requests continue while Arrow works
                await asyncio.to_thread(self.check_fresh)
            stats.requested = max(stats.requested, stats.done + stats.unanswered)  # if the source decides how many

    @property
    def is_due(self) -> bool:
        """Whether enough rows have arrived since the last check."""
        return len(self._fresh) >= BATCH_ROWS

    def checks(self) -> list[dict[str, Any]]:
        """The entries of the checks for `run.json`, after `finish`."""
        checks, options = self._spec.checks, self._options
        lists = [listed.name for listed in options.lists]
        off = "switched off"
        return [
            report_entry(BY_NAME["duplicates"], options) if checks.duplicates else skipped_entry("duplicates", off),
            report_entry(BY_NAME["near_duplicates"], self._alike, cluster_sizes=self._clusters)
            if checks.near_duplicates
            else skipped_entry("near_duplicates", off),
            report_entry(BY_NAME["decontamination"], options) if lists else skipped_entry("decontamination", off),
            self._execution(),
        ]

    def _execution(self) -> dict[str, Any]:
        if not self._stats.verification:
            return skipped_entry("execution", "solutions were not run; the command verify runs them", "unavailable")
        return {"name": "execution", "version": VERDICTS, "status": "done"}

    def check_fresh(self) -> None:
        """Run the checks of single rows on those that arrived since the last call."""
        table = pa.Table.from_pylist(self._fresh, self._schema)
        self._fresh = []
        for check in self._single:
            table = check(table)
        table = self._not_rejected(table)
        self._unchecked.add_table(table)
        for problems in table["problem"].chunks:
            self._distinct_tasks.add(problems)

    def _check_all(self) -> None:
        """Run the checks of the whole dataset, and write the rows that pass."""
        if self._fresh:
            self.check_fresh()
        self._duplicate = None  # all rows have come: its temporary files are removed
        # Before near duplicates are removed, because it says how many there were.
        self._stats.diversity = self._distinct_tasks.count(self._problems)
        # Only these checks need the texts of all rows, which are mapped from disk for them.
        marks = self._marks() if self._whole else None
        start = 0
        for portion in self._unchecked.unfinished():
            # The marks have the rows of all portions, in the same order.
            rows = self._not_rejected(_marked(portion, marks.slice(start, len(portion)))) if marks else portion
            start += len(portion)
            self._stats.describe(rows)
            self._default.add_table(rows)
            for row in rows.select(["problem", "solution", "reasoning"]).to_pylist():
                self._sft.add(to_prompt_completion(row, self._spec.prompt.thoughts))
            if self._stats.verification:
                self._prefer(rows)

    def _problems(self) -> Iterator[pa.Array]:
        for portion in self._unchecked.unfinished(["problem"]):
            yield from portion["problem"].chunks

    def _marks(self) -> pa.Table:
        """The results of the checks of the whole dataset, row by row."""
        texts = dict.fromkeys((*self._alike.columns, "solution", "problem"))
        compared = self._unchecked.mapped(["seed_id", *texts, "flags"])
        for check in self._whole:
            compared = check.make(self._alike)(compared)
        if DETAIL in compared.column_names:
            self._clusters = cluster_sizes(compared[DETAIL].drop_null().to_pylist())
        return compared

    def _prefer(self, rows: pa.Table) -> None:
        """Write the preference pairs of kept rows."""
        for row in rows.select(["problem", "solution", "solutions", "execution_status"]).to_pylist():
            for pair in preference_pairs(row):
                self._preference.add(pair)
                self._stats.preferences += 1

    def _not_rejected(self, table: pa.Table) -> pa.Table:
        """Return the rows that no check rejects; write the others to `rejected`."""
        stays = pa.array(not_rejected(table))  # (rows,)
        fallen = table.filter(pc.invert(stays)) if REASON in table.column_names else table.slice(0, 0)
        for row in fallen.to_pylist():
            self._stats.kept -= 1
            self._reject(row, row[REASON], row[DETAIL], row["solution"])
        return table.filter(stays)

    def _reject(self, columns: Any, reason: str, detail: str, received: str | None) -> None:
        self._stats.rejected[reason] += 1
        shared = {name: columns[name] for name in self._of_rejected.names if name in columns}
        self._rejected.add(shared | {"reason": reason, "detail": detail, "received": received})

    def finish(self) -> None:
        """Check the whole dataset, and finish the files."""
        try:
            self._check_all()
            # All but `.unchecked`, which is scratch.
            for shards in self._all[1:]:
                shards.finish()
        finally:
            # Also after an error, so that no unfinished file stays behind.
            for shards in self._all:
                shards.abandon()
            if self._unchecked.folder.is_dir():
                self._unchecked.folder.rmdir()


def _marked(rows: pa.Table, marks: pa.Table) -> pa.Table:
    """Copy the results of checks from a table with the same rows; a verified row has a detail of its own."""
    for name in (REASON, DETAIL):
        if name in marks.column_names:
            values = marks[name]  # (rows,)
            if name in rows.column_names:
                values, rows = pc.coalesce(values, rows[name]), rows.drop_columns([name])
            rows = rows.append_column(name, values)
    return rows.set_column(rows.column_names.index("flags"), SCHEMA.field("flags"), marks["flags"])


def report_of(
    spec: RunSpec,
    task: OssInstructTask,
    stats: RunStats,
    checks: list[dict[str, Any]],
    before: RunReport,
    spent: Usage,
    seconds: float,
    dropped: int,
) -> RunReport:
    """The contents of `run.json`; `before` is the report of earlier sessions, `spent` their usage.

    Args:
        spec: the run.
        task: its first task, with the teacher and the prompts.
        stats: the outcomes of all its seeds.
        checks: the entries of its checks, as `Tables.checks` gives them.
        before: the report of earlier sessions.
        spent: usage of earlier sessions.
        seconds: duration of this session.
        dropped: damaged lines of the journal.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "format_version": FORMAT_VERSION,
        "requested": stats.requested,
        "kept": stats.kept,
        "rejected": dict(stats.rejected.most_common()),
        "pending": stats.pending,
        "documents_skipped": dict(stats.skipped.most_common()),
        "snippets_refused": dict(stats.refused.most_common()),
        "requests_sent": spent.requests_sent + stats.usage.requests_sent,
        "tokens": {"prompt": stats.usage.prompt_tokens, "completion": stats.usage.completion_tokens},
        "finish_reasons": dict(stats.usage.finish_reasons.most_common()),
        "parameters_changed": stats.usage.changes,
        "cost": stats.limits.cost(stats.usage.prompt_tokens, stats.usage.completion_tokens),
        "seconds": round(before.get("seconds", 0) + seconds, 3),
        "started": before.get("started", now),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "config_hash": spec.hash,
        "teacher": task.teacher.identity,
        "prompt_hash": task.prompt_hash,
        "journal_lines_dropped": dropped,
        "diversity": stats.diversity,
        "checks": checks,
        "sandbox": None,
    } | (
        mixture_facts(task.teacher, stats)
        | verification_facts(stats)
        | (answer_forms(stats) if task.schema else {})
        | _balance_facts(spec, stats)
    )


def answer_forms(stats: RunStats) -> RunReport:
    """Further fields of `run.json` if answers were to be JSON: how many are."""
    return {"answer_forms": dict(stats.usage.answer_forms.most_common())}


def _balance_facts(spec: RunSpec, stats: RunStats) -> RunReport:
    """Further fields of `run.json` if seeds were balanced: how many there are of each language and category, and the model."""
    if not spec.seeds.balance:
        return {}
    counts = {"languages": stats.seeds_by_language, "categories": stats.seeds_by_category}
    model = spec.seeds.embedding_model
    facts: dict[str, Any] = {name: dict(counter.most_common()) for name, counter in counts.items()}
    return {"balance": facts | ({"embedding_model": str(model)} if model else {})}


def mixture_facts(teacher: Teacher, stats: RunStats) -> RunReport:
    """Further fields of `run.json` if teachers are mixed: the share of each, and its kept rows."""
    if not isinstance(teacher, MixedTeacher):
        return {}
    return {"teachers": {name: {"share": share, "rows": stats.teachers[name]} for name, share in teacher.shares.items()}}


def verification_facts(stats: RunStats) -> RunReport:
    """Further fields of `run.json` if pairs were verified."""
    if stats.verification is None:
        return {}
    verification = stats.verification.report(stats.kept)
    return {"sandbox": ", ".join(verification["sandbox"]) or None, "verification": verification, "preferences": stats.preferences}


def publish(out: Path, spec: RunSpec, task: OssInstructTask, stats: RunStats, report: RunReport) -> None:
    """Write the card, and last the report; the tables are finished already.

    Args:
        out: folder of the run.
        spec: the run.
        task: its first task, with the prompts for the card.
        stats: the counts and sample rows for the card.
        report: the contents of `run.json`.

    Raises:
        RunError: a file cannot be written.
    """
    card = dataset_card(
        name=out.resolve().name,
        report=report,
        config=spec.as_dict(),
        prompt=task.prompt_text,
        languages=dict(stats.languages.most_common()),
        licenses=dict(stats.licenses.most_common()),
        samples=stats.samples,
    )
    write_atomically(out / CARD, card)
    write_run_report(out, report)
