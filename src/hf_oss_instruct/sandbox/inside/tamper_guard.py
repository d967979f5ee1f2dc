"""Detect programs that tamper with what their tests rely on: builtin functions, assertions, equality."""

from __future__ import annotations

import builtins
import types
import unittest
from typing import Any

from . import frameworks


class Guard:
    """What tests rely on, saved before the program starts."""

    def __init__(self) -> None:
        self.builtins = dict(vars(builtins))
        self._snapshots: list[tuple[str, Any, dict[str, Any]]] = []
        self._originals = {"builtins": dict(vars(builtins)), "unittest.TestCase": dict(vars(unittest.TestCase))}

    def restore_and_watch(self, shim: frameworks.Shim) -> None:
        """Undo the program's changes so far, and watch it from now on."""
        self._snapshots = []
        for name, owner in (("unittest.TestCase", unittest.TestCase), ("builtins", builtins)):
            # What a program adds is left alone; what tests rely on is put back.
            for key, value in self._originals[name].items():
                if vars(owner).get(key) is not value:
                    setattr(owner, key, value)
            self._snapshots.append((name, owner, self._originals[name]))
        self._snapshots += [(name, owner, dict(vars(owner))) for name, owner in shim.watched()]

    def changed(self) -> str:
        """Name what has changed since then; empty if nothing."""
        for name, owner, original in self._snapshots:
            own = vars(owner)
            for key, value in original.items():
                if own.get(key) is not value:
                    return f"{name}.{key}"
        return ""

    def honest(self, *values: Any) -> Any:
        """Return the values if none of them claims to be equal to everything."""
        for value in values:
            _check_equality(value, 0)
        return values

    def same(self, one: Any, other: Any) -> bool:
        """Compare honest values with `==`."""
        _check_equality(one, 0)
        _check_equality(other, 0)
        return bool(one == other)


class Unequal:
    """An object that is equal to nothing but itself."""


PLAIN_TYPES = frozenset({int, float, str, bytes, bool, type(None), complex, range, types.FunctionType, type})
MAX_DEPTH, MAX_ITEMS = 6, 200


def _check_equality(value: Any, depth: int) -> None:
    kind = type(value)
    # Their equality is not the program's to define.
    if kind in PLAIN_TYPES or depth > MAX_DEPTH:
        return
    if kind in (list, tuple, set, frozenset):
        for item in list(value)[:MAX_ITEMS]:
            _check_equality(item, depth + 1)
    elif kind is dict:
        for key, item in list(value.items())[:MAX_ITEMS]:
            _check_equality(key, depth + 1)
            _check_equality(item, depth + 1)
    elif kind.__module__ not in ("unittest.mock", frameworks.__name__) and isinstance(
        kind.__dict__.get("__eq__"), types.FunctionType
    ):
        try:
            # An honest `==` of a program's class does not know this class, so it cannot say that they are equal.
            equal = value == Unequal()
        except Exception:
            return
        if equal is True or (
            type(equal) is not bool and kind.__module__ == "candidate" and equal is not NotImplemented and equal
        ):
            raise AssertionError(f"an object of {kind.__name__} says that it is equal to anything")
