"""The text format in which every language prints values, and its parser: typed, ASCII, one line, linear time.

| text | value |
|---|---|
| `n` | nil, null, None, undefined |
| `t`, `f` | booleans |
| `i-12;` | an integer |
| `d0.5;` | a float that round-trips exactly, `dnan;`, `dinf;`, `d-inf;` |
| `s6162;` | a string, its bytes in hexadecimal |
| `[…]`, `(…)` | a list, a tuple |
| `{…}` | a map: alternating keys and values |
| `<…>` | a set |
| `?…` | an optional value that is present |
| `o666f6f;` | anything else, as the name of its type: equal to nothing |

The text is untrusted: size and depth are limited, and nothing in it is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

MAX_DEPTH, MAX_VALUES = 64, 1_000_000
_TOKEN = re.compile(
    # Python refuses to read integers of more than 4,300 digits, since that takes quadratic time.
    r"i(-?\d{1,4000});|d(-?[0-9][0-9.eE+-]*|-?(?i:nan|inf|infinity));|s((?:[0-9a-f]{2})*);|o((?:[0-9a-f]{2})*);|."
)
_CLOSES = {"[": "]", "(": ")", "{": "}", "<": ">"}
_CONSTANTS = {"n": None, "t": True, "f": False}

Value = Any
"""None, bool, int, float, bytes (a string), list, tuple, `Map`, `Set`, `Some` or `Other`."""


class NotCanonicalError(ValueError):
    """The text is not a value, or one that is too large or too deeply nested."""


@dataclass(frozen=True, slots=True)
class Map:
    """A map: the canonical text of each key → key and value, in printed order."""

    pairs: dict[str, tuple[Value, Value]]


@dataclass(frozen=True, slots=True)
class Set:
    """A set: the canonical text of each member → the member."""

    members: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Some:
    """An optional value that is present."""

    value: Value


class Other:
    """A value without a canonical form. It is equal to nothing, not even itself."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def loads(text: str) -> Value:
    """Parse an untrusted text into a value.

    Raises:
        NotCanonicalError: it is not exactly one value.
    """
    try:
        # A list, so that all levels count down the same number.
        value, end = _value(text, 0, MAX_DEPTH, [MAX_VALUES])
    except (ValueError, IndexError) as error:
        raise NotCanonicalError(f"not the text of a value: {error}") from None
    if end != len(text):
        raise NotCanonicalError("there is more than one value")
    return value


def _value(text: str, offset: int, depth: int, budget: list[int]) -> tuple[Value, int]:
    budget[0] -= 1
    match = _TOKEN.match(text, offset)
    if match is None or not depth or budget[0] < 0:
        raise NotCanonicalError(f"it ends too early, or holds more than {MAX_VALUES:,} values or {MAX_DEPTH} levels")
    token, end = match[0], match.end()
    if match.lastindex:
        return _SCALARS[match.lastindex](match[match.lastindex]), end
    if token in _CONSTANTS:
        return _CONSTANTS[token], end
    if token == "?":
        value, end = _value(text, end, depth - 1, budget)
        return Some(value), end
    if token not in _CLOSES:
        raise NotCanonicalError(f"{token!r} does not begin a value")
    items: list[Value] = []
    spans: list[str] = []  # the texts of a map's keys or a set's members
    while text[end] != _CLOSES[token]:
        start = end
        value, end = _value(text, start, depth - 1, budget)
        if token == "<" or (token == "{" and len(items) % 2 == 0):
            spans.append(text[start:end])
        items.append(value)
    return _collected(token, items, spans), end + 1


_SCALARS: dict[int, Callable[[str], Value]] = {
    1: int,
    2: float,
    3: bytes.fromhex,
    4: lambda name: Other(bytes.fromhex(name).decode("utf-8", "replace")),
}


def _collected(token: str, items: list[Value], texts: list[str]) -> Value:
    if token == "[":
        return items
    if token == "(":
        return tuple(items)
    # A real map or set has each key once: the text is forged.
    if len(set(texts)) < len(texts):
        raise NotCanonicalError("a key, or a member of a set, is repeated")
    if token == "<":
        return Set(dict(zip(texts, items, strict=True)))
    return Map(dict(zip(texts, zip(items[::2], items[1::2], strict=True), strict=True)))


def show(value: Value) -> str:
    """Format a value for people, in the same notation for all languages."""
    return "".join(_shown(value))


def _shown(value: Value) -> Iterator[str]:
    if isinstance(value, bytes):
        yield repr(value.decode("utf-8", "replace"))
    elif isinstance(value, list | tuple):
        yield from _enclosed("[]" if isinstance(value, list) else "()", map(show, value))
    elif isinstance(value, Map):
        yield from _enclosed("{}", (f"{show(key)}: {show(item)}" for key, item in value.pairs.values()))
    elif isinstance(value, Set):
        yield from _enclosed("{}", map(show, value.members.values()))
    elif isinstance(value, Some):
        yield f"some {show(value.value)}"
    elif isinstance(value, Other):
        yield f"<{value.name}>"
    else:
        yield "none" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)


def _enclosed(brackets: str, items: Iterator[str]) -> Iterator[str]:
    yield brackets[0]
    yield ", ".join(items)
    yield brackets[1]
