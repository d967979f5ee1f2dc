"""Runs a suite against programs in whatever language they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.verification import program_runs, python_runs
from hf_oss_instruct.verification.runs import FAILED, LIMITS, Outcome, Run, SuiteResult
from hf_oss_instruct.verification.suites.core import Suite

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
) -> list[SuiteResult]:
    """Run the tests against programs: what each test of each run came to.

    Args:
        suite: the tests.
        programs: texts; the first is the solution where others are changes of it.
        runs: what is run.
        limits: of each run.
        hash_seed: the seed of the hashes of strings, in Python.
        tier: as of `run_program`.

    Raises:
        SandboxError: this machine has no sandbox.
        ToolchainMissingError: a compiler or interpreter is not installed.
    """
    if suite.language == "python" and not suite.is_pairs:
        return python_runs.run_all(suite, programs, runs, limits, hash_seed=hash_seed, tier=tier)
    return program_runs.run_all(suite, programs, runs, limits, tier=tier)


def run_solution(
    suite: Suite, program: str, limits: Limits = LIMITS, *, tier: str | None = None
) -> tuple[SuiteResult, SuiteResult]:
    """Run a solution with all of its tests, beside each other where that is needed.

    Returns:
        What counts, graded outside of the solution's process where that can be; and what its tests came to beside it.
    """
    (inside,) = run_all(suite, [program], [Run()], limits, tier=tier)
    for _ in range(RESTARTS):
        if inside.trouble or inside.sandbox_error or suite.is_pairs or None not in inside.outcomes:
            break
        if inside.ended == "timeout":
            break
        at = inside.outcomes.index(None)
        lost = Outcome(FAILED, f"the process ended during this test: {inside.ended or 'it left'}")
        outcomes = [*inside.outcomes[:at], lost]
        if at + 1 < len(suite.tests):
            (rest,) = run_all(suite, [program], [Run(first=at + 1)], limits, tier=tier)
            outcomes += rest.outcomes[at + 1 :]
        inside = replace(inside, outcomes=tuple([*outcomes, *inside.outcomes[len(outcomes) :]]))
    if suite.language == "python" and not suite.is_pairs and not inside.sandbox_error:
        return python_runs.graded_outside(suite, program, inside, limits, tier=tier), inside
    return inside, inside
