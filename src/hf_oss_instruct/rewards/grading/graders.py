"""Run a program against the tests of a problem: inputs and outputs, calls of a function, or test code.

A test is trusted if it is judged outside the program's process, so that the program can pass it only by giving the right values.
Test code that looks at objects, state or printed text can only run in the program's process and is not trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from hf_oss_instruct.evaluation import call_tests
from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.evaluation.call_tests.grading import judge_calls
from hf_oss_instruct.evaluation.tamper_protection import guarded
from hf_oss_instruct.rewards.grading.program import function_program, names_in, whole_program
from hf_oss_instruct.rewards.grading.results import Results, failed, of_judgement, of_ran, of_tests, unscored
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.sandbox.judging.comparison import same
from hf_oss_instruct.sandbox.judging.judge import judge
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_many
from hf_oss_instruct.verification.program_runs import output_lines
from hf_oss_instruct.verification.running import run_all
from hf_oss_instruct.verification.runs import Run
from hf_oss_instruct.verification.suites.core import Suite

OUTPUT_BYTES = 16 << 20
TOLERANCE = 1e-9
"""Absolute tolerance for floats that a called function returns."""


class Grader(Protocol):
    """Grades programs by the tests of one problem.

    Attributes:
        trusted: for each test, whether it is judged outside the program's process.
    """

    trusted: tuple[bool, ...]

    def program(self, completion: str, prompt: str = "") -> str:
        """The program in a completion; empty if there is none."""

    def results(self, program: str, limits: Limits, *, untrusted: bool = True, tier: str | None = None) -> Results:
        """Run a program with the tests.

        Args:
            program: its source code.
            limits: of all of its tests together; a compiler has separate limits.
            untrusted: whether tests that are not trusted are run.
            tier: name of a sandbox tier, see `run_program`.
        """


class PairsGrader:
    """Standard input and output, compared in full: every line, without spaces at line ends and empty lines at the end."""

    def __init__(self, tests: RowTests) -> None:
        self._pairs, self._language = tests.pairs, tests.language
        self.trusted = (True,) * len(tests.pairs)

    def program(self, completion: str, prompt: str = "") -> str:
        """The last whole program of the answer."""
        return whole_program(completion, self._language)

    def results(self, program: str, limits: Limits, *, untrusted: bool = True, tier: str | None = None) -> Results:
        """Run the program once for each input, in one sandbox; time limits hold for all runs together.

        Args:
            program: its source code.
            limits: of all of its tests together; a compiler has separate limits.
            untrusted: whether tests that are not trusted are run.
            tier: name of a sandbox tier, see `run_program`.
        """
        # The limit holds for the outputs of all inputs together.
        limits = replace(limits, output_bytes=max(limits.output_bytes, OUTPUT_BYTES))
        runs: list[tuple[dict[str, str], str]] = [({}, given) for given, _ in self._pairs]
        ran = run_many(program, self._language, runs, limits=limits, tier=tier, shares_time=True)
        if ran[0].status == "sandbox_error":
            return unscored(self.trusted, ran[0].reason)
        if ran[0].status == "compile_error":
            return failed(self.trusted, "error", ran[0].stderr)
        wrong = [_trouble_with(execution, expected) for execution, (_, expected) in zip(ran, self._pairs, strict=False)]
        wrong += [("timeout", "the time for all tests was used up before this one")] * (len(self._pairs) - len(wrong))
        return of_tests([status == "passed" for status, _ in wrong], wrong)


class CallsGrader:
    """Calls of a Python function with plain values, compared in full outside its process."""

    def __init__(self, tests: RowTests) -> None:
        self._function, self._calls = tests.function, tests.calls
        self._wrapped = all(isinstance(expected, list) and len(expected) == 1 for _, expected in tests.calls)
        self.trusted = (True,) * len(tests.calls)

    def program(self, completion: str, prompt: str = "") -> str:
        """The program that defines the function, perhaps as a method of `Solution`."""
        return function_program(completion, "python", (self._function,), prompt)

    def results(self, program: str, limits: Limits, *, untrusted: bool = True, tier: str | None = None) -> Results:
        """Call the function in one process and compare here.

        Args:
            program: its source code.
            limits: of all of its tests together; a compiler has separate limits.
            untrusted: whether tests that are not trusted are run.
            tier: name of a sandbox tier, see `run_program`.
        """
        inputs, expected = [given for given, _ in self._calls], [expected_value for _, expected_value in self._calls]
        judged = judge(
            program + _METHOD.replace("NAME", self._function),
            self._function,
            inputs,
            expected,
            limits=limits,
            tier=tier,
            rule=self._equal,
        )
        return of_judgement(judged, self.trusted)

    def _equal(self, arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
        """JSON has no tuples, and datasets that follow APPS wrap each expected value in a list of one."""
        answer = _as_json(answer)
        return same(answer, expected, TOLERANCE) or (self._wrapped and same(answer, expected[0], TOLERANCE))


# Answers in the style of LeetCode define a method of `Solution` instead of a function.
_METHOD = "\nif 'NAME' not in globals() and 'Solution' in globals():\n    NAME = Solution().NAME\n"


class CallTestsGrader:
    """Test code in any language that only calls the program and compares: calls are answered there, compared here."""

    def __init__(self, tests: RowTests, called: CallTests, expected: Sequence[str]) -> None:
        self._called, self._expected, self._language = called, expected, tests.language
        self._names = names_in(tests.code, tests.entry_point)
        self.trusted = (True,) * len(expected)

    def program(self, completion: str, prompt: str = "") -> str:
        """The program, joined as for a benchmark's tests."""
        return function_program(completion, self._language, self._names, prompt)

    def results(self, program: str, limits: Limits, *, untrusted: bool = True, tier: str | None = None) -> Results:
        """Print the value of each call in one process and compare here.

        Args:
            program: its source code.
            limits: of all of its tests together; a compiler has separate limits.
            untrusted: whether tests that are not trusted are run.
            tier: name of a sandbox tier, see `run_program`.
        """
        judged = judge_calls(program, self._called, self._expected, self._language, limits, tier=tier)
        return of_judgement(judged, self.trusted)


