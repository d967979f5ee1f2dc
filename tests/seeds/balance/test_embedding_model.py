"""`--balance --embedding-model`: clusters by what snippets mean to a model, the same everywhere, each snippet embedded once."""

from __future__ import annotations

import json
import os
from collections import Counter
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.data import Provenance, Seed, Skipped
from hf_oss_instruct.embeddings import EmbeddingModel
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.scale.plan import Plan, write_plan
from hf_oss_instruct.scale.run_shard import ShardRun
from hf_oss_instruct.seeds.balance.draw import balanced
from hf_oss_instruct.seeds.balance.embedded_clusters import EmbeddedClusters
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import LocalTeacher
from tests.support.warm import BASE, ROOT, TRAIN, WarmPython

WORDS = ["".join(letters) for letters in product("bdfgklmnprst", "aeiou", "nrst")]
SEA, BREAD = WORDS[::2], WORDS[1::2]
"""Two topics of 120 words each."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `save_encoder`'s model, which a warm Python makes: no worker imports torch."""
    folder = tmp_path_factory.mktemp("models") / "tiny-encoder"
    save = f"import pathlib, sys\nfrom {__name__} import save_encoder\nsave_encoder(pathlib.Path(sys.argv[1]))"
    TRAIN.run(["-c", save, folder], cwd=ROOT, check=True)
    return folder


