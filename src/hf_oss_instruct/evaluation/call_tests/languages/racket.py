"""Racket: rackunit's `(check-within (candidate …) … 0.001)`: numbers anywhere in a value may differ by that much."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import ExpectedCall, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import is_number, same, strict

WITHIN = 0.001
_HEAD = re.compile(
    r"\s*\(require rackunit\)\s*\(define \(test-humaneval\)\s*\(let \(\(\s*candidate (?P<function>[^\s()\[\]{}\"]+)\s*\)\)\s*"
)
_FOOT = re.compile(r"\)\)\s*\(test-humaneval\)\s*\Z")
# A string, a boolean, or anything else without brackets and quotes.
_ATOM = re.compile(r'"(?:[^"\\]|\\.)*"|#[tf]\b|[^\s()\[\]{}"#\';`,]+', re.DOTALL)


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `test-humaneval`."""
    starts = r"\(check-within\s+(?=\(candidate[\s)])"
    return listed_calls(Cursor(tests, '"'), _HEAD, starts, _pair, _FOOT, lambda head: head["function"])


def _pair(cursor: Cursor) -> ExpectedCall | None:
    call, value = _datum(cursor), _datum(cursor)
    return (call, value) if call and value and cursor.take(rf"{WITHIN}\)\s*") else None


def _datum(cursor: Cursor) -> str:
    """Consume the next expression; empty if there is none."""
    start = cursor.at
    if not cursor.take(_ATOM):
        cursor.take(r"(?:'|#hash)?(?=\()")
        opened = cursor.at
        cursor.bracketed()
        if cursor.at == opened:
            return ""
    text = cursor.text[start : cursor.at]
    cursor.take(r"\s+")
    return text


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Put the printer into a separate module, so that the solution's definitions do not affect it.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    calls = numbered(f"  (calls_{nonce[:16]} AT VALUE)", tests.calls)
    return f"{program}\n{printer('racket.rkt', nonce)}(let ((candidate {tests.before}))\n{calls})\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"#lang racket\n{printer('racket.rkt', nonce)}{numbered(f'(calls_{nonce[:16]} AT VALUE)', tests.expected)}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like `equal?`, and numbers like `check-within`."""
    return same(answer, expected, _leaves)


def _leaves(answer: Value, expected: Value) -> bool:
    if is_number(answer) and is_number(expected):
        return bool(abs(answer - expected) <= WITHIN)  # an infinite answer is never within
    return strict(answer, expected)


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
