"""Build a dataset from the journals of runs alone, even while the run continues: Parquet files, card and report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from heapq import merge
from pathlib import Path
from typing import Any, cast

from hf_oss_instruct.curation.decontamination.benchmarks import find
from hf_oss_instruct.data import Completion, Outcome, Pending, Rejection, Request, Seed, is_embedded, is_row
from hf_oss_instruct.errors import RowRejectedError, RunError, UsageError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.storage.run_report import JOURNAL, RUN_REPORT, VERDICTS, RunReport, read_run_report
from hf_oss_instruct.storage.workdir import locked_for_job
from hf_oss_instruct.synthesis.generation.concepts import pair_task
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask, Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.journal.lines import Answer
from hf_oss_instruct.synthesis.output import DatasetWriter, publish, report_of
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.run import CONFIG
from hf_oss_instruct.synthesis.run_progress import update_counts
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.synthesis.sessions import earlier_report
from hf_oss_instruct.synthesis.verifying import Prepare, Verification
from hf_oss_instruct.teachers.mixture import MixedTeacher, shares_in
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.verification.memo import Verdicts


@dataclass
class _Named(Teacher):
    """A placeholder for a teacher whose answers are in the journal."""

    identity: str

    def __post_init__(self) -> None:
        self.embedded = is_embedded(self.identity)

    async def complete(self, request: Request) -> Completion:
        raise AssertionError("an export sends no requests")


def _placeholder_teacher(identity: str) -> Teacher:
    """A placeholder for the teacher with an identity, which for mixed teachers has the shares."""
    try:
        shares = shares_in(identity)
    except UsageError:  # another teacher, with a name that looks like it
        shares = []
    return MixedTeacher([(_Named(name), share) for name, share in shares]) if len(shares) > 1 else _Named(identity)


@dataclass(frozen=True)
class RecordedRun:
    """A run as its folder records it.

    Attributes:
        folder: the folder.
        spec: its config.
        report: its `run.json`, as far as it is well formed.
    """

    folder: Path
    spec: RunSpec
    report: RunReport

    @classmethod
    def open(cls, folder: Path) -> RecordedRun:
        """Read the config and the report of a run.

        Raises:
            RunError: the folder is not that of a run, or its report cannot be read.
        """
        if not (folder / CONFIG).is_file() or not (folder / RUN_REPORT).is_file():
            raise RunError(
                f"{str(folder)!r} is not a folder of a run: it has no {CONFIG} or no {RUN_REPORT}. "
                "Pass a folder that synthesize wrote."
            )
        try:
            report = read_run_report(folder, {"teacher": str})
        except ValueError as error:
            raise RunError(f"{error}. Run the same synthesize command again: it rewrites the report.") from error
        return cls(folder, RunSpec.from_file(folder / CONFIG), report)

    @property
    def task(self) -> OssInstructTask:
        """Its first task, with a placeholder for the teacher."""
        return pair_task(self.spec, _placeholder_teacher(self.report["teacher"]))


def export(run: Path, out: Path, progress: Progress = SILENT) -> RunStats:
    """Write the rows that a run has so far as a separate dataset.

    Reads the run's config, report, journal and verdicts, uses neither teacher nor seed source, and runs no program. Rows
    are in seed order; a seed that is not answered or not verified yet is pending.

    Args:
        run: folder of the run; it may be running.
        out: a new or empty folder, or that of an earlier export of the same run.
        progress: a progress display.

    Raises:
        RunError: `run` is not a run; or `out` contains something else, is in use, or cannot be written.
    """
    opened = RecordedRun.open(run)
    with locked_for_job(out, {"command": "export", "run": str(run.resolve())}):
        stats = RunStats(opened.spec.seeds.requested or 0)
        return write_dataset([opened], out, opened.spec, stats, earlier_report(run), progress=progress)


def write_dataset(
    runs: Sequence[RecordedRun],
    out: Path,
    spec: RunSpec,
    stats: RunStats,
    before: RunReport,
    *,
    progress: Progress = SILENT,
) -> RunStats:
    """Write the dataset that the journals and verdicts of runs hold, in the order of their seeds.

    Args:
        runs: runs of the same config and teacher, with different seeds.
        out: the folder, locked by the caller.
        spec: the config of the dataset.
        stats: counts to begin with: the requested seeds, and skipped documents.
        before: requests, seconds and start of the runs, as `earlier_report` gives them.
        progress: a progress display.

    Returns:
        The counts.

    Raises:
        RunError: `out` cannot be written.
    """
    task = runs[0].task
    tables = DatasetWriter(out, stats, spec, find(spec.checks.benchmarks))
    with progress.stage("Reading the journal", "seeds", None, partial(update_counts, stats=stats)):
        dropped = _settle(runs, task, tables, spec, stats, before)
    stats.requested = max(stats.requested, stats.done)
    with progress.stage("Checking the whole dataset and writing it"):
        tables.finish()
    report = report_of(spec, task, stats, tables.checks(), before, Usage(before.get("requests_sent", 0)), 0.0, dropped)
    earlier: Mapping[str, Any] = before
    further = {name: earlier[name] for name in ("tasks", "shards", "cost") if earlier.get(name)}
    publish(out, spec, task, stats, cast(RunReport, report | further))
    return stats


def _settle(
    runs: Sequence[RecordedRun], task: OssInstructTask, tables: DatasetWriter, spec: RunSpec, stats: RunStats, before: RunReport
) -> int:
    """Settle every seed that the runs answered. Their journals are closed then, since checks of the whole set need the memory.

    Returns:
        How many lines of the journals were damaged.
    """
    with ExitStack() as stack:
        verdicts = stack.enter_context(
            Verdicts(runs[0].folder / VERDICTS, also=[run.folder / VERDICTS for run in runs[1:]], read_only=True)
        )
        tasks: list[Task] = [*task.tasks]
        if spec.verification.verify:
            tasks.append(Prepare(_verification(spec, task.teacher, before.get("tasks", []), verdicts)))
        journals = [stack.enter_context(Journal(run.folder / JOURNAL)) for run in runs]
        for seed, answer, journal in _in_seed_order(journals, task.first.name):
            if isinstance(answer, RowRejectedError):
                tables.settle(Rejection(seed, answer.reason, answer.detail))
            else:
                tables.settle(_outcome(seed, tasks, journal, stats))
            if tables.is_due:
                tables.check_fresh()
        return sum(journal.dropped for journal in journals)


def _verification(spec: RunSpec, teacher: Teacher, tasks: list[Any], verdicts: Verdicts) -> Verification:
    """The run's verification, with placeholders for the teachers that its report names."""
    named = dict(str(task).partition(": ")[::2] for task in tasks)
    tester, solver = (_placeholder_teacher(named[name]) if name in named else None for name in ("tests", "solve"))
    return Verification(spec.verification, verdicts, teacher, tester, solver, spec.sampling)


