"""When are two values the same to a language's tests? Each language's module chooses how leaves compare; structure is shared."""

from __future__ import annotations

from collections.abc import Callable

from hf_oss_instruct.evaluation.call_tests.canonical import Map, Set, Some, Value

Leaves = Callable[[Value, Value], bool]
"""Answer and expected value, not both of them containers of one kind → whether they are equal."""


def same(answer: Value, expected: Value, leaves: Leaves) -> bool:
    """Whether two values have one structure and equal leaves. Maps are compared by keys, in any order."""
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
    """Whether it is a whole or floating-point number; booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def strict(answer: Value, expected: Value) -> bool:
    """Scalars of one type that are equal: 1 is not 1.0."""
    return type(answer) is type(expected) and bool(answer == expected)


def by_value(answer: Value, expected: Value) -> bool:
    """Scalars that are equal, whole and floating-point numbers by their value: 1 is 1.0."""
    return bool(answer == expected) if is_number(answer) and is_number(expected) else strict(answer, expected)
