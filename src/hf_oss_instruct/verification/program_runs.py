"""Runs of suites that are not Python's: one program that holds every variant, run once for each; and inputs and outputs."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_many
from hf_oss_instruct.verification.runs import FAILED, LIMITS, PASSED, Run, SuiteResult, TestResult
from hf_oss_instruct.verification.suites import suite_language
from hf_oss_instruct.verification.suites.core import Suite

TYPES_ONLY = frozenset({"typescript"})
"""Languages whose compiler emits a program despite type errors."""
_PLACES = re.compile(
    r"\bMain\.java:(\d+): error|^error.*\n\s*--> \S*program\.rs:(\d+)|\bprogram\.cs\((\d+),\d+\): error", re.MULTILINE
)
"""Where Java's, Rust's and C#'s compilers say that an error is."""
MAX_STDERR_CHARS = 2000
OUTPUT_BYTES = 16 << 20


def run_all(
    suite: Suite, programs: Sequence[str], runs: Sequence[Run], limits: Limits = LIMITS, *, tier: str | None = None
) -> list[SuiteResult]:
    """Run the tests against programs, as `running.run_all`.

    Args:
        suite: the tests.
        programs: texts; the first is the solution where others are changes of it.
        runs: the code to run.
        limits: of each run.
        tier: as of `run_program`.
    """
    if suite.is_pairs:
        return [_pairs(suite, programs[run.program], run, limits, tier) for run in runs]
    language = suite_language(suite.language)
    # Not where functions are called before `main` is.
    if len(programs) > 1 and language.together and not language.together(programs[0]):
        alone = [replace(run, program=0) for run in runs]
        return [
            run_all(suite, [programs[run.program]], [own], limits, tier=tier)[0] for run, own in zip(runs, alone, strict=True)
        ]
    results: list[SuiteResult] = []
    # Only lines with the nonce count as results. It comes by standard input, which a program cannot read a second time.
    nonce = secrets.token_hex(16)
    limits = replace(limits, output_bytes=OUTPUT_BYTES, memory_mib=max(limits.memory_mib, 4096))
    assert language.sources
    source, files = language.sources(suite, programs)
    # There are fewer results than runs if the output of all exceeds its limit: the others are run again.
    while len(results) < len(runs):
        rest = runs[len(results) :]
        inputs = [({"TZ": run.tz}, f"{nonce} {run.program} {run.first} {int(run.reversed)}\n") for run in rest]
        # Mutants often loop forever.
        allowed = replace(limits, cpu_s=min(limits.cpu_s, 5.0)) if all(run.variant for run in rest) else limits
        ran = run_many(source, suite.language, inputs, files, allowed, tier=tier, compile_goes_on=suite.language in TYPES_ONLY)
        if ran[0].status == "compile_error" and (broken := _broken(ran[0].stderr, len(programs), source)):
            return _without(suite, programs, runs, broken, ran[0], limits, tier)
        if ran[0].status in ("compile_error", "sandbox_error") and not results:
            return [_failed_result(suite, ran[0])] * len(runs)
        results += [_read(suite, execution, nonce) for execution in ran]
    return results[: len(runs)]


def _broken(messages: str, count: int, source: str) -> set[int]:
    """The variants that a compiler reports errors in: by their file name, or by the mark above them."""
    numbers = {int(line[1]) for line in re.finditer(r"\bv(\d+)(?:\.\w+[:(]\d+[^\n]*\berror|/\w+\.go:\d+)", messages)}
    lines = source.split("\n")
    for index in map(int, (next(filter(None, place.groups())) for place in _PLACES.finditer(messages))):
        marks = (line for line in reversed(lines[:index]) if line.startswith("//variant "))
        numbers.add(int(next(marks, "//variant -1").split()[1]))
    return {number for number in numbers if 0 <= number < count}


def _without(
    suite: Suite, programs: Sequence[str], runs: Sequence[Run], broken: set[int], ran: Execution, limits: Limits, tier: str | None
) -> list[SuiteResult]:
    """The runs of programs that compile."""
    lost = _failed_result(suite, ran)
    # They are compiled again without the broken ones, which would take the others with them.
    kept = [number for number in range(len(programs)) if number not in broken]
    remaining = [replace(run, program=kept.index(run.program)) for run in runs if run.program not in broken]
    results = iter(run_all(suite, [programs[number] for number in kept], remaining, limits, tier=tier) if remaining else [])
    return [lost if run.program in broken else next(results) for run in runs]


def _failed_result(suite: Suite, ran: Execution) -> SuiteResult:
    none = (None,) * len(suite.tests)
    if ran.status == "sandbox_error":
        return SuiteResult(none, sandbox_error=ran.reason)
    return SuiteResult(
        none, ran.stderr[-MAX_STDERR_CHARS:], "compile_error", compiled=False, stderr=ran.stderr[-MAX_STDERR_CHARS:]
    )


def _read(suite: Suite, ran: Execution, nonce: str) -> SuiteResult:
    messages: dict[str, TestResult] = {}
    for line in re.finditer(rf"^{nonce} (\w+) (\w+) (.*)$", ran.stdout, re.MULTILINE):
        try:
            messages.setdefault(line[1], TestResult(line[2], str(json.loads(line[3]))))
        except ValueError:
            messages.setdefault(line[1], TestResult(FAILED, line[3]))
    outcomes = tuple(messages.get(str(test)) for test in range(len(suite.tests)))
    load_error = messages["load"].detail if "load" in messages else ""
    ended = (
        ""
        if ran.status == "ok"
        else ran.status
        if ran.status != "failed"
        else f"signal {ran.signal}"
        if ran.signal
        else "it left"
    )
    if ran.status == "sandbox_error":
        return SuiteResult(outcomes, sandbox_error=ran.reason)
    return SuiteResult(outcomes, load_error, ended, stderr=ran.stderr[-MAX_STDERR_CHARS:])


def _pairs(suite: Suite, program: str, run: Run, limits: Limits, tier: str | None) -> SuiteResult:
    """Every input in a separate run; outputs are compared here."""
    order = list(range(len(suite.tests)))
    order = order[::-1] if run.reversed else order
    inputs = [({"TZ": run.tz}, suite.tests[index].text) for index in order]
    ran = run_many(program, suite.language, inputs, limits=replace(limits, output_bytes=OUTPUT_BYTES), tier=tier)
    if ran[0].status in ("compile_error", "sandbox_error"):
        return _failed_result(suite, ran[0])
    outcomes: dict[int, TestResult] = {}
    # There are fewer results than inputs if the output of all exceeds its limit.
    for index, execution in zip(order, ran, strict=False):
        right = execution.status == "ok" and output_lines(execution.stdout) == output_lines(suite.tests[index].output)
        detail = "" if right else f"it printed {execution.stdout[:100]!r}" if execution.status == "ok" else execution.status
        outcomes[index] = TestResult(PASSED if right else FAILED, detail)
    return SuiteResult(tuple(outcomes.get(index) for index in range(len(suite.tests))), stderr=ran[0].stderr[-MAX_STDERR_CHARS:])


def output_lines(text: str) -> list[str]:
    """The lines of an output without spaces at their ends; empty lines at the end do not count."""
    return [line.rstrip() for line in text.rstrip().split("\n")]
