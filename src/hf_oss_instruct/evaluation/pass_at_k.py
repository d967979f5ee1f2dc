"""How likely is it that one of k samples solves a problem? The unbiased estimator and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hf_oss_instruct.errors import UsageError

Z95 = 1.959963984540054
"""97.5 % quantile of the normal distribution."""


def pass_at_k(n: int, c: int, k: int) -> float:
    """Probability that at least one of k samples is right, estimated from n of which c are right.

    1 − C(n − c, k) / C(n, k), as a product that stays exact for large n (Chen et al. 2021, arXiv 2107.03374, section 2.1).

    Args:
        n: samples of one problem.
        c: samples that passed, 0 ≤ c ≤ n.
        k: samples that one may try, 1 ≤ k ≤ n.

    Raises:
        UsageError: k is larger than n, or the numbers are none of samples.
    """
    if not (0 <= c <= n and k >= 1):
        raise UsageError(f"pass@{k} of {c} right among {n} samples makes no sense: 0 ≤ c ≤ n and k ≥ 1 must hold.")
    if k > n:
        raise UsageError(
            f"pass@{k} needs at least {k} samples of every problem, and one has {n}. Ask for k ≤ {n}, or sample more."
        )
    if n - c < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(n - c + 1, n + 1))


def mean_pass_at_k(counts: Sequence[tuple[int, int]], k: int) -> float:
    """The mean of `pass_at_k` over problems.

    Args:
        counts: (n, c) of each problem; n may differ.
        k: as of `pass_at_k`.
    """
    if not counts:
        raise UsageError("There is no problem to take a mean over. Score at least one sample.")
    return sum(pass_at_k(n, c, k) for n, c in counts) / len(counts)


def interval(mean: float, problems: int) -> tuple[float, float]:
    """95 % interval of a mean over problems: Wilson's score interval (1927).

    With several samples a problem it is too wide rather than too narrow, since no values between 0 and 1 spread more than
    zeros and ones do.

    Args:
        mean: mean over problems, between 0 and 1.
        problems: how many problems.
    """
    if problems <= 0:
        raise UsageError("There is no problem to give an interval for. Score at least one sample.")
    square = Z95**2 / problems
    centre = (mean + square / 2) / (1 + square)
    half = Z95 * math.sqrt(mean * (1 - mean) / problems + square / (4 * problems)) / (1 + square)
    return max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))  # within rounding, it holds the mean
