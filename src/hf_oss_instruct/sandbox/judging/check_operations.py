"""The operations in checks, applied to the values that a program returned: comparisons, builtins, `approx`."""

from __future__ import annotations

import builtins
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.sandbox.inside import hash_collisions
from hf_oss_instruct.sandbox.judging.check_trees import PLAIN_TYPES

_TYPES = {name: getattr(builtins, name) for name in PLAIN_TYPES}


@dataclass(frozen=True, slots=True)
class Iterated:
    """The items of a generator or view that a program returned: not equal to a list, but `list`, `sorted` etc. accept it."""

    items: list[Any]


def apply(name: str, arguments: list[Any], clock: hash_collisions.Clock) -> Any:
    """Apply an operation to values.

    Args:
        name: name of the operation.
        arguments: plain values, or `Iterated`.
        clock: limits the time that sets of the values may take.
    """
    if name in ("set", "frozenset"):
        return clock.fill(set(), list(_items(arguments[0])))
    if name == "same count":
        return _count(arguments[0], clock) == _count(arguments[1], clock)
    if name in _OF_ITEMS:
        return _OF_ITEMS[name](_items(arguments[0]))
    if any(isinstance(value, Iterated) for value in arguments):
        return name == "!=" or (name == "in" and isinstance(arguments[1], Iterated) and arguments[0] in arguments[1].items)
    return _OPERATIONS[name](*arguments)


def _items(value: Any) -> Any:
    return value.items if isinstance(value, Iterated) else value


def _count(value: Any, clock: hash_collisions.Clock) -> Any:
    items = list(_items(value))
    clock.fill(set(), items)
    return Counter(items)


def _equal(one: Any, other: Any) -> bool:
    """Compare with `==` as for two separately created values, so that values containing NaN are not equal."""
    return bool(one == other) and not _holds_nan(one)


def _holds_nan(value: Any) -> bool:
    if isinstance(value, float | complex):
        return value != value
    if isinstance(value, dict):
        return any(map(_holds_nan, value)) or any(map(_holds_nan, value.values()))
    return isinstance(value, list | tuple | set | frozenset) and any(map(_holds_nan, value))


def _almost(one: Any, other: Any, places: Any, delta: Any) -> bool:
    """Compare like `unittest.TestCase.assertAlmostEqual`."""
    if one == other:
        return True
    difference = abs(one - other)
    return bool(difference <= delta if delta is not None else round(difference, places) == 0)


def _approx(value: Any, expected: Any, rel: Any, most: Any) -> bool:
    """Compare like `pytest.approx`, for numbers, lists, tuples and dicts."""
    if isinstance(expected, list | tuple):
        alike = type(value) is type(expected) and len(value) == len(expected)
        return alike and all(_approx(one, other, rel, most) for one, other in zip(value, expected, strict=True))
    if isinstance(expected, dict):
        alike = isinstance(value, dict) and value.keys() == expected.keys()
        return alike and all(_approx(value[key], expected[key], rel, most) for key in expected)
    if isinstance(expected, bool) or not isinstance(expected, int | float | complex) or value == expected:
        return bool(value == expected)
    if math.isinf(abs(expected)) or not isinstance(value, int | float | complex):
        return False
    relative = (1e-6 if most is None else 0.0) if rel is None else rel
    return bool(abs(value - expected) <= max(relative * abs(expected), 1e-12 if most is None else most))


_OF_ITEMS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "tuple": tuple,
    "sorted": sorted,
    "sum": sum,
    "min": min,
    "max": max,
    "any": any,
    "all": all,
}
_OPERATIONS: dict[str, Callable[..., Any]] = {
    "==": _equal,
    "!=": lambda one, other: not _equal(one, other),
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "in": lambda one, other: one in other,
    "not in": lambda one, other: one not in other,
    "is": lambda one, other: one is other or (type(one) is type(other) and one == other),
    "is not": lambda one, other: not (one is other or (type(one) is type(other) and one == other)),
    "not": lambda value: not value,
    "negative": lambda value: -value,
    "-": lambda one, other: one - other,
    "+": lambda one, other: one + other,
    "abs": abs,
    "len": len,
    "round": round,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "item": lambda value, place: value[place],
    "isinstance": lambda value, names: isinstance(value, tuple(_TYPES[name] for name in names)),
    "isclose": lambda one, other, rel, most: math.isclose(one, other, rel_tol=rel, abs_tol=most),
    "almost": _almost,
    "approx": _approx,
}
