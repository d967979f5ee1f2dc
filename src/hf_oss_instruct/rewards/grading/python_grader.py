"""Python test code: each test outside the program's process if it only checks plain values, the others inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hf_oss_instruct.rewards.grading.program import function_program, names_in
from hf_oss_instruct.rewards.grading.results import STATUS_OF, Results, of_ran
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.sandbox.judging.python_tests import judge_checks
from hf_oss_instruct.sandbox.judging.recording import recorded
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.terminal.display import one_line
from hf_oss_instruct.verification.running import run_all
from hf_oss_instruct.verification.runs import LIMITS, Run
from hf_oss_instruct.verification.suites import read_suite
from hf_oss_instruct.verification.suites.core import Suite

_CHECK = re.compile(r"^def check\((\w+)\)", re.MULTILINE)


class PythonGrader:
    """Grades Python programs by test code.

    Args:
        tests: the tests.
        tier: name of a sandbox tier, see `run_program`.

    Raises:
        SuiteRefusedError: there are no tests, or they cannot be run here.
    """

    def __init__(self, tests: RowTests, tier: str | None = None) -> None:
        code = [_with_call(text, tests.entry_point) for text in tests.code]
        self._suite = read_suite(code, "python", tests.solution)
        self._names = names_in(code, tests.entry_point)
        self._checks = list(recorded(self._suite.outside, tests.entry_point, tier))
        # Only the correct solution can show which checks get objects; a wrong program may return one where a number is due.
        if tests.solution and any(self._checks):
            self._leave_out_objects(tests.solution, tier)
        self.trusted = tuple(checks is not None for checks in self._checks)
        self._outside = [index for index, trusted in enumerate(self.trusted) if trusted]
        self._inside = [index for index, trusted in enumerate(self.trusted) if not trusted]

    def program(self, completion: str, prompt: str = "") -> str:
        """The last whole block that defines what the tests use."""
        return function_program(completion, "python", self._names, prompt)

    def results(self, program: str, limits: Limits, *, untrusted: bool = True, tier: str | None = None) -> Results:
        """Ask the program for the answers to all trusted tests in one run, and run the others in its process in a second one.

        Args:
            program: its source code.
            limits: of all of its tests together; a compiler has separate limits.
            untrusted: whether tests that are not trusted are run.
            tier: name of a sandbox tier, see `run_program`.
        """
        passed = [False] * len(self.trusted)
        failures: dict[int, tuple[str, str]] = {}
        if self._outside:
            verdicts, ran = judge_checks(program, [self._checks[index] or [] for index in self._outside], limits, tier=tier)
            if ran.status == "sandbox_error":
                return Results(tuple(passed), "unscored", one_line(ran.reason, 300))
            for index, (status, detail) in zip(self._outside, verdicts, strict=True):
                passed[index] = status == "passed"
                # "odd" is not among them: an object where the correct solution returns a plain value is a wrong answer.
                failures[index] = STATUS_OF.get(status, "wrong"), detail
        if self._inside and untrusted:
            suite = _select_tests(self._suite, self._inside)
            (beside,) = run_all(suite, [program], [Run()], limits, tier=tier)
            results = of_ran(beside, self._inside)
            if results.status == "unscored":
                return replace(results, passed=tuple(passed))
            for index, right in zip(self._inside, results.passed, strict=True):
                passed[index] = right
                failures[index] = ("passed", "") if right else (results.status, results.detail)
        wrong = [failures[index] for index in sorted(failures) if not passed[index]]
        status, detail = wrong[0] if wrong else ("passed", "")
        return Results(tuple(passed), status, one_line(detail, 300))

    def _leave_out_objects(self, solution: str, tier: str | None) -> None:
        """Tests to which the correct solution answers with an object must run in the program's process."""
        outside = [index for index, checks in enumerate(self._checks) if checks is not None]
        verdicts, _ = judge_checks(solution, [self._checks[index] or [] for index in outside], LIMITS, tier=tier)
        for index, (status, _) in zip(outside, verdicts, strict=True):
            if status == "odd":
                self._checks[index] = None


def _with_call(text: str, entry_point: str) -> str:
    """HumanEval's tests define `check(candidate)` and leave the call to the caller."""
    if entry_point and _CHECK.search(text) and not re.search(r"^check\(", text, re.MULTILINE):
        return f"{text.rstrip()}\n\ncheck({entry_point})\n"
    return text


def _select_tests(suite: Suite, positions: Sequence[int]) -> Suite:
    outside = tuple(suite.outside[index] for index in positions) if suite.outside else ()
    return replace(suite, tests=tuple(suite.tests[index] for index in positions), outside=outside)
