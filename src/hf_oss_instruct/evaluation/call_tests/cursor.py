"""Parse test programs: a position in a text that advances over expected patterns, brackets and string literals."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLOSES = {"(": ")", "[": "]", "{": "}"}


class Cursor:
    """A position in the text of a test program.

    Args:
        text: the program.
        quotes: the characters that delimit string literals; a backslash escapes inside.
    """

    def __init__(self, text: str, quotes: str = "\"'") -> None:
        self.text, self.at = text, 0
        self._stops = re.compile(rf"[()\[\]{{}},{re.escape(quotes)}]")
        self._literals = {quote: re.compile(rf"{quote}(?:[^{quote}\\]|\\.)*{quote}", re.DOTALL) for quote in quotes}

    def take(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        """Advance over a pattern if it starts here."""
        match = re.compile(pattern).match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def literal(self) -> bool:
        """Advance over a string literal if one starts here."""
        match = self._literals[self.text[self.at]].match(self.text, self.at)
        if match:
            self.at = match.end()
        return match is not None

    def bracketed(self) -> list[str]:
        """Advance over a bracketed list and return its comma-separated parts; empty if brackets do not match."""
        opened = self.text[self.at : self.at + 1]
        return self._until(_CLOSES[opened], self.at + 1) if opened in _CLOSES else []

    def rest_of_bracket(self, closing: str = ")") -> str:
        """Advance over the rest of an opened bracket and return its text; empty if it is never closed."""
        start = self.at
        self._until(closing, start)
        return self.text[start : self.at - 1].strip() if self.at > start else ""

    def _until(self, closing: str, start: int) -> list[str]:
        # `waiting` holds the closing brackets to come; commas separate parts at the outermost level only.
        parts, since, waiting, offset = [], start, [closing], start
        while waiting:
            stop = self._stops.search(self.text, offset)
            if stop is None:
                return []
            offset, sign = stop.end(), stop[0]
            if sign in self._literals:
                literal = self._literals[sign].match(self.text, stop.start())
                if literal is None:
                    return []
                offset = literal.end()
            elif sign in _CLOSES:
                waiting.append(_CLOSES[sign])
            elif sign == ",":
                if len(waiting) == 1:
                    parts.append(self.text[since : stop.start()].strip())
                    since = offset
            # A closing bracket must be the one that the innermost open one waits for.
            elif sign != waiting.pop():
                return []
        self.at = offset
        last = self.text[since : offset - 1].strip()
        return [*parts, last] if parts or last else []

    def whole(self) -> str:
        """Advance over a bracketed expression and return the text inside; empty if brackets do not match."""
        start = self.at
        self.bracketed()
        return self.text[start + 1 : self.at - 1].strip() if self.at > start else ""

    def call(self, name: str = "candidate") -> str:
        """Advance over a call of the function under test and return its text; empty if there is none."""
        start = self.at
        if not self.take(rf"{re.escape(name)}(?=\()"):
            return ""
        opened = self.at
        self.bracketed()
        return self.text[start : self.at] if self.at > opened else ""


def compared(text: str, method: str, quotes: str = "\"'") -> tuple[str, str, str] | None:
    """Split a comparison `f(…) == …` or `f(…).METHOD(…)` into its two sides; None for any other.

    Args:
        text: the comparison.
        method: pattern for the names of comparison methods.
        quotes: string delimiters, see `Cursor`.

    Returns:
        The call, `==` or the method's name, and the expected expression.
    """
    cursor = Cursor(text, quotes)
    if not cursor.take(r"\w+(?=\()") or not cursor.whole():
        return None
    call = text[: cursor.at]
    if cursor.take(r"\s*==\s*"):
        expected, how = text[cursor.at :].strip(), "=="
        if not _is_single(expected, quotes):
            return None
    elif match := cursor.take(rf"\.({method})(?=\()"):
        expected, how = cursor.whole(), match[1]
        if text[cursor.at :].strip():
            return None
    else:
        return None
    return (call, how, expected) if expected else None


def _is_single(expression: str, quotes: str) -> bool:
    """Whether no other comparison or condition follows outside brackets and strings."""
    cursor = Cursor(expression, quotes)
    while cursor.at < len(expression):
        if cursor.take(r"&&|\|\||\?|[=!]=|;"):
            return False
        if expression[cursor.at] in _CLOSES:
            before = cursor.at
            cursor.bracketed()
            if cursor.at == before:
                return False
        elif expression[cursor.at] in quotes:
            if not cursor.literal():
                return False
        else:
            cursor.at += 1
    return True


def numbered(template: str, values: Sequence[str]) -> str:
    """Format one line per value from the template: `AT` becomes its number, `VALUE` its text."""
    return "\n".join(template.replace("AT", str(index)).replace("VALUE", value) for index, value in enumerate(values))
