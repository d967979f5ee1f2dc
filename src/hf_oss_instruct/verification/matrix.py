"""The matrix: which of several solutions passes which of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.terminal.display import one_line
from hf_oss_instruct.verification.installed_packages import identity_of
from hf_oss_instruct.verification.memo import Verdicts, key_of
from hf_oss_instruct.verification.rows import SolutionResult, VerificationOptions
from hf_oss_instruct.verification.running import run_solutions
from hf_oss_instruct.verification.runs import SuiteResult, TestResult
from hf_oss_instruct.verification.suites import read_suite
from hf_oss_instruct.verification.suites.core import MAX_SOLUTION_CHARS, Suite


@dataclass(frozen=True, slots=True)
class Matrix:
    """Solutions by tests, for `selection.select`.

    Attributes:
        tests: the single tests, each standing alone.
        solutions: the result of each solution; its `results` are a row of the matrix.
    """

    tests: tuple[str, ...]
    solutions: tuple[SolutionResult, ...]

    @property
    def passed(self) -> list[tuple[bool, ...]]:
        """Whether each solution passes each test."""
        return [solution.results for solution in self.solutions]


def build_matrix(
    solutions: Sequence[str],
    tests: str | Sequence[str],
    language: str,
    options: VerificationOptions | None = None,
    verdicts: Verdicts | None = None,
) -> Matrix:
    """Run each solution once with all of the tests.

    Args:
        solutions: programs; the first one's names say what the tests import from it.
        tests: as of `read_suite`.
        language: as in `languages.LANGUAGES`.
        options: limits and tier.
        verdicts: verdicts known so far.

    Raises:
        SuiteRefusedError: there are no tests that can be run here.
        SandboxError: this machine has no sandbox.
        ToolchainMissingError: a compiler or interpreter is not installed.
    """
    suite = read_suite(tests, named(language).name, solutions[0], (options or VerificationOptions()).package_folders)
    ran = results_of(solutions, suite, options or VerificationOptions(), verdicts or Verdicts())
    return Matrix(tuple(suite.standalone()), tuple(map(solution_result, solutions, ran)))


def results_of(solutions: Sequence[str], suite: Suite, options: VerificationOptions, verdicts: Verdicts) -> list[SuiteResult]:
    """The results of each solution; those that are not known are made together.

    Args:
        solutions: programs.
        suite: their tests.
        options: limits, tier and packages.
        verdicts: verdicts known so far, to which the new ones are added.

    Returns:
        (solutions,), in their order.
    """
    keys = [
        key_of(solution, suite, options.limits, options.tier, "solution", *identity_of(options.package_folders))
        for solution in solutions
    ]

    def make(unknown: list[int]) -> list[dict[str, object]]:
        results = {index: refused for index in unknown if (refused := _refused(solutions[index], suite))}
        rest = [index for index in unknown if index not in results]
        results |= zip(
            rest,
            run_solutions(
                suite, [solutions[index] for index in rest], options.limits, tier=options.tier, packages=options.package_folders
            ),
            strict=True,
        )
        return [asdict(results[index]) for index in unknown]

    # What a failing sandbox says is not kept: it says nothing about a program.
    return [_from_json(verdict) for verdict in verdicts.of_all(keys, make, lambda verdict: not verdict["sandbox_error"])]


def _refused(solution: str, suite: Suite) -> SuiteResult | None:
    if solution.strip() and len(solution) <= MAX_SOLUTION_CHARS:
        return None
    reason = f"the solution has {len(solution):,} characters; at most {MAX_SOLUTION_CHARS:,} are run"
    return SuiteResult((None,) * len(suite.tests), reason if solution.strip() else "the solution is empty", "refused")


def _from_json(columns: dict[str, Any]) -> SuiteResult:
    outcomes = tuple(TestResult(**outcome) if outcome else None for outcome in columns["outcomes"])
    return SuiteResult(**{**columns, "outcomes": outcomes})


def solution_result(text: str, ran: SuiteResult) -> SolutionResult:
    """The status of a solution, from the results of its run."""
    first = next((outcome.detail for outcome in ran.outcomes if outcome is not None and not outcome.passed), "")
    if ran.ended == "refused":
        status = "empty" if ran.load_error == "the solution is empty" else "too_large"
    elif not ran.compiled:
        status = "compile_error"
    elif ran.load_error:
        status = "load_error"
    elif all(ran.passed):
        status = "passed"
    else:
        status = "timeout" if ran.ended == "timeout" else "failed"
    detail = "" if status == "passed" else ran.load_error or first or ran.ended or "it ended before its last test"
    return SolutionResult(text, status, ran.passed, one_line(detail, 300))
