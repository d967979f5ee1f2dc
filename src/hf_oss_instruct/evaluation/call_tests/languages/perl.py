"""Perl: Test::Deep's `eq_deeply($candidate->(…),…)`, which compares scalars as text."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import arguments, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import same, strict

_HEAD = re.compile(r"\s*use Test::Deep;\s*sub testhumaneval \{\s*(my \$candidate = \\&\w+;)\s*")
_ELSE = re.compile(r"\s*\)\s*\{\s*print \"ok!\"\s*\}else\{\s*exit 1;\s*\}\s*")
_FOOT = re.compile(r"\}\s*testhumaneval\(\);\s*\Z")


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `testhumaneval`."""
    return listed_calls(Cursor(tests), _HEAD, r"if\(eq_deeply(?=\()", arguments("$candidate->(", _ELSE), _FOOT)


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Build the program; the printer uses its own output handle, whatever the solution selects. An empty list is undef.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    calls = numbered(f"    $calls_{nonce[:16]}->(AT, VALUE);", tests.calls)
    return f"{printer('perl.pl', nonce)}{program}\n;{{\n    {tests.before}\n{calls}\n}}\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"{printer('perl.pl', nonce)}{numbered(f'$calls_{nonce[:16]}->(AT, VALUE);', tests.expected)}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like `eq_deeply` for values that are not blessed."""
    return same(answer, expected, strict)


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