def _outcome(seed: Seed, tasks: list[Task], journal: Journal, stats: RunStats) -> Outcome:
    """The outcome of a seed according to journal and verdicts."""
    item: Any = seed
    outcome: Any
    # What the engine does, in one loop: every answer is on disk, so nothing is waited for.
    task, index = tasks[0], 0
    while True:
        if isinstance(task, GenerationTask):
            answer = journal.recall(task.key(item), seed, task.name)
            if answer is None:
                return Pending(seed, f"the task {task.name} has no answer yet")
            if isinstance(answer, Completion):
                stats.usage.count(answer, task.form(answer))
            outcome = task.refused(item, answer) if isinstance(answer, RowRejectedError) else task.outcome(item, answer)
        else:
            outcome = task.compute(item)
        if isinstance(outcome, FollowUp):
            task, item = outcome.task, outcome.item
        elif is_row(outcome) and index + 1 < len(tasks):
            index += 1
            task, item = tasks[index], outcome
        else:
            return cast(Outcome, outcome)


def _in_seed_order(journals: Sequence[Journal], task: str) -> Iterator[tuple[Seed, Answer, Journal]]:
    """The answers to a task in several runs with their seeds and journals, in the order of the seeds."""

    def of(journal: Journal) -> Iterator[tuple[Seed, Answer, Journal]]:
        for seed, answer in journal.in_seed_order(task):
            yield seed, answer, journal

    # Each journal is in seed order already, so at most one answer of each is in memory.
    return merge(*map(of, journals), key=lambda item: item[0].index)
