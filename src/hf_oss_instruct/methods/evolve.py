"""The Python function `evolve`: the Python equivalent of the command `evolve`, also for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.methods.evolution import evolve_table, plan_evolution
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.evolution import OPERATIONS, EvolutionSpec
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.prompts import SECTIONS, PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.run import with_benchmarks
from hf_oss_instruct.synthesis.tables import read_source
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


def evolve(
    source: str | Path,
    out: str | Path,
    *,
    teacher: Teacher,
    solver: Teacher | None = None,
    rounds: int = 1,
    operations: Sequence[str] = OPERATIONS,
    keep_parents: bool = False,
    max_similarity: float = 0.7,
    answer_format: str = SECTIONS,
    verification: VerificationSpec | None = None,
    checks: Checks | None = None,
    columns: Mapping[str, str] | str | None = None,
    language: str = "python",
    n: int | None = None,
    sampling: Sampling | None = None,
    limits: RunLimits | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> RunReport:
    """Make the problems of a dataset harder in rounds (Evol-Instruct), solve them again, and write the rows of all rounds.

    After an error, an interruption or a crash, the same call continues, and no answer is requested twice.

    Args:
        source: a run folder; tables (Parquet, JSON Lines, JSON, CSV), files or folders of them; or the id of a dataset on
            the Hub. Problems and solutions are recognized by their usual column names.
        out: a new or empty folder, or that of the same evolution. It gets `data/`, `sft/`, `rejected/`, `run.json`, `README.md`.
        teacher: the model that makes the problems harder.
        solver: the model that solves them; the teacher by default.
        rounds: how often each problem is evolved, 1 to 4.
        operations: the operations to choose from, by a hash of row and round.
        keep_parents: whether to also write the rows of the source.
        max_similarity: Jaccard similarity of word 5-grams from which on an evolved problem is `unchanged` or a `near_duplicate`,
            above 0, 1 at most.
        answer_format: `sections`, or `json` for objects whose schema is sent as `response_format`.
        verification: whether and how rows are run with tests: `VerificationSpec(verify=True)`.
        checks: which checks rows must pass: duplicates, near duplicates, benchmarks.
        columns: `problem`, `solution`, `language` → name of the column, if it is not a usual one.
        language: language of rows that do not name one.
        n: evolve only the first rows.
        sampling: sampling parameters of requests; the paper's by default.
        limits: limits on requests, tokens and cost.
        concurrency: requests in flight at once.
        timeout: timeout of one request, in seconds; None adapts it to the answers.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

    Returns:
        The report, as in `run.json`.

    Raises:
        UsageError: the rows have no problems or no solutions, or the arguments contradict each other.
        SeedError: the source cannot be read.
        SandboxError: rows are to be verified and this machine has no sandbox.
        RunError: `out` contains something else, is in use, or cannot be written.
        TeacherError: the teacher cannot continue, or some rows are pending after all retries.
        BudgetReachedError: a limit is reached.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP was received.

    Source:
        WizardCoder, arXiv 2306.08568, section 2.1; Magicoder, arXiv 2312.02120, section 2.3 (the S models).
    """
    check_teacher(teacher)
    spec = RunSpec(
        teacher=TeacherSpec(concurrency=concurrency, timeout=timeout),
        prompt=PromptSpec(answer_format=answer_format),
        sampling=sampling or Sampling(),
        checks=checks or Checks(),
        limits=limits or RunLimits(),
        verification=verification or VerificationSpec(),
    )
    evolution = EvolutionSpec(
        rounds=rounds, operations=operations, keep_parents=keep_parents, solver=solver, max_similarity=max_similarity
    )
    spec, lists = with_benchmarks(spec, spec.checks.benchmarks)
    rows = read_source(str(source), columns, named(language).name).first(n)
    result = evolve_table(plan_evolution(rows, spec, evolution, teacher), Path(out), lists=lists, progress=progress)
    return result.require_complete("evolved")
