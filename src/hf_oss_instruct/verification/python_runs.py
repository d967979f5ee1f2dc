"""Runs of Python suites: forks of one process in the sandbox, and checks of plain values graded outside it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from hf_oss_instruct.sandbox.judging.many_programs import judge_programs
from hf_oss_instruct.sandbox.judging.python_tests import judge_checks
from hf_oss_instruct.sandbox.judging.recording import recorded
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.verification.runs import FAILED, LIMITS, PASSED, Run, SuiteResult, TestResult
from hf_oss_instruct.verification.suites.core import Suite

CHANNEL_BYTES = 8 << 20
MAX_STDERR_CHARS = 2000
BATCH_PROGRAMS = 16  # programs in one sandbox
_HARNESS = "if __name__ == '__main__':\n    from inside import suites\n    suites.run()\n"
# Imported before the forks, since every fork would spend the time again.
_LIBRARY = re.compile(r"^\s*(?:import|from)\s+(numpy|pandas)\b", re.MULTILINE)


def run_all(
    suite: Suite,
    programs: Sequence[str],
    runs: Sequence[Run],
    limits: Limits = LIMITS,
    *,
    hash_seed: int = 0,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
    guarded: bool = True,
) -> list[SuiteResult]:
    """Run the tests against programs, each run in a separate fork, all in one sandbox.

    Args:
        suite: the tests.
        programs: texts; the first is the solution where others are changes of it.
        runs: the code to run.
        limits: of each run; those of a variant are a multiple of what the first run took.
        hash_seed: the seed of the hashes of strings.
        tier: as of `run_program`.
        packages: as of `run_program`; for Python.
        guarded: whether programs are prevented from inspecting frames, which hold expected values.
    """
    # Only lines with the nonce count as results. The harness reads it from standard input before any program starts.
    nonce = secrets.token_hex(16)
    libraries = sorted({name for text in [*programs, suite.run_preamble] for name in _LIBRARY.findall(text)})
    job = {
        "nonce": nonce,
        "programs": list(programs),
        "preamble": suite.run_preamble,
        "separate": suite.separate,
        "aliases": list(suite.aliases),
        "guarded": guarded,
        "tests": [{"kind": test.kind, "name": test.name, "text": test.run or test.text} for test in suite.tests],
        "runs": [
            {
                "program": run.program, "first": run.first, "reversed": run.reversed, "tz": run.tz,
                # 0: the harness allows a multiple of what the first run took.
                "cpu_s": 0 if run.variant else limits.cpu_s, "wall_s": limits.wall_s,
            }
            for run in runs
        ],
    }  # fmt: skip
    longest = 2 + sum(not run.variant for run in runs)
    whole = replace(limits, cpu_s=limits.cpu_s * (1 + len(runs)), wall_s=limits.wall_s * longest, output_bytes=CHANNEL_BYTES)
    harness = "".join(f"import {name}\n" for name in libraries) + _HARNESS
    ran = run_program(
        harness, stdin=json.dumps(job), limits=whole, tier=tier, packages=packages, stdout_as_memory=True, hash_seed=hash_seed
    )
    return _read(ran, nonce, suite, runs)


def _read(ran: Execution, nonce: str, suite: Suite, runs: Sequence[Run]) -> list[SuiteResult]:
    if ran.status == "sandbox_error":
        return [SuiteResult((None,) * len(suite.tests), sandbox_error=ran.reason)] * len(runs)
    outcomes: list[dict[str, TestResult]] = [{} for _ in runs]
    ends: dict[int, str] = {}
    for line in re.finditer(rf"^{nonce} (\d+) (\w+) (.*)$", ran.stdout, re.MULTILINE):
        number, test, rest = int(line[1]), line[2], line[3]
        if number >= len(runs):
            continue
        if test == "end":
            ends.setdefault(number, json.loads(rest))
            continue
        status, _, detail = rest.partition(" ")
        outcomes[number].setdefault(test, TestResult(status, json.loads(detail)))
    results = []
    for number in range(len(runs)):
        by_test = outcomes[number]
        load_error = by_test["load"].detail if "load" in by_test else ""
        ended = ends.get(number, ran.status if ran.status != "ok" else "signal 9")
        of_tests = tuple(by_test.get(str(test)) for test in range(len(suite.tests)))
        results.append(SuiteResult(of_tests, load_error, ended, stderr=ran.stderr[-MAX_STDERR_CHARS:] if not number else ""))
    return results


def is_graded_outside(suite: Suite, tier: str | None = None, packages: tuple[str, ...] = ()) -> bool:
    """Whether all of the tests are checks of plain values, which no program can see; as `graded_outside` finds.

    Args:
        suite: the tests.
        tier: as of `run_program`.
        packages: as of `run_program`.
    """
    return bool(suite.outside) and None not in recorded(suite.outside, "", tier, packages)


def graded_outside(
    suite: Suite, programs: Sequence[str], limits: Limits = LIMITS, *, tier: str | None = None, packages: tuple[str, ...] = ()
) -> tuple[list[int], list[SuiteResult | None]]:
    """Grade the tests that are checks of plain values, which no program can see.

    Args:
        suite: the tests.
        programs: the solutions.
        limits: of each program.
        tier: as of `run_program`.
        packages: as of `run_program`; for Python.

    Returns:
        The tests that have to run in the process of a program, and for each program its result with None for these; None for a
        program that ended early or answered with an object, all of whose tests have to run in its process.
    """
    checks = recorded(suite.outside, "", tier, packages) if suite.outside else (None,) * len(suite.tests)
    outside = [index for index, check in enumerate(checks) if check is not None]
    beside = [index for index, check in enumerate(checks) if check is None]
    if not outside:
        return beside, [None] * len(programs)
    results: list[SuiteResult | None] = []
    for index in range(0, len(programs), BATCH_PROGRAMS):
        for judged in judge_programs(
            programs[index : index + BATCH_PROGRAMS],
            [checks[index] or [] for index in outside],
            limits,
            tier=tier,
            packages=packages,
        ):
            outcomes: list[TestResult | None] = [None] * len(suite.tests)
            for test, verdict in zip(outside, judged.tests or (), strict=bool(judged.tests)):
                outcomes[test] = _outcome(verdict)
            results.append(SuiteResult(tuple(outcomes), judged.load_error) if judged.load_error or judged.tests else None)
    return beside, results


def confirmed_outside(
    suite: Suite,
    program: str,
    ran: SuiteResult,
    limits: Limits = LIMITS,
    *,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
) -> SuiteResult:
    """The outcomes of a run, where tests that are checks of plain values have passed only if they also do from outside.

    Args:
        suite: the tests.
        program: the solution.
        ran: the results of its tests in its process.
        limits: of the run that answers the calls.
        tier: as of `run_program`.
        packages: as of `run_program`; for Python.
    """
    checks = recorded(suite.outside, "", tier, packages) if suite.outside else ()
    outside = [index for index, check in enumerate(checks) if check is not None and ran.passed[index]]
    if not outside or ran.sandbox_error:
        return ran
    verdicts, answered = judge_checks(program, [checks[index] or [] for index in outside], limits, tier=tier, packages=packages)
    if answered.status == "sandbox_error":
        return replace(ran, sandbox_error=answered.reason)
    outcomes = list(ran.outcomes)
    for index, (status, detail) in zip(outside, verdicts, strict=True):
        if status == "odd":  # an object, which only a test in the program's process can inspect
            continue
        outcomes[index] = _outcome((status, detail))
    return replace(ran, outcomes=tuple(outcomes))


def _outcome(verdict: tuple[str, str]) -> TestResult:
    status, detail = verdict
    return TestResult(PASSED if status == "passed" else FAILED, detail)
