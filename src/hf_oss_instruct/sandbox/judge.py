"""Judge programs outside the sandbox: a program sees the inputs, never the expected values.

A program that cannot escape the sandbox can still fake a pass: by exiting early, returning an object that is equal to everything,
or patching the tests. Here it returns plain values (`inside/values.py`), each after its own nonce, and they are compared in this
process. Forging an answer requires knowing the correct one.
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
BATCH = 1024  # inputs per process
PRINTED_BYTES = 64 << 20  # output at which a whole program is ended; before that, output beyond its limit is discarded
ANSWERS_BYTES = 16 << 20  # output of one batch; answers are output too
NUMBERS = (int, float, complex, Fraction, Decimal)
RELATIVE = 1e-7  # relative to the expected value, added to the absolute tolerance: as evalplus calls numpy.allclose


Rule = Callable[[Sequence[Any], Any, Any, float], bool]
"""Arguments, answer, expected value, tolerance → whether the answer is correct."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a program.

    Attributes:
        status: one of `STATUSES`: that of the first input with a wrong answer, or `passed`.
        per_input: whether each input was answered correctly; a single entry for a whole program.
        execution: the run that decided it, or None if nothing was run. Its stdout holds the answers, not the program's output.
        detail: the exception or anomaly, in one line.
        outside: whether answers were compared outside the program's process, so that it cannot fake a pass.
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
    """Call a function of a program with every input and compare the return values.

    Args:
        program: source code that defines the function.
        entry_point: name of the function.
        inputs: positional arguments of each call.
        expected: expected return value of each call, compared with `==`; NaN equals NaN.
        tolerance: absolute tolerance for floats, in addition to `RELATIVE`; 0 for exact comparison.
        language: must be `python`; functions in other languages cannot be called from outside.
        limits: resource limits for each batch of `BATCH` inputs.
        tier: name of a sandbox tier, see `run_program`.
        rule: replaces `same` as the comparison, and also sees the arguments. It gets plain values only; raising means "wrong".

    Raises:
        UsageError: inputs and expected values differ in number, an input is not a plain value, or the language is not Python.
        SandboxError: no sandbox works on this machine.
    """
    if language != "python":
        raise UsageError(f"Only functions in python can be called, not in {language!r}. Judge the whole program: judge_program.")
    if len(inputs) != len(expected):
        raise UsageError(f"Got {len(inputs)} inputs and {len(expected)} expected values. Pass one expected value per input.")
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
    """Compute the return values of a function, such as the expected values of a reference solution.

    Args:
        program: source code that defines the function.
        entry_point: name of the function.
        inputs: positional arguments of each call.
        limits: resource limits for each batch of `BATCH` inputs.
        tier: name of a sandbox tier, see `run_program`.

    Returns:
        The return values, and the CPU time of the slowest batch in seconds.

    Raises:
        UsageError: a call does not return a plain value; the message says why.
        SandboxError: no sandbox works on this machine.
    """
    limits = for_answers(limits)
    found: list[Any] = []
    most_s = 0.0
    for start in range(0, len(inputs), BATCH):
        nonces, said, ran = ask(program, entry_point, inputs[start : start + BATCH], limits, tier)
        for number, nonce in enumerate(nonces, start):
            kind, text = said.get(nonce, (unanswered(ran), ran.stderr[-300:]))
            if kind != "returned":
                raise UsageError(f"The program gave no answer to input {number} of {entry_point!r}: {kind}, {text}.")
            found.append(values.loads(text))  # a large value as its hash, which is enough for `judge`
        most_s = max(most_s, ran.cpu_s)
    return found, most_s


def for_answers(limits: Limits | None) -> Limits:
    """Raise the output limit to make room for the answers of a batch, which are output too."""
    limits = limits or Limits()
    return replace(limits, output_bytes=max(limits.output_bytes, ANSWERS_BYTES))


