"""The input and output types of verification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.verification import installed_packages
from hf_oss_instruct.verification.runs import LIMITS
from hf_oss_instruct.verification.selection import METHODS

STATUSES = ("passed", "tests_failed", "tests_vacuous", "tests_flaky", "tests_missing", "not_verifiable", "sandbox_error")


@dataclass(frozen=True, slots=True)
class VerificationOptions:
    """How rows are verified.

    Attributes:
        select: which solution is kept, one of `selection.METHODS`.
        mutants: mutants of the kept solution, at most.
        stubs: stubs of it, at most; all by default.
        reruns: how often it is run again, with other hash seeds, time zones and orders of tests.
        limits: of each run.
        tier: as of `run_program`.
        packages: a folder of installed Python packages, or a virtual environment, that programs and tests may import; it is
            mounted read-only.
    """

    select: str = "majority"
    mutants: int = 8
    stubs: int | None = None
    reruns: int = 2
    limits: Limits = LIMITS
    tier: str | None = None
    packages: str | Path | None = None

    @property
    def package_folders(self) -> tuple[str, ...]:
        """The folders that `packages` means."""
        return installed_packages.folders(self.packages) if self.packages is not None else ()

    def __post_init__(self) -> None:
        if self.select not in METHODS:
            raise UsageError(f"Unknown selection method {self.select!r}. Use one of: {', '.join(METHODS)}.")
        for name in ("mutants", "reruns"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be 0 or more.")
        _ = self.package_folders  # an unusable folder is reported before anything is run


@dataclass(frozen=True, slots=True)
class SolutionResult:
    """The result of one solution.

    Attributes:
        text: the program.
        status: `passed`, `failed`, `timeout`, `compile_error`, `load_error`, `too_large` or `empty`.
        results: whether it passes each test.
        detail: the first thing that went wrong, in a line.
    """

    text: str
    status: str
    results: tuple[bool, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """Facts about a row.

    Attributes:
        status: one of `STATUSES`; `sandbox_error` says nothing about the row, which is to be tried again.
        detail: why, in a sentence.
        cause: of `not_verifiable`: `third_party`, `network`, `gui`, `introspection`, `toolchain` or `language`.
        tests: the single tests, each standing alone.
        test_results: whether the kept solution passes each.
        marks: for each test `weak`, `repeated`, `flaky` or nothing, as `Quality.marks`.
        solutions: the result of each.
        chosen: which of them is kept; None if none was run.
        selected_by: the method.
        passes: how many solutions pass every test.
        mutants: mutants that compile and are not equivalent to it.
        mutation_score: share of them that a test killed; None without any.
        stubs_passed: stubs that pass all that the kept solution passes.
        flaky: tests whose results changed between runs.
        reruns: how many runs that says.
        stderr_tail: the end of the kept solution's output there.
        sandbox: name of the tier.
        toolchain: what ran it.
    """

    status: str
    detail: str = ""
    cause: str = ""
    tests: tuple[str, ...] = ()
    test_results: tuple[bool, ...] = ()
    marks: tuple[str, ...] = ()
    solutions: tuple[SolutionResult, ...] = ()
    chosen: int | None = None
    selected_by: str = ""
    passes: int = 0
    mutants: int = 0
    mutation_score: float | None = None
    stubs_passed: int = 0
    flaky: int = 0
    reruns: int = 0
    stderr_tail: str = ""
    sandbox: str = ""
    toolchain: str = ""

    @property
    def passed(self) -> bool:
        """Whether the kept solution passes tests that reject wrong programs."""
        return self.status == "passed"

    @property
    def pass_rate(self) -> float | None:
        """Share of the tests that the kept solution passes."""
        return sum(self.test_results) / len(self.test_results) if self.test_results else None

    @property
    def attempts(self) -> int:
        """How many solutions were tried."""
        return len(self.solutions)

    @property
    def flake_bound(self) -> float | None:
        """With 95 % confidence no test flips more often than this, if none did: 3 / runs."""
        return 3 / self.reruns if self.reruns and not self.flaky else None


@dataclass(frozen=True, slots=True)
class RowToVerify:
    """A row to verify: the arguments of `verify_row`."""

    solutions: Sequence[str]
    tests: str | Sequence[str]
    language: str
