"""From the results of tests to a reward, and from the rewards of a batch to metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hf_oss_instruct.rewards.grading.results import Results

STATUSES = ("passed", "wrong", "error", "timeout", "unscored")


@dataclass(frozen=True, slots=True)
class RewardOutcome:
    """The reward of a completion, and where it comes from.

    Attributes:
        reward: from 0.0 to 1.0; None if nothing is known about the program.
        status: one of `STATUSES`: `passed` if every test that counts passed; `unscored` if the reward is None.
        detail: the first thing that went wrong, in one line.
        passed: whether each test passed.
        trusted: whether each test was judged outside the program's process.
    """

    reward: float | None
    status: str
    detail: str = ""
    passed: tuple[bool, ...] = ()
    trusted: tuple[bool, ...] = ()


def unscored(detail: str) -> RewardOutcome:
    """The outcome of a completion about which nothing is known."""
    return RewardOutcome(None, "unscored", detail)


def outcome_of(
    results: Results, trusted: Sequence[bool], weights: Sequence[float], variant: str, untrusted: float
) -> RewardOutcome:
    """Compute the reward of a completion.

    Args:
        results: the results of its tests.
        trusted: for each test, whether it was judged outside the program's process.
        weights: of each test, for the variant `weighted`; equal if empty.
        variant: one of `options.VARIANTS`.
        untrusted: weight of tests that are not trusted, from 0 to 1.
    """
    passed, kinds = results.passed, tuple(trusted)
    if results.status == "unscored":
        return RewardOutcome(None, "unscored", results.detail, passed, kinds)
    # Without a killed mutant the weights say nothing, and every test counts the same.
    own = weights if variant == "weighted" and sum(weights) > 0 else [1.0] * len(passed)
    counted = [weight * (1.0 if safe else untrusted) for weight, safe in zip(own, kinds, strict=True)]
    total = sum(counted)
    if not total:
        return RewardOutcome(None, "unscored", "no test counts: all of them can only run beside the program", passed, kinds)
    counting = [right for right, safe in zip(passed, kinds, strict=True) if safe or untrusted]
    every = all(counting)
    # Exactly 1.0, which a quotient of sums of floats need not be.
    share = 1.0 if every else sum(weight for weight, right in zip(counted, passed, strict=True) if right) / total
    reward = share if variant != "all" else float(every)
    return RewardOutcome(reward, "passed" if every else results.status, "" if every else results.detail, passed, kinds)


def metrics(outcomes: Sequence[RewardOutcome], seconds: float) -> dict[str, float]:
    """The metrics of a batch: shares of its completions by status, share of tests that were not trusted, completions a second.

    Args:
        outcomes: one for each completion.
        seconds: wall time of the batch.
    """
    counts = Counter(outcome.status for outcome in outcomes)
    numbers = {status: counts[status] / max(1, len(outcomes)) for status in STATUSES}
    tests = [safe for outcome in outcomes if outcome.reward is not None for safe in outcome.trusted]
    numbers["untrusted_tests"] = tests.count(False) / max(1, len(tests))
    numbers["programs_per_second"] = len(outcomes) / seconds if seconds > 0 else 0.0
    return numbers
