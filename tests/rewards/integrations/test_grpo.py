"""`trl grpo` with the code reward: it runs, logs what became of programs, says at its start what is wrong, and a model learns."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import Dataset

from tests.support.models import saved_model
from tests.support.reinforcement import learn, program, row
from tests.support.warm import TRAIN

ROWS = [row("add", n) for n in (2, 3, 4, 5)]
CHATS = [one | {"prompt": [{"role": "user", "content": one["prompt"]}]} for one in ROWS]
Train = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights."""
    return saved_model(tmp_path_factory.mktemp("models") / "base", "qwen", [program("add", 2)] * 3, 400)


@pytest.fixture
def train(base: Path, tmp_path: Path) -> Train:
    """Train for a step by the script that `trl grpo` starts."""

    def run(rows: list[dict[str, Any]], **environment: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "rows").mkdir()
        Dataset.from_list(rows).to_parquet(tmp_path / "rows" / "train.parquet")
        values = {
            "model_name_or_path": str(base), "dtype": "float32", "dataset_name": str(tmp_path / "rows"),
            "output_dir": str(tmp_path / "out"), "reward_funcs": ["hf_oss_instruct.rewards.code_reward"], "env": environment,
            "num_generations": 2, "per_device_train_batch_size": 4, "max_completion_length": 8, "use_cpu": True, "bf16": False,
            "gradient_checkpointing": False, "max_steps": 1, "logging_steps": 1, "save_strategy": "no", "report_to": "none",
            "disable_tqdm": True,
        }  # fmt: skip
        (tmp_path / "grpo.yaml").write_text(yaml.safe_dump(values))
        return TRAIN.run(["-m", "trl.scripts.grpo", "--config", tmp_path / "grpo.yaml"], cwd=tmp_path)

    return run


@pytest.mark.parametrize("rows", [ROWS, CHATS], ids=["plain", "conversational"])
def test_stock_trl_trains_with_the_reward_and_logs_its_metrics(rows: list[dict[str, Any]], train: Train) -> None:
    done = train(rows)
    assert done.returncode == 0, done.stderr
    (step,) = [ast.literal_eval(line) for line in done.stdout.splitlines() if line.startswith("{'loss'")]
    shares = [float(step[f"code_reward/{name}"]) for name in ("passed", "wrong", "error", "timeout", "unscored")]
    assert sum(shares) == pytest.approx(1.0, abs=0.01)
    assert shares[-1] == 0
    assert float(step["rewards/code_reward/mean"]) == pytest.approx(shares[0], abs=0.01)
    assert float(step["code_reward/untrusted_tests"]) == 0
    assert float(step["code_reward/programs_per_second"]) > 0


def other(changes: dict[str, Any], said: str) -> Any:
    """A row that is refused for another reason; `test_code_reward.py` asks the reward itself."""
    return pytest.param(changes, {}, said, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("changes", "environment", "said"),
    [
        ({"tests": None}, {}, r"first batch: The row has no tests\. .* it has: 'tests', 'lang'\."),
        other({"lang": "klingon"}, "Unknown language 'klingon'. Use one of: python"),
        other({"lang": "haskell"}, "Tests in 'haskell' cannot be run on this machine"),
        other({"tests": "def broken("}, "the tests are not valid Python"),
        ({"tests": '{"test_cases": 3}'}, {}, "The column 'tests' contains no readable tests"),
        ({}, {"HF_OSS_INSTRUCT_REWARD_URL": "http://127.0.0.1:9"}, "reward-server --port"),
        ({}, {"HF_OSS_INSTRUCT_REWARD_VARIANT": "best"}, "Unknown variant 'best'"),
    ],
)
def test_what_is_wrong_ends_the_training_at_its_first_step(
    changes: dict[str, Any], environment: dict[str, str], said: str, train: Train
) -> None:
    done = train([one | changes for one in ROWS], **environment)
    assert done.returncode == 1
    assert re.search(f"UsageError: .*{said}", done.stderr, re.DOTALL), done.stderr


@pytest.mark.long
@pytest.mark.parametrize("rng_seed", [0, 1, 2])
def test_a_model_learns_from_tests_what_it_could_not_do(rng_seed: int, tmp_path: Path) -> None:
    found = learn(tmp_path, rng_seed)
    assert found.before < 0.2
    assert found.after > 0.9
