"""D: `assert(candidate(…) == …);` in a unit test, and blocks that unpack a `Nullable` result or a tuple of them."""

from __future__ import annotations

import re
from functools import partial

from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, compared, numbered
from hf_oss_instruct.evaluation.call_tests.equality import by_value, same

_HEAD = re.compile(r"\s*unittest\s*\{\s*(alias candidate = \w+;)\s*")
_FOOT = re.compile(r"\}\s*void main\(\)\s*\{\s*\}\s*\Z")
_BLOCK = re.compile(r"\{\s*auto result = (?=candidate\()")
# Assertions of a nullable result, or of a part of it: that it is null, or that it has a value and which.
_NULL = re.compile(r"(result(?:\[\d\])?)\.isNull\Z")
_VALUE = re.compile(r"!(result(?:\[\d\])?)\.isNull && \1\.get == (.+)\Z", re.DOTALL)
_QUOTES = "\"'`"
_IMPORTS = "import std.typecons;\nimport std.math;\n"


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's only unit test."""
    cursor = Cursor(tests, _QUOTES)
    head = cursor.take(_HEAD)
    pairs: list[tuple[str, str]] = []
    while head and not cursor.take(_FOOT):
        pair = _block(cursor) if cursor.take(_BLOCK) else _assertion(cursor)
        if pair is None:
            return None
        pairs.append(pair)
    if not head or not pairs:
        return None
    return CallTests(head[1], tuple(call for call, _ in pairs), tuple(value for _, value in pairs))


def _assertion(cursor: Cursor) -> tuple[str, str] | None:
    # No method: only `==` compares.
    sides = compared(cursor.whole(), "(?!)", _QUOTES) if cursor.take(r"assert(?=\()") else None
    if sides is None or not sides[0].startswith("candidate(") or not cursor.take(r";\s*"):
        return None
    return sides[0], sides[2]


def _block(cursor: Cursor) -> tuple[str, str] | None:
    """Parse a block with a nullable result, or a tuple of them, each checked by its own assertion."""
    call, values = cursor.call(), []
    if not cursor.take(r";\s*"):
        return None
    while cursor.take(r"assert(?=\()"):
        code = cursor.whole()
        match = _NULL.match(code) or _VALUE.match(code)
        if match is None or not cursor.take(r";\s*"):
            return None
        values.append((match[1], f"nullable({match[2]})" if match.re is _VALUE else "null"))
    names = [name for name, _ in values]
    # Each part must be asserted once and in order, else the block says less than a value does.
    if not cursor.take(r"\}\s*") or names not in (["result"], [f"result[{index}]" for index in range(len(names))]):
        return None
    return call, values[0][1] if names == ["result"] else f"tuple({', '.join(value for _, value in values)})"


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Put the calls into a unit test, and the printer after it.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    return _in_unit_test(f"{program}\n", tests.before, tests.calls, nonce)


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Put the expected values into a unit test.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return _in_unit_test(_IMPORTS, "", tests.expected, nonce)


def _in_unit_test(program: str, before: str, values: tuple[str, ...], nonce: str) -> str:
    code = numbered(f"    calls_{nonce[:16]}_say(AT, VALUE);", values)
    return f"{program}unittest\n{{\n    {before}\n{code}\n}}\nvoid main() {{}}\n{printer('d.d', nonce)}"


LANGUAGE = CallLanguage(read, solution_program, expected_program, partial(same, leaves=by_value))
