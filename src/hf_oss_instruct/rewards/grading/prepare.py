"""The grader of a row's tests: made once for each problem and kept, since a batch holds many completions of each."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future

from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.evaluation.call_tests.expected import ExpectedValues
from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.rewards.grading.graders import (
    CallsGrader,
    CallTestsGrader,
    Grader,
    PairsGrader,
    SuiteGrader,
    WholeTestsGrader,
    call_tests_of,
)
from hf_oss_instruct.rewards.grading.python_grader import PythonGrader
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.verification.suites import LANGUAGES, read_suite
from hf_oss_instruct.verification.suites.core import SuiteRefusedError

GRADER_CACHE_SIZE = 4096
"""Graders of this many problems are kept."""


def make_grader(tests: RowTests, tier: str | None = None) -> Grader:
    """Make the grader of a problem.

    Args:
        tests: the tests of a row.
        tier: name of a sandbox tier, see `run_program`.

    Raises:
        UsageError: the tests cannot be read or run here; the message says why and what to install.
        SandboxError: no sandbox works on this machine.
    """
    if reason := why_unavailable(tests.language, tier):
        raise UsageError(f"Tests in {tests.language!r} cannot be run on this machine. {reason}")
    if tests.pairs:
        return PairsGrader(tests)
    if tests.calls:
        return CallsGrader(tests)
    try:
        if tests.language == "python":
            return PythonGrader(tests, tier)
        # Best first: calls are compared outside of the program's process, single tests and whole texts are not.
        if called := call_tests_of(tests):
            problem = Problem("", tests.language, "", tests.entry_point, (), tests.key, tests=tests.code[0])
            expected = ExpectedValues(tier=tier).of(problem, called)
            if expected.values:
                return CallTestsGrader(tests, called, expected.values)
        if tests.language in LANGUAGES:
            return SuiteGrader(tests, read_suite(tests.code, tests.language, tests.solution))
    except SuiteRefusedError as refused:
        raise UsageError(f"The tests of a row cannot be used: {refused.detail}.") from None
    return WholeTestsGrader(tests)


class Graders:
    """Graders of many problems, each made on first use. Safe to use from threads.

    Args:
        tier: name of a sandbox tier, see `run_program`.
    """

    def __init__(self, tier: str | None = None) -> None:
        self._tier = tier
        self._lock = threading.Lock()
        self._made: OrderedDict[str, Future[Grader]] = OrderedDict()

    def of(self, tests: RowTests) -> Grader:
        """The grader of these tests. A second caller waits for the first.

        Raises:
            UsageError, SandboxError: see `make_grader`.
        """
        key = tests.key
        with self._lock:
            future = self._made.get(key)
            if is_first := future is None:
                future = self._made[key] = Future()
                while len(self._made) > GRADER_CACHE_SIZE:
                    self._made.popitem(last=False)
            else:
                self._made.move_to_end(key)
        assert future is not None
        if is_first:
            try:
                future.set_result(make_grader(tests, self._tier))
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, UsageError):  # failures that may not recur are retried
                    with self._lock:
                        self._made.pop(key, None)
        try:
            return future.result()
        except OssInstructError as error:
            # A new exception for each caller: raising the same one in many threads would grow its traceback without end.
            raise type(error)(*error.args) from None
