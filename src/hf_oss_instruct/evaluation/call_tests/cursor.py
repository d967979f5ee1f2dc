"""Reads test programs: a place in a text that moves over what is expected there, brackets and string literals included."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLOSES = {"(": ")", "[": "]", "{": "}"}


class Cursor:
    """A place in the text of a test program.

    Args:
        text: the program.
        quotes: what begins and ends a string literal; a backslash escapes inside.
    """

    def __init__(self, text: str, quotes: str = "\"'") -> None:
        self.text, self.at = text, 0
        self._stops = re.compile(rf"[()\[\]{{}},{re.escape(quotes)}]")
        self._literals = {quote: re.compile(rf"{quote}(?:[^{quote}\\]|\\.)*{quote}", re.DOTALL) for quote in quotes}

    def take(self, pattern: str | re.Pattern[str]) -> re.Match[str] | None:
        """Move over a pattern if it begins here."""
        found = re.compile(pattern).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def bracketed(self) -> list[str]:
        """Move over a bracket and all that it holds; the parts between its commas. Nothing if the brackets do not match."""
        opened = self.text[self.at : self.at + 1]
        return self._until(_CLOSES[opened], self.at + 1) if opened in _CLOSES else []

    def rest_of_bracket(self, closing: str = ")") -> str:
        """Move over the rest of a bracket that was opened before; its text, or nothing if there is no end to it."""
        start = self.at
        self._until(closing, start)
        return self.text[start : self.at - 1].strip() if self.at > start else ""

    def _until(self, closing: str, start: int) -> list[str]:
        parts, since, waiting, at = [], start, [closing], start
        while waiting:
            stop = self._stops.search(self.text, at)
            if stop is None:
                return []
            at, sign = stop.end(), stop[0]
            if sign in self._literals:
                literal = self._literals[sign].match(self.text, stop.start())
                if literal is None:
                    return []
                at = literal.end()
            elif sign in _CLOSES:
                waiting.append(_CLOSES[sign])
            elif sign == ",":
                if len(waiting) == 1:
                    parts.append(self.text[since : stop.start()].strip())
                    since = at
            elif sign != waiting.pop():
                return []
        self.at = at
        last = self.text[since : at - 1].strip()
        return [*parts, last] if parts or last else []

    def call(self, name: str = "candidate") -> str:
        """Move over a call of the function under test; its text, or nothing."""
        start = self.at
        if not self.take(rf"{re.escape(name)}(?=\()"):
            return ""
        opened = self.at
        self.bracketed()
        return self.text[start : self.at] if self.at > opened else ""


def numbered(template: str, values: Sequence[str]) -> str:
    """A line for each value: the template with `AT` for its number and `VALUE` for itself."""
    return "\n".join(template.replace("AT", str(at)).replace("VALUE", value) for at, value in enumerate(values))
