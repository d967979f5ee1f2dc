"""Equality of values as a language's tests define it. Each language chooses how leaves compare; the structure is shared."""

from __future__ import annotations

from collections.abc import Callable

from hf_oss_instruct.evaluation.call_tests.canonical import Map, Set, Some, Value

Leaves = Callable[[Value, Value], bool]
"""Answer and expected value, unless both are containers of one kind → whether they are equal."""


def same(answer: Value, expected: Value, leaves: Leaves) -> bool:
    """Whether two values have the same structure and equal leaves. Maps are compared by key, in any order.

    Args:
        answer: value that the solution returned.
        expected: the expected value.
        leaves: compares two values that are not both containers of one kind.
    """
    if isinstance(answer, list | tuple) and type(answer) is type(expected):
        return len(answer) == len(expected) and all(same(one, other, leaves) for one, other in zip(answer, expected, strict=True))
    if isinstance(answer, Map) and isinstance(expected, Map):
        return answer.pairs.keys() == expected.pairs.keys() and all(
            same(answer.pairs[key][1], value, leaves) for key, (_, value) in expected.pairs.items()
        )
    if isinstance(answer, Set) and isinstance(expected, Set):
        return answer.members.keys() == expected.members.keys()
    if isinstance(answer, Some) and isinstance(expected, Some):
        return same(answer.value, expected.value, leaves)
    return leaves(answer, expected)


def is_number(value: Value) -> bool:
    """Whether it is an integer or float; booleans are not numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def strict(answer: Value, expected: Value) -> bool:
    """Compare scalars including their type: 1 is not 1.0."""
    return type(answer) is type(expected) and bool(answer == expected)


def by_value(answer: Value, expected: Value) -> bool:
    """Compare scalars, with integers and floats by value: 1 is 1.0."""
    return bool(answer == expected) if is_number(answer) and is_number(expected) else strict(answer, expected)
