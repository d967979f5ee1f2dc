"""Weights of tests: the number of mutants of a correct solution that each kills."""

from __future__ import annotations

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards.grading.graders import Grader
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.verification.quality.mutants import mutants

MUTANTS = 8


def weights_of(grader: Grader, tests: RowTests, limits: Limits, tier: str | None = None) -> tuple[float, ...]:
    """The weight of each test: the column `test_weights`, or the number of mutants of the solution that fail it.

    Args:
        grader: of these tests.
        tests: the row's tests, with its solution or weights.
        limits: of each program.
        tier: name of a sandbox tier, see `run_program`.

    Raises:
        UsageError: the row has neither a solution nor a weight for each test.
    """
    count = len(grader.trusted)
    if tests.weights:
        if len(tests.weights) != count:
            raise UsageError(f"test_weights has {len(tests.weights)} weights, but the row has {count} tests. Give one for each.")
        return tests.weights
    if not tests.solution.strip():
        raise UsageError("The variant 'weighted' needs a correct program in the column 'solution', or weights in 'test_weights'.")
    changed = mutants(tests.solution, tests.language, MUTANTS, program=bool(tests.pairs))
    ran = [grader.results(mutant.text, limits, tier=tier) for mutant in changed]
    # A mutant that fails every test with an error may not even load, which says nothing about single tests.
    killed = [
        results
        for results in ran
        if (results.status in ("wrong", "error", "timeout") and any(results.passed)) or results.status == "wrong"
    ]
    return tuple(float(sum(not results.passed[index] for results in killed)) for index in range(count))
