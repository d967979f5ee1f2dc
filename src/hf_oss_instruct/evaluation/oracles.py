"""Comparison rules where equality is not enough: evalplus' special cases, applied to plain values outside the sandbox.

The rules and the functions they apply to are evalplus' (26d6d00, `eval/__init__.py` and `eval/_special_oracle.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hf_oss_instruct.sandbox.judging.comparison import NUMBERS, close

Oracle = Callable[[Sequence[Any], Any, Any, float], bool]
"""Arguments, answer, expected value, absolute tolerance → whether the answer is correct."""

# Functions of MBPP whose answers have no fixed order.
_SETS = (
    "similar_elements find_char_long common_in_nested_lists extract_singly larg_nnum intersection_array find_dissimilar Diff"
).split()
# Functions of MBPP that may return a match object: only whether there is one counts.
_THERE = "check_str text_match_three text_starta_endb".split()
_ADAPTER = """

def _there(function):
    def answer(*arguments):
        value = function(*arguments)
        return value if isinstance(value, bool) else value is not None
    return answer

{name} = _there({name})
"""
DEFAULT_TOLERANCE = 1e-6
"""Default tolerance for floats."""


def oracle_for(benchmark: str, entry_point: str) -> str:
    """Return the name of the comparison rule of a problem."""
    if benchmark == "humaneval":
        return "root" if entry_point == "find_zero" else "equal"
    if entry_point in _SETS:
        return "same_set"
    return entry_point if entry_point in ORACLES else "equal"


def adapter_for(benchmark: str, entry_point: str) -> str:
    """Return code to append to a program whose function may return a match object: it is converted to a bool."""
    return _ADAPTER.replace("{name}", entry_point) if benchmark == "mbpp" and entry_point in _THERE else ""


def equal(arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
    """Compare with `==`, or numbers of one type within tolerance + 1e-7 of the expected value, like `numpy.allclose`.

    A Fraction or Decimal counts as a float, and so does a numpy number.

    Args:
        arguments: of the call.
        answer: value that the solution returned.
        expected: the reference's value.
        tolerance: absolute tolerance for floats.
    """
    if tolerance == 0 and _is_floats(expected):
        # As in evalplus: floats are never compared exactly.
        tolerance = DEFAULT_TOLERANCE
    if answer == expected:
        return True
    alike = type(answer) is type(expected) or (isinstance(answer, Fraction | Decimal) and isinstance(expected, float))
    return tolerance != 0 and alike and _close(answer, expected, tolerance)


def root(arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
    """Whether the polynomial with these coefficients is zero at the answer (HumanEval/32).

    Args:
        arguments: of the call.
        answer: value that the solution returned.
        expected: the reference's value.
        tolerance: absolute tolerance for floats.
    """
    coefficients = arguments[0]
    real = isinstance(answer, int | float | Fraction | Decimal)
    return real and abs(sum(c * math.pow(answer, i) for i, c in enumerate(coefficients))) <= tolerance


def same_set(arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
    """Whether both contain the same items, ignoring order and repetition.

    The answer's items are only looked up: building a set of numbers chosen to collide could take minutes.

    Args:
        arguments: of the call.
        answer: value that the solution returned.
        expected: the reference's value.
        tolerance: absolute tolerance for floats.
    """
    wanted = set(expected)
    missing = set(expected)
    for item in answer:
        if item not in wanted:
            return False
        missing.discard(item)
    return not missing


def are_equivalent(arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
    """Accept any answer: the reference of Mbpp/164 is itself doubtful.

    Args:
        arguments: of the call.
        answer: value that the solution returned.
        expected: the reference's value.
        tolerance: absolute tolerance for floats.
    """
    return True


def sum_div(arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
    """Equality, or 0: Mbpp/295 does not say whether the number divides itself.

    Args:
        arguments: of the call.
        answer: value that the solution returned.
        expected: the reference's value.
        tolerance: absolute tolerance for floats.
    """
    return equal(arguments, answer, expected, tolerance) or bool(answer == 0)


def surface_area(arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
    """Equality, or the area for a height from base to apex (Mbpp/581).

    Args:
        arguments: of the call.
        answer: value that the solution returned.
        expected: the reference's value.
        tolerance: absolute tolerance for floats.
    """
    edge, height = arguments
    other = round(edge**2 + 2 * edge * math.sqrt((edge / 2) ** 2 + height**2))
    near = isinstance(answer, int | float) and abs(answer - other) <= tolerance
    return near or equal(arguments, answer, expected, tolerance)


def digit_distance(arguments: Sequence[Any], answer: Any, expected: Any, tolerance: float) -> bool:
    """Equality, or the sum of the digits' differences (Mbpp/558).

    Args:
        arguments: of the call.
        answer: value that the solution returned.
        expected: the reference's value.
        tolerance: absolute tolerance for floats.
    """
    one, other = map(str, arguments)
    width = max(len(one), len(other))
    pairs = zip(one.zfill(width), other.zfill(width), strict=True)
    if not (one + other).isdigit():
        return equal(arguments, answer, expected, tolerance)
    return equal(arguments, answer, expected, tolerance) or bool(answer == sum(abs(int(a) - int(b)) for a, b in pairs))


ORACLES: dict[str, Oracle] = {
    "equal": equal,
    "root": root,
    "same_set": same_set,
    "are_equivalent": are_equivalent,
    "sum_div": sum_div,
    "surface_Area": surface_area,
    "digit_distance_nums": digit_distance,
}


def _is_floats(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def _close(answer: Any, expected: Any, tolerance: float) -> bool:
    """Compare like `numpy.allclose(answer, expected, rtol=1e-7, atol=tolerance)`, for numbers and lists of numbers."""
    if isinstance(expected, list | tuple):
        return len(answer) == len(expected) and all(_close(a, e, tolerance) for a, e in zip(answer, expected, strict=True))
    if not isinstance(answer, NUMBERS) or not isinstance(expected, NUMBERS):
        return False
    return bool(answer == expected) or close(answer, expected, tolerance)
