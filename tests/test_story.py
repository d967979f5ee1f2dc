"""The whole story as a reader runs it: code becomes a model with card and scores, on a Hub and with a teacher of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from tests.evaluation import toys
from tests.support.hub import LocalHub
from tests.support.models import saved_model
from tests.support.teacher import LocalTeacher
from tests.support.warm import EVALUATE
from tests.test_docs import MY_CODE

EXAMPLE = Path(__file__).parents[1] / "examples" / "code_to_model.py"
TOKEN = "hf_writer"
CARD = b"---\nlicense: apache-2.0\n---\n# A base with random weights\n"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::FutureWarning")


def test_code_becomes_a_model_with_a_card_and_scores(tmp_path: Path) -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 60
    (tmp_path / "my_code").mkdir()
    (tmp_path / "my_code" / "tools.py").write_text(MY_CODE)
    toys.plus(tmp_path / "bench")
    base = saved_model(tmp_path / "base", "llama", [MY_CODE], 600)
    with LocalTeacher() as teacher, LocalHub(tokens={TOKEN: "write"}) as hub:
        hub.put_folder("them/base", base, "model")
        hub.put("them/base", "README.md", CARD, "model")
        words = ["my_code", "--to", "me", "--teacher", "my-model", "--base-url", teacher.base_url, "--n", "24"]
        words += ["--base", "them/base", "--recipe", "smoke", "--benchmark", "bench/HumanEvalPlus.jsonl"]
        words += ["--set", "max_length=4096", "--set", "max_steps=3", "--set", "per_device_train_batch_size=2"]
        environment = os.environ | hub.environment(tmp_path / "home") | {"HF_TOKEN": TOKEN}
        done = EVALUATE.run([EXAMPLE, *words], cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(teacher.requests) == 24
        assert {"data/train-00000-of-00001.parquet", "run.json"} <= hub.files("me/pairs").keys()
        files = hub.files("me/coder", repo_type="model")
        card = ModelCard(files["README.md"].decode())
    assert {"model.safetensors", "tokenizer.json", "generation_config.json", "loss.svg"} <= files.keys()
    assert (card.data.license, card.data.base_model, card.data.datasets) == ("apache-2.0", "them/base", ["me/pairs"])
    assert hub.revision("them/base", "model") in card.text
    assert hub.revision("me/pairs") in card.text
    scores = {one.metric_name: one.metric_value for one in card.data.eval_results}
    assert scores["pass@1 (plus)"] == 0.0  # random weights solve nothing, and the card says so
    assert "| HumanEval+ | pass@1 (plus) | 0.0 |" in card.text
    assert "Not decontaminated" not in card.text
