"""Run configs of dataset repositories: what an untrusted `.ossi` may set, and what only the caller may."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset

import hf_oss_instruct
from hf_oss_instruct.errors import OssInstructError, RunError, SeedError, UsageError
from hf_oss_instruct.seeds.repo_config import read_repo_config
from tests.support.hub import LocalHub
from tests.support.teacher import LocalTeacher
from tests.support.warm import BASE, COMMAND, TRAIN

ROOT = Path(__file__).parents[2]
CARD = """---
configs:
- config_name: default
  data_files: '*.ossi'
- config_name: sft
  data_files: '*.ossi'
---
# A repository with a run config
"""
FUNCTION = '''def a{n}(x):
    """Add {n} to the number that is given, and return the sum."""
    return x + {n}
'''
RECIPE = "version: 1\nseeds:\n  dataset: stdlib\n  n: 12\n  sampler: functions\n"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A folder with a card, a recipe, and a file that would win the vote without the card."""
    folder = tmp_path / "live"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    (folder / "live.ossi").write_text(RECIPE)
    (folder / "notes.txt").write_text("not a row\n")
    (folder / "stats.json").write_text("{}\n")
    return folder


@pytest.fixture
def teacher() -> Iterator[LocalTeacher]:
    with LocalTeacher() as server:
        yield server


def load(folder: Path, *words: str, **options: Any) -> Any:
    return load_dataset(str(folder), *words, split="train", **({"streaming": True} | options))


def write(folder: Path, text: str) -> None:
    (folder / "live.ossi").write_text(text)


# On this machine


def test_a_folder_with_a_recipe_is_a_data_set(recipe: Path, tmp_path: Path) -> None:
    rows = list(load(recipe))
    assert 0 < len(rows) <= 12
    assert rows[0]["seed_dataset"] == "python-stdlib"
    assert next(iter(load(recipe, "sft"))).keys() == {"prompt", "completion"}
    assert list(load(recipe, streaming=False, cache_dir=str(tmp_path / "cache"))) == rows


@pytest.mark.parametrize("name", ["oss-instruct", "oss-instruct-stdlib"])
def test_the_shipped_recipes_have_a_card_with_both_configs(name: str) -> None:
    from huggingface_hub import DatasetCard

    folder = ROOT / "dataset_scripts" / name
    configs = DatasetCard.load(folder / "README.md").data.configs
    assert configs == [{"config_name": config, "data_files": "*.ossi"} for config in ("default", "sft")]
    assert not (folder / f"{name}.py").exists()  # `datasets` would refuse the whole repository
    read_repo_config(str(folder / f"{name}.ossi"))


def test_the_shipped_stdlib_recipe_streams_rows() -> None:
    rows = list(load(ROOT / "dataset_scripts" / "oss-instruct-stdlib").take(3))
    assert [row["index"] for row in rows] == sorted(row["index"] for row in rows)
    assert rows[0]["license_type"] == "permissive"


def test_an_edited_recipe_gives_new_rows(recipe: Path, tmp_path: Path) -> None:
    cache = {"streaming": False, "cache_dir": str(tmp_path / "cache")}
    first = load(recipe, **cache)
    write(recipe, RECIPE.replace("n: 12", "n: 12\n  rng_seed: 5"))
    second = load(recipe, **cache)
    assert first["seed_id"] != second["seed_id"]
    write(recipe, RECIPE)
    assert load(recipe, **cache)._fingerprint == first._fingerprint
    write(recipe, RECIPE + "# a comment is bytes too\n")
    assert load(recipe, **cache)._fingerprint != first._fingerprint


def test_the_caller_may_say_more(recipe: Path, teacher: LocalTeacher) -> None:
    extra = {"extra_body": {"top_k": 5}, "send_seed": False}
    rows = list(load(recipe, n=3, model="m", base_url=teacher.base_url, temperature=0.7, sampler="hash", **extra))
    assert len(rows) == 3
    bodies = [request["body"] for request in teacher.requests]
    assert {(body["temperature"], body["top_k"], "seed" in body) for body in bodies} == {(0.7, 5, False)}
    assert {row["sampler"] for row in rows} == {"hash/1"}


