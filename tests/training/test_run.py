"""`train` from YAML to model: end to end, as stock TRL trains, after a kill, and what is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from hf_oss_instruct.errors import RunError, RunInterruptedError, UsageError
from hf_oss_instruct.storage.workdir import locked
from hf_oss_instruct.training.checkpoints import last_whole_checkpoint
from hf_oss_instruct.training.run import train
from tests.support.models import save_model
from tests.support.tokenizers import FAMILIES, tokenizer_of
from tests.support.warm import COMMAND, TRAIN
from tests.training.conftest import decontaminated, smoke

# TRL's, transformers' and torch's own
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")
KILLED = """
import os, signal, sys
from pathlib import Path
from transformers import TrainerCallback
from hf_oss_instruct.training.run import train

class Kill(TrainerCallback):
    def on_step_end(self, args, state, control, **rest):
        if state.global_step == 4:
            os.kill(os.getpid(), signal.SIGKILL)

train(Path(sys.argv[1]), allow_unchecked=True, callbacks=[Kill()])
"""


def terminated() -> Any:
    """A batch system that ends this process after the second step, as a callback."""
    from transformers import TrainerCallback

    class Terminated(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            if state.global_step == 2:
                os.kill(os.getpid(), signal.SIGTERM)

    return Terminated()


def written(folder: Path, **values: Any) -> Path:
    """A training YAML in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(smoke(output_dir=str(folder / "out"), **values)))
    return path


def losses(out: Path) -> list[float]:
    state = json.loads(
        max(out.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])).joinpath("trainer_state.json").read_text()
    )
    return [entry["loss"] for entry in state["log_history"] if "loss" in entry]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, model: Path, pairs: Path) -> Path:
    """A run of six steps that nothing disturbed, started as people do."""
    path = written(tmp_path_factory.mktemp("whole"), model_name_or_path=str(model), dataset_name=str(pairs))
    done = TRAIN.run([COMMAND, "train", path, "--allow-unchecked"])
    assert done.returncode == 0, done.stderr
    kept = json.loads((pairs / "run.json").read_text())["kept"]
    assert f"{pairs}: {kept} rows of {kept} are trained on; dropped: none." in done.stderr
    assert "was not decontaminated" in done.stderr
    return path.parent / "out"


@TRAIN.test
def test_the_smoke_recipe_leaves_a_model_its_facts_and_a_card(whole: Path, pairs: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    facts = json.loads((whole / "training.json").read_text())
    (part,) = facts["data"]
    kept = json.loads((pairs / "run.json").read_text())["kept"]
    assert sum(part["counts"].values()) == kept
    assert facts["steps"] == 6
    assert len(facts["losses"]) == 6
    card = (whole / "README.md").read_text()
    assert "**no**: its run.json says decontamination not done" in card
    assert yaml.safe_load(card.split("---")[1])["library_name"] == "transformers"
    tokenizer = AutoTokenizer.from_pretrained(whole)
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False, add_generation_prompt=True)
    assert asked.endswith("@@ Instruction\nx\n\n@@ Response\n")
    assert AutoModelForCausalLM.from_pretrained(whole).generation_config.eos_token_id == tokenizer.eos_token_id


def test_stock_trl_runs_the_same_yaml_to_the_same_losses(whole: Path, tmp_path: Path) -> None:
    values = yaml.safe_load((whole / "recipe.yaml").read_text()) | {"output_dir": str(tmp_path / "out")}
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(values))
    # what `trl sft` starts through accelerate, without two more interpreters
    done = TRAIN.run(["-m", "trl.scripts.sft", "--config", tmp_path / "x.yaml"])
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "out") == losses(whole)


