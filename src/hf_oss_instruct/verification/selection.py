"""Which of several solutions to keep, from the matrix of passed tests; and how far verdicts agree with the truth.

select(matrix, "codet").chosen
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import lgamma
from typing import Any

import numpy as np
import numpy.typing as npt

from hf_oss_instruct.errors import UsageError

PassMatrix = npt.NDArray[np.bool_]
"""(N solutions, M tests): whether the solution passes the test."""
Scores = npt.NDArray[Any]
ALPHA, BETA_0 = 1e3, 1e5
"""Priors of B4: α of 10³, β₀ of 10⁴ to 10⁶ in the paper."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The solution that a method selects.

    Attributes:
        chosen: its row in the matrix.
        method: one of `METHODS`.
        scores: the score of each solution; the chosen one has the highest.
    """

    chosen: int
    method: str
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class VerdictErrorRates:
    """How far verdicts agree with the truth.

    Attributes:
        false_accepts: share of wrong solutions that were accepted (FAR); None without wrong solutions.
        false_rejects: share of right solutions that were rejected (FRR); None without right solutions.
        j: Youden's J, 1 − FAR − FRR; None if either is.
    """

    false_accepts: float | None
    false_rejects: float | None
    j: float | None


def select(matrix: npt.ArrayLike, method: str = "majority") -> Selection:
    """Select a solution.

    Among equal scores the solution with more passed tests wins, then the earlier one, so that a matrix without tests or with
    equal rows gives the first solution.

    Args:
        matrix: booleans of shape (N solutions, M tests).
        method: one of `METHODS`.

    Raises:
        UsageError: the method is unknown, there are no solutions, or the matrix is not of booleans in two dimensions.
    """
    if method not in METHODS:
        raise UsageError(f"Unknown selection method {method!r}. Use one of: {', '.join(METHODS)}.")
    passed = np.asarray(matrix)  # (solutions, tests)
    if passed.ndim != 2 or not len(passed):
        raise UsageError(f"A pass matrix has the shape (solutions, tests) and at least one solution; this one is {passed.shape}.")
    if passed.size and passed.dtype != np.bool_ and not np.isin(passed, (0, 1)).all():
        raise UsageError("A pass matrix may contain only booleans, or 0 and 1.")
    passed = passed.astype(np.bool_)  # (solutions, tests)
    scores = np.asarray(METHODS[method](passed), np.float64)  # (solutions,)
    # `lexsort` sorts by its last key first.
    order = np.lexsort((np.arange(len(passed)), -passed.sum(1), -scores))  # (solutions,)
    return Selection(int(order[0]), method, tuple(map(float, scores)))


def own(matrix: PassMatrix) -> Scores:
    """1 for the first solution, which came with the problem; the baseline."""
    return np.asarray(np.eye(1, len(matrix))[0])


def majority(matrix: PassMatrix) -> Scores:
    """Number of passed tests."""
    return np.asarray(matrix.sum(1))


def codet(matrix: PassMatrix) -> Scores:
    """|S| · |T|: solutions with the same row, times the tests that they pass (CodeT, arXiv 2207.10397, section 2.2)."""
    groups, sizes = _groups(matrix)
    return np.asarray(sizes[groups] * matrix.sum(1))


def codet_sqrt(matrix: PassMatrix) -> Scores:
    """|T| · √|S|: the score of CodeT's own code, in which many equal solutions weigh less."""
    groups, sizes = _groups(matrix)
    return np.asarray(np.sqrt(sizes[groups]) * matrix.sum(1))


