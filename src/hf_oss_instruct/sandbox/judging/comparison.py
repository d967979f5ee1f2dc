"""Compare the values that programs return with the expected ones."""

from __future__ import annotations

import cmath
from collections import OrderedDict
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

NUMBERS = (int, float, complex, Fraction, Decimal)
RELATIVE = 1e-7  # relative to the expected value, added to the absolute tolerance: as evalplus calls numpy.allclose
ComparisonRule = Callable[[Sequence[Any], Any, Any, float], bool]
"""Arguments, answer, expected value, tolerance → whether the answer is correct."""


def same(answer: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Compare two plain values with `==`, except that NaN equals NaN and floats may differ by the tolerance.

    Args:
        answer: the value that a program returned.
        expected: the expected value.
        tolerance: absolute tolerance for floats, in addition to `RELATIVE`; 0 for exact comparison.
    """
    if isinstance(answer, NUMBERS) and isinstance(expected, NUMBERS):
        return _same_number(answer, expected, tolerance)
    if isinstance(answer, list | tuple):
        alike = type(answer) is type(expected) and len(answer) == len(expected)
        return alike and all(same(one, other, tolerance) for one, other in zip(answer, expected, strict=True))
    if answer == expected:
        return True
    if isinstance(answer, dict) and isinstance(expected, dict):
        ordered = isinstance(answer, OrderedDict) and isinstance(expected, OrderedDict)
        alike = list(answer) == list(expected) if ordered else answer.keys() == expected.keys()
        return alike and all(same(answer[key], expected[key], tolerance) for key in expected)
    return False


def _same_number(answer: Any, expected: Any, tolerance: float) -> bool:
    # NaN is the only value that differs from itself.
    if answer == expected or (answer != answer and expected != expected):
        return True
    return tolerance > 0 and isinstance(expected, float | complex) and close(answer, expected, tolerance)


def close(answer: Any, expected: Any, tolerance: float) -> bool:
    """Whether two finite numbers differ by at most `tolerance + RELATIVE * abs(expected)`.

    Args:
        answer: the number that a program returned.
        expected: the expected number.
        tolerance: absolute tolerance.
    """
    try:
        answer, expected = (float(number) if isinstance(number, Fraction | Decimal) else number for number in (answer, expected))
        near: bool = abs(answer - expected) <= tolerance + RELATIVE * abs(expected)
        return near and cmath.isfinite(answer) and cmath.isfinite(expected)
    except OverflowError:  # an integer too large for a float
        return False
