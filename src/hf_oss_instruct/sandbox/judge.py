"""Is it right? Decided outside the sandbox: the program sees the inputs, never the expected values.

A program that cannot escape can still pretend to pass: by leaving early, by an object equal to everything, by patching the tests. Here
it returns plain values (`inside/values.py`), each after a nonce of its own, and they are compared in this process. Whoever forges an
answer has to know the right one.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hf_oss_instruct.errors import ToolchainMissing, UsageError
from hf_oss_instruct.sandbox.backends import INSIDE
from hf_oss_instruct.sandbox.inside import values
from hf_oss_instruct.sandbox.limits import Execution, Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.sandbox.sentinel import ending_with

STATUSES = ("passed", "wrong_answer", "runtime_error", "timeout", "compile_error", "empty_answer", "sandbox_error", "not_evaluated")
BATCH = 256  # inputs to one process
ANSWERS_BYTES = 16 << 20  # output of one batch; answers are output too
RELATIVE = 1e-7  # of the expected value, beside the absolute tolerance: as evalplus calls numpy.allclose


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is held of a program.

    Attributes:
        status: one of `STATUSES`, that of the first input that was not answered rightly.
        per_input: whether each input was answered rightly; one entry for a whole program.
        execution: the run that decided it, or None if nothing was run. Its stdout is not the program's but the answers.
        detail: what was raised or what was odd, in one line.
    """

    status: str
    per_input: list[bool] = field(default_factory=list)
    execution: Execution | None = None
    detail: str = ""


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
    limits = limits or Limits()
    limits = replace(limits, output_bytes=max(limits.output_bytes, ANSWERS_BYTES))
    found = Judgement("passed")
    for start in range(0, len(inputs), BATCH):
        part = slice(start, start + BATCH)
        batch = _judge_batch(program, entry_point, inputs[part], expected[part], tolerance, limits, tier)
        found = replace(batch, per_input=found.per_input + batch.per_input)
        if batch.status != "passed":
            break
    return replace(found, per_input=found.per_input + [False] * (len(inputs) - len(found.per_input)))


def judge_program(
    program: str, tests: str = "", language: str = "python", limits: Limits | None = None, *, tier: str | None = None
) -> Judgement:
    """Run a program with its tests, and believe it only if it comes to its end; see `sentinel.py` for what this cannot defend against.

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
        ran = run_program(text, language, limits=limits, tier=tier)
    except ToolchainMissing as error:
        return Judgement("not_evaluated", [False], detail=str(error))
    came_to_its_end = nonce in ran.stdout or nonce in ran.stderr
    ran = replace(ran, stdout=ran.stdout.replace(nonce, ""), stderr=ran.stderr.replace(nonce, ""))
    if ran.status == "ok" and came_to_its_end:
        return Judgement("passed", [True], ran)
    detail = "it ended before its last test" if ran.status == "ok" else ""
    return Judgement(_why(ran, text if language == "python" else ""), [False], ran, detail)


def same(answer: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Whether two plain values are equal: as `==` has it, with NaN equal to NaN and floats within the tolerance."""
    if isinstance(answer, float) or isinstance(expected, float):
        return _same_number(answer, expected, tolerance)
    if isinstance(answer, list | tuple):
        alike = type(answer) is type(expected) and len(answer) == len(expected)
        return alike and all(same(one, other, tolerance) for one, other in zip(answer, expected, strict=True))
    if isinstance(answer, dict):
        alike = isinstance(expected, dict) and answer.keys() == expected.keys()
        return alike and all(same(answer[key], expected[key], tolerance) for key in expected)
    return bool(answer == expected)


def _same_number(answer: Any, expected: Any, tolerance: float) -> bool:
    if not isinstance(answer, int | float) or not isinstance(expected, int | float):
        return False
    if answer == expected or (answer != answer and expected != expected):
        return True
    try:
        return tolerance > 0 and math.isfinite(expected) and abs(answer - expected) <= tolerance + RELATIVE * abs(expected)
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
) -> Judgement:
    nonces = [secrets.token_hex(16) for _ in inputs]
    try:
        questions = [f"{nonce} {values.dumps(list(arguments))}" for nonce, arguments in zip(nonces, inputs, strict=True)]
    except values.NotPlain as error:
        raise UsageError(f"An input of {entry_point!r} cannot be given to a program in the sandbox: {error}.") from None
    harness = "\n".join((INSIDE / name).read_text() for name in ("values.py", "answers.py")).replace(_FUTURE, "")
    source = f"{_FUTURE}\n{harness}"
    files = {"candidate.py": program.encode("utf-8", "surrogateescape")}
    ran = run_program(source, stdin="\n".join([entry_point, *questions]), files=files, limits=limits, tier=tier)
    answers = _answers(ran.stdout)
    verdicts = [_verdict(answers.get(nonce), value, tolerance, ran) for nonce, value in zip(nonces, expected, strict=True)]
    status, detail = next((verdict for verdict in verdicts if verdict[0] != "passed"), ("passed", ""))
    return Judgement(status, [verdict[0] == "passed" for verdict in verdicts], ran, detail)


_FUTURE = "from __future__ import annotations\n"


def _answers(stdout: str) -> dict[str, tuple[str, str]]:
    """Nonce → what was said first after it."""
    found: dict[str, tuple[str, str]] = {}
    for line in stdout.splitlines():
        nonce, _, rest = line.partition(" ")
        kind, _, text = rest.partition(" ")
        found.setdefault(nonce, (kind, text))
    return found


def _verdict(answer: tuple[str, str] | None, expected: Any, tolerance: float, ran: Execution) -> tuple[str, str]:
    """Status and detail of one input."""
    if answer is None:
        return _why(ran), "it ended without an answer"
    kind, text = answer
    if kind == "compile_error":
        return "compile_error", text
    if kind == "raised":
        return "runtime_error", text
    try:
        right = kind == "returned" and same(values.loads(text), expected, tolerance)
    except (values.NotPlain, RecursionError):
        right = False
    return ("passed", "") if right else ("wrong_answer", text[:500])


def _why(ran: Execution, python: str = "") -> str:
    """The status of a run that gave no answer."""
    if ran.status in ("timeout", "compile_error", "sandbox_error"):
        return ran.status
    if python and ran.stderr.rstrip().rpartition("\n")[2].startswith(("SyntaxError", "IndentationError")):
        return "compile_error"
    return "runtime_error"
