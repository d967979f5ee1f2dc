"""Build a dataset from a run's journal alone, even while the run continues: Parquet files, card and report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from hf_oss_instruct.curation.benchmarks import find
from hf_oss_instruct.data import Completion, Outcome, Pending, Rejection, Request, Seed
from hf_oss_instruct.errors import RowRejectedError, RunError
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.synthesis.generation import FollowUp, GenerationTask, Task
from hf_oss_instruct.synthesis.journal import OSS_INSTRUCT, Journal
from hf_oss_instruct.synthesis.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.output import REPORT, RunStats, Tables, publish, report_of
from hf_oss_instruct.synthesis.run import CONFIG
from hf_oss_instruct.synthesis.sessions import JOURNAL, VERDICTS, report_before
from hf_oss_instruct.synthesis.verifying import Prepare, Verification
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.verification.memo import Verdicts
from hf_oss_instruct.workdir import owned


@dataclass
class _Named(Teacher):
    """A placeholder for a teacher whose answers are in the journal."""

    identity: str

    def __post_init__(self) -> None:
        self.embedded = self.identity == CommentFunctionTeacher.identity

    async def complete(self, request: Request) -> Completion:
        raise AssertionError("an export asks nobody")


def export(run: Path, out: Path) -> RunStats:
    """Write what a run has so far as a dataset of its own.

    Reads the run's config, report, journal and verdicts, uses neither teacher nor seed source, and runs no program. Rows
    are in seed order; a seed that is not answered or not verified yet is pending.

    Args:
        run: folder of the run; it may be running.
        out: a new or empty folder, or that of an earlier export of the same run.

    Raises:
        RunError: `run` is not a run; or `out` contains something else, is in use, or cannot be written.
    """
    if not (run / CONFIG).is_file() or not (run / REPORT).is_file():
        raise RunError(f"{str(run)!r} is not a folder of a run: it has no {CONFIG} and {REPORT}. Name the --out of a synthesize.")
    spec = RunSpec.from_file(run / CONFIG)
    try:
        before = read_object(run / REPORT, {"teacher": str})
    except ValueError as error:
        raise RunError(f"{error}. Run the same synthesize again: it writes the report anew.") from error
    task = OssInstructTask.of(spec, _Named(before["teacher"]))
    with owned(out, {"command": "export", "run": str(run.resolve())}):
        return _write(run, out, spec, task)


def _write(run: Path, out: Path, spec: RunSpec, task: OssInstructTask) -> RunStats:
    before = report_before(run)
    stats = RunStats(spec.seeds.requested or 0)
    tables = Tables(out, stats, spec, find(spec.checks.benchmarks))
    with Journal(run / JOURNAL) as journal, Verdicts(run / VERDICTS, read_only=True) as verdicts:
        tasks: list[Task] = [task]
        if spec.verification.verify:
            tasks.append(Prepare(_verification(spec, task.teacher, before.get("tasks", []), verdicts)))
        for seed, answer in _in_seed_order(journal):
            if isinstance(answer, RowRejectedError):
                tables.settle(Rejection(seed, answer.reason, answer.detail))
            else:
                tables.settle(_outcome(seed, tasks, journal, stats))
            if tables.is_due:
                tables.check_fresh()
        stats.requested = max(stats.requested, stats.done)
        tables.finish()
        report = report_of(spec, task, stats, tables.checks(), before, 0.0, journal.dropped)
        publish(out, spec, task, stats, report | ({"tasks": before["tasks"]} if before.get("tasks") else {}))
    return stats


def _verification(spec: RunSpec, teacher: Teacher, tasks: list[Any], verdicts: Verdicts) -> Verification:
    """The run's verification, with placeholders for the teachers that its report names."""
    named = dict(str(one).partition(": ")[::2] for one in tasks)
    tester, solver = (_Named(named[name]) if name in named else None for name in ("tests", "solve"))
    return Verification(spec.verification, verdicts, teacher, tester, solver, spec.sampling)


def _outcome(seed: Seed, tasks: list[Task], journal: Journal, stats: RunStats) -> Outcome:
    """The outcome of a seed according to journal and verdicts."""
    item: Any = seed
    outcome: Any
    task, place = tasks[0], 0
    while True:
        if isinstance(task, GenerationTask):
            answer = journal.recall(task.key(item), seed, task.name)
            if answer is None:
                return Pending(seed, f"the task {task.name} has no answer yet")
            if isinstance(answer, Completion):
                stats.usage.count(answer)
            outcome = task.refused(item, answer) if isinstance(answer, RowRejectedError) else task.outcome(item, answer)
        else:
            outcome = task.compute(item)
        if isinstance(outcome, FollowUp):
            task, item = outcome.task, outcome.item
        elif isinstance(outcome, dict) and place + 1 < len(tasks):
            place += 1
            task, item = tasks[place], outcome
        else:
            return cast(Outcome, outcome)


def _in_seed_order(journal: Journal) -> list[tuple[Seed, Completion | RowRejectedError]]:
    entries = (entry for entry in journal.answers() if entry.task == OSS_INSTRUCT)
    found = ((entry.seed, entry.answer) for entry in entries if entry.seed is not None)
    return sorted(found, key=lambda item: item[0].index)
