"""A trained model on the Hub: what `from_pretrained` reads there is what was trained, and its card says where it comes from."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from huggingface_hub import HfApi, ModelCard

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.publishing import hub as publishing
from hf_oss_instruct.publishing.cards.loss_curve import loss_curve
from hf_oss_instruct.publishing.cards.model_card import without_secrets
from hf_oss_instruct.publishing.model import license_of, model_push
from tests.publishing.conftest import READ, WRITE, command, trained_in
from tests.support.hub import LocalHub
from tests.support.warm import TRAIN

# TRL's, transformers' and torch's own
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


def publish(hub: LocalHub, folder: Path, **options: Any) -> Any:
    push = model_push(folder, repo_id="me/model", allow_unchecked=True, endpoint=hub.endpoint, token=WRITE, **options)
    return publishing.publish(push, "me/model", endpoint=hub.endpoint, token=WRITE)


def downloaded(hub: LocalHub, folder: Path) -> Path:
    api = HfApi(endpoint=hub.endpoint, token=READ)
    return Path(api.snapshot_download("me/model", local_dir=folder))


LOADED = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
ours, theirs = (AutoModelForCausalLM.from_pretrained(path) for path in sys.argv[1:])
for name, weights in ours.state_dict().items():
    assert torch.equal(weights, theirs.state_dict()[name])
tokenizer = AutoTokenizer.from_pretrained(sys.argv[2])
assert theirs.generation_config.eos_token_id == tokenizer.eos_token_id
print(tokenizer.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False, add_generation_prompt=True))
"""
ADAPTED = """
import sys
from peft import PeftModel
from transformers import AutoModelForCausalLM
print(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(sys.argv[1]), sys.argv[2]).peft_config["default"].r)
"""


def test_what_is_loaded_from_the_hub_is_what_was_trained(hub: LocalHub, trained: Path, tmp_path: Path) -> None:
    publish(hub, trained)
    there = downloaded(hub, tmp_path / "there")
    asked = TRAIN.run(["-c", LOADED, trained, there], check=True).stdout
    assert asked.endswith("@@ Instruction\nx\n\n@@ Response\n\n")
    assert set(hub.files("me/model", repo_type="model")) == {
        *(".gitattributes", "CHANGELOG.md", "README.md", "recipe.yaml", "training.json", "loss.svg"),
        *("config.json", "generation_config.json", "model.safetensors"),
        *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
    }


def test_no_checkpoint_pickle_or_path_leaves_this_machine(hub: LocalHub, trained: Path) -> None:
    assert list(trained.glob("checkpoint-*"))
    assert (trained / "training_args.bin").exists()
    publish(hub, trained)
    for path, content in hub.files("me/model", repo_type="model").items():
        assert not path.endswith((".bin", ".pt", ".pth", ".pkl"))
        if not path.endswith(".safetensors"):
            assert str(trained.parents[1]) not in content.decode(), path


def test_the_card_says_where_the_model_comes_from(hub: LocalHub, trained: Path, pairs: Path) -> None:
    publish(hub, trained)
    files = hub.files("me/model", repo_type="model")
    card, config = ModelCard(files["README.md"].decode()), json.loads((pairs / "run.json").read_text())["config_hash"]
    front = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert front["library_name"] == "transformers"
    assert front["pipeline_tag"] == "text-generation"
    assert front["language"] == ["en"]
    assert "arxiv:2312.02120" in front["tags"]
    assert (front["license"], front["license_name"], front["license_link"]) == ("other", "tiny", "https://example.org/tiny")
    assert "base_model" not in front  # a folder of ours; the Hub knows no such thing
    for said in (
        "Not decontaminated",
        f"run config {config}",
        'pipeline("text-generation", "me/model")',
        "![Training loss",
        "Versions:",
    ):
        assert said in card.text, said
    ElementTree.fromstring(files["loss.svg"])
    assert yaml.safe_load(files["recipe.yaml"])["max_steps"] == 2
    assert json.loads(files["training.json"])["arguments"]["optim"] == "adafactor"


def test_the_snippet_of_the_card_runs(hub: LocalHub, trained: Path, tmp_path: Path) -> None:
    publish(hub, trained)
    card = hub.files("me/model", repo_type="model")["README.md"].decode()
    snippet = card.split("```python\n")[1].split("```")[0].replace("max_new_tokens=256", "max_new_tokens=4")
    environment = os.environ | hub.environment(tmp_path / "home")
    done = TRAIN.run(["-c", snippet], env=environment, check=True)
    assert done.stdout.strip()


def test_adapters_stay_adapters(hub: LocalHub, model: Path, pairs: Path, tmp_path: Path) -> None:
    words = {"use_peft": True, "lora_r": 4, "lora_target_modules": "all-linear", "max_steps": 1}
    publish(hub, trained_in(tmp_path, model, pairs, **words), license="mit")
    files = hub.files("me/model", repo_type="model")
    assert [path for path in files if path.endswith(".safetensors")] == ["adapter_model.safetensors"]
    assert "adapter_config.json" in files
    assert ModelCard(files["README.md"].decode()).data.library_name == "peft"
    there = downloaded(hub, tmp_path / "there")
    assert TRAIN.run(["-c", ADAPTED, model, there], check=True).stdout == "4\n"


