"""Is it right? Decided outside the sandbox: the program sees the inputs, never the expected values.

A program that cannot escape can still pretend to pass: by leaving early, by an object equal to everything, by patching the
tests. Here it returns plain values (`inside/values.py`), each after a nonce of its own, and they are compared in this
process. Whoever forges an answer has to know the right one.
"""

from __future__ import annotations

import cmath
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hf_oss_instruct.errors import ToolchainMissingError, UsageError
from hf_oss_instruct.sandbox.inside import hash_collisions, values
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.sandbox.sentinel import ending_with

STATUSES = (
    "passed",
    "wrong_answer",
    "runtime_error",
    "timeout",
    "compile_error",
    "empty_answer",
    "sandbox_error",
    "not_evaluated",
)
BATCH = 1024  # inputs to one process
PRINTED_BYTES = 64 << 20  # output of a whole program that does not end it; what is beyond its limit is discarded
ANSWERS_BYTES = 16 << 20  # output of one batch; answers are output too
NUMBERS = (int, float, complex, Fraction, Decimal)
RELATIVE = 1e-7  # of the expected value, beside the absolute tolerance: as evalplus calls numpy.allclose


Rule = Callable[[Sequence[Any], Any, Any, float], bool]
"""Arguments, answer, expected value, tolerance → whether the answer is right."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is held of a program.

    Attributes:
        status: one of `STATUSES`, that of the first input that was not answered rightly.
        per_input: whether each input was answered rightly; one entry for a whole program.
        execution: the run that decided it, or None if nothing was run. Its stdout is not the program's but the answers.
        detail: what was raised or what was odd, in one line.
        outside: whether answers were compared outside of the program's process, so that it cannot pretend to pass.
    """

    status: str
    per_input: list[bool] = field(default_factory=list)
    execution: Execution | None = None
    detail: str = ""
    outside: bool = False


def judge(
    program: str,
    entry_point: str,
    inputs: Sequence[Sequence[Any]],
    expected: Sequence[Any],
    tolerance: float = 0.0,
    language: str = "python",
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    rule: Rule | None = None,
) -> Judgement:
    """Call a function of a program with every input and compare what it returns.

    Args:
        program: the text that defines the function.
        entry_point: the function's name.
        inputs: its positional arguments, for each call.
        expected: what each call has to return, as `==` understands it; NaN is NaN.
        tolerance: by how much a float may differ, beside `RELATIVE`; 0 for not at all.
        language: `python`; functions of other languages cannot be called from outside.
        limits: for each batch of `BATCH` inputs.
        tier: as of `run_program`.
        rule: what decides instead of `same`, with the arguments in view; it sees plain values only. Raising is a no.

    Raises:
        UsageError: inputs and expected values differ in number, an input is not plain, or the language is another.
        SandboxError: this machine has no sandbox.
    """
    if language != "python":
        raise UsageError(f"Functions are judged in python, not in {language!r}. Judge the whole program with judge_program.")
    if len(inputs) != len(expected):
        raise UsageError(f"There are {len(inputs)} inputs and {len(expected)} expected values; they must be as many.")
    if not program.strip():
        return Judgement("empty_answer", [False] * len(inputs))
    limits = for_answers(limits)
    found = Judgement("passed")
    for start in range(0, len(inputs), BATCH):
        part = slice(start, start + BATCH)
        batch = _judge_batch(program, entry_point, inputs[part], expected[part], tolerance, limits, tier, rule)
        found = replace(batch, per_input=found.per_input + batch.per_input)
        if batch.status != "passed":
            break
    return replace(found, per_input=found.per_input + [False] * (len(inputs) - len(found.per_input)), outside=True)


