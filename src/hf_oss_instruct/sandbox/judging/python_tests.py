"""Judge Python programs by test statements, outside the program's process where the tests only check return values.

Three processes are involved: the tests run once without the program and record the calls they make and the values they expect;
the program's process answers the calls; the answers are compared here. Whatever a program patches, it must return the correct
values. Other tests (state, output, objects) run in the program's process, see `judge_program`; `Judgement.outside` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hf_oss_instruct.sandbox.inside import hash_collisions
from hf_oss_instruct.sandbox.judging.calls import answer_limits, call_functions
from hf_oss_instruct.sandbox.judging.check_results import PASSED, CheckStatus, calls_of, check_result, first_failure
from hf_oss_instruct.sandbox.judging.judgement import Judgement
from hf_oss_instruct.sandbox.judging.recording import recorded
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Execution, Limits


def judge_tests(
    program: str, tests: str, limits: Limits | None = None, *, entry_point: str = "", tier: str | None = None
) -> Judgement:
    """Judge a Python program by test statements.

    Args:
        program: source code of the program.
        tests: statements to run after it; functions `test…` and methods of unittest test cases are run too if all of them are
            checks.
        limits: resource limits of the program.
        entry_point: the tested function, if known.
        tier: name of a sandbox tier, see `run_program`.

    Returns:
        The verdict; `outside` says how it was reached. `per_input` has an entry per check, or a single one for all tests.

    Raises:
        SandboxError: no sandbox works on this machine.
    """
    if not program.strip():
        return Judgement("empty_answer", [False])
    checks = _recorded(tests, entry_point, tier)
    if checks is None:
        return judge_program(program, tests, limits=limits, tier=tier)
    calls = [call for check in checks for call in calls_of(check)]
    nonces, answered, ran = call_functions(program, "", calls, answer_limits(limits), tier)
    answers, clock = iter([answered.get(nonce) for nonce in nonces]), hash_collisions.Clock()
    results = [check_result(check, answers, ran, clock) for check in checks]
    status, detail = next((result for result in results if result != PASSED), PASSED)
    return Judgement(status, [result == PASSED for result in results], ran, detail, outside=True)


def graded_outside(tests: str, entry_point: str = "", tier: str | None = None) -> bool:
    """Whether tests can be graded outside the program's process.

    Args:
        tests: the test statements.
        entry_point: the tested function, if known.
        tier: name of a sandbox tier, see `run_program`.
    """
    return _recorded(tests, entry_point, tier) is not None


def _recorded(tests: str, entry_point: str, tier: str | None) -> list[Any] | None:
    """Record the checks of the tests with their expected values; None if they must run in the program's process."""
    return recorded((tests,), entry_point, tier)[0]


def judge_checks(
    program: str,
    tests: Sequence[Sequence[Any]],
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
) -> tuple[list[CheckStatus], Execution]:
    """Judge a program by the recorded checks of several tests, in one run.

    Args:
        program: source code of the program.
        tests: the checks of each test, from `recorded`.
        limits: resource limits of the program.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        Status and detail of each test (those of its first failed check; `odd` if an answer is not a plain value), and the run.
    """
    calls = [[call for check in checks for call in calls_of(check)] for checks in tests]
    every = [call for of_test in calls for call in of_test]
    nonces, answered, ran = call_functions(program, "", every, answer_limits(limits), tier, packages)
    answers, clock = iter([answered.get(nonce) for nonce in nonces]), hash_collisions.Clock()
    results = []
    for checks, of_test in zip(tests, calls, strict=True):
        own = [next(answers) for _ in of_test]
        status, detail = first_failure(checks, iter(own), ran, clock)
        # An object that cannot be sent here is not wrong: whoever called decides whether to run the test inside instead.
        has_odd_value = any(answer is not None and answer[0] == "odd" for answer in own)
        results.append(("odd" if has_odd_value else status, detail))
    return results, ran