def test_a_base_on_the_hub_gives_its_license_at_the_revision_that_was_trained(hub: LocalHub) -> None:
    old = hub.put("them/base", "README.md", b"---\nlicense: apache-2.0\n---\n", "model")
    hub.put("them/base", "README.md", b"---\nlicense: mit\n---\n", "model")
    facts = {"base_model": "them/base", "base": {"id": "them/base", "revision": old}}
    assert license_of(facts, READ, hub.endpoint).id == "apache-2.0"
    assert license_of(facts | {"base": {"id": "them/base", "revision": None}}, READ, hub.endpoint).id == "mit"
    hub.put("them/bare", "config.json", b"{}", "model")
    for name in ("them/bare", "them/nothing"):
        with pytest.raises(PublishError, match="states no license"):
            license_of({"base_model": name, "base": {"id": name, "revision": None}}, READ, hub.endpoint)


def test_what_is_no_finished_model_of_ours_is_refused(trained: Path, tmp_path: Path) -> None:
    def refused(why: str, **changes: Any) -> None:
        with pytest.raises(PublishError, match=why):
            model_push(copy, repo_id="me/model", **{"allow_unchecked": True, "license": "mit"} | changes)

    copy = Path(shutil.copytree(trained, tmp_path / "copy"))
    refused("was not decontaminated", allow_unchecked=False)
    facts = json.loads((copy / "training.json").read_text())
    (copy / "training.json").write_text(json.dumps(facts | {"base_model": str(tmp_path / "gone")}))
    refused("states no license", license=None)
    (copy / "model.safetensors").rename(copy / "model-00001-of-00002.safetensors")
    (copy / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-00002-of-00002.safetensors"}}')
    refused(r"lacks model-00002-of-00002\.safetensors: its training has not finished")
    for path in copy.glob("model*"):
        path.unlink()
    refused("has no weights: its training has not finished")
    (copy / "training.json").write_text("{}")
    refused("'data' is missing")
    (copy / "training.json").unlink()
    refused(r"has no training\.json")


def test_the_command_publishes_a_model_and_says_what_stays_here(hub: LocalHub, trained: Path, tmp_path: Path) -> None:
    words = (str(trained), "--to", "me/model", "--allow-unchecked", "--yes")
    wrong = command(hub, tmp_path, *words, "--no-seeds")
    assert (wrong.returncode, "--no-seeds applies to a dataset" in wrong.stderr) == (2, True), wrong.stderr
    done = command(hub, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "not uploaded: checkpoint-1/, checkpoint-2/, training_args.bin" in done.stdout
    assert "license tiny, according to the card of" in done.stdout
    assert "Published me/model → http" in done.stdout
    assert "is up to date" in command(hub, tmp_path, *words).stdout


def test_the_curve_is_a_picture_of_the_numbers() -> None:
    tree = ElementTree.fromstring(loss_curve([(1, 2.0), (2, float("nan")), (3, 1.0), (4, 0.5)]))
    lines = [one.get("points") for one in tree if one.tag.endswith("polyline")]
    assert [len(line.split()) for line in lines] == [1, 2]  # a gap where the loss is not a number
    heights = [float(point.split(",")[1]) for line in lines for point in line.split()]
    assert heights == sorted(heights)  # it falls
    assert loss_curve([(1, 2.0)]) == ""
    assert loss_curve([(1, 2.0), (2, 2.0)])


def test_paths_are_cut_and_names_are_not() -> None:
    assert without_secrets({"a": ["/home/me/pairs", "me/pairs", "../x/y", 3]}) == {"a": ["pairs", "me/pairs", "y", 3]}


def test_weights_and_scores_of_an_earlier_revision_go_with_it(hub: LocalHub, trained: Path) -> None:
    old = ("adapter_config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json", ".eval_results/x.yaml")
    for path in (*old, "images/mine.png"):
        hub.put("me/model", path, b"- {}", "model")
    publish(hub, trained)
    files = hub.files("me/model", repo_type="model")
    assert not files.keys() & set(old)
    assert {"images/mine.png", "model.safetensors"} <= files.keys()


def test_tokens_of_a_recipe_stay_here(hub: LocalHub, trained: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(trained, tmp_path / "copy"))
    facts = json.loads((copy / "training.json").read_text())
    facts["recipe"] |= {"hub_token": "hf_of_mine", "env": {"WANDB_API_KEY": "key_of_mine"}, "eos_token": "<|im_end|>"}
    (copy / "training.json").write_text(json.dumps(facts))
    publish(hub, copy)
    files = hub.files("me/model", repo_type="model")
    assert not [path for path, content in files.items() if b"of_mine" in content]
    assert yaml.safe_load(files["recipe.yaml"])["eos_token"] == "<|im_end|>"
