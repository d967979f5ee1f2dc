"""JavaScript and TypeScript: `assert.deepEqual(candidate(…),…)`, which compares loosely, as `==` does."""

from __future__ import annotations

import re
from functools import partial

from hf_oss_instruct.evaluation.call_tests.call_lists import arguments, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import is_number, same

_HEAD = re.compile(
    r"\s*(?:declare var require: any;\s*)?const assert = require\('node:assert'\);\s*function test\(\) \{\s*"
    r"(let candidate = [\w$]+;)\s*"
)
_FOOT = re.compile(r"\}\s*test\(\);\s*\Z")
_DECLARED = "declare var require: any;\n"
_NUMERAL = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|Infinity)")
_OTHER_BASE = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `test` function."""
    return listed_calls(Cursor(tests, "\"'`"), _HEAD, r"assert\.deepEqual(?=\()", arguments("candidate(", r";\s*"), _FOOT)


def solution_program(program: str, tests: CallTests, nonce: str, declared: str = "") -> str:
    """Define the printer before the solution, so that it uses the original builtins; put the calls after it.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
        declared: declarations that TypeScript needs first.
    """
    name = f"calls_{nonce[:16]}"
    calls = numbered(f"  {name}(AT, VALUE);", tests.calls)
    return f"{declared}{printer('javascript.js', nonce)}{program}\n;(() => {{\n  {tests.before}\n{calls}\n}})();\n"


def expected_program(tests: CallTests, prompt: str, nonce: str, declared: str = "") -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
        declared: declarations that TypeScript needs first.
    """
    name = f"calls_{nonce[:16]}"
    return f"{declared}{printer('javascript.js', nonce)}{numbered(f'{name}(AT, VALUE);', tests.expected)}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like `assert.deepEqual`: by structure, with `==` for primitives; NaN equals NaN."""
    return same(answer, expected, _loosely_equal)


def _loosely_equal(answer: Value, expected: Value) -> bool:
    """JavaScript's `==` of primitives: strings and booleans are converted to numbers if the types differ."""
    # null and undefined equal each other, and nothing else.
    if answer is None or expected is None:
        return answer is expected
    if type(answer) is type(expected) and isinstance(answer, bool | bytes):
        return bool(answer == expected)
    one, other = _number(answer), _number(expected)
    if one is None or other is None:
        return False
    return one == other or (one != one and other != other and is_number(answer) and is_number(expected))


def _number(value: Value) -> int | float | None:
    """JavaScript's `Number(…)` of a primitive; None if it is not a number."""
    if isinstance(value, int | float):
        return value
    if not isinstance(value, bytes):
        return None
    text = value.decode("utf-8", "replace").strip()
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    return float(text) if _NUMERAL.fullmatch(text) else float("nan") if text else 0


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
TYPESCRIPT = CallLanguage(
    read, partial(solution_program, declared=_DECLARED), partial(expected_program, declared=_DECLARED), equal
)