def b4(matrix: PassMatrix) -> Scores:
    """Posterior of "these solutions are the right ones, and the tests that they pass the right tests" (B4, arXiv 2409.08692).

    For a group of solutions with equal rows, with indicator x over solutions and y over tests: log B(Σy + α, M − Σy + 1) +
    log B(Σx + α, N − Σx + 1) + log B(ΣE₁ + 1, n₁ − ΣE₁ + 1) + log B(ΣE₀ + 1, n₀ − ΣE₀ + β₀), where B is the Beta function, E₁
    the entries of other solutions on tests in y, and E₀ those on tests that are not.
    """
    count, tests = matrix.shape
    groups, sizes = _groups(matrix)
    scores = np.zeros(len(sizes))  # (groups,)
    for group in range(len(sizes)):
        x = groups == group  # (solutions,)
        y = matrix[int(np.argmax(x))]  # (tests,): equal for all solutions of the group
        others = matrix[~x]  # (other solutions, tests)
        inside, outside = others[:, y], others[:, ~y]  # E₁ and E₀
        scores[group] = (
            _log_beta(y.sum() + ALPHA, tests - y.sum() + 1)
            + _log_beta(x.sum() + ALPHA, count - x.sum() + 1)
            + _log_beta(inside.sum() + 1, inside.size - inside.sum() + 1)
            + _log_beta(outside.sum() + 1, outside.size - outside.sum() + BETA_0)
        )
    return scores[groups]


def aces(matrix: PassMatrix) -> Scores:
    """Sum of the weights of passed tests; a test weighs max(0, AUC − ½) (leave-one-out AUC of ACES, arXiv 2604.03922).

    The AUC of a test is the probability that a solution that passes it passes more of the other tests than one that fails it
    (half for a tie). Tests that all or no solutions pass tell nothing and weigh 0. The paper's optimized variant, ACES-O, is
    not here.
    """
    return np.asarray(matrix @ aces_weights(matrix))


def aces_weights(matrix: PassMatrix) -> Scores:
    """The weight of each test, of shape (M tests,)."""
    count, tests = matrix.shape
    total = matrix.sum(1)  # (solutions,)
    passes = matrix.sum(0)  # (tests,)
    weights = np.zeros(tests)  # (tests,)
    for test in np.flatnonzero((passes > 0) & (passes < count)):
        labels = matrix[:, test]  # (solutions,)
        ranks = _midranks(total - labels)  # (solutions,): by the tests passed without this one
        above = ranks[labels].sum() - passes[test] * (passes[test] + 1) / 2  # Mann-Whitney's U
        weights[test] = max(0.0, above / (passes[test] * (count - passes[test])) - 0.5)
    return weights


def rates(accepted: Sequence[bool], right: Sequence[bool]) -> VerdictErrorRates:
    """FAR, FRR and J of verdicts.

    Args:
        accepted: whether each solution was accepted.
        right: whether it is right, as a better judge says.

    Raises:
        UsageError: they differ in number.
    """
    if len(accepted) != len(right):
        raise UsageError(f"Got {len(accepted)} verdicts and {len(right)} truths. Pass one truth per verdict.")
    of_wrong = [is_accepted for is_accepted, truth in zip(accepted, right, strict=True) if not truth]
    of_right = [is_accepted for is_accepted, truth in zip(accepted, right, strict=True) if truth]
    far = sum(of_wrong) / len(of_wrong) if of_wrong else None
    frr = 1 - sum(of_right) / len(of_right) if of_right else None
    return VerdictErrorRates(far, frr, None if far is None or frr is None else 1 - far - frr)


METHODS: dict[str, Callable[[PassMatrix], npt.NDArray[Any]]] = {
    "own": own,
    "majority": majority,
    "codet": codet,
    "codet-sqrt": codet_sqrt,
    "b4": b4,
    "aces": aces,
}
"""Name → what scores the solutions of a matrix."""


def _groups(matrix: PassMatrix) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The group of each solution, whose rows are equal, and the size of each group."""
    if not matrix.shape[1]:
        return np.zeros(len(matrix), np.intp), np.array([len(matrix)])
    _, groups, sizes = np.unique(matrix, axis=0, return_inverse=True, return_counts=True)  # (solutions,), (groups,)
    return groups.reshape(-1), sizes


def _midranks(values: npt.NDArray[np.int_]) -> Scores:
    """Ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)  # (values,), (distinct values,)
    last = np.cumsum(counts)  # (distinct values,): the last rank of each
    return np.asarray((last - (counts - 1) / 2)[inverse.reshape(-1)])


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
