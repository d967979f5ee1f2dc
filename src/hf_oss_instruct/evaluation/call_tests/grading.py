"""Run a solution's calls in the sandbox and compare their output with the expected values, which never enter it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from hf_oss_instruct.errors import ToolchainMissingError
from hf_oss_instruct.evaluation.call_tests import LANGUAGES
from hf_oss_instruct.evaluation.call_tests.canonical import NotCanonicalError, show
from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.sandbox.judging.calls import ANSWERS_BYTES
from hf_oss_instruct.sandbox.judging.judgement import Judgement, status_without_answer
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.terminal.display import one_line

MAX_SHOWN_CHARS = 160
"""Maximum characters of a call, an answer or an expected value in the detail of a verdict."""
MAX_LENGTH_FACTOR, EXTRA_CHARS = 32, 4096
"""An answer is parsed if it has at most `MAX_LENGTH_FACTOR` times the characters of the expected value's, plus `EXTRA_CHARS`."""


def judge_calls(
    program: str, tests: CallTests, expected: Sequence[str], language: str, limits: Limits, *, tier: str | None = None
) -> Judgement:
    """Call the solution as the tests do, and compare outside its process.

    Args:
        program: the solution, without tests.
        tests: its tests, parsed by `call_tests.read`.
        expected: the expected printed value of each call.
        language: one of `call_tests.LANGUAGES`.
        limits: resource limits of the run.
        tier: name of a sandbox tier, see `sandbox.run.run_program`.

    Returns:
        The verdict, with an entry per call. The status is that of the first call with a wrong answer.

    Raises:
        SandboxError: no sandbox works on this machine.
    """
    # A program that prints lines with the nonce still has to print right values: these never enter the sandbox.
    nonce = secrets.token_hex(16)
    limits = replace(limits, output_bytes=max(limits.output_bytes, ANSWERS_BYTES))
    try:
        ran = run_program(LANGUAGES[language].solution_program(program, tests, nonce), language, limits=limits, tier=tier)
    except ToolchainMissingError as error:
        return Judgement("not_evaluated", [False] * len(expected), detail=str(error))
    texts = printed(ran, nonce, len(expected))
    right = [text is not None and is_right(text, value, language) for text, value in zip(texts, expected, strict=True)]
    first = right.index(False) if False in right else len(right)
    if first == len(right):
        status, detail = ("passed" if ran.status == "ok" else status_without_answer(ran)), ""
    elif (text := texts[first]) is not None:
        status, detail = "wrong_answer", _mismatch(tests.calls[first], text, expected[first], language)
    else:
        status, detail = status_without_answer(ran), "it ended before its last test" if ran.status == "ok" else ""
    return Judgement(status, right, ran, detail, outside=True)


def printed(ran: Execution, nonce: str, count: int) -> list[str | None]:
    """Return the first text printed for each call, or None.

    Args:
        ran: the run.
        nonce: marks the printed lines.
        count: number of calls.
    """
    lines: dict[str, str] = {}
    for line in ran.stdout.split("\n"):
        if line.startswith(nonce):
            number, _, text = line[len(nonce) + 1 :].partition(" ")
            lines.setdefault(number, text)
    return [lines.get(str(number)) for number in range(count)]


def is_right(text: str, expected: str, language: str) -> bool:
    """Whether a printed text represents the expected value; False if it is not a value.

    Args:
        text: the printed text.
        expected: the expected printed text.
        language: one of `call_tests.LANGUAGES`.
    """
    rules = LANGUAGES[language]
    # Much longer texts cannot be equal, and parsing them takes time.
    if len(text) > MAX_LENGTH_FACTOR * len(expected) + EXTRA_CHARS:
        return False
    try:
        return rules.equal(rules.parse(text), rules.parse(expected))
    except (NotCanonicalError, ArithmeticError, RecursionError):  # such as an integer too large for a float
        return False


def _mismatch(call: str, text: str, expected: str, language: str) -> str:
    parse = LANGUAGES[language].parse
    wanted = show(parse(expected))
    try:
        got = (
            show(parse(text[: MAX_LENGTH_FACTOR * MAX_SHOWN_CHARS]))
            if len(text) <= MAX_LENGTH_FACTOR * MAX_SHOWN_CHARS
            else "a much larger value"
        )
    except NotCanonicalError:
        got = "no plain value"
    return (
        f"{one_line(call, MAX_SHOWN_CHARS)} gave {one_line(got, MAX_SHOWN_CHARS)}, expected {one_line(wanted, MAX_SHOWN_CHARS)}"
    )