def test_after_a_kill_the_losses_are_those_of_an_undisturbed_run(whole: Path, tmp_path: Path) -> None:
    path = written(
        tmp_path, **{k: v for k, v in yaml.safe_load((whole / "recipe.yaml").read_text()).items() if k != "output_dir"}
    )
    (tmp_path / "killed.py").write_text(KILLED)
    done = TRAIN.run([tmp_path / "killed.py", path])
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [place.name for place in (tmp_path / "out").glob("checkpoint-*")] == ["checkpoint-3"]
    done = TRAIN.run([COMMAND, "train", path, "--allow-unchecked"], check=True)
    assert any("Resuming from" in line and "checkpoint-3" in line for line in (done.stdout + done.stderr).splitlines())
    assert losses(tmp_path / "out") == losses(whole)


@TRAIN.test
def test_after_sigterm_it_goes_on_from_the_step_it_reached_and_passes_over_a_torn_checkpoint(whole: Path, tmp_path: Path) -> None:
    values = yaml.safe_load((whole / "recipe.yaml").read_text())
    path = written(tmp_path, **{name: value for name, value in values.items() if name != "output_dir"})
    with pytest.raises(
        RunInterruptedError, match=r"Interrupted after step 2 of 6\. The same command resumes from .*checkpoint-2"
    ):
        train(path, allow_unchecked=True, callbacks=[terminated()])
    torn = tmp_path / "out" / "checkpoint-5"
    shutil.copytree(tmp_path / "out" / "checkpoint-2", torn)
    (torn / "trainer_state.json").unlink()  # it is written last
    said: list[str] = []
    train(path, allow_unchecked=True, say=said.append)
    assert any("Resuming from" in line and "checkpoint-2" in line for line in said)
    assert losses(tmp_path / "out") == losses(whole)


@TRAIN.test
@pytest.mark.parametrize("name", ["README.md", "recipe.yaml"])
def test_files_that_are_not_of_a_training_are_not_replaced(whole: Path, tmp_path: Path, name: str) -> None:
    values = yaml.safe_load((whole / "recipe.yaml").read_text())
    (tmp_path / name).write_text("# My project\n")
    for more in ({}, {"num_processes": 2}):
        (tmp_path / "x.yaml").write_text(yaml.safe_dump(values | {"output_dir": str(tmp_path)} | more))
        done = TRAIN.run([COMMAND, "train", tmp_path / "x.yaml", "--allow-unchecked"])
        assert done.returncode == 1, done.stderr
        assert f"contains {name!r} from something else, which would be replaced" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {name, "x.yaml"}
    assert (tmp_path / name).read_text() == "# My project\n"


@TRAIN.test
def test_a_second_training_in_a_folder_is_refused_before_it_reads_its_data(model: Path, pairs: Path, tmp_path: Path) -> None:
    path = written(tmp_path, model_name_or_path=str(model), dataset_name=str(pairs), dataset_train_split="no such split")
    with locked(tmp_path / "out"), pytest.raises(RunError, match=r"output_dir '.*out' is in use by process"):
        train(path, allow_unchecked=True)
    with pytest.raises(UsageError, match="no such split"):
        train(path, allow_unchecked=True)


