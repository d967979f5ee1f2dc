"""C++: `assert(candidate(…) == (…));`, where containers must have the same type and an optional value equals its content."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import equation, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Some, Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import same

_HEAD = re.compile(r"\s*(\}?)\s*int main\(\) \{\s*(auto candidate = \w+;)\s*")
_FOOT = re.compile(r"\}\s*\Z")
_UNION = re.compile(r"^[ \t]*(?:[\w:]*<)*Union_\w+[\w<>:, ]*\w+\([^()]*\)[ \t]*\{\s*\Z", re.MULTILINE)
_HEADERS = "#include<assert.h>\n#include<bits/stdc++.h>\n"


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `main`, which a brace that closes the function may precede."""
    # No method: only `==` compares.
    pair = equation("(?!)", "candidate(")
    return listed_calls(Cursor(tests), _HEAD, r"assert(?=\()", pair, _FOOT, lambda head: "\n".join(head.groups()))


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Put the printer after the solution, then the calls.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    # The brace that closes the function, and `auto candidate = …`, which belongs into `main`.
    closing, _, alias = tests.before.partition("\n")
    lines = numbered(f"    calls_{nonce[:16]}::say_value(AT, VALUE);", tests.calls)
    return f"{program}\n{closing}\n{printer('cpp.cpp', nonce)}int main() {{\n    {alias}\n{lines}\n}}\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Print the expected values. A union does not know which member it holds, so only its own operators can compare it.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    lines = numbered(f"    calls_{nonce[:16]}::say_value(AT, VALUE);", tests.expected)
    unknown = "#error a union has no value that could be printed\n" if _UNION.search(prompt) else ""
    return f"{unknown}{_HEADERS}{printer('cpp.cpp', nonce)}int main() {{\n{lines}\n}}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like C++'s `==`: numbers by value, optional values by content."""
    return same(answer, expected, _leaves)


def _leaves(answer: Value, expected: Value) -> bool:
    if isinstance(answer, Some) != isinstance(expected, Some):
        one, other = (answer.value, expected) if isinstance(answer, Some) else (answer, expected.value)
        return other is not None and one is not None and equal(one, other)
    if isinstance(answer, int | float) and isinstance(expected, int | float):
        return answer == expected
    return type(answer) is type(expected) and bool(answer == expected)


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
