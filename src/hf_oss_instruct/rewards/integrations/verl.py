"""The reward function for verl, as `custom_reward_function`.

custom_reward_function.path=pkg://hf_oss_instruct.rewards.integrations.verl custom_reward_function.name=compute_score \
        +custom_reward_function.reward_kwargs.variant=share
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hf_oss_instruct.rewards.scorer import Scorer

OPTIONS = ("variant", "untrusted_tests", "cpu_s", "wall_s", "memory_mib", "memoize", "tier")
"""Options that verl may pass under `reward_kwargs`; all of them can be set by environment variables too."""


def compute_score(
    data_source: str, solution_str: str, ground_truth: Any, extra_info: Mapping[str, Any] | None = None, **options: Any
) -> dict[str, float]:
    """Score one completion. verl calls it from its own threads.

    Args:
        data_source: name of the dataset; not used.
        solution_str: the model's text.
        ground_truth: the tests, see `columns.TEST_COLUMNS`, as a JSON text or plain values.
        extra_info: the row's `extra_info`, which may hold `language`, `solution` and `test_weights`.
        options: the fields of `RewardOptions` in `OPTIONS`; what else verl passes is ignored.

    Returns:
        `score`, and what verl logs beside it: `passed` (whether every test passed) and `timeout`.

    Raises:
        UsageError: the tests cannot be used.
        SandboxError: the sandbox failed. verl has no way to leave a completion out, and 0.0 would be a false answer.
    """
    from hf_oss_instruct.errors import SandboxError
    from hf_oss_instruct.rewards.columns import read_ground_truth
    from hf_oss_instruct.rewards.scorer import ScorerItem

    scorer = _scorer(tuple((name, options[name]) for name in OPTIONS if name in options))
    outcome = scorer.score_one(ScorerItem(solution_str, read_ground_truth(ground_truth, extra_info)))
    if outcome.reward is None:
        raise SandboxError(f"A completion could not be scored: {outcome.detail}. It says nothing about the program.")
    return {
        "score": outcome.reward,
        "passed": float(outcome.status == "passed"),
        "timeout": float(outcome.status == "timeout"),
    }


@functools.lru_cache(maxsize=8)
def _scorer(options: tuple[tuple[str, Any], ...]) -> Scorer:
    from hf_oss_instruct.rewards.options import RewardOptions
    from hf_oss_instruct.rewards.scorer import Scorer

    return Scorer(RewardOptions.from_environment(**dict(options)))
