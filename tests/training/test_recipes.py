"""The recipes: TRL's own parser takes each, a step stays a step on any number of GPUs, an unknown key is named."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards.options import RewardOptions
from hf_oss_instruct.training.estimate import Shape
from hf_oss_instruct.training.recipes import LAUNCH_KEYS, RECIPES, TRAINERS, load_recipe, read_yaml, rows_per_step
from hf_oss_instruct.training.run import train
from tests.support.warm import TRAIN

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")


@pytest.mark.parametrize("gpus", [None, 4])
@pytest.mark.parametrize("name", RECIPES)
@TRAIN.test
def test_trls_own_parser_takes_every_recipe(name: str, gpus: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe(name, model="org/model-1.3b", data="org/pairs", gpus=gpus)
    (tmp_path / "x.yaml").write_text(recipe.to_yaml())
    words = ["--config", str(tmp_path / "x.yaml"), "--use_cpu", "true"]
    make_parser = importlib.import_module(f"trl.scripts.{TRAINERS.get(name, 'sft')}").make_parser
    for key, value in recipe.values.get("env", {}).items():
        monkeypatch.setenv(key, value)  # TRL sets them, and takes none back
    script, arguments, model, _, left, more = make_parser().parse_args_and_config(
        words, return_remaining_strings=True, separate_remaining_strings=True
    )
    assert {word.removeprefix("--") for word in left if word.startswith("--")} <= set(LAUNCH_KEYS)
    assert not more
    assert model.model_name_or_path == "org/model-1.3b"
    assert arguments.learning_rate == recipe.values["learning_rate"]
    if name not in TRAINERS:
        assert arguments.completion_only_loss
    elif name == "grpo":
        assert script.reward_funcs == ["hf_oss_instruct.rewards.code_reward"]
        assert os.environ["HF_OSS_INSTRUCT_REWARD_VARIANT"] == "all"
        assert RewardOptions.from_environment() == RewardOptions()


@pytest.mark.parametrize("name", sorted(TRAINERS))
def test_train_says_which_command_runs_a_recipe_for_another_trainer(name: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(text := load_recipe(name, data=str(tmp_path), gpus=0).to_yaml())
    assert f"  trl {name} --config THIS.yaml" in text
    assert "dataset_config" not in text
    with pytest.raises(UsageError, match=f"trl {name} --config"):
        read_yaml(tmp_path / "x.yaml")


def test_what_is_not_a_recipe_is_refused_with_where_to_get_one(tmp_path: Path) -> None:
    missing = str(tmp_path / "nope.yaml")
    with pytest.raises(UsageError, match=re.escape(f"{missing!r} does not exist. Print one: hf-oss-instruct recipe magicoder")):
        train(missing)
    values: Any = {"learning_rate": 1e-5}
    with pytest.raises(UsageError, match=r"what load_recipe returns, or the path of a YAML file, not \{'learning_rate': 1e-05\}"):
        train(values)


def test_without_trl_a_recipe_is_printed_and_says_that_its_keys_were_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trl", None)  # as where it is not installed
    printed = CliRunner().invoke(cli, ["recipe", "smoke", "--set", "max_steps=7", "--set", "such_key=1"])
    assert printed.exit_code == 0, printed.output
    values = yaml.safe_load(printed.output)
    assert (values["max_steps"], values["such_key"]) == (7, 1)
    assert "# max_steps, such_key: not checked, because trl is not installed. Install it with: pip install" in printed.output


def test_magicoder_is_the_papers() -> None:
    values = load_recipe("magicoder").values
    assert rows_per_step(values) == 512
    paper: dict[str, Any] = {"optim": "adafactor", "learning_rate": 5e-5, "lr_scheduler_type": "linear", "warmup_steps": 15}
    paper |= {"num_train_epochs": 2, "max_length": 1216, "max_grad_norm": 0, "packing": False, "per_device_train_batch_size": 2}
    assert {key: values[key] for key in paper} == paper
    assert load_recipe("magicoder-evol").values["max_length"] == 1024


@pytest.mark.parametrize("name", ["magicoder", "fast", "lora", "large"])
def test_a_step_holds_the_same_rows_on_any_number_of_gpus(name: str) -> None:
    once = load_recipe(name).values
    step = rows_per_step(once) * once.get("num_processes", 1)
    for gpus in (1, 2, 4, 8):
        assert rows_per_step(load_recipe(name, gpus=gpus).values) * gpus == pytest.approx(step, rel=0.02)


def test_fast_packs_only_where_a_kernel_can_be() -> None:
    on_cpu = load_recipe("fast", gpus=0)
    assert on_cpu.values["train_sampling_strategy"] == "group_by_length"
    assert not on_cpu.values["packing"]
    assert on_cpu.values["use_cpu"]
    assert "Grouped by length, not packed: no GPU is meant" in on_cpu.to_yaml()


@TRAIN.test
def test_an_unknown_key_is_named_with_the_nearest_known_one() -> None:
    for key, nearest in {"max_seq_length": "max_length", "torch_dtype": "dtype", "learning_rat": "learning_rate"}.items():
        with pytest.raises(UsageError, match=f"{key!r} .the nearest one is {nearest!r}"):
            load_recipe("magicoder", changes={key: 1})
    with pytest.raises(UsageError, match="Did you mean magicoder"):
        load_recipe("magicodr")


def test_the_command_prints_yaml_with_what_was_changed() -> None:
    words = ["recipe", "magicoder", "--model", "x/y-7b", "--data", "org/set", "--gpus", "2"]
    done = CliRunner().invoke(cli, [*words, "--set", "learning_rate=1e-5", "--set", "packing=true"], catch_exceptions=False)
    values = yaml.safe_load(done.output)
    assert values["learning_rate"] == 1e-5
    assert values["packing"] is True
    assert values["dataset_name"] == "org/set"
    assert values["num_processes"] == 2
    assert CliRunner().invoke(cli, ["recipe"]).output.split() == list(RECIPES)


def test_a_recipe_is_printed_without_importing_what_trains() -> None:
    code = (
        "import sys; sys.argv = ['hf-oss-instruct', 'recipe', 'magicoder']\n"
        "from hf_oss_instruct.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'trl', 'transformers', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "activation_checkpointing: " in done.stdout
    assert done.stdout.endswith("\n[]\n")


@pytest.mark.parametrize(
    ("rows", "time"),
    [
        (1, "less than a second = 1 row ×"),
        (40, "about 5.7 seconds = 40 rows ×"),
        (2_000, "about 4.7 minutes = 2,000 rows ×"),
        (26_000, "about 1 hour = 26,000 rows ×"),
        (75_000, "about 3 hours = 75,000 rows ×"),
    ],
)
def test_the_time_is_in_a_unit_that_fits(rows: int, time: str) -> None:
    text = load_recipe("magicoder", model="org/coder-6.7b-base", rows=rows).to_yaml()
    assert f"Time: {time}" in text
    assert "× 1 device)" in text


def test_the_estimate_says_its_arithmetic() -> None:
    text = load_recipe("magicoder", model="org/coder-6.7b-base", rows=75_000).to_yaml()
    assert "= 6.7B parameters (from the name" in text
    assert "75,000 rows × 446 tokens" in text
    assert "Not measured." in text
    assert "is a guess" in text
    recomputed = load_recipe("magicoder", model="org/coder-6.7b-base", changes={"activation_checkpointing": True}).estimate
    plain = load_recipe("magicoder", model="org/coder-6.7b-base").estimate
    assert recomputed.memory is not None
    assert plain.memory is not None
    assert recomputed.memory < plain.memory
    assert (recomputed.hours or 0) > (plain.hours or 0)
    assert "not estimated" in load_recipe("magicoder", model="org/unnamed").to_yaml()


@pytest.mark.parametrize(("kind", "tied"), [("llama", False), ("starcoder2", True)])
def test_a_models_size_is_read_from_its_config(kind: str, tied: bool, tmp_path: Path) -> None:
    from tests.support.models import tiny_model

    model = tiny_model(kind, 400, tie_word_embeddings=tied)
    (tmp_path / "config.json").write_text(json.dumps(model.config.to_dict(), default=str))
    counted = sum(parameter.numel() for parameter in model.parameters())
    assert Shape.of(str(tmp_path)).parameters == pytest.approx(counted, rel=0.05)
