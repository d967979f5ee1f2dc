"""Serialize plain values to JSON and back, to exchange them with untrusted code without pickle or eval.

JSON would turn a tuple into a list and cannot represent a set: such values become an object with a letter for the type, and the
content. The rest is left to the json module, which is fast and round-trips floats exactly. Depth and number of values are limited
in both directions.
"""

from __future__ import annotations

import json
import re
from collections import Counter, OrderedDict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import hash_collisions, value_types

MAX_DEPTH, MAX_VALUES = 64, 1_000_000
MIN_HASHED_ITEMS = 1 << 16  # items or characters from which on a flat value travels as its hash
MAX_EXACT_INT = 1 << 53  # whole numbers below it are exact as doubles
BITS = 1 << 13  # of a whole number from which on it travels in hexadecimal: Python reads no decimals of that length
DIGITS = 4300  # of a number in a text; Python reads more in quadratic time where `sys.set_int_max_str_digits` allows it
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{DIGITS + 1}}}")
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_AS_IT_IS = {type(None), bool, float, str}
_COLLECTIONS: dict[str, Any] = {"": list, "t": tuple, "s": set, "z": frozenset}
_EXTENSIBLE = (list, dict, frozenset, value_types.IterableValue)
_MAPPINGS: dict[str, Any] = {"d": dict, "k": Counter, "o": OrderedDict}
_SIMPLE: dict[str, Any] = {  # and "h", a Digest; "g", IterableValue
    "i": lambda text: int(text, 16),
    "b": bytes.fromhex,
    "q": value_types.fraction_of,
    "e": value_types.decimal_of,
}
NotPlainValueError = value_types.NotPlainValueError


