"""Runs of a suite against programs: their inputs and results, for every language."""

from __future__ import annotations

from dataclasses import dataclass

from hf_oss_instruct.sandbox.limits import Limits

LIMITS = Limits(cpu_s=10.0, wall_s=20.0, memory_mib=2048)
"""Of one run of a program with all of its tests."""
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program with the tests.

    Attributes:
        program: which of the programs.
        first: the first test that is run.
        reversed: whether the last test comes first.
        tz: the time zone, as the variable `TZ`.
        variant: whether the program is a change of the first one: its limit is a multiple of what that took.
    """

    program: int = 0
    first: int = 0
    reversed: bool = False
    tz: str = "UTC"
    variant: bool = False


@dataclass(frozen=True, slots=True)
class TestResult:
    """The result of one test.

    Attributes:
        status: `passed`, `failed` or `skipped`.
        detail: the exception in one line.
    """

    status: str
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.status == PASSED


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The result of one run.

    Attributes:
        outcomes: for each test; None if the run ended before it.
        load_error: why the program or the preamble of the tests did not load or compile.
        ended: `timeout`, `memory`, `output`, `signal N`; empty if it came to its end.
        compiled: whether it compiled; always so in languages without a compiler.
        sandbox_error: the sandbox failure, if nothing is known about the program.
        stderr: the end of its output there.
    """

    outcomes: tuple[TestResult | None, ...]
    load_error: str = ""
    ended: str = ""
    compiled: bool = True
    sandbox_error: str = ""
    stderr: str = ""

    @property
    def passed(self) -> tuple[bool, ...]:
        """Whether each test passed."""
        return tuple(outcome is not None and outcome.passed for outcome in self.outcomes)
