"""Compare two models with paired tests over the same problems: McNemar's test, and a bootstrap of the difference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hf_oss_instruct.errors import EvaluationError

RESAMPLES = 10_000
BATCH_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """The result of a paired comparison.

    Attributes:
        problems: number of problems that both were scored on.
        a: pass@1 of A on these problems.
        b: pass@1 of B on these problems.
        only_a: problems that A passed and B failed; None with several samples per problem.
        only_b: the reverse.
        p_value: of McNemar's exact test, two-sided; None with several samples.
        difference: B − A.
        low: lower end of the 95 % bootstrap interval of the difference.
        high: upper end.
    """

    problems: int
    a: float
    b: float
    only_a: int | None
    only_b: int | None
    p_value: float | None
    difference: float
    low: float
    high: float

    @property
    def differs(self) -> bool:
        """Whether the difference is more than noise, at 5 %: McNemar's test where there is one, else the interval."""
        return self.p_value < 0.05 if self.p_value is not None else not self.low <= 0.0 <= self.high


def compare(a: Mapping[str, Sequence[bool]], b: Mapping[str, Sequence[bool]], rng_seed: int = 0) -> PairedComparison:
    """Compare two models on the same problems.

    Args:
        a: problem ID → whether each of A's samples passed.
        b: the same for B.
        rng_seed: random seed of the bootstrap.

    Raises:
        EvaluationError: they were not scored on the same problems.
    """
    if a.keys() != b.keys():
        unmatched = sorted(a.keys() ^ b.keys())
        raise EvaluationError(
            f"A and B were not scored on the same problems: {len(unmatched)} differ, such as {unmatched[0]!r}. Score both on all."
        )
    if not a:
        raise EvaluationError("A and B contain no problems. Score some samples first.")
    rates_a, rates_b = ([sum(row[task]) / len(row[task]) for task in a] for row in (a, b))
    low, high = bootstrap([y - x for x, y in zip(rates_a, rates_b, strict=True)], rng_seed)
    only_a = only_b = p_value = None
    # McNemar's test is about one outcome of each model per problem.
    if all(len(row) == 1 for row in (*a.values(), *b.values())):
        only_a = sum(a[task][0] and not b[task][0] for task in a)
        only_b = sum(b[task][0] and not a[task][0] for task in a)
        p_value = mcnemar(only_a, only_b)
    mean_a, mean_b = sum(rates_a) / len(a), sum(rates_b) / len(a)
    return PairedComparison(len(a), mean_a, mean_b, only_a, only_b, p_value, mean_b - mean_a, low, high)


def mcnemar(only_a: int, only_b: int) -> float:
    """Compute the two-sided p-value of McNemar's exact test (1947): are the problems that only one model passed split evenly?

    Args:
        only_a: number of problems that only A passed.
        only_b: number of problems that only B passed.
    """
    n, fewer = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, i) for i in range(fewer + 1))
    # Twice one tail counts the middle twice if both numbers are equal.
    return min(1.0, float(2 * tail / 2**n))


def bootstrap(differences: Sequence[float], rng_seed: int = 0) -> tuple[float, float]:
    """Compute the 95 % percentile interval of the mean of paired differences, by resampling the problems.

    Args:
        differences: B − A for each problem.
        rng_seed: random seed of the resampling.
    """
    import numpy as np

    rng, values = np.random.default_rng(rng_seed), np.asarray(differences)  # (problems,)
    # In batches, since all draws at once would be RESAMPLES × problems numbers.
    draws = (
        rng.integers(0, len(values), (BATCH_RESAMPLES, len(values))) for _ in range(RESAMPLES // BATCH_RESAMPLES)
    )  # (BATCH_RESAMPLES, problems) each
    low, high = np.percentile(np.concatenate([values[draw].mean(axis=1) for draw in draws]), [2.5, 97.5])
    return float(low), float(high)
