"""Runs a suite against programs in whatever language they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.verification import program_runs, python_runs
from hf_oss_instruct.verification.runs import FAILED, LIMITS, PASSED, SKIPPED, Run, SuiteResult, TestResult
from hf_oss_instruct.verification.suites.core import Suite

# How frameworks of all languages write a skip or an assumption.
_SKIPS = re.compile(
    r"skip|ignore|disabled|pending|todo|\bx(?:it|test|describe)\b|assum|\bomit|incomplete|inconclusive", re.IGNORECASE
)
RESTARTS = 3
"""How often a solution whose process a test has ended is started again, with the next test."""


def run_all(
    suite: Suite,
    programs: Sequence[str],
    runs: Sequence[Run],
    limits: Limits = LIMITS,
    *,
    hash_seed: int = 0,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
    guarded: bool = True,
) -> list[SuiteResult]:
    """Run the tests against programs: the result of each test of each run.

    Args:
        suite: the tests.
        programs: texts; the first is the solution where others are changes of it.
        runs: the code to run.
        limits: of each run.
        hash_seed: the seed of the hashes of strings, in Python.
        tier: as of `run_program`.
        packages: as of `run_program`; for Python.
        guarded: as of `python_runs.run_all`; for Python.

    Raises:
        SandboxError: this machine has no sandbox.
        ToolchainMissingError: a compiler or interpreter is not installed.
    """
    if suite.language == "python" and not suite.is_pairs:
        ran = python_runs.run_all(
            suite, programs, runs, limits, hash_seed=hash_seed, tier=tier, packages=packages, guarded=guarded
        )
    else:
        ran = program_runs.run_all(suite, programs, runs, limits, tier=tier)
    return [_with_skips_passed(suite, result) for result in ran]


def run_solution(
    suite: Suite, program: str, limits: Limits = LIMITS, *, tier: str | None = None, packages: tuple[str, ...] = ()
) -> SuiteResult:
    """Run one solution with all of its tests, as `run_solutions`.

    Args:
        suite: the tests.
        program: the solution.
        limits: of the run.
        tier: as of `run_program`.
        packages: as of `run_program`; for Python.

    Raises:
        SandboxError, ToolchainMissingError: as of `run_all`.
    """
    return run_solutions(suite, [program], limits, tier=tier, packages=packages)[0]


def run_solutions(
    suite: Suite, programs: Sequence[str], limits: Limits = LIMITS, *, tier: str | None = None, packages: tuple[str, ...] = ()
) -> list[SuiteResult]:
    """Run solutions with all of their tests: the rows of the matrix of solutions and tests.

    Args:
        suite: the tests.
        programs: the solutions.
        limits: of the run of each.
        tier: as of `run_program`.
        packages: as of `run_program`; for Python.

    Returns:
        What counts, for each solution: graded outside its process where that can be.

    Raises:
        SandboxError, ToolchainMissingError: as of `run_all`.
    """
    if suite.language != "python" or suite.is_pairs:  # programs of a compilation could break each other
        return [result for program in programs for result in _run_in_process(suite, [program], limits, tier, packages)]
    # Three groups of programs: those whose checks were graded outside, where only the other tests run in their process;
    # those that did not load; and those that have to run with all tests, whose plain checks are then confirmed from outside.
    beside, outside = python_runs.graded_outside(suite, programs, limits, tier=tier, packages=packages)
    graded = [(index, result) for index, result in enumerate(outside) if result is not None and not result.load_error]
    if beside and graded:
        rest = replace(suite, tests=tuple(suite.tests[index] for index in beside), outside=())
        own = _run_in_process(rest, [programs[index] for index, _ in graded], limits, tier, packages)
        for (index, result), other in zip(graded, own, strict=True):
            outside[index] = _merged(result, other, beside)
    alone = [index for index, result in enumerate(outside) if result is None]
    for index, result in zip(
        alone, _run_in_process(suite, [programs[index] for index in alone], limits, tier, packages), strict=True
    ):
        outside[index] = python_runs.confirmed_outside(suite, programs[index], result, limits, tier=tier, packages=packages)
    return [_with_skips_passed(suite, result) for result in outside if result is not None]


def _with_skips_passed(suite: Suite, ran: SuiteResult) -> SuiteResult:
    """The result, in which tests that skip themselves count as passed if others passed.

    A skip that the test's code does not contain comes from the program, and does not count.
    """
    if not any(ran.passed):
        return ran
    outcomes = [
        TestResult(PASSED, outcome.detail)
        if outcome is not None and outcome.status == SKIPPED and _SKIPS.search(test.text)
        else outcome
        for outcome, test in zip(ran.outcomes, suite.tests, strict=True)
    ]
    return replace(ran, outcomes=tuple(outcomes))


def _run_in_process(
    suite: Suite, programs: Sequence[str], limits: Limits, tier: str | None, packages: tuple[str, ...]
) -> list[SuiteResult]:
    """The results of tests that run in the programs' processes."""
    results = []
    for index in range(0, len(programs), python_runs.BATCH_PROGRAMS):
        some = programs[index : index + python_runs.BATCH_PROGRAMS]
        ran = run_all(suite, some, [Run(number) for number in range(len(some))], limits, tier=tier, packages=packages)
        results += [
            _run_remaining(suite, program, result, limits, tier, packages) for program, result in zip(some, ran, strict=True)
        ]
    return results


def _run_remaining(
    suite: Suite, program: str, ran: SuiteResult, limits: Limits, tier: str | None, packages: tuple[str, ...]
) -> SuiteResult:
    """The result of a run, and of the tests after those that ended the program's process, which have failed."""
    for _ in range(RESTARTS):
        if ran.load_error or ran.sandbox_error or suite.is_pairs or None not in ran.outcomes or ran.ended == "timeout":
            break
        index = ran.outcomes.index(None)
        lost = TestResult(FAILED, f"the process ended during this test: {ran.ended or 'it left'}")
        outcomes = [*ran.outcomes[:index], lost]
        if index + 1 < len(suite.tests):
            (rest,) = run_all(suite, [program], [Run(first=index + 1)], limits, tier=tier, packages=packages)
            outcomes += rest.outcomes[index + 1 :]
        ran = replace(ran, outcomes=tuple([*outcomes, *ran.outcomes[len(outcomes) :]]))
    return ran


def _merged(graded: SuiteResult, own: SuiteResult, beside: Sequence[int]) -> SuiteResult:
    """The outcomes of a program's checks, and of the tests that ran in its process."""
    outcomes = list(graded.outcomes)
    for index, outcome in zip(beside, own.outcomes, strict=True):
        outcomes[index] = outcome
    return replace(own, outcomes=tuple(outcomes))