class Digest:
    """The hash of a large value. Equal values have equal hashes, and forging one requires knowing the value."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return type(other) is Digest and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def summary(value: Any) -> Any:
    """Return the value, or the `Digest` of a large string, or of a large list or tuple of numbers, strings, lists and tuples."""
    if not (type(value) in (str, list, tuple) and len(value) > MIN_HASHED_ITEMS):
        return value
    # Only here, because few programs return a value that large.
    import hashlib

    try:
        text = value if type(value) is str else _doubles(value) or repr(_canonical(value, MAX_DEPTH))
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        return Digest(type(value).__name__ + hashlib.sha256(data).hexdigest())
    except ValueError:  # of other values, or a whole number with too many digits
        return value


def _doubles(value: Any) -> bytes:
    """Pack numbers as doubles if all of them are exact; empty if not, or for NaN or other values."""
    # The fast path: hashing a list of floats by their `repr` costs more than computing them.
    if not set(map(type, value)) <= {int, float, bool}:
        return b""
    from array import array

    try:
        numbers = array("d", value)
    except OverflowError:
        return b""
    least, total = min(numbers), sum(numbers)
    if not (-MAX_EXACT_INT < least and max(numbers) < MAX_EXACT_INT and total == total):
        return b""
    if least <= 0:
        numbers = array("d", map((0.0).__add__, numbers))  # zero plus minus zero is zero
    return numbers.tobytes()


def _canonical(value: Any, depth: int) -> Any:
    """Normalize values so that equal ones have the same `repr`: 2.0 becomes 2, and True becomes 1."""
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


def dumps(value: Any, *, exact: bool = False) -> str:
    """Serialize a value.

    Args:
        value: the value.
        exact: refuse collections that would come back as another type, such as an array as `value_types.IterableValue`.

    Raises:
        NotPlainValueError: the value does not consist of None, bool, int, float, complex, Fraction, Decimal, str, bytes, list,
            tuple, set, frozenset, dict, Counter and OrderedDict, or of values that `value_types.reduced` converts to these.
    """
    return json.dumps(_encoded(value, MAX_DEPTH, [MAX_VALUES, exact]))


def loads(text: str | bytes, clock: hash_collisions.Clock | None = None) -> Any:
    """Parse an untrusted text, in time and memory linear in its length.

    Args:
        text: JSON as written by `dumps`.
        clock: time budget for building sets and dicts, shared by several texts; a separate one per text by default.

    Raises:
        NotPlainValueError: it is not the text of a plain value.
    """
    try:
        text = text if isinstance(text, str) else text.decode()
        _check_size(text)
        return _decoded(json.loads(text), MAX_DEPTH, [MAX_VALUES], clock or hash_collisions.Clock())
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError) as error:
        raise NotPlainValueError(f"not the text of a plain value: {error}") from None


def _check_size(text: str) -> None:
    """Refuse a text with too many values, or a number with too many digits, before parsing it."""
    if len(text) > MAX_VALUES and _crowded(text) and _crowded(_STRING.sub("", text)):
        raise NotPlainValueError(f"more than {MAX_VALUES:,} values")
    if len(text) > DIGITS and _LONG_NUMBER.search(text) and _LONG_NUMBER.search(_STRING.sub("", text)):
        raise NotPlainValueError(f"a number of more than {DIGITS:,} digits")


def _crowded(text: str) -> bool:
    """Whether there are certainly too many values, estimated from commas; the pairs of a dict have two commas for two values."""
    return max(text.count("["), text.count("{"), text.count(",") // 2) > MAX_VALUES


def _encoded(value: Any, depth: int, budget: list[int]) -> Any:
    """Encode a value as JSON data; `budget` holds how many values are left, and whether they must be exact."""
    _spend(depth, budget)
    kind = type(value)
    if kind in _AS_IT_IS or (kind is int and value.bit_length() < BITS):
        return value
    if kind is list or kind is tuple:
        items = list(value) if _as_they_are(value, depth, budget) else [_encoded(item, depth - 1, budget) for item in value]
        return items if kind is list else {"t": items}
    # Call the base types' methods explicitly, so that those of a subclass are never used.
    if isinstance(value, int):
        return {"i": hex(int.__int__(value))}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, complex):
        return {"c": [value.real, value.imag]}
    if kind is Digest:
        return {"h": value.text}
    if isinstance(value, bytes):
        return {"b": bytes.hex(value)}
    if isinstance(value, dict):
        letter = "k" if isinstance(value, Counter) else "o" if isinstance(value, OrderedDict) else "d"
        pairs: Any = OrderedDict.items(value) if isinstance(value, OrderedDict) else dict.items(value)
        return {letter: [[_encoded(key, depth - 1, budget), _encoded(item, depth - 1, budget)] for key, item in pairs]}
    for letter, collection in _COLLECTIONS.items():
        if isinstance(value, collection):
            items = [_encoded(item, depth - 1, budget) for item in collection.__iter__(value)]
            return {letter: items} if letter else items
    if isinstance(value, Fraction | Decimal):
        return value_types.code_of(value)
    other = value if kind is value_types.IterableValue else value_types.reduced(value, budget[0])
    exact = budget[1]
    if type(other) is value_types.IterableValue and not exact:
        return {"g": [other.kind, _encoded(other.items, depth - 1, budget)]}
    if other is not value and not (exact and isinstance(other, _EXTENSIBLE)):
        return _encoded(other, depth - 1, budget)
    raise NotPlainValueError(f"a {kind.__name__} is not a plain value")


def _decoded(code: Any, depth: int, budget: list[int], clock: hash_collisions.Clock) -> Any:
    _spend(depth, budget)
    kind = type(code)
    if kind in _AS_IT_IS or kind is int:
        return code
    if kind is list:
        if _as_they_are(code, depth, budget):
            return code
        return [_decoded(item, depth - 1, budget, clock) for item in code]
    # Exactly one key: anything else was not written by `dumps` and raises ValueError.
    ((letter, content),) = code.items()
    if letter in _MAPPINGS:
        pairs = [(_decoded(key, depth - 1, budget, clock), _decoded(item, depth - 1, budget, clock)) for key, item in content]
        return _MAPPINGS[letter](clock.fill({}, pairs))
    if letter == "g":
        return value_types.IterableValue(str(content[0]), list(_decoded(content[1], depth - 1, budget, clock)))
    if letter == "c":
        return complex(*content)
    if letter in ("t", "s", "z") and type(content) is list:
        items = _decoded(content, depth, budget, clock)
        return _COLLECTIONS[letter](items if letter == "t" else clock.fill(set(), items))
    return Digest(content) if letter == "h" else _SIMPLE[letter](content)


def _as_they_are(items: Any, depth: int, budget: list[int]) -> bool:
    """Whether every item is encoded as itself; deducts them from the budget without visiting each item of a long list."""
    kinds = set(map(type, items))
    if not (kinds <= _AS_IT_IS or (kinds <= {int, bool} and -(1 << BITS) < min(items) and max(items) < 1 << BITS)):
        return False
    _spend(depth, budget, len(items))
    return True


def _spend(depth: int, budget: list[int], count: int = 1) -> None:
    if depth <= 0:
        raise NotPlainValueError(f"nested more than {MAX_DEPTH} levels deep")
    budget[0] -= count
    if budget[0] < 0:
        raise NotPlainValueError(f"more than {MAX_VALUES:,} values")
