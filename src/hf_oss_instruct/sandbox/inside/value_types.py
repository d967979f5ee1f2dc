"""Types whose values are equal (`==`) to plain values, and how they are represented outside the sandbox.

Fraction, Decimal, Counter and OrderedDict keep their type. numpy scalars, `UserList`, dict views and the like become the plain
value that they are equal to. Iterables that are not equal to any plain value become `IterableValue`.
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

DIGITS = 8600  # maximum of a Decimal
FRACTION_BITS = 1 << 14  # maximum of numerator and denominator: reducing longer ones is slow
COMPARED = {range: "range", deque: "deque", array: "array"}
ARRAY = "ndarray"


class NotPlainValueError(ValueError):
    """The value or text does not consist of plain values, or has too many or too deeply nested ones."""


class IterableValue:
    """An iterable that is not equal to a list of the same items.

    Args:
        kind: two of a kind in `COMPARED` are equal if their items are; a numpy array can be equal only if it has a single
            element, since otherwise `bool` of the elementwise comparison is an error.
        items: what looping over it gives.
    """

    def __init__(self, kind: str, items: list[Any]) -> None:
        self.kind, self.items = kind, items

    def __eq__(self, other: object) -> bool:
        if self.kind == ARRAY:
            one, another = _only(self.items), _only(other)
            return one is not self.items and type(one) is not list and type(another) is not list and bool(one == another)
        return type(other) is IterableValue and self.kind == other.kind in COMPARED.values() and self.items == other.items

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)


def _only(value: Any) -> Any:
    """Return the only element of nested one-element lists or tuples; a list if it is longer or empty."""
    while type(value) in (list, tuple, IterableValue):
        inner = list(value)
        if len(inner) != 1:
            return inner
        value = inner[0]
    return value


def reduced(value: Any, most: int) -> Any:
    """Convert a value that is not a plain value or a subclass of one; return the same object if that is impossible.

    Args:
        value: any object.
        most: maximum number of items to take from it.
    """
    kind: Any = type(value)
    if (numpy := sys.modules.get("numpy")) and isinstance(value, numpy.generic | numpy.ndarray):
        return _of_numpy(value, numpy)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, UserList | UserString):
        return value.data
    # Only if its equality is that of Mapping: with its own `__eq__`, the plain copy could be equal to other things.
    if kind is MappingProxyType or (isinstance(value, Mapping) and kind.__eq__ is Mapping.__eq__):
        return dict(value.items())
    if isinstance(value, Set) and (kind.__module__ == "builtins" or kind.__eq__ is Set.__eq__):
        return frozenset(value)
    name = next((name for known, name in COMPARED.items() if isinstance(value, known)), "iterator")
    if name in COMPARED.values() or isinstance(value, Iterator | ValuesView):
        # One more than allowed shows that it is too long; an endless iterator must not be read to its end.
        items = list(islice(value, most + 1))
        return IterableValue(name, items) if len(items) <= most else value
    return value


def _of_numpy(value: Any, numpy: Any) -> Any:
    # `tolist` leaves these as they are.
    if isinstance(value, numpy.longdouble | numpy.clongdouble):
        return complex(value) if isinstance(value, numpy.clongdouble) else float(value)
    plain = value.tolist()
    return IterableValue(ARRAY, plain) if isinstance(plain, list) else plain


def code_of(value: Fraction | Decimal) -> dict[str, Any]:
    """Encode a number that JSON cannot represent.

    Raises:
        NotPlainValueError: it has too many digits.
    """
    if isinstance(value, Decimal):
        if len(text := Decimal.__str__(value)) <= DIGITS:
            return {"e": text}
    else:
        # int: a subclass could return anything as its numerator.
        parts = int(value.numerator), int(value.denominator)
        if max(part.bit_length() for part in parts) <= FRACTION_BITS:
            return {"q": [hex(part) for part in parts]}
    raise NotPlainValueError(f"a value of type {type(value).__name__} with too many digits")


def fraction_of(content: Any) -> Fraction:
    """Decode a fraction from untrusted data."""
    # Four bits per hexadecimal digit, and room for `-0x`.
    if max(map(len, content)) > FRACTION_BITS // 4 + 4:
        raise NotPlainValueError("a fraction with too many digits")
    numerator, denominator = content
    return Fraction(int(numerator, 16), int(denominator, 16))


def decimal_of(content: Any) -> Decimal:
    """Decode a Decimal from untrusted data."""
    if type(content) is not str or len(content) > DIGITS:
        raise NotPlainValueError("not a decimal, or one with too many digits")
    return Decimal(content)
