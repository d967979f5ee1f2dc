"""Plain values as JSON text and back: what a stranger's function takes and returns, with nothing pickled and nothing evaluated.

JSON alone would make a tuple a list and a set an error. Each value that JSON has no exact form for is a list of a letter and
its content; floats travel in hexadecimal, so that they come back bit for bit. Depth and number of values are bounded both
ways.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

DEPTH, VALUES = 64, 1_000_000
LARGE = 1 << 16  # items or characters from which on a flat value travels as its hash
EXACT = 1 << 53  # whole numbers below it are the same in every JSON reader
_LISTS: dict[str, Any] = {"l": list, "t": tuple, "s": set, "z": frozenset}
_LETTERS = {kind: letter for letter, kind in _LISTS.items()}


class NotPlain(ValueError):
    """The value, or the text, is not of plain values, or holds too many or too deep ones."""


class Digest:
    """The hash of a large value. Values that are equal have the same one, and whoever forges it has to know the value."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Digest and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def summary(value: Any) -> Any:
    """The value, or the `Digest` of a large string, or of a large list or tuple of numbers, strings, lists and tuples."""
    if not (type(value) in (str, list, tuple) and len(value) > LARGE):
        return value
    import hashlib

    try:
        text = value if type(value) is str else repr(_canonical(value, DEPTH))
        return Digest(type(value).__name__ + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    except ValueError:  # of other values, or a whole number with too many digits
        return value


def _canonical(value: Any, depth: int) -> Any:
    """Equal values become values with one `repr`: as `==` has it, 2.0 is 2, and True is 1."""
    kinds = set(map(type, value))
    if not kinds <= {int, float, bool, str, list, tuple} or not depth:
        raise ValueError
    if kinds <= {int, str}:
        return value
    return type(value)(
        _canonical(item, depth - 1)
        if type(item) in (list, tuple)
        else int(item)
        if type(item) is bool or (type(item) is float and item.is_integer())
        else item
        for item in value
    )


def dumps(value: Any) -> str:
    """The text of a value.

    Raises:
        NotPlain: the value is not made of None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset and dict.
    """
    return json.dumps(_encoded(value, DEPTH, iter(range(VALUES))))


def loads(text: str | bytes) -> Any:
    """The value of a text that anybody may have written.

    Raises:
        NotPlain: it is not the text of a plain value.
    """
    try:
        return _decoded(json.loads(text), DEPTH, iter(range(VALUES)))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise NotPlain(f"not the text of a plain value: {error}") from None


def _encoded(value: Any, depth: int, budget: Iterator[int]) -> Any:
    _spend(depth, budget)
    if value is None or value is True or value is False:
        return value
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return _encoded(value.tolist(), depth - 1, budget)
    # The methods of the plain types are named, so that those of a subclass are not asked.
    if isinstance(value, int):
        return int.__int__(value) if -EXACT < int.__int__(value) < EXACT else ["i", hex(int.__int__(value))]
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return ["f", float.hex(value)]
    if isinstance(value, complex):
        return ["c", float.hex(value.real), float.hex(value.imag)]
    if type(value) is Digest:
        return ["h", value.text]
    if isinstance(value, bytes):
        return ["b", bytes.hex(value)]
    if isinstance(value, dict):
        pairs = dict.items(value)
        return ["d", [[_encoded(key, depth - 1, budget), _encoded(item, depth - 1, budget)] for key, item in pairs]]
    for kind, letter in _LETTERS.items():
        if isinstance(value, kind):
            return [letter, [_encoded(item, depth - 1, budget) for item in kind.__iter__(value)]]
    raise NotPlain(f"a {type(value).__name__} is not a plain value")


def _decoded(code: Any, depth: int, budget: Iterator[int]) -> Any:
    _spend(depth, budget)
    if code is None or isinstance(code, bool | int | str):
        return code
    letter, content = code[0], code[1]
    if letter in _LISTS:
        return _LISTS[letter](_decoded(item, depth - 1, budget) for item in content)
    if letter == "d":
        return {_decoded(key, depth - 1, budget): _decoded(item, depth - 1, budget) for key, item in content}
    if letter == "c":
        return complex(float.fromhex(content), float.fromhex(code[2]))
    simple: dict[str, Any] = {"i": lambda text: int(text, 16), "f": float.fromhex, "b": bytes.fromhex, "h": Digest}
    return simple[letter](content)


def _spend(depth: int, budget: Iterator[int]) -> None:
    if depth <= 0:
        raise NotPlain(f"deeper than {DEPTH} values in each other")
    if next(budget, None) is None:
        raise NotPlain(f"more than {VALUES:,} values")
