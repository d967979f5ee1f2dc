"""Whether a program passes a recorded check, given its answers to the calls in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hf_oss_instruct.sandbox.inside import hash_collisions, values
from hf_oss_instruct.sandbox.judging.check_operations import Iterated, apply
from hf_oss_instruct.sandbox.judging.judgement import status_without_answer
from hf_oss_instruct.sandbox.limits import Execution

PASSED = ("passed", "")
_ERRORS = (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, AttributeError, MemoryError)
CheckStatus = tuple[str, str]
"""Status and detail."""
Answers = Iterator[tuple[str, str] | None]
"""Kind and text of the answer to each call, in order; None for a call without an answer."""


class _CallFailedError(Exception):
    """A call in a check gave no value.

    Args:
        status: one of `judge.STATUSES`.
        detail: the reason.
        kinds: class names of the exception that was raised, base classes included.
    """

    def __init__(self, status: str, detail: str, kinds: Sequence[str] = ()) -> None:
        self.status, self.detail, self.kinds = status, detail, kinds


def calls_of(check: Any) -> Iterator[list[Any]]:
    """Yield the name, positional and keyword arguments of each call in a check, in the order in which its answers are used."""
    kind, *rest = check
    if kind == "call":
        yield rest
    elif kind == "raises":
        yield from calls_of(rest[1])
    elif kind == "op":
        for child in rest[1]:
            yield from calls_of(child)


def first_failure(checks: Sequence[Any], answers: Answers, ran: Execution, clock: hash_collisions.Clock) -> CheckStatus:
    """Return the result of the first check that fails, or `PASSED`.

    Args:
        checks: recorded checks.
        answers: answers of the program; those to all the checks are consumed.
        ran: the run of the program, which says why an answer is missing.
        clock: limits the time that sets of returned values may take.
    """
    results = [check_result(check, answers, ran, clock) for check in checks]
    return next((result for result in results if result != PASSED), PASSED)


def check_result(check: Any, answers: Answers, ran: Execution, clock: hash_collisions.Clock) -> CheckStatus:
    """Evaluate a check.

    Args:
        check: a recorded check.
        answers: answers of the program; as many are consumed as the check has calls.
        ran: the run of the program, which says why an answer is missing.
        clock: limits the time that sets of returned values may take.
    """
    # All of them at once: if one call fails, the next check must still start at its own first answer.
    own = iter([next(answers) for _ in calls_of(check)])
    kind, *rest = check
    try:
        if kind == "raises":
            value = _value(rest[1], own, ran, clock)
            return "wrong_answer", f"{' or '.join(rest[0])} was not raised, but returned: {value!r:.200}"
        right = bool(_value(check, own, ran, clock))
    except _CallFailedError as error:
        if kind == "raises" and set(error.kinds) & set(rest[0]):
            return PASSED
        return error.status, error.detail
    except _ERRORS as error:
        return "wrong_answer", f"{type(error).__name__}: {error}"[:500]
    return PASSED if right else ("wrong_answer", f"AssertionError: {_shown(check)}"[:500])


def _value(tree: Any, answers: Answers, ran: Execution, clock: hash_collisions.Clock) -> Any:
    kind, *rest = tree
    if kind == "value":
        return rest[0]
    if kind == "call":
        return _returned(next(answers), ran, clock)
    name, children = rest
    return apply(name, [_value(child, answers, ran, clock) for child in children], clock)


def _returned(answer: tuple[str, str] | None, ran: Execution, clock: hash_collisions.Clock) -> Any:
    if answer is None:
        raise _CallFailedError(status_without_answer(ran), "it ended before its last test")
    kind, text = answer
    if kind == "compile_error":
        raise _CallFailedError("compile_error", text)
    if kind == "raised":
        kinds, _, message = text.strip("'\"").partition(": ")
        raise _CallFailedError("runtime_error", f"{kinds.partition('|')[0]}: {message}", kinds.split("|"))
    if kind not in ("returned", "iterated"):
        raise _CallFailedError("wrong_answer", text)
    value = values.loads(text, clock)
    return Iterated(value) if kind == "iterated" else value


def _shown(tree: Any) -> str:
    """Format a check for messages."""
    kind, *rest = tree
    if kind == "value":
        return f"{rest[0]!r:.100}"
    if kind == "call":
        arguments = [*map(repr, rest[1]), *(f"{name}={value!r}" for name, value in rest[2].items())]
        return f"{rest[0]}({', '.join(arguments)[:200]})"
    name, children = rest
    return f" {name} ".join(map(_shown, children)) if len(children) == 2 else f"{name}({', '.join(map(_shown, children))})"
