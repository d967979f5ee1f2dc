"""pass@k against counting every choice, and its interval."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.scoring.pass_at_k import interval, mean_pass_at_k, pass_at_k

small = st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n)))


@given(small)
def test_it_is_the_share_of_all_choices_that_hold_a_right_sample(numbers: tuple[int, int, int]) -> None:
    n, c, k = numbers
    choices = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, choices)) / len(choices))


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), st.data())
def test_more_tries_and_more_right_samples_never_lower_it(numbers: tuple[int, int], data: st.DataObject) -> None:
    n, c = numbers
    k = data.draw(st.integers(1, n))
    value = pass_at_k(n, c, k)
    assert 0 <= value <= 1
    assert pass_at_k(n, c, 1) == pytest.approx(c / n)
    assert pass_at_k(n, n, k) == 1.0
    assert pass_at_k(n, 0, k) == 0.0
    if k < n:
        assert pass_at_k(n, c, k + 1) >= value - 1e-12
    if c < n:
        assert pass_at_k(n, c + 1, k) >= value - 1e-12


@pytest.mark.parametrize(("n", "c", "k"), [(3, 1, 4), (3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_what_makes_no_sense_is_an_error(n: int, c: int, k: int) -> None:
    with pytest.raises(UsageError, match="pass@"):
        pass_at_k(n, c, k)


def test_a_mean_over_problems_may_have_different_numbers_of_samples() -> None:
    assert mean_pass_at_k([(2, 1), (4, 4), (1, 0)], 1) == pytest.approx(0.5)
    with pytest.raises(UsageError, match="one problem has 1"):
        mean_pass_at_k([(2, 1), (1, 1)], 2)


def test_the_interval_is_seven_points_wide_each_side_at_humaneval() -> None:
    low, high = interval(0.7, 164)
    assert (high - low) / 2 == pytest.approx(0.07, abs=0.001)
    assert interval(1.0, 164)[1] == 1.0
    assert interval(1.0, 164)[0] < 0.98
    assert interval(0.0, 1)[0] == 0.0


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_the_interval_holds_the_mean_and_narrows_with_problems(numbers: tuple[int, int]) -> None:
    n, passed = numbers
    low, high = interval(passed / n, n)
    assert 0 <= low <= passed / n <= high <= 1
    wider = interval(passed / n, max(1, n // 2))
    assert high - low <= wider[1] - wider[0] + 1e-12