class SuiteGrader:
    """Test code that runs in the program's process, in a language whose single tests are known. None of them is trusted."""

    def __init__(self, tests: RowTests, suite: Suite) -> None:
        self._suite, self._language = suite, tests.language
        self._names = names_in(tests.code, tests.entry_point)
        self.trusted = (False,) * len(suite.tests)

    def program(self, completion: str, prompt: str = "") -> str:
        """The last whole block, preferably one that has a name which the tests use."""
        return whole_program(completion, self._language, self._names)

    def results(self, program: str, limits: Limits, *, untrusted: bool = True, tier: str | None = None) -> Results:
        """Run program and tests in one process.

        Args:
            program: its source code.
            limits: of all of its tests together; a compiler has separate limits.
            untrusted: whether tests that are not trusted are run.
            tier: name of a sandbox tier, see `run_program`.
        """
        if not untrusted:
            return Results((False,) * len(self.trusted), "unscored", "no test is trusted")
        (ran,) = run_all(self._suite, [program], [Run()], limits, tier=tier)
        return of_ran(ran, self.trusted)


class WholeTestsGrader:
    """Test code in a language whose single tests are not known: one test, in the program's process, not trusted."""

    def __init__(self, tests: RowTests) -> None:
        self.trusted: tuple[bool, ...] = (False,)
        self._tests, self._language = "\n".join(tests.code), tests.language
        self._names = names_in(tests.code, tests.entry_point)

    def program(self, completion: str, prompt: str = "") -> str:
        """The program, joined as for a benchmark's tests."""
        return function_program(completion, self._language, self._names, prompt)

    def results(self, program: str, limits: Limits, *, untrusted: bool = True, tier: str | None = None) -> Results:
        """Run program and tests as one program.

        Args:
            program: its source code.
            limits: of all of its tests together; a compiler has separate limits.
            untrusted: whether tests that are not trusted are run.
            tier: name of a sandbox tier, see `run_program`.
        """
        if not untrusted:
            return Results((False,), "unscored", "no test is trusted")
        # The tests share a process with the program, so what they rely on is protected first.
        program, tests = guarded(program, self._tests, self._language)
        return of_judgement(judge_program(program, tests, self._language, limits, tier=tier), self.trusted)


def call_tests_of(tests: RowTests) -> CallTests | None:
    """The calls in test code of another language than Python; None if it has another form."""
    return call_tests.read(tests.code[0], tests.language) if len(tests.code) == 1 else None


def _as_json(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return {str(key): _as_json(item) for key, item in value.items()} if isinstance(value, dict) else value


def _trouble_with(ran: Execution, expected: str) -> tuple[str, str]:
    if ran.status == "timeout":
        return "timeout", ran.reason or "it took too long"
    if ran.status != "ok":
        return "error", ran.stderr.rstrip().rpartition("\n")[2] or ran.status
    # The whole output at once: a comparison of the lines that both have would accept a prefix of it, as open-r1's does.
    if output_lines(ran.stdout) == output_lines(expected):
        return "passed", ""
    return "wrong", f"it printed {ran.stdout[:80]!r}, expected {expected[:80]!r}"
