"""Read a test program that lists its calls: a head, comparisons of one form, and a foot. Most languages of MultiPL-E have it."""

from __future__ import annotations

import re
from collections.abc import Callable

from hf_oss_instruct.evaluation.call_tests.core import CallTests
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, compared

ExpectedCall = tuple[str, str]
"""A call, and the expression of its expected value."""


def listed_calls(
    cursor: Cursor,
    head: re.Pattern[str],
    compares: str,
    pair: Callable[[Cursor], ExpectedCall | None],
    foot: re.Pattern[str],
    before: Callable[[re.Match[str]], str] = lambda match: match[1],
) -> CallTests | None:
    """Parse such a program; None if it has another form.

    Args:
        cursor: the start of the program.
        head: what precedes the comparisons.
        compares: pattern of what starts a comparison.
        pair: reads the rest of a comparison; None if it has another form.
        foot: the text after the comparisons.
        before: gives `CallTests.before` from the head; its first group by default.
    """
    # Nothing but this form is read: tests that were misread would grade wrongly.
    match, pairs = cursor.take(head), []
    while match and cursor.take(compares):
        if (parsed := pair(cursor)) is None:
            return None
        pairs.append(parsed)
    if not match or not pairs or not cursor.take(foot):
        return None
    return CallTests(before(match), tuple(call for call, _ in pairs), tuple(value for _, value in pairs))


def arguments(call: str, after: str | re.Pattern[str]) -> Callable[[Cursor], ExpectedCall | None]:
    """Return a reader of `(CALL, EXPECTED)`: how a call starts, and the pattern of what follows the bracket."""

    def pair(cursor: Cursor) -> ExpectedCall | None:
        parts = cursor.bracketed()
        if len(parts) != 2 or not parts[0].startswith(call) or not cursor.take(after):
            return None
        return parts[0], parts[1]

    return pair


def equation(method: str, call: str = "") -> Callable[[Cursor], ExpectedCall | None]:
    """Return a reader of `(CALL == EXPECTED);` or `(CALL.METHOD(EXPECTED));`: a pattern of methods, and how a call starts."""

    def pair(cursor: Cursor) -> ExpectedCall | None:
        sides = compared(cursor.whole(), method)
        if sides is None or not sides[0].startswith(call) or not cursor.take(r";\s*"):
            return None
        return sides[0], sides[2]

    return pair
