"""Judge programs outside the sandbox: a program sees the inputs, never the expected values.

A program that cannot escape the sandbox can still fake a pass: by exiting early, returning an object that is equal to everything,
or patching the tests. Here it returns plain values (`inside/values.py`), each after its own nonce, and they are compared in this
process. Forging an answer requires knowing the correct one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.inside import hash_collisions, values
from hf_oss_instruct.sandbox.judging.calls import answer_limits, call_functions
from hf_oss_instruct.sandbox.judging.comparison import ComparisonRule, same
from hf_oss_instruct.sandbox.judging.judgement import Judgement, status_without_answer
from hf_oss_instruct.sandbox.limits import Execution, Limits

BATCH_SIZE = 1024  # inputs per process
# raised by a comparison that cannot handle an answer, which is then wrong
_RULE_ERRORS = (values.NotPlainValueError, RecursionError, ArithmeticError, TypeError, ValueError)


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
    rule: ComparisonRule | None = None,
) -> Judgement:
    """Call a function of a program with every input and compare the return values.

    Args:
        program: source code that defines the function.
        entry_point: name of the function.
        inputs: (calls,) positional arguments of each call.
        expected: (calls,) expected return value of each call, compared with `==`; NaN equals NaN.
        tolerance: absolute tolerance for floats, in addition to 1e-7 of the expected value; 0 for exact comparison.
        language: must be `python`; functions in other languages cannot be called from outside.
        limits: resource limits for each batch of 1,024 calls.
        tier: sandbox tier: `bubblewrap`, `landlock` or `unsafe-none` (no isolation); the best available one by default.
        rule: a function that decides instead of `==`, from arguments, answer, expected value and tolerance. It gets plain values
            only; raising means "wrong".

    Returns:
        A judgement: `status` (`passed`, `wrong_answer`, `runtime_error`, `timeout`, …), `per_input` (calls,) whether each call
        returned the expected value, `outside` whether the values were compared outside the program's process, and `detail`,
        the wrong answer or the error in one line. After a batch with a wrong answer, the remaining calls are not made and count
        as wrong.

    Raises:
        UsageError: inputs and expected values differ in number, an input is not a plain value, or the language is not Python.
        SandboxError: no sandbox works on this machine.
    """
    check_type("program", program, str, "the text of a program")
    check_type("entry_point", entry_point, str, "the name of a function")
    check_type("inputs", inputs, Iterable, "a list with the arguments of each call")
    check_type("expected", expected, Iterable, "a list with a value for each call")
    inputs, expected = list(inputs), list(expected)
    for arguments in inputs:
        check_type("Each of inputs", arguments, Iterable, "a list of arguments")
    check_type("limits", limits, Limits | None, "a Limits, such as Limits(wall_s=5)")
    if language != "python":
        raise UsageError(f"Only functions in python can be called, not in {language!r}. Judge the whole program: judge_program.")
    if len(inputs) != len(expected):
        raise UsageError(f"Got {len(inputs)} inputs and {len(expected)} expected values. Pass one expected value per input.")
    if not program.strip():
        return Judgement("empty_answer", [False] * len(inputs))
    limits = answer_limits(limits)
    judgement = Judgement("passed")
    for start in range(0, len(inputs), BATCH_SIZE):
        part = slice(start, start + BATCH_SIZE)
        batch = _judge_batch(program, entry_point, inputs[part], expected[part], tolerance, limits, tier, rule)
        judgement = replace(batch, per_input=judgement.per_input + batch.per_input)
        # One wrong answer decides the verdict, so the remaining batches are not run.
        if batch.status != "passed":
            break
    return replace(judgement, per_input=judgement.per_input + [False] * (len(inputs) - len(judgement.per_input)), outside=True)


def return_values(
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
        limits: resource limits for each batch of `BATCH_SIZE` inputs.
        tier: name of a sandbox tier, see `run_program`.

    Returns:
        The return values, and the CPU time of the slowest batch in seconds.

    Raises:
        UsageError: a call does not return a plain value; the message says why.
        SandboxError: no sandbox works on this machine.
    """
    limits = answer_limits(limits)
    returned: list[Any] = []
    most_s = 0.0
    for start in range(0, len(inputs), BATCH_SIZE):
        nonces, answers, ran = call_functions(program, entry_point, inputs[start : start + BATCH_SIZE], limits, tier)
        for number, nonce in enumerate(nonces, start):
            kind, text = answers.get(nonce, (status_without_answer(ran), ran.stderr[-300:]))
            if kind != "returned":
                raise UsageError(f"The program gave no answer to input {number} of {entry_point!r}: {kind}, {text}.")
            returned.append(values.loads(text))  # a large value as its hash, which is enough for `judge`
        most_s = max(most_s, ran.cpu_s)
    return returned, most_s


def _judge_batch(
    program: str,
    entry_point: str,
    inputs: Sequence[Sequence[Any]],
    expected: Sequence[Any],
    tolerance: float,
    limits: Limits,
    tier: str | None,
    rule: ComparisonRule | None,
) -> Judgement:
    nonces, answers, ran = call_functions(program, entry_point, inputs, limits, tier)
    rule = rule or (lambda arguments, answer, value, within: same(answer, value, within))
    questions = zip(nonces, inputs, expected, strict=True)
    # One for all answers: colliding sets in each of a thousand answers would otherwise each get the full time.
    clock = hash_collisions.Clock()
    results = [_result(answers.get(nonce), given, value, tolerance, ran, rule, clock) for nonce, given, value in questions]
    status, detail = next((result for result in results if result[0] != "passed"), ("passed", ""))
    return Judgement(status, [result[0] == "passed" for result in results], ran, detail)


def _result(
    answer: tuple[str, str] | None,
    given: Sequence[Any],
    expected: Any,
    tolerance: float,
    ran: Execution,
    rule: ComparisonRule,
    clock: hash_collisions.Clock,
) -> tuple[str, str]:
    """Decide the status and detail of one input."""
    if answer is None:
        return status_without_answer(ran), ran.reason or "it ended without an answer"
    kind, text = answer
    if kind == "compile_error":
        return "compile_error", text
    if kind == "raised":
        return "runtime_error", text
    try:
        answered = values.loads(text, clock)
        # A large value travels as its hash, so its counterpart is hashed too.
        if isinstance(answered, values.Digest) or isinstance(expected, values.Digest):
            answered, expected = values.summary(answered), values.summary(expected)
        right = kind == "returned" and rule(given, answered, expected, tolerance)
    except _RULE_ERRORS:
        right = False
    return ("passed", "") if right else ("wrong_answer", text[:500])
