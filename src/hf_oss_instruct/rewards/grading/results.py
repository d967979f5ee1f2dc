"""The results of a program's tests, from any of the ways to run them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.sandbox.judging.judgement import Judgement
from hf_oss_instruct.terminal.display import one_line
from hf_oss_instruct.verification.runs import SuiteResult

STATUS_OF = {
    "passed": "passed",
    "wrong_answer": "wrong",
    "runtime_error": "error",
    "compile_error": "error",
    "empty_answer": "error",
    "timeout": "timeout",
}
"""Status of a `Judgement` → status of `Results`."""


@dataclass(frozen=True, slots=True)
class Results:
    """The results of a program's tests.

    Attributes:
        passed: whether each test passed; a test that was not run has not.
        status: `passed`, `wrong`, `error`, `timeout`, or `unscored` if the sandbox failed, which says nothing about the program.
        detail: the first thing that went wrong, in one line.
    """

    passed: tuple[bool, ...]
    status: str
    detail: str = ""


def of_ran(ran: SuiteResult, tests: Sequence[Any]) -> Results:
    """The results of a run of a suite. `tests` has an entry for each test."""
    if ran.sandbox_error:
        return unscored(tests, ran.sandbox_error)
    if not ran.compiled or ran.load_error:
        return failed(tests, "error", ran.load_error)
    late = "timeout" if ran.ended == "timeout" else "error"
    wrong = [
        ("passed", "")
        if outcome is not None and outcome.passed
        else ("wrong", outcome.detail)
        if outcome is not None
        else (late, f"the run ended before this test: {ran.ended or 'it left'}")
        for outcome in ran.outcomes
    ]
    return of_tests(ran.passed, wrong)


def of_judgement(judged: Judgement, tests: Sequence[Any]) -> Results:
    """The results of a judgement, which knows every test or only the whole."""
    if judged.status in ("sandbox_error", "not_evaluated"):
        return unscored(tests, judged.detail or judged.status)
    status = STATUS_OF[judged.status]
    ran = judged.execution
    detail = judged.detail or (ran.stderr.rstrip().rpartition("\n")[2] if ran else "")
    passed = judged.per_input if len(judged.per_input) == len(tests) else [status == "passed"] * len(tests)
    return Results(tuple(passed), status, "" if status == "passed" else one_line(detail, 300))


def of_tests(passed: Sequence[bool], wrong: Sequence[tuple[str, str]]) -> Results:
    """The results of single tests: whether each passed, and status and detail of each."""
    status, detail = next((outcome for outcome in wrong if outcome[0] != "passed"), ("passed", ""))
    return Results(tuple(passed), status, one_line(detail, 300))


def failed(tests: Sequence[Any], status: str, detail: str) -> Results:
    """The results where no test passed, for one reason.

    Args:
        tests: anything with an entry for each test.
        status: status of the results.
        detail: the reason; shortened to one line.
    """
    return Results((False,) * len(tests), status, one_line(detail.strip(), 300))


def unscored(tests: Sequence[Any], detail: str) -> Results:
    """The results where nothing is known about the program."""
    return failed(tests, "unscored", detail or "the sandbox failed")
