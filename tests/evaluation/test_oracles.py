"""Where equality is not the rule: each of evalplus' special cases, and what floats may differ by."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.evaluation.oracles import ORACLES, equal, oracle_for

numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6)


@given(st.lists(numbers, max_size=5), st.floats(0, 1e-3))
def test_equality_says_of_floats_what_numpy_says(values: list[float], shift: float) -> None:
    answer = [value + shift for value in values]
    assert equal((), answer, values, 1e-6) == (answer == values or bool(np.allclose(answer, values, rtol=1e-7, atol=1e-6)))


@pytest.mark.parametrize(
    ("answer", "expected", "tolerance", "right"),
    [
        (3, 3.0, 0.0, True),  # as == has it
        (0.1 + 0.2, 0.3, 0.0, True),  # floats get 1e-6 where the benchmark says 0
        (3, 3.0000001, 1e-6, False),  # but not across types
        ((1.0,), [1.0], 0.0, False),
        ([1.0, 2.0], [1.0], 1e-6, False),
        ("1.0", 1.0, 1e-6, False),
        (math.inf, math.inf, 1e-6, True),
        (math.nan, math.nan, 1e-6, False),
        (1.0, math.inf, 1e-6, False),
        ([[0.5], [1.0000001]], [[0.5], [1.0]], 1e-6, True),
    ],
)
def test_equality(answer: Any, expected: Any, tolerance: float, right: bool) -> None:
    assert equal((), answer, expected, tolerance) is right


@pytest.mark.parametrize(
    ("benchmark", "entry_point", "arguments", "answer", "expected", "right"),
    [
        ("humaneval", "find_zero", ([1, 2],), -0.5, 7.0, True),
        ("humaneval", "find_zero", ([1, 2],), -0.4, -0.5, False),
        ("humaneval", "find_zero", ([1, 2],), None, -0.5, False),
        ("mbpp", "similar_elements", (), [2, 1, 1], (1, 2), True),
        ("mbpp", "similar_elements", (), [2], (1, 2), False),
        ("mbpp", "are_equivalent", (), False, True, True),
        ("mbpp", "sum_div", (), 0, 7, True),
        ("mbpp", "sum_div", (), 6, 7, False),
        ("mbpp", "surface_Area", (3, 4), 33, 99, False),
        ("mbpp", "surface_Area", (3, 4), 35, 33, True),
        ("mbpp", "digit_distance_nums", (23, 56), 6, 5, True),
        ("mbpp", "digit_distance_nums", (1, 256), 12, 99, True),
        ("mbpp", "digit_distance_nums", (1, 256), 11, 99, False),
        ("mbpp", "anything_else", (), [1, 2], [2, 1], False),
        ("humaneval", "sum_div", (), 0, 7, False),
    ],
)
def test_special_cases(benchmark: str, entry_point: str, arguments: Any, answer: Any, expected: Any, right: bool) -> None:
    rule = ORACLES[oracle_for(benchmark, entry_point)]
    assert rule(arguments, answer, expected, 1e-4 if entry_point == "find_zero" else 0.0) is right
