"""Ruby: test-unit's `assert_equal(…, candidate.call(…))`, which compares with `==`: 1 is 1.0, keys of hashes by `eql?`."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import ExpectedCall, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import by_value, same

_HEAD = re.compile(
    r"\s*require 'test/unit'\s+class \w+ < Test::Unit::TestCase\s+def test_\w+\s+(candidate = method\(:\w+[?!]?\))\s+"
)
_FOOT = re.compile(r"end\s+end\s*\Z")


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's test case."""
    return listed_calls(Cursor(tests), _HEAD, r"assert_equal(?=\()", _pair, _FOOT)


def _pair(cursor: Cursor) -> ExpectedCall | None:
    parts = cursor.bracketed()
    if len(parts) != 2 or not parts[1].startswith("candidate.call(") or not cursor.take(r"\s+"):
        return None
    return parts[1], parts[0]


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Define the printer before the solution, so that it uses the language's original methods.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    name = f"calls_{nonce[:16]}"
    return f"{printer('ruby.rb', nonce)}{program}\n{tests.before}\n{numbered(f'{name}.call(AT, VALUE)', tests.calls)}\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"{printer('ruby.rb', nonce)}{numbered(f'calls_{nonce[:16]}.call(AT, VALUE)', tests.expected)}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like `==`."""
    return same(answer, expected, by_value)


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
