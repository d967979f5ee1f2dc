"""Kinds of values that `==` finds equal to plain ones, beside their subclasses, and what stands for them outside of the sandbox.

Fraction, Decimal, Counter and OrderedDict stay what they are. numpy's scalars, `UserList`, views of dicts and the like become the
plain value that is equal to the same values. What is equal to no plain value, but can be looped over, becomes `Items`.
"""

from __future__ import annotations

import sys
from array import array
from collections import UserList, UserString, deque
from collections.abc import Iterator, Mapping, Set, ValuesView
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from types import MappingProxyType
from typing import Any

DIGITS = 8600  # of a decimal
FRACTION_BITS = 1 << 14  # of numerator or denominator: reducing longer ones takes long
COMPARED = {range: "range", deque: "deque", array: "array"}
ARRAY = "ndarray"


class NotPlainValueError(ValueError):
    """The value, or the text, is not of plain values, or holds too many or too deep ones."""


class Items:
    """What is not equal to a list of the same items.

    Args:
        kind: two of a kind in `COMPARED` are equal if their items are; an array of numpy is equal to what it is if it has but
            one element, since `bool` of a comparison element by element is an error otherwise.
        items: what looping over it gives.
    """

    def __init__(self, kind: str, items: list[Any]) -> None:
        self.kind, self.items = kind, items

    def __eq__(self, other: object) -> bool:
        if self.kind == ARRAY:
            one, another = _only(self.items), _only(other)
            return one is not self.items and type(one) is not list and type(another) is not list and bool(one == another)
        return type(other) is Items and self.kind == other.kind in COMPARED.values() and self.items == other.items

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)


def _only(value: Any) -> Any:
    """The single element of nested lists or tuples of one element each; a list for anything longer or empty."""
    while type(value) in (list, tuple, Items):
        inner = list(value)
        if len(inner) != 1:
            return inner
        value = inner[0]
    return value


def reduced(value: Any, most: int) -> Any:
    """The value that stands for one that is no plain value nor of a subclass; the same object if there is none.

    Args:
        value: anything.
        most: items at most that are taken out of it.
    """
    kind: Any = type(value)
    if (numpy := sys.modules.get("numpy")) and isinstance(value, numpy.generic | numpy.ndarray):
        return _of_numpy(value, numpy)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, UserList | UserString):
        return value.data
    if kind is MappingProxyType or (isinstance(value, Mapping) and kind.__eq__ is Mapping.__eq__):
        return dict(value.items())
    if isinstance(value, Set) and (kind.__module__ == "builtins" or kind.__eq__ is Set.__eq__):
        return frozenset(value)
    name = next((name for known, name in COMPARED.items() if isinstance(value, known)), "iterator")
    if name in COMPARED.values() or isinstance(value, Iterator | ValuesView):
        items = list(islice(value, most + 1))
        return Items(name, items) if len(items) <= most else value
    return value


def _of_numpy(value: Any, numpy: Any) -> Any:
    if isinstance(value, numpy.longdouble | numpy.clongdouble):
        return complex(value) if isinstance(value, numpy.clongdouble) else float(value)
    plain = value.tolist()
    return Items(ARRAY, plain) if isinstance(plain, list) else plain


def code_of(value: Fraction | Decimal) -> dict[str, Any]:
    """The JSON form of a number that JSON has none for.

    Raises:
        NotPlainValueError: it has too many digits.
    """
    if isinstance(value, Decimal):
        if len(text := Decimal.__str__(value)) <= DIGITS:
            return {"e": text}
    else:
        parts = int(value.numerator), int(value.denominator)
        if max(part.bit_length() for part in parts) <= FRACTION_BITS:
            return {"q": [hex(part) for part in parts]}
    raise NotPlainValueError(f"a {type(value).__name__} of too many digits")


def fraction_of(content: Any) -> Fraction:
    """A fraction out of its code, which anybody may have written."""
    if max(map(len, content)) > FRACTION_BITS // 4 + 4:
        raise NotPlainValueError("a fraction of too many digits")
    numerator, denominator = content
    return Fraction(int(numerator, 16), int(denominator, 16))


def decimal_of(content: Any) -> Decimal:
    """A decimal out of its code, which anybody may have written."""
    if type(content) is not str or len(content) > DIGITS:
        raise NotPlainValueError("no decimal, or one of too many digits")
    return Decimal(content)
