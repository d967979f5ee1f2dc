"""pass@k: the probability that at least one of k samples solves a problem. The unbiased estimator and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.errors import UsageError

Z95 = 1.959963984540054
"""97.5 % quantile of the normal distribution."""


def pass_at_k(n: int, c: int, k: int) -> float:
    """Estimate the probability that at least one of k samples is correct, from n samples of which c are correct.

    1 − C(n − c, k) / C(n, k), as a numerically stable product (Chen et al. 2021, arXiv 2107.03374, section 2.1).

    Args:
        n: number of samples of one problem.
        c: number of samples that passed, 0 ≤ c ≤ n.
        k: number of attempts, 1 ≤ k ≤ n.

    Returns:
        The probability, 0 to 1.

    Raises:
        UsageError: k is larger than n, or a number is out of range.
    """
    for name, number in (("n", n), ("c", c), ("k", k)):
        check_type(name, number, Integral, "a whole number")
    if not (0 <= c <= n and k >= 1):
        raise UsageError(f"pass@{k} is undefined for {c} correct of {n} samples: 0 ≤ c ≤ n and k ≥ 1 must hold.")
    if k > n:
        raise UsageError(
            f"pass@{k} needs at least {k} samples per problem, and one problem has {n}. Use k ≤ {n}, or generate more samples."
        )
    # Any k samples include a correct one.
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))


def mean_pass_at_k(counts: Sequence[tuple[int, int]], k: int) -> float:
    """Average `pass_at_k` over problems.

    Args:
        counts: (n, c) of each problem; n may differ.
        k: number of attempts, see `pass_at_k`.
    """
    if not counts:
        raise UsageError("No problems to average over. Score at least one sample.")
    return sum(pass_at_k(n, c, k) for n, c in counts) / len(counts)


def interval(mean: float, problems: int) -> tuple[float, float]:
    """Compute the 95 % interval of a mean over problems: Wilson's score interval (1927).

    With several samples per problem it is conservative, because no values in [0, 1] vary more than zeros and ones.

    Args:
        mean: mean over problems, in [0, 1].
        problems: number of problems.
    """
    if problems <= 0:
        raise UsageError("No problems to compute an interval for. Score at least one sample.")
    square = Z95**2 / problems
    centre = (mean + square / 2) / (1 + square)
    half = Z95 * math.sqrt(mean * (1 - mean) / problems + square / (4 * problems)) / (1 + square)
    return max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))  # contains the mean despite rounding
