"""Runs a solution's calls in the sandbox and compares what they print with the expected values, which never enter it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from hf_oss_instruct.display import one_line
from hf_oss_instruct.errors import ToolchainMissingError
from hf_oss_instruct.evaluation.call_tests import LANGUAGES
from hf_oss_instruct.evaluation.call_tests.canonical import NotCanonicalError, show
from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.sandbox.judge import ANSWERS_BYTES, Judgement, unanswered
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program

SHOWN = 160
"""Characters of a call, an answer or an expected value in the detail of a verdict."""
LONGER, MORE = 32, 4096
"""An answer's text is parsed if it has at most `LONGER` times the characters of the expected value's, and `MORE`."""


def judge_calls(
    program: str, tests: CallTests, expected: Sequence[str], language: str, limits: Limits, *, tier: str | None = None
) -> Judgement:
    """Call the solution as the tests do, and compare outside of its process.

    Args:
        program: the solution, without tests.
        tests: its tests, as `call_tests.read` has them.
        expected: the printed value that is expected of each call.
        language: as in `languages.LANGUAGES`, one of `call_tests.LANGUAGES`.
        limits: what the run may use.
        tier: as of `run_program`.

    Returns:
        The judgement, with an entry for each call. The status is that of the first call that was not answered rightly.

    Raises:
        SandboxError: this machine has no sandbox.
    """
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
        status, detail = ("passed" if ran.status == "ok" else unanswered(ran)), ""
    elif (text := texts[first]) is not None:
        status, detail = "wrong_answer", _said(tests.calls[first], text, expected[first], language)
    else:
        status, detail = unanswered(ran), "it ended before its last test" if ran.status == "ok" else ""
    return Judgement(status, right, ran, detail, outside=True)


def printed(ran: Execution, nonce: str, count: int) -> list[str | None]:
    """The text that was printed first for each call, or None."""
    found: dict[str, str] = {}
    for line in ran.stdout.split("\n"):
        if line.startswith(nonce):
            number, _, text = line[len(nonce) + 1 :].partition(" ")
            found.setdefault(number, text)
    return [found.get(str(number)) for number in range(count)]


def is_right(text: str, expected: str, language: str) -> bool:
    """Whether a printed text is of the value that is expected; a text that is no value is not."""
    rules = LANGUAGES[language]
    if len(text) > LONGER * len(expected) + MORE:
        return False
    try:
        return rules.equal(rules.parse(text), rules.parse(expected))
    except (NotCanonicalError, ArithmeticError, RecursionError):  # such as a whole number that no float can hold
        return False


def _said(call: str, text: str, expected: str, language: str) -> str:
    parse = LANGUAGES[language].parse
    wanted = show(parse(expected))
    try:
        got = show(parse(text[: LONGER * SHOWN])) if len(text) <= LONGER * SHOWN else "a much larger value"
    except NotCanonicalError:
        got = "no plain value"
    return f"{one_line(call, SHOWN)} gave {one_line(got, SHOWN)}, expected {one_line(wanted, SHOWN)}"