def answers(
    program: str,
    entry_point: str,
    inputs: Sequence[Sequence[Any]],
    limits: Limits | None = None,
    *,
    tier: str | None = None,
) -> tuple[list[Any], float]:
    """What a function of a program returns for every input: how the right answers are had from a reference solution.

    Args:
        program: as of `judge`, and so the other arguments.
        entry_point: the function's name.
        inputs: its positional arguments, for each call.
        limits: for each batch of `BATCH` inputs.
        tier: as of `run_program`.

    Returns:
        The values, and the most processor seconds that a batch took.

    Raises:
        UsageError: the program does not answer every input with a plain value; the message says why.
        SandboxError: this machine has no sandbox.
    """
    limits = for_answers(limits)
    found: list[Any] = []
    most_s = 0.0
    for start in range(0, len(inputs), BATCH):
        nonces, said, ran = ask(program, entry_point, inputs[start : start + BATCH], limits, tier)
        for number, nonce in enumerate(nonces, start):
            kind, text = said.get(nonce, (unanswered(ran), ran.stderr[-300:]))
            if kind != "returned":
                raise UsageError(f"The program has no answer to input {number} of {entry_point!r}: {kind}, {text}.")
            found.append(values.loads(text))  # a large one as its hash, which is enough for `judge`
        most_s = max(most_s, ran.cpu_s)
    return found, most_s


def for_answers(limits: Limits | None) -> Limits:
    """The limits with room for the answers of a batch, which are output too."""
    limits = limits or Limits()
    return replace(limits, output_bytes=max(limits.output_bytes, ANSWERS_BYTES))


def judge_program(
    program: str, tests: str = "", language: str = "python", limits: Limits | None = None, *, tier: str | None = None
) -> Judgement:
    """Run a program with its tests, and believe it only if it comes to its end (`sentinel.py`: what this cannot defend).

    Args:
        program: the text, or all of it with the tests in it.
        tests: statements to run after it. In a language with braces, the text ends with the braces of `main`.
        language: as in `languages.LANGUAGES`.
        limits: what it may use.
        tier: as of `run_program`.

    Raises:
        UsageError: the language is unknown, or the text has no end to put the nonce at.
        SandboxError: this machine has no sandbox.
    """
    if not program.strip():
        return Judgement("empty_answer", [False])
    nonce = secrets.token_hex(16)
    text = ending_with(nonce, program, tests, language)
    try:
        allowed = limits or Limits()
        roomy = replace(allowed, output_bytes=max(allowed.output_bytes, PRINTED_BYTES))
        ran = run_program(text, language, limits=roomy, tier=tier)
    except ToolchainMissingError as error:
        return Judgement("not_evaluated", [False], detail=str(error))
    came_to_its_end = nonce in ran.stdout or nonce in ran.stderr
    kept = allowed.output_bytes  # of each: errors stand at the end
    stdout, stderr = ran.stdout.replace(nonce, "")[:kept], ran.stderr.replace(nonce, "")[-kept:]
    ran = replace(ran, stdout=stdout, stderr=stderr)
    if ran.status == "ok" and came_to_its_end:
        return Judgement("passed", [True], ran)
    detail = "it ended before its last test" if ran.status == "ok" else ran.reason
    return Judgement(unanswered(ran, text if language == "python" else ""), [False], ran, detail)


