"""The interface that a language implements to have its tests graded outside the solution's process.

A module of `languages/` defines `LANGUAGE`, a `CallLanguage`. Its functions build two programs: the solution's,
which holds the calls and no expected value, and one without the solution, which evaluates the expected expressions. Both print
each value as a line `NONCE NUMBER TEXT`, where TEXT is in the format of `canonical.py` and NUMBER counts the calls from 0. A
newline precedes it, in case the solution printed an unfinished line. The nonce is not a secret, it only identifies the lines:
forging one requires knowing the correct value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hf_oss_instruct.evaluation.call_tests.canonical import Value, loads


@dataclass(frozen=True, slots=True)
class CallTests:
    """A test program, parsed into calls with expected values; all code is in the problem's language.

    Attributes:
        before: code that the first call needs before it: a closing brace, helpers, the function's alias.
        calls: expressions that call the solution.
        expected: an expression for the value of each call.
    """

    before: str
    calls: tuple[str, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallLanguage:
    """How tests of a language are graded outside.

    Attributes:
        read: source of a test program → its calls, or None if it has another form.
        solution_program: solution, tests, nonce → a program that prints the value of each call.
        expected_program: tests, the problem's prompt, nonce → a program that prints the expected values.
        equal: whether an answer equals the expected value, by the rules of the language's tests.
        parse: printed text → value. Raises `NotCanonicalError`.
    """

    read: Callable[[str], CallTests | None]
    solution_program: Callable[[str, CallTests, str], str]
    expected_program: Callable[[CallTests, str, str], str]
    equal: Callable[[Value, Value], bool]
    parse: Callable[[str], Value] = loads


@cache
def _template(name: str) -> str:
    return (Path(__file__).parent / "languages" / name).read_text("utf-8")


def printer(name: str, nonce: str) -> str:
    """Load the code that prints values in a language; `NONCE` is replaced by the nonce, `HIDDEN` by a name derived from it."""
    return _template(name).replace("HIDDEN", f"calls_{nonce[:16]}").replace("NONCE", nonce)
