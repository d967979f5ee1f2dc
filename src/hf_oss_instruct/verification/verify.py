r"""Is a pair right, and are its tests worth passing? Solutions and tests go in, a typed result comes out. No engine, no teacher.

result = verify_row(["def f(x):\n    return 2 * x\n"], "def test_f():\n    assert f(2) == 4\n", "python")
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice

from hf_oss_instruct.display import one_line
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.preflight import toolchain_of
from hf_oss_instruct.languages import named
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.verification import unverifiable
from hf_oss_instruct.verification.memo import Verdicts, key_of
from hf_oss_instruct.verification.quality import Quality, from_json, measure
from hf_oss_instruct.verification.running import run_solution
from hf_oss_instruct.verification.runs import LIMITS, Outcome, SuiteResult
from hf_oss_instruct.verification.selection import METHODS, select
from hf_oss_instruct.verification.suites import read_suite
from hf_oss_instruct.verification.suites.core import LARGEST_SOLUTION, Suite, SuiteRefusedError

STATUSES = ("passed", "tests_failed", "tests_vacuous", "tests_flaky", "tests_missing", "not_verifiable", "sandbox_error")


@dataclass(frozen=True, slots=True)
class Options:
    """How rows are verified.

    Attributes:
        select: which solution is kept, one of `selection.METHODS`.
        mutants: mutants of the kept solution, at most.
        stubs: stubs of it, at most; all by default.
        reruns: how often it is run again, with other hash seeds, time zones and orders of tests.
        limits: of each run.
        tier: as of `run_program`.
    """

    select: str = "majority"
    mutants: int = 8
    stubs: int | None = None
    reruns: int = 2
    limits: Limits = LIMITS
    tier: str | None = None

    def __post_init__(self) -> None:
        if self.select not in METHODS:
            raise UsageError(f"Unknown selection method {self.select!r}. Use one of: {', '.join(METHODS)}.")
        for name in ("mutants", "reruns"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}; it must be 0 or more.")


@dataclass(frozen=True, slots=True)
class SolutionResult:
    """What became of one solution.

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
    """What is known of a row.

    Attributes:
        status: one of `STATUSES`; `sandbox_error` says nothing about the row, which is to be tried again.
        detail: why, in a sentence.
        cause: of `not_verifiable`: `third_party`, `network`, `gui`, `toolchain` or `language`.
        tests: the single tests, each standing alone.
        test_results: whether the kept solution passes each.
        marks: for each test `weak`, `repeated`, `flaky` or nothing, as `Quality.marks`.
        solutions: what became of each.
        chosen: which of them is kept; None if none was run.
        selected_by: the method.
        passes: how many solutions pass every test.
        mutants: mutants that compile and are no equivalents.
        mutation_score: share of them that a test killed; None without any.
        stubs_passed: stubs that pass all that the kept solution passes.
        flaky: tests whose results changed between runs.
        reruns: how many runs that says.
        stderr_tail: the end of what the kept solution wrote there.
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
        """Whether the kept solution passes tests that are worth it."""
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
        """With 95 % confidence no test flips more often than this, where none did: 3 / runs."""
        return 3 / self.reruns if self.reruns and not self.flaky else None


@dataclass(frozen=True, slots=True)
class RowIn:
    """A row to verify: the arguments of `verify_row`."""

    solutions: Sequence[str]
    tests: str | Sequence[str]
    language: str


def verify_row(
    solutions: Sequence[str],
    tests: str | Sequence[str],
    language: str,
    options: Options | None = None,
    verdicts: Verdicts | None = None,
) -> Verified:
    """Run solutions with tests, measure the tests, and say what to think of the pair.

    Args:
        solutions: programs, the row's own first.
        tests: as of `read_suite`.
        language: as in `languages.LANGUAGES`.
        options: how.
        verdicts: what is known from before; made anew by default.

    Raises:
        SandboxError: this machine has no sandbox.
        UsageError: the language is unknown, or there is no solution.
    """
    options, verdicts = options or Options(), verdicts or Verdicts()
    language = named(language).name
    if not solutions:
        raise UsageError("There is no solution to verify. Give at least one.")
    tier = chosen_tier(options.tier).name
    try:
        unverifiable.before_run(solutions, language, options.tier)
        suite = read_suite(tests, language, solutions[0])
    except SuiteRefusedError as refused:
        return Verified(refused.reason, refused.detail, refused.cause, sandbox=tier)
    ran = [_ran(solution, suite, options, verdicts) for solution in solutions]
    known = Verified("passed", tests=tuple(suite.standalone()), sandbox=tier, toolchain=toolchain_of(language))
    if trouble := next((one.sandbox_error for one in ran if one.sandbox_error), ""):
        return replace(known, status="sandbox_error", detail=trouble)
    selection = select([one.passed for one in ran], options.select)
    best = ran[selection.chosen]
    known = replace(
        known,
        test_results=best.passed,
        solutions=tuple(_solution_result(text, one) for text, one in zip(solutions, ran, strict=True)),
        chosen=selection.chosen,
        selected_by=options.select,
        passes=sum(all(one.passed) for one in ran),
        stderr_tail=best.stderr,
    )
    if obstacle := unverifiable.after_run(best, language):
        return replace(known, status=obstacle.reason, detail=obstacle.detail, cause=obstacle.cause)
    if not any(best.passed):
        return _nothing_passed(known, best)
    quality = _quality(solutions[selection.chosen], suite, options, verdicts)
    if quality.sandbox_error:
        return replace(known, status="sandbox_error", detail=quality.sandbox_error)
    known = replace(
        known,
        marks=quality.marks(),
        mutants=len(quality.mutants),
        mutation_score=quality.mutation_score,
        stubs_passed=sum(1 for stub in quality.stubs if Quality(own=quality.own, stubs=(stub,)).passes_a_stub),
        flaky=len(quality.flaky),
        reruns=len(quality.reruns),
    )
    return _judged(known, best, quality)


def _judged(known: Verified, best: SuiteResult, quality: Quality) -> Verified:
    if quality.flaky:
        named_tests = ", ".join(str(at) for at in quality.flaky[:5])
        return replace(known, status="tests_flaky", detail=f"tests {named_tests} do not give the same result each time")
    if not all(best.passed):
        return replace(known, status="tests_failed", detail=_solution_result("", best).detail)
    if quality.passes_a_stub:
        return replace(known, status="tests_vacuous", detail="every test passes on a stub, whose functions do nothing")
    if quality.reads_source:
        return replace(known, status="tests_vacuous", detail="a test fails on the same program in other words")
    if quality.mutants and not quality.killed:
        return replace(known, status="tests_vacuous", detail=f"the tests kill none of {len(quality.mutants)} mutants")
    return known


def _nothing_passed(known: Verified, best: SuiteResult) -> Verified:
    """A suite of which nothing passes fails, or never asserts anything."""
    if all(outcome is not None and outcome.status == "skipped" for outcome in best.outcomes):
        return replace(known, status="tests_vacuous", detail="every test is skipped")
    if best.trouble.startswith("before the tests: SystemExit"):
        return replace(known, status="tests_vacuous", detail="the tests leave before the first of them")
    return replace(known, status="tests_failed", detail=_solution_result("", best).detail)


def verify_rows(
    rows: Iterable[RowIn], options: Options | None = None, verdicts: Verdicts | None = None, workers: int | None = None
) -> Iterator[Verified]:
    """Verify rows, several at once, in their order; taken only a little ahead of what was handed out.

    Args:
        rows: what to verify.
        options: as of `verify_row`.
        verdicts: as of `verify_row`.
        workers: how many at once; the number of processors by default.
    """
    workers, verdicts, rows = workers or len(os.sched_getaffinity(0)), verdicts or Verdicts(), iter(rows)
    with ThreadPoolExecutor(workers, thread_name_prefix="verify") as pool:

        def begin(row: RowIn) -> functools.partial[Verified]:
            future = pool.submit(verify_row, row.solutions, row.tests, row.language, options, verdicts)
            return functools.partial(future.result)

        line = [begin(row) for row in islice(rows, 2 * workers)]
        while line:
            yield line.pop(0)()
            line += [begin(row) for row in islice(rows, 1)]


def _ran(solution: str, suite: Suite, options: Options, verdicts: Verdicts) -> SuiteResult:
    """What a solution's tests came to, from outside where that can be."""
    if not solution.strip() or len(solution) > LARGEST_SOLUTION:
        why = f"the solution has {len(solution):,} characters; at most {LARGEST_SOLUTION:,} are run"
        return SuiteResult((None,) * len(suite.tests), "the solution is empty" if not solution.strip() else why, "refused")
    key = key_of(solution, suite, options.limits, options.tier, "solution")

    def make() -> dict[str, object]:
        outside, _ = run_solution(suite, solution, options.limits, tier=options.tier)
        return asdict(outside)

    found = verdicts.of(key, make, lambda verdict: not verdict["sandbox_error"])
    outcomes = tuple(Outcome(**one) if one else None for one in found["outcomes"])
    return SuiteResult(**{**found, "outcomes": outcomes})


def _quality(solution: str, suite: Suite, options: Options, verdicts: Verdicts) -> Quality:
    key = key_of(solution, suite, options.limits, options.tier, "quality", options.mutants, options.stubs, options.reruns)

    def make() -> dict[str, object]:
        return asdict(
            measure(
                suite,
                solution,
                most_mutants=options.mutants,
                most_stubs=options.stubs,
                reruns=options.reruns,
                limits=options.limits,
                tier=options.tier,
            )
        )

    return from_json(verdicts.of(key, make, lambda verdict: not verdict["sandbox_error"]))


def _solution_result(text: str, ran: SuiteResult) -> SolutionResult:
    first = next((outcome.detail for outcome in ran.outcomes if outcome is not None and not outcome.passed), "")
    if ran.ended == "refused":
        status = "empty" if ran.trouble == "the solution is empty" else "too_large"
    elif not ran.compiled:
        status = "compile_error"
    elif ran.trouble:
        status = "load_error"
    elif all(ran.passed):
        status = "passed"
    else:
        status = "timeout" if ran.ended == "timeout" else "failed"
    detail = "" if status == "passed" else ran.trouble or first or ran.ended or "it ended before its last test"
    return SolutionResult(text, status, ran.passed, one_line(detail, 300))