def same(answer: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Whether two plain values are equal: as `==` has it, with NaN equal to NaN and numbers within the tolerance of a float."""
    if isinstance(answer, NUMBERS) and isinstance(expected, NUMBERS):
        return _same_number(answer, expected, tolerance)
    if isinstance(answer, list | tuple):
        alike = type(answer) is type(expected) and len(answer) == len(expected)
        return alike and all(same(one, other, tolerance) for one, other in zip(answer, expected, strict=True))
    if answer == expected:
        return True
    if isinstance(answer, dict) and isinstance(expected, dict):
        ordered = isinstance(answer, OrderedDict) and isinstance(expected, OrderedDict)
        alike = list(answer) == list(expected) if ordered else answer.keys() == expected.keys()
        return alike and all(same(answer[key], expected[key], tolerance) for key in expected)
    return False


def _same_number(answer: Any, expected: Any, tolerance: float) -> bool:
    if answer == expected or (answer != answer and expected != expected):
        return True
    return tolerance > 0 and isinstance(expected, float | complex) and close(answer, expected, tolerance)


def close(answer: Any, expected: Any, tolerance: float) -> bool:
    """Whether two finite numbers differ by the tolerance or, beside it, `RELATIVE` of the expected one at most."""
    try:
        answer, expected = (float(one) if isinstance(one, Fraction | Decimal) else one for one in (answer, expected))
        near: bool = abs(answer - expected) <= tolerance + RELATIVE * abs(expected)
        return near and cmath.isfinite(answer) and cmath.isfinite(expected)
    except OverflowError:  # a whole number no float can hold
        return False


def _judge_batch(
    program: str,
    entry_point: str,
    inputs: Sequence[Sequence[Any]],
    expected: Sequence[Any],
    tolerance: float,
    limits: Limits,
    tier: str | None,
    rule: Rule | None,
) -> Judgement:
    nonces, said, ran = ask(program, entry_point, inputs, limits, tier)
    rule = rule or (lambda arguments, answer, value, within: same(answer, value, within))
    questions = zip(nonces, inputs, expected, strict=True)
    clock = hash_collisions.Clock()
    verdicts = [_verdict(said.get(nonce), given, value, tolerance, ran, rule, clock) for nonce, given, value in questions]
    status, detail = next((verdict for verdict in verdicts if verdict[0] != "passed"), ("passed", ""))
    return Judgement(status, [verdict[0] == "passed" for verdict in verdicts], ran, detail)


def ask(
    program: str, entry_point: str, inputs: Sequence[Sequence[Any]], limits: Limits, tier: str | None
) -> tuple[list[str], dict[str, tuple[str, str]], Execution]:
    """One run: the nonce of each input, what was said after each, and the run itself.

    Without an entry point, an input is a function's name, positional and named arguments, and answers come as they are.
    """
    nonces = [secrets.token_hex(16) for _ in inputs]
    try:
        lines = [f"{nonce} {values.dumps(list(arguments), exact=True)}" for nonce, arguments in zip(nonces, inputs, strict=True)]
    except values.NotPlainValueError as error:
        raise UsageError(f"An input of {entry_point!r} cannot be given to a program in the sandbox: {error}.") from None
    files = {"candidate.py": program.encode("utf-8", "surrogateescape")}
    questions = "\n".join([entry_point, *lines])
    ran = run_program(_HARNESS, stdin=questions, files=files, limits=limits, tier=tier, stdout_as_memory=True)
    return nonces, _answers(ran.stdout, set(nonces)), ran


# A child process that is started anew runs this file under another name.
_HARNESS = "if __name__ == '__main__':\n    from inside import function_calls\n    function_calls.answer()\n"
_ANSWER = re.compile(r"^([0-9a-f]{32}) (\w+) (.*)\n", re.MULTILINE)


def _answers(stdout: str, nonces: set[str]) -> dict[str, tuple[str, str]]:
    """Nonce → what was said first after it. A program may have written millions of other lines; none of them is kept."""
    found: dict[str, tuple[str, str]] = {}
    for line in _ANSWER.finditer(stdout):
        if line[1] in nonces:
            found.setdefault(line[1], (line[2], line[3]))
    return found


def _verdict(
    answer: tuple[str, str] | None,
    given: Sequence[Any],
    expected: Any,
    tolerance: float,
    ran: Execution,
    rule: Rule,
    clock: hash_collisions.Clock,
) -> tuple[str, str]:
    """Status and detail of one input."""
    if answer is None:
        return unanswered(ran), ran.reason or "it ended without an answer"
    kind, text = answer
    if kind == "compile_error":
        return "compile_error", text
    if kind == "raised":
        return "runtime_error", text
    try:
        answered = values.loads(text, clock)
        if isinstance(answered, values.Digest) or isinstance(expected, values.Digest):
            answered, expected = values.summary(answered), values.summary(expected)
        right = kind == "returned" and rule(given, answered, expected, tolerance)
    except (
        values.NotPlainValueError,
        RecursionError,
        ArithmeticError,
        TypeError,
        ValueError,
    ):  # a rule that cannot make sense of it
        right = False
    return ("passed", "") if right else ("wrong_answer", text[:500])


def unanswered(ran: Execution, python: str = "") -> str:
    """The status of a run that gave no answer."""
    if ran.status in ("timeout", "compile_error", "sandbox_error"):
        return ran.status
    if python and ran.stderr.rstrip().rpartition("\n")[2].startswith(("SyntaxError", "IndentationError")):
        return "compile_error"
    return "runtime_error"
