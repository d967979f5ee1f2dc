r"""Verify a pair: does its solution pass tests that reject wrong programs? Takes solutions and tests, and needs no teacher.

result = verify_row(["def f(x):\n    return 2 * x\n"], "def test_f():\n    assert f(2) == 4\n", "python")
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import islice

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.preflight import toolchain_of
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.verification import unverifiable
from hf_oss_instruct.verification.grammars import EQUALITY
from hf_oss_instruct.verification.installed_packages import identity_of
from hf_oss_instruct.verification.matrix import results_of, solution_result
from hf_oss_instruct.verification.memo import Verdicts, key_of
from hf_oss_instruct.verification.quality.measure import Quality, from_json, measure
from hf_oss_instruct.verification.rows import STATUSES, RowToVerify, SolutionResult, VerificationOptions, Verified
from hf_oss_instruct.verification.runs import SuiteResult
from hf_oss_instruct.verification.selection import select
from hf_oss_instruct.verification.suites import read_suite
from hf_oss_instruct.verification.suites.core import Suite, SuiteRefusedError

__all__ = ["STATUSES", "RowToVerify", "SolutionResult", "VerificationOptions", "Verified", "verify_row", "verify_rows"]


def verify_row(
    solutions: Sequence[str],
    tests: str | Sequence[str],
    language: str,
    options: VerificationOptions | None = None,
    verdicts: Verdicts | None = None,
) -> Verified:
    """Run solutions with tests, measure the tests, and judge the pair.

    Args:
        solutions: programs, the row's own first.
        tests: as of `read_suite`.
        language: as in `languages.LANGUAGES`.
        options: how.
        verdicts: verdicts of earlier runs; none by default.

    Raises:
        SandboxError: this machine has no sandbox.
        UsageError: the language is unknown, or there is no solution.
    """
    options, verdicts = options or VerificationOptions(), verdicts or Verdicts()
    language = named(language).name
    if not solutions:
        raise UsageError("No solutions to verify. Pass at least one.")
    tier = chosen_tier(options.tier).name
    try:
        unverifiable.before_run(solutions, language, options.tier, options.package_folders)
        suite = read_suite(tests, language, solutions[0], options.package_folders)
    except SuiteRefusedError as refused:
        return Verified(refused.reason, refused.detail, refused.cause, sandbox=tier)
    ran = results_of(solutions, suite, options, verdicts)
    known = Verified("passed", tests=tuple(suite.standalone()), sandbox=tier, toolchain=toolchain_of(language))
    if sandbox_error := next((result.sandbox_error for result in ran if result.sandbox_error), ""):
        return replace(known, status="sandbox_error", detail=sandbox_error)
    selection = select([result.passed for result in ran], options.select)
    best = ran[selection.chosen]
    known = replace(
        known,
        test_results=best.passed,
        solutions=tuple(map(solution_result, solutions, ran)),
        chosen=selection.chosen,
        selected_by=options.select,
        passes=sum(all(result.passed) for result in ran),
        stderr_tail=best.stderr,
    )
    if unverified := unverifiable.after_run(best, language):
        return replace(known, status=unverified.reason, detail=unverified.detail, cause=unverified.cause)
    if not any(best.passed):
        return _without_passed_test(known, best)
    # Of the kept solution alone: stubs, mutants and reruns are most of the runs.
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
    known = _judged(known, best, quality)
    # Stubs and mutants leave equality alone: a value that equals everything would pass any test, unnoticed.
    if known.passed and options.mutants and not quality.mutants and EQUALITY.search(solutions[selection.chosen]):
        return replace(
            known, status="tests_vacuous", detail="the solution says what is equal, and nothing else in it can be changed"
        )
    return known


def _judged(known: Verified, best: SuiteResult, quality: Quality) -> Verified:
    # First, because a failure of a flaky test says nothing about the solution.
    if quality.flaky:
        named_tests = ", ".join(str(index) for index in quality.flaky[:5])
        return replace(known, status="tests_flaky", detail=f"tests {named_tests} do not give the same result each time")
    if not all(best.passed):
        return replace(known, status="tests_failed", detail=solution_result("", best).detail)
    if quality.passes_a_stub:
        return replace(known, status="tests_vacuous", detail="every test passes on a stub, whose functions do nothing")
    if quality.reads_source:
        return replace(known, status="tests_vacuous", detail="a test fails on the same program in other words")
    if quality.mutants and not quality.killed:
        return replace(known, status="tests_vacuous", detail=f"the tests kill none of {len(quality.mutants)} mutants")
    return known


def _without_passed_test(known: Verified, best: SuiteResult) -> Verified:
    """A suite of which nothing passes fails, or never asserts anything."""
    if all(outcome is not None and outcome.status == "skipped" for outcome in best.outcomes):
        return replace(known, status="tests_vacuous", detail="every test is skipped")
    if best.load_error.startswith("before the tests: SystemExit"):
        return replace(known, status="tests_vacuous", detail="the tests leave before the first of them")
    return replace(known, status="tests_failed", detail=solution_result("", best).detail)


def verify_rows(
    rows: Iterable[RowToVerify],
    options: VerificationOptions | None = None,
    verdicts: Verdicts | None = None,
    workers: int | None = None,
) -> Iterator[Verified]:
    """Verify rows, several at once, in their order; rows are read only slightly ahead of the results.

    Args:
        rows: the rows to verify.
        options: as of `verify_row`.
        verdicts: as of `verify_row`.
        workers: how many at once; the number of processors by default.
    """
    workers, verdicts, rows = workers or len(os.sched_getaffinity(0)), verdicts or Verdicts(), iter(rows)
    with ThreadPoolExecutor(workers, thread_name_prefix="verify") as pool:

        def begin(row: RowToVerify) -> functools.partial[Verified]:
            future = pool.submit(verify_row, row.solutions, row.tests, row.language, options, verdicts)
            return functools.partial(future.result)

        # Twice as many rows as workers keep all of them busy, although results come in order and rows are read lazily.
        line = [begin(row) for row in islice(rows, 2 * workers)]
        while line:
            yield line.pop(0)()
            line += [begin(row) for row in islice(rows, 1)]


def _quality(solution: str, suite: Suite, options: VerificationOptions, verdicts: Verdicts) -> Quality:
    key = key_of(
        solution,
        suite,
        options.limits,
        options.tier,
        "quality",
        options.mutants,
        options.stubs,
        options.reruns,
        *identity_of(options.package_folders),
    )

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
                packages=options.package_folders,
            )
        )

    return from_json(verdicts.of(key, make, lambda verdict: not verdict["sandbox_error"]))
