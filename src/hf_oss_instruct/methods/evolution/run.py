"""`evolve`: the rows of a table in, harder ones out, resumed like every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList, find
from hf_oss_instruct.data import Row, digest
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.methods.evolution.report import report_of, write_report
from hf_oss_instruct.methods.evolution.tasks import Evolution, EvolvingRow, StartEvolution
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.prompts import JSON
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.verification import ANSWER, GIVEN
from hf_oss_instruct.storage.cache import cache_folder
from hf_oss_instruct.synthesis.generation.oss_instruct import check_schema
from hf_oss_instruct.synthesis.generation.task import Task
from hf_oss_instruct.synthesis.output import DatasetWriter
from hf_oss_instruct.synthesis.run_progress import update_counts
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.synthesis.tables import SourceRows, TableResult, TableRun
from hf_oss_instruct.synthesis.verifying import Prepare, Verification, open_verification
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


@dataclass(frozen=True)
class EvolutionPlan:
    """An evolution before anything is requested: its tasks, and what goes through them.

    Attributes:
        rows: the rows to evolve.
        spec: checks, verification, sampling, limits and concurrency.
        evolution: what the tasks of Evol-Instruct share.
        verification: what those of verification share; None without.
    """

    rows: SourceRows
    spec: RunSpec
    evolution: Evolution
    verification: Verification | None

    @property
    def requested(self) -> int:
        """Number of rows that come out if none is rejected."""
        return len(self.rows) * (self.evolution.spec.rounds + self.evolution.spec.keep_parents)

    @property
    def described(self) -> list[str]:
        """The tasks with the teacher of each."""
        return [*self.evolution.described(), *(self.verification.described() if self.verification else [])]

    @property
    def journal_home(self) -> Path:
        """The cache folder for answers of these teachers, for previews without a folder."""
        # The random seed differs from row to row: 0 stands for all of them.
        return cache_folder("journal", digest("evolve", self.described, self.spec.sampling.as_sent(0)))

    def items(self) -> Iterator[EvolvingRow]:
        """An item for each row and round; round 0 is the row itself."""
        spec = self.evolution.spec
        for row in self.rows:
            for round in range(0 if spec.keep_parents else 1, spec.rounds + 1):
                yield EvolvingRow.to_round(self._writable(row), round)

    def tasks(self, verification: Verification | None) -> list[Task]:
        """The chain of tasks."""
        return [StartEvolution(self.evolution), *([Prepare(verification)] if verification else [])]

    def requests_per_row(self) -> tuple[int, int]:
        """The fewest requests that a source row costs, if every round fails at once, and the most; retries are not counted."""
        _, most = self.verification.requests_per_row() if self.verification else (0, 0)
        rounds, parents = self.evolution.spec.rounds, int(self.evolution.spec.keep_parents)
        return rounds, rounds * (2 + most) + parents * most

    def _writable(self, row: Row) -> Row:
        """Without verification the column `tests` is one text."""
        tests = row["tests"]
        return row if self.verification or not isinstance(tests, list) else Row(**{**row, "tests": "\n\n".join(tests)})


def plan_evolution(rows: SourceRows, spec: RunSpec, evolution: EvolutionSpec, teacher: Teacher) -> EvolutionPlan:
    """Check what an evolution needs: teachers, and a sandbox if rows are verified.

    Args:
        rows: the rows to evolve.
        spec: checks, verification, sampling, limits and concurrency.
        evolution: rounds, operations and solver.
        teacher: who evolves; solves, too, unless there is a solver.

    Raises:
        UsageError: the solver is not a teacher, the teacher is embedded or does not accept a JSON schema, or options conflict.
        SandboxError: rows are to be verified, and this machine has no sandbox.
    """
    if teacher.embedded:
        raise UsageError(
            "The embedded teacher cannot evolve problems. Pass a model: --model MODEL --base-url URL, or in "
            "Python InferenceTeacher(MODEL, URL)."
        )
    if spec.verification.tests in (ANSWER, GIVEN):
        raise UsageError(
            f"tests (--tests) {spec.verification.tests!r} is not possible here: evolved problems have no tests. Leave it "
            "out, or use apart."
        )
    solver = evolution.solver
    for other in (solver, spec.verification.solver):
        if other is not None:
            check_teacher(other)
    if spec.verification.verify:
        # Further solutions for verification come from the same solver.
        spec = spec.changed(verification={"solver": solver})
    as_json = spec.prompt.answer_format == JSON
    for model in (teacher, solver or teacher) if as_json else ():
        check_schema(model, spec.sampling)
    shared = Evolution(evolution, teacher, solver or teacher, spec.sampling, as_json)
    return EvolutionPlan(rows, spec, shared, open_verification(spec, teacher, exclusive=True))


def evolve_table(
    plan: EvolutionPlan,
    out: Path,
    *,
    lists: Sequence[BenchmarkList] | None = None,
    progress: Progress = SILENT,
) -> TableResult:
    """Evolve the rows of a dataset; write the rows of all rounds, those that are rejected with their reason, and a report.

    Args:
        plan: what `plan_evolution` returns.
        out: a new or empty folder, or that of the same evolution, which is resumed.
        lists: the benchmarks of `spec.checks`, if they were loaded already.
        progress: a progress display.

    Raises:
        RunError: `out` contains something else, is in use, or cannot be written.
    """
    spec, verification = plan.spec, plan.verification
    lists = find(spec.checks.benchmarks) if lists is None else lists
    stats = RunStats(plan.requested, limits=spec.limits)
    # The journal of previews is read, too: what they have paid for is not requested again.
    with TableRun(out, _job(plan), spec, also=[plan.journal_home]) as run:
        stats.usage = run.usage
        tables = DatasetWriter(out, stats, spec, lists, evolved=plan.evolution.spec)
        opened = replace(verification, verdicts=run.verdicts()) if verification else None
        update = partial(update_counts, stats=stats, requests_before=run.requests_before, stopping=run.stopping)
        with progress.stage("Evolving problems", "rows", plan.requested, update):
            run.drive(plan.items(), plan.tasks(opened), tables.consume)
        with progress.stage("Checking the whole dataset and writing it"):
            tables.finish()
        report = report_of(plan.rows, plan.evolution, stats, tables.checks(), run.facts()) | {"tasks": plan.described}
        return run.result(write_report(out, plan.rows, report), stats.pending_why)


def _job(plan: EvolutionPlan) -> dict[str, Any]:
    """What identifies an evolution run."""
    options, evolution = plan.spec.as_dict(), plan.evolution.spec
    return {
        "command": "evolve",
        **plan.rows.identity,
        "rows": len(plan.rows),
        "rounds": evolution.rounds,
        "operations": list(evolution.operations),
        "keep_parents": evolution.keep_parents,
        "max_similarity": evolution.max_similarity,
        "verification": options.get("verification", {}),
        "checks": options["checks"],
        "sampling": options["sampling"],
        "tasks": plan.described,
        # Only where it is not the default, so that folders from before this option continue.
        **({"answer_format": JSON} if plan.evolution.as_json else {}),
    }
