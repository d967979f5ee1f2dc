from __future__ import annotations

from math import lgamma, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.verification.selection import METHODS, aces_weights, rates, select

# Two solutions agree on three tests; one passes four, alone; one passes nothing.
AGREEING = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0]]
matrices = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6))


@pytest.mark.parametrize(
    ("method", "chosen", "scores"),
    [
        ("own", 0, [1, 0, 0, 0]),
        ("majority", 1, [3, 4, 3, 0]),
        ("codet", 0, [6, 4, 6, 0]),
        ("codet-sqrt", 0, [3 * sqrt(2), 4, 3 * sqrt(2), 0]),
    ],
)
def test_scores_are_those_of_the_formulae(method: str, chosen: int, scores: list[float]) -> None:
    selection = select(AGREEING, method)
    assert (selection.chosen, selection.method) == (chosen, method)
    assert selection.scores == pytest.approx(scores)


def test_b4_of_a_small_matrix_is_the_sum_of_four_beta_functions() -> None:
    def log_beta(a: float, b: float) -> float:
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    selection = select([[1, 0], [1, 0], [0, 1]], "b4")
    # The first two: 1 of 2 tests, 2 of 3 solutions; the third fails their test, and passes the other one.
    pair = log_beta(1001, 2) + log_beta(1002, 2) + log_beta(1, 2) + log_beta(2, 1e5)
    alone = log_beta(1001, 2) + log_beta(1001, 3) + log_beta(1, 3) + log_beta(3, 1e5)
    assert selection.scores == pytest.approx([pair, pair, alone])
    assert selection.chosen == 0


def test_a_test_weighs_what_the_others_say_of_it() -> None:
    matrix = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool)
    # Of the first test: solutions 0 and 1 pass it, 2 does not; on the other tests they pass 2, 1 and 2: AUC (½ + 0) / 2.
    # Of the last: solution 2 passes it and one other test; 0 passes three, 1 two: AUC 0.
    # Of the third: 0 and 2 pass it and 2 and 1 others, 1 passes two others: AUC (½ + 0) / 2.
    assert aces_weights(matrix).tolist() == [0, 0, 0, 0]
    agreed = np.array([[1, 1, 1], [1, 1, 0], [0, 0, 0]], dtype=bool)
    # First test: 0 and 1 pass 2 and 1 others, 2 none: AUC 1. Third: 0 passes two others, 1 two, 2 none: AUC (½ + 1) / 2.
    assert aces_weights(agreed).tolist() == [0.5, 0.5, 0.25]
    assert select(agreed, "aces").scores == pytest.approx([1.25, 1, 0])


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=30)
@given(matrix=matrices, data=st.data())
def test_the_order_of_solutions_and_tests_does_not_change_scores(method: str, matrix: np.ndarray, data: st.DataObject) -> None:
    rows = data.draw(st.permutations(range(matrix.shape[0])))
    columns = data.draw(st.permutations(range(matrix.shape[1])))
    if method != "own":
        before = select(matrix, method).scores
        assert select(matrix[rows][:, columns], method).scores == pytest.approx([before[row] for row in rows])


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=30)
@given(matrix=matrices)
def test_equal_solutions_have_equal_scores_and_the_first_of_them_is_chosen(method: str, matrix: np.ndarray) -> None:
    selection = select(matrix, method)
    assert selection.scores[selection.chosen] == pytest.approx(max(selection.scores))
    twins = [row for row in range(len(matrix)) if (matrix[row] == matrix[selection.chosen]).all()]
    assert selection.chosen == twins[0]
    if method != "own":
        assert len({round(selection.scores[row], 6) for row in twins}) == 1


@pytest.mark.parametrize("method", METHODS)
def test_without_tests_or_differences_the_first_solution_is_chosen(method: str) -> None:
    assert select(np.zeros((3, 0), dtype=bool), method).chosen == 0
    assert select([[True], [True]], method).chosen == 0


def test_one_more_copy_of_a_solution_helps_it_where_agreement_counts() -> None:
    split = [[1, 1, 0], [0, 1, 1], [0, 1, 1]]
    assert [select(split, method).chosen for method in ("majority", "codet", "codet-sqrt", "b4")] == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("matrix", "method", "said"),
    [
        ([[1]], "best", "own, majority"),
        ([], "codet", "at least one solution"),
        ([1, 0], "codet", "shape"),
        ([[0.5]], "b4", "booleans"),
    ],
)
def test_what_is_no_matrix_or_method_is_refused(matrix: list, method: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        select(matrix, method)


def test_rates_against_the_truth() -> None:
    found = rates([True, True, False, False, True], [True, False, False, True, True])
    assert (found.false_accepts, found.false_rejects, found.j) == pytest.approx((1 / 2, 1 / 3, 1 - 1 / 2 - 1 / 3))
    assert rates([True], [True]).false_accepts is None
    with pytest.raises(UsageError, match="2 verdicts and 1 truths"):
        rates([True, False], [True])
