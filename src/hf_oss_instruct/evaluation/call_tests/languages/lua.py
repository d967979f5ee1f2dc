"""Lua: LuaUnit's `lu.assertEquals(candidate(…), …)`: tables by their content, 1 is 1.0."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import arguments, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import by_value, same

_HEAD = re.compile(r"\s*lu = require\('luaunit'\)\s*function test_humaneval\(\)\s*(local candidate = \w+)\s+")
_FOOT = re.compile(r"end\s+os\.exit\(lu\.LuaUnit\.run\(\)\)\s*\Z")


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `test_humaneval`."""
    return listed_calls(Cursor(tests), _HEAD, r"lu\.assertEquals(?=\()", arguments("candidate(", r"\s+"), _FOOT)


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Define the printer before the solution; a parenthesized call gives only its first value, as in an argument list.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    calls = numbered(f"    calls_{nonce[:16]}(AT, (VALUE))", tests.calls)
    return f"{printer('lua.lua', nonce)}{program}\ndo\n    {tests.before}\n{calls}\nend\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"{printer('lua.lua', nonce)}{numbered(f'calls_{nonce[:16]}(AT, (VALUE))', tests.expected)}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like `assertEquals`."""
    return same(answer, expected, by_value)


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
