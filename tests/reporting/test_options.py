"""The command's options: a second dataset, a tokenizer, a model for the categories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_oss_instruct import report
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.reporting.measures.categories import CATEGORIES
from hf_oss_instruct.schemas import VERIFIED_SCHEMA
from tests.support.models import saved_model
from tests.support.warm import BASE, COMMAND, TRAIN

from .datasets import kept, rejected, run_folder, verified


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights, and its tokenizer."""
    return saved_model(tmp_path_factory.mktemp("models") / "tiny", "qwen")


def test_two_datasets_stand_side_by_side(tmp_path: Path, model: Path) -> None:
    first = run_folder(tmp_path / "first", [kept(number) for number in range(30)], [rejected(1, "duplicate")])
    run_folder(tmp_path / "second", [verified(number) | {"lang": "python"} for number in range(12)], schema=VERIFIED_SCHEMA)
    words = ["report", "first", "--compare", "second", "--benchmarks", "none", "--tokenizer", str(model), "--format", "json"]
    done = BASE.run([COMMAND, *words], cwd=tmp_path, check=True)
    numbers = json.loads(done.stdout)
    assert (numbers["funnel"]["kept"], numbers["compared"]["funnel"]["kept"]) == (30, 12)
    assert numbers["lengths"]["tokenizer"] == numbers["compared"]["lengths"]["tokenizer"] == "tiny"
    page = (first / "report/index.html").read_text()
    assert "; compared with second." in page
    assert '<th scope="col">first</th><th scope="col">second</th>' in page.replace(' class="number"', "")
    assert "26.7%" in page  # 8 of 30 rows are Python, which all are in the second
    assert "Map of the rows: first" in page
    assert str(tmp_path) not in page.replace((tmp_path / "first").as_uri(), "")


@TRAIN.test
def test_a_tokenizer_counts_its_own_tokens_and_a_model_assigns_the_nearest_category(model: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    rows = [kept(number) for number in range(6)]
    numbers = report(rows, benchmarks=[], tokenizer=str(model), embedding_model=str(model)).numbers
    tokenizer, encoder = AutoTokenizer.from_pretrained(model), AutoModel.from_pretrained(model).eval()
    counts = [len(tokenizer(row["problem"], add_special_tokens=False)["input_ids"]) for row in rows]
    assert numbers["lengths"]["problem"]["sum"] == sum(counts)

    def embed(text: str) -> torch.Tensor:
        with torch.inference_mode():
            return torch.nn.functional.normalize(
                encoder(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0), dim=0
            )

    queries = torch.stack([embed(f"{category} programming problem") for category in CATEGORIES])
    nearest = [list(CATEGORIES)[int((queries @ embed(row["problem"])).argmax())] for row in rows]
    assert numbers["categories"]["rows"] == {name: nearest.count(name) for name in numbers["categories"]["rows"]}
    assert sum(numbers["categories"]["rows"].values()) == 6
    assert numbers["categories"]["method"] == "embeddings of tiny"


@TRAIN.test
def test_what_cannot_be_loaded_is_said_with_a_way_out() -> None:
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True  # not asked five times, with pauses
    rows = [kept(number) for number in range(3)]
    with pytest.raises(UsageError, match="The tokenizer 'no/such' cannot be loaded"):
        report(rows, benchmarks=[], tokenizer="no/such")
    with pytest.raises(UsageError, match="The model 'no/such' cannot be loaded"):
        report(rows, benchmarks=[], embedding_model="no/such")


def test_counts_of_one_are_in_the_singular() -> None:
    said = repr(report([verified(0)], benchmarks=[]))
    assert "1 row kept of 1\n" in said
    assert "1 distinct task, near-duplicate rate" in said
    assert "1 row was run; pass rate 100.0% on average" in said
    assert "2 rows were run" in repr(report([verified(0), verified(1)], benchmarks=[]))
