"""The interface for verl: a plain function of one completion, with the tests in `ground_truth`."""

from __future__ import annotations

import inspect
import json

import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards.integrations.verl import compute_score

PAIRS = json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2", "4"]})
RIGHT = "```python\nprint(2 * int(input()))\n```"


def test_verl_calls_it_from_threads_with_names_and_may_pass_more() -> None:
    assert not inspect.iscoroutinefunction(compute_score)
    given = {"data_source": "mine", "ground_truth": PAIRS, "extra_info": {"num_turns": 1}, "reward_router_address": None}
    assert compute_score(solution_str=RIGHT, **given) == {"score": 1.0, "passed": 1.0, "timeout": 0.0}
    half = "```python\nprint(2)\n```"
    assert compute_score(solution_str=half, **given)["score"] == 0.0
    assert compute_score(solution_str=half, variant="share", **given)["score"] == 0.5


def test_a_ground_truth_without_tests_is_an_error() -> None:
    with pytest.raises(UsageError, match="no readable tests"):
        compute_score("mine", RIGHT, "")


def test_verl_itself_loads_it_by_the_path_in_its_configuration() -> None:
    reward = pytest.importorskip("verl.trainer.ppo.reward", reason="verl is not installed", exc_type=ImportError)
    from omegaconf import OmegaConf

    chosen = {
        "path": "pkg://hf_oss_instruct.rewards.integrations.verl",
        "name": "compute_score",
        "reward_kwargs": {"variant": "share"},
    }
    score = reward.get_custom_reward_fn(OmegaConf.create({"reward": {"custom_reward_function": chosen}}))
    found = score(data_source="mine", solution_str="```python\nprint(2)\n```", ground_truth=PAIRS, extra_info={"index": 1})
    assert found["score"] == 0.5
