"""PHP: `if (candidate(…) !== …) { throw … }`: types and the order of array keys matter."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import ExpectedCall, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Map, Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import same, strict

_HEAD = re.compile(
    r"\s*(function candidate\(\.\.\.\$args\) \{\s*return \w+\(\.\.\.\$args\);\s*\})\s*function test\(\): void \{\s*"
)
_THROWS = re.compile(r'\s*\{ throw new Exception\("Test failed!"\); \}\s*')
_FOOT = re.compile(r"\}\s*test\(\);\s*\Z")


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `test` function."""
    return listed_calls(Cursor(tests), _HEAD, r"if \(", _pair, _FOOT)


def _pair(cursor: Cursor) -> ExpectedCall | None:
    call = cursor.call()
    if not call or not cursor.take(" !== "):
        return None
    value = cursor.rest_of_bracket()
    return (call, value) if value and cursor.take(_THROWS) else None


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Append the printer and the calls: PHP functions are visible in the whole file, which must start with `<?php`.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    calls = numbered(f"    calls_{nonce[:16]}(AT, VALUE);", tests.calls)
    # After `?>`, the printer would be text to print.
    program = program.rstrip().removesuffix("?>")
    return f"{program}\n{tests.before}\n{printer('php.php', nonce)}(function () {{\n{calls}\n}})();\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"<?php\n{printer('php.php', nonce)}{numbered(f'calls_{nonce[:16]}(AT, VALUE);', tests.expected)}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like `===`."""
    return same(answer, expected, strict) and _orders(answer) == _orders(expected)


def _orders(value: Value) -> list[list[str]]:
    """List the keys of every map in a value, in order."""
    if isinstance(value, Map):
        return [list(value.pairs), *(order for _, inner in value.pairs.values() for order in _orders(inner))]
    return [order for item in value for order in _orders(item)] if isinstance(value, list) else []


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