def test_languages_without_counts_leave_the_recipes_number(recipe: Path, teacher: LocalTeacher) -> None:
    rows = list(load(recipe, languages=["python"], model="m", base_url=teacher.base_url))
    assert len(rows) == len(teacher.requests) == 12
    assert len(list(load(recipe, languages={"python": 2}, model="m", base_url=teacher.base_url))) == 2


def test_seeds_lie_inside_the_recipes_folder(recipe: Path, teacher: LocalTeacher) -> None:
    (recipe / "code").mkdir()
    (recipe / "code" / "a.py").write_text("def a():\n    return 1\n")
    write(recipe, "version: 1\nseeds: {dataset: ./code}\n")
    [row] = load(recipe, model="m", base_url=teacher.base_url)
    assert (row["seed_dataset"], row["file_path"]) == ("code", "a.py")
    write(recipe, f"version: 1\nseeds: {{dataset: ./code, revision: '{row['seed_revision']}'}}\n")
    load(recipe)
    (recipe / "code" / "a.py").write_text("def a():\n    return 2\n")
    with pytest.raises(RunError, match="Restore that revision"):
        load(recipe)


def test_synthesize_reads_the_same_recipe(recipe: Path, tmp_path: Path) -> None:
    (recipe / "code").mkdir()
    (recipe / "code" / "a.py").write_text(
        'def a(x):\n    """Add one to the number that is given, and return it."""\n    return x + 1\n'
    )
    write(recipe, "version: 1\nseeds: {dataset: ./code, n: 1, sampler: functions}\n")
    words = ["synthesize", "--config", str(recipe / "live.ossi"), "--out", str(tmp_path / "pairs")]
    BASE.run([COMMAND, *words], check=True)
    assert len(load_dataset(str(tmp_path / "pairs"), split="train")) == 1


# What it may not


def test_seeds_outside_the_folder_are_refused(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key.py").write_text("KEY = 1\n")
    (recipe / "link").symlink_to(secret)
    (recipe / "code").mkdir()
    (recipe / "code" / "inner.py").symlink_to(secret / "key.py")
    (tmp_path / "ns").mkdir()
    (tmp_path / "ns" / "code").symlink_to(secret)
    monkeypatch.chdir(tmp_path)
    for dataset, error, why in (
        ("../secret", UsageError, "may name"),
        ("./../secret", UsageError, "outside its folder"),
        ("./link", UsageError, "outside its folder"),
        ("./code", UsageError, "links to a path outside"),
        (str(secret), UsageError, "may name"),
        ("~", UsageError, "may name"),
        (f"file://{secret}", UsageError, "may name"),
        ("https://example.com/code.parquet", UsageError, "may name"),
        ("./nothing", SeedError, "its folder has none"),
        ("ns/other", UsageError, "without a revision"),
    ):
        write(recipe, f"version: 1\nseeds: {{dataset: '{dataset}'}}\n")
        with pytest.raises(error, match=why):
            load(recipe)
    write(recipe, "version: 1\nseeds: {dataset: ns/code, revision: main}\n")
    with pytest.raises(UsageError, match="a local folder has the same name"):
        load(recipe)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("version: 1\nbase_url: http://evil\n", "unknown keys: base_url"),
        ("version: 1\nteacher: {model: m}\n", "unknown keys: teacher"),
        ("version: 1\nout: /tmp/x\n", "unknown keys: out"),
        ("version: 1\nseeds: {dataset: stdlib, path: /etc}\n", r"unknown keys: seeds\.path"),
        ("version: 1\nprompt: {file: /etc/passwd}\n", r"unknown keys: prompt\.file"),
        ("version: 1\nprompt: {template: /etc/passwd}\n", "names the prompt template"),
        ("version: 1\nsampling: {headers: {a: b}}\n", r"unknown keys: sampling\.headers"),
        ("version: 1\nsampling: {extra_body: {top_k: 5}}\n", "only the caller may"),
        ("version: 1\nsampling: {send_seed: 1}\n", "should be bool"),
        ("version: 1\nprompt: {keep_reasoning: maybe}\n", "should be bool"),
        ("version: 99\n", "has version 99"),
        ("seeds: {dataset: stdlib}\n", "has version None"),
        ("version: 1\nseeds: !!python/object/apply:os.system ['id']\n", "is not valid YAML"),
        ("version: 1\na: &a [x, x]\nb: [*a, *a]\n", "YAML alias"),
        ("version: 1\nprompt: {text: '" + "x" * 2_000_000 + "'}\n", "too large for a run config"),
        ("version: " + "[" * 20_000 + "\n", "is not valid YAML"),
        ("- just\n- a list\n", "must contain keys and values"),
        ("version: 1\nseeds: {n: many}\n", "should be int"),
        ("version: 1\nseeds: {dataset: 5}\n", "should be str"),
        ("version: 1\nseeds: {rng_seed: 1e400}\n", "should be int"),
        ("version: 1\nseeds: {languages: {klingon: 5}}\n", "klingon"),
        ("version: 1\nwhen: 2026-13-45\n", "is not valid YAML|unknown keys"),
    ],
)
def test_a_recipe_that_says_too_much_is_refused_by_name(recipe: Path, text: str, why: str) -> None:
    write(recipe, text)
    with pytest.raises(UsageError, match=why):
        load(recipe)


