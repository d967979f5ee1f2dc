"""A verified run goes to the Hub with its preference pairs, which TRL's DPO trainer takes as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import load_dataset, load_dataset_builder

import hf_oss_instruct
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.publishing.conftest import WRITE
from tests.support.hub import LocalHub
from tests.support.models import save_model
from tests.support.tokenizers import tokenizer_of
from tests.support.verified import snippet, verifying_teacher
from tests.support.warm import TRAIN


@pytest.fixture(scope="module")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "code").mkdir()
    for number, kind in enumerate(("partly", "right", "partly")):
        (folder / "code" / f"{number}.py").write_text(snippet(number, kind))
    spec = RunSpec(
        SeedPlan(str(folder / "code"), n=3),
        checks=Checks(benchmarks=(), near_duplicates=False),
        verification=VerificationSpec(verify=True, tests="answer", solutions=2),
    )
    with verifying_teacher() as teacher:
        result = run(folder / "out", spec, open_source(str(folder / "code")), InferenceTeacher("m", teacher.base_url))
    assert result.report["preferences"] == 2
    return folder / "out"


def front_matter(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("---")[1])
    return found


def test_preference_pairs_are_published_and_declared_on_the_card(hub: LocalHub, verified: Path, tmp_path: Path) -> None:
    options = {"allow_unchecked": True, "allow_any_license": True}
    hf_oss_instruct.publish(verified, "me/pairs", endpoint=hub.endpoint, token=WRITE, **options)
    held = hub.files("me/pairs")
    assert "preference/train-00000-of-00001.parquet" in held
    assert not [path for path in held if "verdicts" in path]
    card = bytes(held["README.md"]).decode()
    assert [config["config_name"] for config in front_matter(card)["configs"]] == ["default", "sft", "preference"]
    assert "## Verification" in card
    assert "| solution passes | 3 |" in card
    said = {one["config_name"]: one for one in front_matter(card)["dataset_info"]}
    for name in ("default", "preference"):
        builder = load_dataset_builder("parquet", data_files=f"{verified}/{ {'default': 'data'}.get(name, name) }/*.parquet")
        builder.download_and_prepare(str(tmp_path / name))
        assert said[name]["features"] == builder.info.features._to_yaml_list()


@TRAIN.test
def test_trl_trains_on_the_preference_pairs(verified: Path, tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    pairs = load_dataset(str(verified), "preference", split="train", cache_dir=str(tmp_path / "cache"))
    assert pairs.column_names == ["prompt", "chosen", "rejected"]
    tokenizer = tokenizer_of("llama", [text for row in pairs for text in row.values()])
    config = DPOConfig(
        gradient_checkpointing=None,
        output_dir=str(tmp_path / "model"),
        max_steps=1,
        per_device_train_batch_size=2,
        max_length=2048,
        report_to=[],
        use_cpu=True,
    )
    model = save_model(tmp_path / "base", tokenizer)
    trainer = DPOTrainer(str(model), args=config, train_dataset=pairs, processing_class=tokenizer)
    assert trainer.train().global_step == 1
