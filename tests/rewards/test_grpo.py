"""`trl grpo` with the code reward: it runs, logs what became of programs, and a model learns from tests alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.reinforcement import SCRIPT, learn


def test_stock_trl_grpo_trains_with_the_reward_and_logs_its_metrics(tmp_path: Path) -> None:
    changes = {"max_steps": 2, "logging_steps": 1, "per_device_train_batch_size": 16, "num_generations": 4}
    learn(tmp_path, 0, pretraining=20, samples=1, command=SCRIPT, **changes)
    logged = [ast.literal_eval(line) for line in (tmp_path / "log.txt").read_text().splitlines() if line.startswith("{'loss'")]
    assert len(logged) == 2
    for step in logged:
        shares = [float(step[f"code_reward/{name}"]) for name in ("passed", "wrong", "error", "timeout", "unscored")]
        assert sum(shares) == pytest.approx(1.0, abs=0.01)
        assert float(step["rewards/code_reward/mean"]) == pytest.approx(shares[0], abs=0.01)
        assert float(step["code_reward/untrusted_tests"]) == 0


@pytest.mark.long
@pytest.mark.parametrize("rng_seed", [0, 1, 2])
def test_a_model_learns_from_tests_what_it_could_not_do(rng_seed: int, tmp_path: Path) -> None:
    found = learn(tmp_path, rng_seed)
    assert found.before < 0.2
    assert found.after > 0.9
