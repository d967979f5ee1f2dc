"""What a language has to say so that its tests are graded from outside the solution's process.

A module of this package for a language defines `LANGUAGE`, a `CallLanguage`. Its functions build two programs: the solution's,
which holds the calls and no expected value, and one without the solution, which evaluates the expected expressions. Both print
each value as a line `NONCE NUMBER TEXT`, where TEXT is as in `canonical.py`, NUMBER counts the calls from 0, and a newline stands
before it, so that what the solution printed without one does no harm. The nonce is no secret: it tells lines apart. Whoever
forges a line has to know the right value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hf_oss_instruct.evaluation.call_tests.canonical import Value, loads


@dataclass(frozen=True, slots=True)
class CallTests:
    """A test program, read as calls with expected values; all texts are in the problem's language.

    Attributes:
        before: what stands before the first call and is needed by it: a closing brace, helpers, the function's alias.
        calls: expressions that call the solution.
        expected: an expression for the value of each call.
    """

    before: str
    calls: tuple[str, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallLanguage:
    """How tests of a language are graded from outside.

    Attributes:
        read: the text of a test program → its calls, or None if it has another shape.
        solution_program: the solution, its tests, a nonce → a program that prints the value of each call.
        expected_program: tests, the problem's prompt, a nonce → a program that prints the expected values.
        equal: whether an answer is what is expected, by the equality of the language's tests.
        parse: the text of a printed value → the value. Raises `NotCanonicalError`.
    """

    read: Callable[[str], CallTests | None]
    solution_program: Callable[[str, CallTests, str], str]
    expected_program: Callable[[CallTests, str, str], str]
    equal: Callable[[Value, Value], bool]
    parse: Callable[[str], Value] = loads


@cache
def _template(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def printer(name: str, nonce: str) -> str:
    """A file of this package that prints values in its language: `NONCE` becomes the nonce; `HIDDEN` a name for our own use."""
    return _template(name).replace("HIDDEN", f"calls_{nonce[:16]}").replace("NONCE", nonce)