def save_encoder(folder: Path) -> None:
    """A tiny encoder to which the words of a topic mean the same, although no two of them look alike."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SEA, *BREAD]
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    encoder = BertModel(BertConfig(vocab_size=len(words), **size))
    with torch.no_grad():
        meaning = encoder.embeddings.word_embeddings.weight
        meaning[5 : 5 + len(SEA)] = 3 * torch.randn(16)
        meaning[5 + len(SEA) :] = 3 * torch.randn(16)
    encoder.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)


def drawn(count: int) -> list[Seed | Skipped]:
    """Nine in ten are about the sea; every snippet has its own words of its topic, and its own language."""
    found: list[Seed | Skipped] = []
    for number in range(count):
        words = BREAD if number % 10 == 7 else SEA
        snippet = " ".join(words[(number * 7919 + n * n * 31) % len(words)] for n in range(4))
        lang = ("python", "rust", "go")[number % 3]
        found.append(Seed(snippet, 1, 1, Provenance("corpus", "v1", f"{number}", 0, lang), "hash/1", 0))
    return found


def share_of_bread(seeds: list[Seed | Skipped]) -> float:
    topics = Counter(seed.snippet.split()[0] in BREAD for seed in seeds if isinstance(seed, Seed))
    return topics[True] / topics.total()


@TRAIN.test
def test_a_rare_topic_fills_like_a_frequent_one_where_words_and_languages_say_nothing(model: Path) -> None:
    encoder = EmbeddingModel.named(str(model))
    by_model = list(islice(balanced(drawn(3_000), lambda snippets: EmbeddedClusters(encoder, snippets)), 300))
    assert 0.45 <= share_of_bread(by_model) <= 0.55
    by_words = list(islice(balanced(drawn(3_000)), 300))
    assert share_of_bread(by_words) < 0.3


@TRAIN.test
def test_a_text_has_one_vector_in_every_batch(model: Path) -> None:
    encoder = EmbeddingModel.named(str(model)).load()
    texts = [" ".join((SEA + BREAD)[n : n + 1 + n % 7]) for n in range(20)] * 5
    together = encoder.embed(texts)
    alone = np.concatenate([encoder.embed([text]) for text in texts])
    assert together.dtype == np.float64
    assert np.abs(together - alone).max() < 1e-12
    assert np.allclose(np.linalg.norm(together, axis=1), 1)
    assert encoder.embed([""]).shape == (1, 16)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    for number in range(12):
        words = " ".join((SEA if number % 3 else BREAD)[n % 10] for n in range(number, number + 3))
        (folder / f"{number}.py").write_text(f"# {words}\ndef task_{number}(x):\n    return x + {number}\n")
    return folder


@TRAIN.test
def test_run_json_and_run_config_name_the_model_by_its_content_and_never_by_its_path(
    tmp_path: Path, model: Path, code: Path
) -> None:
    name = str(EmbeddingModel.named(str(model)))
    assert name.startswith("tiny-encoder#")
    with LocalTeacher() as teacher:
        words = f"synthesize --n 6 --model m --base-url {teacher.base_url} --benchmarks none --balance --embedding-model {model}"
        line = [*words.split(), "--seeds", str(code), "--out", str(tmp_path / "out")]
        for _ in range(2):  # the same command continues
            done = CliRunner().invoke(cli, line, catch_exceptions=False)
            assert done.exit_code == 0, done.output
        assert len(teacher.requests) == 6
        assert json.loads((tmp_path / "out/run.json").read_text())["balance"]["embedding_model"] == name
        config = (tmp_path / "out/oss_instruct.yaml").read_text()
        assert f"embedding_model: {name}" in config
        assert str(model) not in config
        refused = CliRunner().invoke(cli, [word for word in line if word not in ("--embedding-model", str(model))])
    assert f"--embedding-model: {name} in the folder, not given now" in str(refused.exception)


SHOW_SEEDS = """
import sys
from hf_oss_instruct import read_seeds
of_bert = {name for name in sys.modules if "bert" in name}
print([seed.seed_id for seed in read_seeds(sys.argv[1], 8, balance=True, embedding_model=sys.argv[2])])
print("transformers.models.bert.modeling_bert" in {*sys.modules} - of_bert, "torch" in sys.modules)
"""


def seeds_in_a_process(python: WarmPython, code: Path, model: Path, cache: Path, program: str = SHOW_SEEDS) -> list[str]:
    """The lines that the program prints: its seeds, whether it loaded the model, and whether torch is imported."""
    done = python.run(["-c", program, code, model], env=os.environ | {"HF_HOME": str(cache)})
    return (done.stdout or done.stderr).splitlines()


def test_a_second_process_embeds_nothing_again_also_after_a_kill_in_the_middle_of_a_line(
    tmp_path: Path, model: Path, code: Path
) -> None:
    seeds, *first = seeds_in_a_process(TRAIN, code, model, tmp_path / "cache")
    assert first == ["True True"]
    assert seeds_in_a_process(BASE, code, model, tmp_path / "cache") == [seeds, "False False"]
    [kept] = (tmp_path / "cache/oss-instruct/embeddings").glob("*/*.jsonl")
    kept.write_bytes(kept.read_bytes()[:-20])
    assert seeds_in_a_process(TRAIN, code, model, tmp_path / "cache") == [seeds, "True True"]


def test_without_torch_the_error_names_the_command_that_installs_it(tmp_path: Path, model: Path, code: Path) -> None:
    without = "import sys; sys.modules['torch'] = None\n" + SHOW_SEEDS
    *_, said = seeds_in_a_process(BASE, code, model, tmp_path / "cache", without)
    assert "needs transformers and torch. Install them with: pip install" in said
    assert "[local]" in said


@TRAIN.test
def test_shards_of_a_plan_draw_the_seeds_of_the_whole_and_miss_a_model_that_is_not_there(
    tmp_path: Path, model: Path, code: Path
) -> None:
    spec = RunSpec(SeedPlan(n=8, filters=(), balance=True, embedding_model=str(model)))  # type: ignore[arg-type]
    with LocalTeacher() as running:
        teacher = InferenceTeacher("m", running.base_url)
        moved = tmp_path / "moved"
        model.rename(moved)
        try:
            with pytest.raises(UsageError, match="tiny-encoder"):
                write_plan(tmp_path / "none", spec, open_source(str(code)), teacher, 2, str(code)).spec_here()
        finally:
            moved.rename(model)
        plan = write_plan(tmp_path / "plan", spec, open_source(str(code)), teacher, 2, str(code))
        assert str(model) not in (tmp_path / "plan/oss_instruct.yaml").read_text()
        assert Plan.read(tmp_path / "plan") == plan
        how = ShardRun(str(tmp_path / "plan"), teacher=TeacherSpec(model="m", base_url=(running.base_url,)))
        found = [out for number in range(2) for out, _ in how.run(Shard(number, 2), say=print)]
    seeds = [row for out in found for row in pq.read_table(out / "data").select(["index", "seed_id"]).to_pylist()]
    assert sorted(seed["index"] for seed in seeds) == list(range(8))
    assert len({seed["seed_id"] for seed in seeds}) == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"embedding_model": "o/m"}, "Pass both, or leave it out"),
        ({"balance": True, "embedding_model": "missing/"}, "neither a folder nor OWNER/NAME"),
        ({"balance": True, "embedding_model": "o/m@"}, "neither a folder nor OWNER/NAME"),
        ({"balance": True, "embedding_model": "tiny#0123"}, "is not a folder"),
        ({"balance": True, "embedding_model": EmbeddingModel.recorded("tiny#0123")}, "Pass its folder again"),
        ({"balance": True, "embedding_model": "no/such"}, "'no/such' at 'main' is not a local folder, and cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said_with_a_way_out(
    arguments: dict[str, Any], said: str, code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hf_oss_instruct import read_seeds

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UsageError, match=said):
        next(read_seeds(str(code), 1, **arguments))