def test_a_recipe_that_is_no_text_is_refused(recipe: Path) -> None:
    (recipe / "live.ossi").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        load(recipe)


@pytest.mark.parametrize(
    "setting",
    [
        "base_url: http://evil",
        "model: expensive",
        "api_key_env: AWS_SECRET",
        "seeds: /etc",
        "n: 5",
        "concurrency: 999",
        "max_cost: 9",
        "extra_body: {top_k: 5}",
    ],
)
def test_a_card_sets_nothing_that_is_the_callers(recipe: Path, setting: str) -> None:
    (recipe / "README.md").write_text(CARD.replace("  data_files: '*.ossi'\n", f"  data_files: '*.ossi'\n  {setting}\n", 1))
    with pytest.raises(UsageError, match=f"card sets {setting.split(':')[0]}"):
        load(recipe)


def test_a_card_names_no_files_but_its_recipe(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.ossi").write_text(RECIPE)
    (recipe / "more.ossi").write_text(RECIPE)
    (tmp_path / "private.txt").write_text("x = 1\n")
    for patterns, why in (
        (f"'{tmp_path}/elsewhere.ossi'", "lies outside"),
        ("'*.ossi'", "one run config"),
        (f"['live.ossi', 'more.ossi', '{tmp_path}/private.txt']", "one run config"),
    ):
        (recipe / "README.md").write_text(f"---\nconfigs:\n- config_name: default\n  data_files: {patterns}\n---\n")
        with pytest.raises((UsageError, ValueError), match=why):
            load(recipe)


def test_a_card_does_not_choose_the_types(recipe: Path) -> None:
    info = "dataset_info:\n- config_name: default\n  features:\n  - name: seed_id\n    dtype: int64\n"
    (recipe / "README.md").write_text(CARD.replace("configs:", f"{info}configs:"))
    assert next(iter(load(recipe))).keys() == hf_oss_instruct.OssInstruct(seeds="stdlib").info.features.keys()


# On the Hub

SCRIPT = """
import json, os, sys
from pathlib import Path
import datasets, hf_oss_instruct
from datasets import load_dataset
from hf_oss_instruct import InferenceTeacher, OssInstructError

repo, url, cache = sys.argv[1:]
datasets.disable_progress_bars()
said = {}

def attempt(name, action):
    try:
        said[name] = action()
    except OssInstructError as error:
        said[name] = f"{type(error).__name__}: {error}"

def stream(**options):
    rows = load_dataset(repo, split="train", streaming=True, cache_dir=cache, **options)
    return [row["teacher"] for row in rows.take(2)]

def table(**options):
    return len(load_dataset(repo, split="train", cache_dir=cache, **options))

os.environ |= {"OSS_INSTRUCT_MODEL": "of-the-environment", "OSS_INSTRUCT_BASE_URL": url}
attempt("environment", stream)
attempt("call", lambda: stream(model="m", base_url=url))
attempt("sft", lambda: sorted(next(iter(load_dataset(repo, "sft", split="train", streaming=True)))))
attempt("table", lambda: table(model="m", base_url=url))
attempt("table of a language", lambda: table(model="m", base_url=url, languages=["python"], price_in=1.0, price_out=1.0))
attempt("table of n", lambda: table(model="m", base_url=url, n=4))
attempt("table in a budget", lambda: table(model="m", base_url=url, max_requests=40))
attempt("table of the embedded teacher", table)
hf_oss_instruct.configure(teacher=InferenceTeacher("configured", url))
attempt("configure", stream)
attempt("configure, table", table)
rows = load_dataset(repo, split="train", cache_dir=cache, model="m", base_url=url, n=4)
rows.push_to_hub("me/copies")
back = load_dataset("me/copies", split="train", cache_dir=cache)
said["pushed"] = list(back) == list(rows) and back.features == rows.features
print(json.dumps(said))
"""


def on_a_hub(hub: LocalHub, teacher: LocalTeacher, tmp_path: Path, repo: str = "stranger/live") -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OSS_INSTRUCT")}
    environment |= hub.environment(tmp_path / "home") | {"HF_TOKEN": "hf_mine"}
    words = ["-c", SCRIPT, repo, teacher.base_url, str(tmp_path / "cache")]
    done = TRAIN.run(words, env=environment, cwd=tmp_path, check=True)  # a stream imports torch
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_a_recipe_on_the_hub_spends_only_what_the_caller_says(recipe: Path, teacher: LocalTeacher, tmp_path: Path) -> None:
    with LocalHub() as hub:
        hub.put_folder("stranger/live", recipe)
        said = on_a_hub(hub, teacher, tmp_path)
    assert said["environment"] == ["comment-function/2"] * 2
    assert said["call"] == ["openai-compatible:m"] * 2
    assert said["configure"] == ["openai-compatible:configured"] * 2
    assert said["sft"] == ["completion", "prompt"]
    for name in ("table", "table of a language", "configure, table"):
        assert "Set a limit with n= or max_requests=" in said[name]
    assert said["table of n"] == 4
    assert said["table in a budget"] == 12
    assert said["table of the embedded teacher"] > 0
    assert said["pushed"] is True
    assert not any("hf_mine" in request["headers"].get("authorization", "") for request in teacher.requests)


def test_a_recipe_on_the_hub_brings_its_own_seeds(recipe: Path, teacher: LocalTeacher, tmp_path: Path) -> None:
    (recipe / "code").mkdir()
    for n in range(12):
        (recipe / "code" / f"a{n}.py").write_text(
            f'def a{n}(x):\n    """Add {n} to the number given, and return what is the sum."""\n    return x + {n}\n'
        )
    write(recipe, "version: 1\nseeds: {dataset: ./code, n: 12, sampler: functions}\n")
    with LocalHub() as hub:
        hub.put_folder("stranger/live", recipe)
        said = on_a_hub(hub, teacher, tmp_path)
    assert said["call"] == ["openai-compatible:m"] * 2
    assert said["table in a budget"] == 12
    assert (
        tmp_path / "home" / "oss-instruct" / "recipes" / "stranger--live" / hub.revision("stranger/live") / "code" / "a0.py"
    ).is_file()


def test_a_recipe_that_cannot_be_fetched_says_so() -> None:
    with pytest.raises(OssInstructError, match="cannot be read"):
        read_repo_config("hf://datasets/ns/live@main/live.ossi")
    with pytest.raises(UsageError, match="is a URL"):
        read_repo_config("https://example.com/live.ossi")
