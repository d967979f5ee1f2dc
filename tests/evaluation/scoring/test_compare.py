"""Two models on the same problems: when is a difference more than noise?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.scoring.compare import bootstrap, compare, mcnemar


def rows(passed: str) -> dict[str, list[bool]]:
    return {f"HumanEval/{number}": [mark == "1"] for number, mark in enumerate(passed)}


def test_mcnemar_is_the_binomial_test_of_a_fair_coin() -> None:
    stats = pytest.importorskip("scipy.stats")
    for a, b in [(0, 0), (1, 0), (5, 5), (3, 12), (20, 2), (0, 9)]:
        expected = stats.binomtest(a, a + b, 0.5).pvalue if a + b else 1.0
        assert mcnemar(a, b) == pytest.approx(expected)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_swapping_the_models_swaps_the_signs_and_keeps_the_p_value(pairs: list[tuple[bool, bool]]) -> None:
    a, b = ({str(at): [pair[side]] for at, pair in enumerate(pairs)} for side in (0, 1))
    one, other = compare(a, b), compare(b, a)
    assert one.p_value == other.p_value
    assert one.difference == pytest.approx(-other.difference)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=0.02)
    assert one.low <= one.difference <= one.high


def test_seven_points_at_164_problems_can_be_noise_and_can_be_none() -> None:
    scattered = compare(rows("10" * 40 + "01" * 30 + "1" * 24), rows("01" * 40 + "10" * 30 + "1" * 24))
    assert not scattered.differs
    nested = compare(rows("1" * 100 + "0" * 64), rows("1" * 112 + "0" * 52))
    assert nested.difference == pytest.approx(12 / 164)
    assert (nested.only_a, nested.only_b) == (0, 12)
    assert nested.differs
    assert nested.low > 0


def test_with_several_samples_the_bootstrap_alone_decides() -> None:
    a = {str(n): [True, False, False, False] for n in range(50)}
    b = {str(n): [True, True, True, False] for n in range(50)}
    found = compare(a, b)
    assert found.p_value is None
    assert found.difference == pytest.approx(0.5)
    assert found.differs
    assert not compare(a, a).differs


def test_the_bootstrap_is_reproducible() -> None:
    values = [number / 7 % 1 - 0.4 for number in range(200)]
    assert bootstrap(values, rng_seed=3) == bootstrap(values, rng_seed=3) != bootstrap(values, rng_seed=4)


def test_different_problems_cannot_be_compared() -> None:
    with pytest.raises(EvaluationError, match="1 differ, such as 'HumanEval/2'"):
        compare(rows("10"), rows("101"))
    with pytest.raises(EvaluationError, match="no problem"):
        compare({}, {})
