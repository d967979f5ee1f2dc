"""The Python function `verify`: the Python equivalent of the command `verify`, also for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.verifying.run import verify_table
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


def verify(
    source: str | Path,
    out: str | Path,
    *,
    teacher: Teacher | None = None,
    tests: str | None = None,
    tester: Teacher | None = None,
    solutions: int = 1,
    solver: Teacher | None = None,
    select: str = "majority",
    keep: str = "passing",
    min_pass_rate: float | None = None,
    min_tests: int | None = None,
    min_mutation_score: float | None = None,
    mutants: int = 8,
    repair: int = 0,
    unverifiable: str = "drop",
    packages: str | Path | None = None,
    unsafe_no_sandbox: bool = False,
    columns: Mapping[str, str] | str | None = None,
    language: str = "python",
    sampling: Sampling | None = None,
    limits: RunLimits | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> RunReport:
    """Run the solutions of a dataset with tests in the sandbox, measure the tests, and write the rows that are kept.

    After an error, an interruption or a crash, the same call resumes: no request is sent and no program run twice.

    Args:
        source: a run folder; tables (Parquet, JSON Lines, JSON, CSV), files or folders of them; or the id of a dataset on
            the Hub. Problems, solutions, tests and languages are recognized by their usual column names.
        out: a new or empty folder, or that of the same verification.
        teacher: writes tests, solutions and repairs on demand; without one no requests are sent.
        tests: `given` (the rows' own) or `apart` (requested, from problem and signatures); by default `given` for
            rows that have tests, else `apart`.
        tester: the model that writes tests; the teacher by default.
        solutions: total number of solutions: the row's own, and others written from the problem alone.
        solver: the model that writes further solutions; the teacher by default.
        select: which solution is kept: `own`, `majority` (most tests passed), or by agreement of solutions and tests `codet`,
            `codet-sqrt`, `b4` or `aces`.
        keep: `passing` or `all`.
        min_pass_rate: minimum share of the tests that a kept solution passes, 0 to 1; all with `keep="passing"` by default.
        min_tests: minimum number of tests of a kept row.
        min_mutation_score: minimum share of mutants that the tests of a kept row kill, 0 to 1.
        mutants: maximum number of mutants per solution.
        repair: how often a failing solution is sent back.
        unverifiable: `drop` or `keep` rows that cannot be verified on this machine.
        packages: folder of installed packages, or a virtual environment, that programs may import.
        unsafe_no_sandbox: run programs without isolation; every row records it.
        columns: `problem`, `solution`, `tests`, `language` → name of the column, if it is not a usual one.
        language: language of rows without one in a column or on a code fence.
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
        SandboxError: this machine has no sandbox; nothing was requested or run.
        RunError: `out` contains something else, is in use, or cannot be written.
        TeacherError: the teacher cannot continue, or some rows are pending after all retries.
        BudgetReachedError: a limit is reached.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP was received.
    """
    verification = VerificationSpec(
        verify=True,
        tests=tests,
        solutions=solutions,
        solver=solver,
        tester=tester,
        select=select,
        keep=keep,
        min_pass_rate=min_pass_rate,
        min_tests=min_tests,
        min_mutation_score=min_mutation_score,
        mutants=mutants,
        repair=repair,
        unverifiable=unverifiable,
        packages=packages,
        unsafe_no_sandbox=unsafe_no_sandbox,
    )
    spec = RunSpec(
        teacher=TeacherSpec(concurrency=concurrency, timeout=timeout),
        sampling=sampling or Sampling(),
        limits=limits or RunLimits(),
        verification=verification,
    )
    if teacher is not None:
        check_teacher(teacher)
    # Without a teacher the embedded one takes its place: it sends no requests.
    chosen = teacher or CommentFunctionTeacher()
    result = verify_table(str(source), Path(out), spec, chosen, columns=columns, language=named(language).name, progress=progress)
    return result.require_complete("verified")
