"""`judge`: the rows of a table in, the same rows with scores out, resumed like every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Outcome, Pending, Rejection, Row, digest, is_row
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.methods.judging.output import STATUS, report_of, write
from hf_oss_instruct.methods.judging.rubric import Rubric
from hf_oss_instruct.methods.judging.statistics import require_libraries
from hf_oss_instruct.methods.judging.tasks import Judge, JudgedRow, Judging
from hf_oss_instruct.progress.counts import SILENT, Counts, Progress
from hf_oss_instruct.spec.judging import JudgingSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.storage.cache import cache_folder
from hf_oss_instruct.synthesis.generation.task import Task
from hf_oss_instruct.synthesis.requests.progress import count_requests
from hf_oss_instruct.synthesis.tables import SourceRows, TableResult, TableRun
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


@dataclass(frozen=True)
class JudgingPlan:
    """A judging before anything is requested.

    Attributes:
        rows: the rows to judge.
        spec: sampling, limits and concurrency.
        judging: rubric, judges and threshold.
    """

    rows: SourceRows
    spec: RunSpec
    judging: Judging

    @property
    def journal_home(self) -> Path:
        """The cache folder for answers of these judges, for previews without a folder."""
        # The random seed differs from row to row: 0 stands for all of them.
        return cache_folder("journal", digest("judge", self.judging.described(), self.spec.sampling.as_sent(0)))

    def items(self) -> Iterator[JudgedRow]:
        """An item for each row."""
        return map(JudgedRow, self.rows)

    def tasks(self) -> list[Task]:
        """The chain of tasks: the first judge, which the others follow."""
        return [Judge(self.judging)]


@dataclass
class JudgingOutcomes:
    """The outcomes of the rows, by row number."""

    kept: dict[int, Row] = field(default_factory=dict)
    rejected: dict[int, Rejection] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    settled: int = 0
    why: str = ""

    async def consume(self, outcomes: AsyncGenerator[Outcome, None]) -> None:
        """Record the outcome of every row of a stream."""
        async for outcome in outcomes:
            if isinstance(outcome, Rejection):
                self.rejected[self.settled] = outcome
                self.reasons[outcome.reason] += 1
            elif is_row(outcome):
                self.kept[self.settled] = outcome
            else:
                assert isinstance(outcome, Pending)
                self.why = self.why or outcome.why
            self.settled += 1


def plan_judging(rows: SourceRows, spec: RunSpec, judging: JudgingSpec, teacher: Teacher | None) -> JudgingPlan:
    """Check what judging needs, judges and rubric.

    Args:
        rows: the rows to judge.
        spec: sampling, limits and concurrency.
        judging: judges, rubric and threshold.
        teacher: judges if there is no other judge.

    Raises:
        UsageError: no judge is given, or one twice; one is not a teacher; the rubric cannot be used; the threshold is outside its
            scale.
    """
    judges: list[Teacher] = [*judging.judges] or ([teacher] if teacher else [])
    if not judges:
        raise UsageError("No judge was given. Pass at least one: judges=[InferenceTeacher(…)], or --judge MODEL.")
    for judge in judges:
        check_teacher(judge)
    if any(judge.embedded for judge in judges):
        raise UsageError(
            "The embedded teacher cannot judge rows. Pass a model: --judge MODEL --base-url URL, or in Python "
            "judges=[InferenceTeacher(…)]."
        )
    identities = [judge.identity for judge in judges]
    # The journal would give the second one the answers of the first: no second opinion.
    if twice := next((name for name in identities if identities.count(name) > 1), None):
        raise UsageError(f"The judge {twice} is given twice. Pass each judge once.")
    rubric, least = Rubric.of(judging.rubric), judging.min_judge_mean
    if least is not None and not rubric.low <= least <= rubric.high:
        raise UsageError(
            f"min_judge_mean (--min-judge-mean) {least:g} is outside the rubric's scale, {rubric.low} to {rubric.high}. Pass "
            "one within it."
        )
    return JudgingPlan(rows, spec, Judging(rubric, judges, least, spec.sampling))


def judge_table(plan: JudgingPlan, out: Path, *, progress: Progress = SILENT) -> TableResult:
    """Judge the rows of a dataset; write them with their scores, those that are rejected with their reason, and a report.

    Args:
        plan: what `plan_judging` returns.
        out: a new or empty folder, or that of the same judging, which is resumed.
        progress: a progress display.

    Raises:
        UsageError: a library that computes the statistics is missing.
        RunError: `out` contains something else, is in use, or cannot be written.
    """
    rows, judging, outcomes = plan.rows, plan.judging, JudgingOutcomes()
    table = rows.table
    # The statistics come last, but a missing library is reported before anything is paid for.
    require_libraries(len(judging.judges), table[STATUS].to_pylist() if STATUS in table.column_names else [])
    with TableRun(out, _job(plan), plan.spec, also=[plan.journal_home]) as run:

        def update(counts: Counts) -> None:
            counts.outcomes, counts.reasons = {"kept": len(outcomes.kept)}, outcomes.reasons
            before, stopping = run.requests_before, run.stopping
            count_requests(counts, run.usage, plan.spec.limits, outcomes.settled, requests_before=before, stopping=stopping)

        with progress.stage(f"Judging {rows.name}", "rows", len(rows), update):
            run.drive(plan.items(), plan.tasks(), outcomes.consume)
        report = report_of(rows, judging, outcomes.kept, outcomes.rejected, run.facts())
        with progress.stage("Writing the dataset"):
            write(out, rows, outcomes.kept, outcomes.rejected, report)
        return run.result(report, outcomes.why)


def _job(plan: JudgingPlan) -> dict[str, Any]:
    """What identifies a judging run."""
    return {
        "command": "judge",
        **plan.rows.identity,
        "rows": len(plan.rows),
        "rubric": plan.judging.rubric.as_dict(),
        "min_judge_mean": plan.judging.least,
        "sampling": plan.spec.as_dict()["sampling"],
        "tasks": plan.judging.described(),
    }