@TRAIN.test
def test_another_recipe_does_not_go_on_from_these_checkpoints(whole: Path, tmp_path: Path) -> None:
    values = yaml.safe_load((whole / "recipe.yaml").read_text())
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(values | {"learning_rate": 0.5}))
    with pytest.raises(RunError, match=r"contains checkpoints of another recipe: learning_rate: 0\.001 in the folder, 0\.5 now"):
        train(tmp_path / "x.yaml", allow_unchecked=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"thoughts": "keep"}, "--thoughts: drop in the folder, keep now"),
        ({"template": "chat"}, "--template: magicoder in the folder, chat now"),
    ],
)
@TRAIN.test
def test_options_that_change_the_tokens_are_refused_like_another_recipe(whole: Path, options: dict[str, str], said: str) -> None:
    with pytest.raises(RunError, match=f"another recipe: {said}. Use another output_dir"):
        train(whole / "recipe.yaml", allow_unchecked=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", ["qwen", "codellama"])
@TRAIN.test
def test_the_chat_template_of_the_base_ends_in_the_token_generation_stops_on(family: str, pairs: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = save_model(tmp_path / "model", tokenizer_of(family))
    path = written(tmp_path, model_name_or_path=str(model), dataset_name=str(pairs), max_steps=1)
    values = yaml.safe_load(path.read_text()) | {"dataset_config": "default"}
    path.write_text(yaml.safe_dump(values))
    train(path, template="chat", allow_unchecked=True)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    stops = AutoModelForCausalLM.from_pretrained(tmp_path / "out").generation_config.eos_token_id
    assert tokenizer.convert_tokens_to_ids(FAMILIES[family].turn_end) in (stops if isinstance(stops, list) else [stops])
    assert tokenizer.chat_template == FAMILIES[family].chat


@TRAIN.test
def test_two_sets_are_mixed_and_each_is_counted(model: Path, pairs: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(pairs, tmp_path / "checked")
    decontaminated(copy)
    sets = [{"path": str(pairs), "name": "sft", "fraction": 3.0}, {"path": str(copy), "name": "default", "fraction": 1.0}]
    path = written(tmp_path, model_name_or_path=str(model), dataset_name=None, datasets=sets, max_steps=1)
    facts = train(path, allow_unchecked=True)
    first, second = facts["data"]
    assert first["drawn"] == first["counts"]["kept"]
    assert second["drawn"] == round(first["drawn"] / 3)
    assert first["unchecked"]
    assert second["unchecked"] is None


@TRAIN.test
def test_data_that_nobody_checked_is_refused_with_the_reason(model: Path, pairs: Path, tmp_path: Path) -> None:
    path = written(tmp_path, model_name_or_path=str(model), dataset_name=str(pairs))
    with pytest.raises(UsageError, match=r"decontamination not done \(.*\).*--allow-unchecked"):
        train(path)
    bare = tmp_path / "bare"
    shutil.copytree(pairs / "sft", bare)
    with pytest.raises(UsageError, match=r"it has no run\.json"):
        train(written(tmp_path, model_name_or_path=str(model), dataset_name=str(bare), dataset_config=None))


BAD = {
    "an unknown key": ({"max_seq_length": 512}, r"'max_seq_length' \(the nearest one is 'max_length'\)"),
    "too many tokens": ({"max_length": 8192}, r"max_length is 8,192, but the model's maximum context length is 4,096"),
    "qlora without a GPU": ({"load_in_4bit": True, "use_peft": True}, "require a CUDA GPU"),
    "bf16 without it": ({"bf16": True, "use_cpu": False}, "bf16 cannot be used"),
    "a kernel without a GPU": ({"attn_implementation": "flash_attention_2"}, "requires a CUDA GPU"),
    "packing that leaks": ({"packing": True, "packing_strategy": "wrapped"}, "lets them attend to each other"),
    "no data": ({"dataset_name": None}, "names no data"),
    "data that is not there": ({"dataset_name": "/no/such/folder"}, "cannot be loaded"),
    "a value that TRL refuses": ({"lr_scheduler_type": "sideways"}, "TRL does not accept"),
    "no such model": ({"model_name_or_path": "/no/such/model"}, "cannot read the model"),
}


@pytest.mark.parametrize("case", sorted(BAD))
@TRAIN.test
def test_what_cannot_work_is_said_before_anything_is_loaded(case: str, model: Path, pairs: Path, tmp_path: Path) -> None:
    changes, message = BAD[case]
    values = smoke(output_dir=str(tmp_path / "out")) | {"model_name_or_path": str(model), "dataset_name": str(pairs)} | changes
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(UsageError, match=message):
        train(tmp_path / "x.yaml", allow_unchecked=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thoughts": "kep"}, "Unknown treatment of thoughts 'kep'. Use one of: drop, keep."),
        ({"thoughts": True}, "Unknown treatment of thoughts True. Use one of: drop, keep."),
        ({"template": "x"}, "Unknown template 'x'. Use one of: magicoder, chat."),
    ],
)
def test_a_misspelled_argument_is_refused_before_the_recipe_is_read(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        train("no-such-recipe.yaml", **options)


@TRAIN.test
def test_a_model_into_which_packing_leaks_is_refused_by_name(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "qwen3_next", "max_position_embeddings": 4096}))
    path = written(tmp_path, model_name_or_path=str(tmp_path / "model"), dataset_name=str(pairs), packing=True)
    with pytest.raises(UsageError, match=r"see each other in qwen3_next models.*group_by_length"):
        train(path, allow_unchecked=True)


def test_the_command_says_errors_in_a_line_and_help_is_light() -> None:
    code = (
        "import sys; sys.argv = ['hf-oss-instruct', 'train', '--help']\n"
        "from hf_oss_instruct.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'trl', 'transformers', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n[]\n")


def test_two_processes_train_as_one_with_twice_the_rows(model: Path, pairs: Path, tmp_path: Path) -> None:
    words: dict[str, Any] = {"model_name_or_path": str(model), "dataset_name": str(pairs), "max_steps": 3}
    words |= {"train_sampling_strategy": "sequential", "save_steps": 3}
    one = written(tmp_path / "one", gradient_accumulation_steps=2, **words)
    two = written(tmp_path / "two", num_processes=2, **words)
    # torchrun starts what PYTHON_EXEC names, here one that has imported TRL
    environment = os.environ | {"PYTHON_EXEC": str(TRAIN.interpreter())}
    for path in (one, two):
        done = TRAIN.run([COMMAND, "train", path, "--allow-unchecked"], env=environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("Trained 3 steps") == 1
    assert losses(tmp_path / "two" / "out") == pytest.approx(losses(tmp_path / "one" / "out"), abs=1e-4)


@pytest.mark.long
def test_two_processes_save_a_checkpoint_on_sigterm_and_resume_to_equal_losses(model: Path, pairs: Path, tmp_path: Path) -> None:
    words: dict[str, Any] = {"model_name_or_path": str(model), "dataset_name": str(pairs), "max_steps": 20}
    words |= {"num_processes": 2, "train_sampling_strategy": "sequential", "save_steps": 3}
    out, environment = tmp_path / "stopped" / "out", os.environ | {"OMP_NUM_THREADS": "1"}
    whole, command = ([COMMAND, "train", written(tmp_path / name, **words), "--allow-unchecked"] for name in ("whole", "stopped"))
    subprocess.run(whole, env=environment, check=True)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    while last_whole_checkpoint(out) is None and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    stopped = last_whole_checkpoint(out)
    assert stopped
    assert not stopped.endswith("-20")
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    assert f"Resuming from {stopped}." in done.stdout + done.stderr
    assert losses(out) == pytest.approx(losses(tmp_path / "whole" / "out"), abs=1e-4)


@TRAIN.test
def test_adapters_are_saved_as_adapters(model: Path, pairs: Path, tmp_path: Path) -> None:
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM

    from hf_oss_instruct.training.recipes import load_recipe

    out = tmp_path / "out"
    small = {"output_dir": str(out), "max_steps": 2, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 1}
    values = load_recipe("lora", model=str(model), data=str(pairs), gpus=0, changes=small | {"max_length": 4096}).values
    (tmp_path / "lora.yaml").write_text(yaml.safe_dump(values))
    facts = train(tmp_path / "lora.yaml", allow_unchecked=True)
    assert facts["steps"] == 2
    assert (out / "adapter_model.safetensors").is_file()
    assert not (out / "model.safetensors").exists()
    loaded, base = AutoPeftModelForCausalLM.from_pretrained(out), AutoModelForCausalLM.from_pretrained(model)
    adapters = {name: weight for name, weight in loaded.named_parameters() if "lora_B" in name}
    assert len(adapters) == 7 * base.config.num_hidden_layers
    assert all(weight.abs().max() > 0 for weight in adapters.values())  # zero before the first step
    for name, weight in base.named_parameters():
        inner = name.replace("_proj.", "_proj.base_layer.")
        assert weight.equal(loaded.get_parameter(f"base_model.model.{inner}")), name