def judge_program(
    program: str, tests: str = "", language: str = "python", limits: Limits | None = None, *, tier: str | None = None
) -> Judgement:
    """Run a program with its tests; it passes only if it runs to its end (`sentinel.py` says what this cannot prevent).

    Args:
        program: source code, which may include the tests.
        tests: statements to run after it. In a language with braces, they end with the closing braces of `main`.
        language: the program's language, see `languages.LANGUAGES`.
        limits: resource limits of the run.
        tier: name of a sandbox tier, see `run_program`.

    Raises:
        UsageError: the language is not supported, or the nonce cannot be inserted at the end of the text.
        SandboxError: no sandbox works on this machine.
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
    kept = allowed.output_bytes  # of each stream: errors are at the end
    stdout, stderr = ran.stdout.replace(nonce, "")[:kept], ran.stderr.replace(nonce, "")[-kept:]
    ran = replace(ran, stdout=stdout, stderr=stderr)
    if ran.status == "ok" and came_to_its_end:
        return Judgement("passed", [True], ran)
    detail = "it ended before its last test" if ran.status == "ok" else ran.reason
    return Judgement(unanswered(ran, text if language == "python" else ""), [False], ran, detail)


def same(answer: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Compare two plain values with `==`, except that NaN equals NaN and floats may differ by the tolerance.

    Args:
        answer: the value that a program returned.
        expected: the expected value.
        tolerance: absolute tolerance for floats, in addition to `RELATIVE`; 0 for exact comparison.
    """
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
    """Whether two finite numbers differ by at most `tolerance + RELATIVE * abs(expected)`.

    Args:
        answer: the number that a program returned.
        expected: the expected number.
        tolerance: absolute tolerance.
    """
    try:
        answer, expected = (float(one) if isinstance(one, Fraction | Decimal) else one for one in (answer, expected))
        near: bool = abs(answer - expected) <= tolerance + RELATIVE * abs(expected)
        return near and cmath.isfinite(answer) and cmath.isfinite(expected)
    except OverflowError:  # an integer too large for a float
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
    program: str,
    entry_point: str,
    inputs: Sequence[Sequence[Any]],
    limits: Limits,
    tier: str | None,
    packages: tuple[str, ...] = (),
) -> tuple[list[str], dict[str, tuple[str, str]], Execution]:
    """Ask a program for the answers to several inputs, in one run.

    Args:
        program: source code of the program.
        entry_point: name of the function. If empty, each input is a function name, positional and keyword arguments, and
            answers are returned as they are.
        inputs: positional arguments of each call.
        limits: resource limits of the run.
        tier: name of a sandbox tier, see `run_program`.
        packages: as of `run_program`.

    Returns:
        The nonce of each input, nonce → kind and text of the answer, and the run itself.
    """
    nonces = [secrets.token_hex(16) for _ in inputs]
    try:
        lines = [f"{nonce} {values.dumps(list(arguments), exact=True)}" for nonce, arguments in zip(nonces, inputs, strict=True)]
    except values.NotPlainValueError as error:
        raise UsageError(f"An input of {entry_point!r} cannot be sent to the sandbox: {error}.") from None
    files = {"candidate.py": program.encode("utf-8", "surrogateescape")}
    questions = "\n".join([entry_point, *lines])
    ran = run_program(_HARNESS, stdin=questions, files=files, limits=limits, tier=tier, stdout_as_memory=True, packages=packages)
    return nonces, _answers(ran.stdout, set(nonces)), ran


# A child process started with `spawn` runs this file under another name.
_HARNESS = "if __name__ == '__main__':\n    from inside import function_calls\n    function_calls.answer()\n"
_ANSWER = re.compile(r"^([0-9a-f]{32}) (\w+) (.*)\n", re.MULTILINE)


def _answers(stdout: str, nonces: set[str]) -> dict[str, tuple[str, str]]:
    """Map each nonce to the first answer after it. Other lines, of which there may be millions, are not kept."""
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
    """Decide the status and detail of one input."""
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
    ):  # the rule cannot handle the answer
        right = False
    return ("passed", "") if right else ("wrong_answer", text[:500])


def unanswered(ran: Execution, python: str = "") -> str:
    """Return the status of a run that gave no answer."""
    if ran.status in ("timeout", "compile_error", "sandbox_error"):
        return ran.status
    if python and ran.stderr.rstrip().rpartition("\n")[2].startswith(("SyntaxError", "IndentationError")):
        return "compile_error"
    return "runtime_error"
