"""Verified pairs become what each framework's own loader reads, and what cannot is counted."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from datasets import load_dataset

from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import PublishError, UsageError
from hf_oss_instruct.exports.export import Exported, export_to
from hf_oss_instruct.exports.harbor import confirm
from hf_oss_instruct.publishing.export import export_push
from hf_oss_instruct.publishing.folders import kind_of
from hf_oss_instruct.publishing.hub import check
from hf_oss_instruct.publishing.rules import Rules
from hf_oss_instruct.rewards import make_code_reward
from hf_oss_instruct.rewards.integrations.verl import compute_score
from tests.exports.conftest import PREFERENCES

Exports = Callable[[str], tuple[Exported, Path]]


def loaded(folder: Path, cache: Path) -> list[dict[str, Any]]:
    return list(load_dataset(str(folder), split="train", cache_dir=str(cache)))


def test_trl_loads_prompts_with_the_columns_that_the_reward_reads(exported: Exports, tmp_path: Path) -> None:
    found, out = exported("trl")
    assert (found.rows, found.skipped) == (8, {"no tests": 1, "not verified: tests_failed": 1})
    rows = loaded(out, tmp_path / "cache")
    assert rows[0]["prompt"][0]["role"] == "user"
    assert "`Stack`" in rows[1]["prompt"][0]["content"]
    assert "reads standard input" in rows[2]["prompt"][0]["content"]
    own = [one for one in rows if one["lang"] in ("python", "shell")][:4]
    columns = {name: [one[name] for one in own] for name in ("tests", "lang", "solution", "entry_point")}
    answers = [[{"role": "assistant", "content": f"```{one['lang']}\n{one['solution']}```"}] for one in own]
    rewards = asyncio.run(make_code_reward()(prompts=[one["prompt"] for one in own], completions=answers, **columns))
    assert rewards == [1.0] * 4


def test_dpo_is_the_preference_pairs_of_the_run(exported: Exports, tmp_path: Path) -> None:
    found, out = exported("dpo")
    assert found.rows == 1
    assert loaded(out, tmp_path / "cache") == PREFERENCES
    with pytest.raises(UsageError, match="no Parquet files in preference/"):
        export_to("dpo", out, tmp_path / "again")


def test_verl_gets_its_columns_and_our_score_reads_them(exported: Exports, tmp_path: Path) -> None:
    rows = loaded(exported("verl")[1], tmp_path / "cache")
    assert set(rows[0]) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    assert json.loads(rows[2]["reward_model"]["ground_truth"])["outputs"] == ["3\n"]  # as verl's own scorer reads it
    for one in (rows[0], rows[3]):
        truth, extra = one["reward_model"]["ground_truth"], one["extra_info"]
        assert compute_score(one["data_source"], f"```python\n{extra['solution']}```", truth, extra)["score"] == 1.0
        assert compute_score(one["data_source"], "nothing", truth, extra)["score"] == 0.0


def test_every_harbor_task_names_its_file_and_gives_nothing_to_a_program_that_leaves_early(exported: Exports) -> None:
    found, out = exported("harbor")
    assert found.rows == 7
    assert found.skipped == {"its solution does not pass its own tests": 1, "no tests": 1, "not verified: tests_failed": 1}
    tasks = sorted((out / "tasks").iterdir())
    assert len(tasks) == 7
    left = 0
    for task in tasks:
        files = {path.relative_to(task).as_posix(): path.read_text() for path in task.rglob("*") if path.is_file()}
        assert {"instruction.md", "task.toml", "environment/Dockerfile", "tests/test.sh", "solution/solve.sh"} <= set(files)
        name = next(one for one in files if one.startswith("solution/") and one != "solution/solve.sh").partition("/")[2]
        assert f"`/app/{name}`" in files["instruction.md"]
        assert files["environment/Dockerfile"].startswith("FROM debian:bookworm-2")
        if name == "solution.py" and "1 == 1" not in files["tests/tests.json"]:
            left += 1
            assert confirm(files | {"solution/solution.py": "import os\nprint('passed')\nos._exit(0)\n"})
    assert left == 2


def test_a_taskset_of_verifiers_is_a_package_with_its_tasks(exported: Exports) -> None:
    package = exported("verifiers")[1] / "pairs_verifiers"
    module = (package / "__init__.py").read_text()
    compile(module, "module", "exec")
    assert "__all__" in module
    tasks = [json.loads(line) for line in (package / "tasks.jsonl").read_text().splitlines()]
    assert len(tasks) == 8
    assert tasks[2]["tests"]["pairs"] == [["1 2\n", "3\n"]]


def test_the_command_says_what_it_wrote_and_goes_on_in_its_own_folder_only(pairs: Path, tmp_path: Path) -> None:
    words = ["export", str(pairs), "--to", "trl", "--out", str(tmp_path / "out")]
    for _ in range(2):
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert "8 rows for trl" in done.output
        assert "1 left out: not verified: tests_failed" in done.output
    with pytest.raises(Exception, match="out"):
        export_to("verl", pairs, tmp_path / "out")
    (tmp_path / "empty" / "data").mkdir(parents=True)
    with pytest.raises(UsageError, match="has no Parquet files"):
        export_to("trl", tmp_path / "empty", tmp_path / "other")
    with pytest.raises(UsageError, match="Unknown format 'csv'"):
        export_to("csv", pairs, tmp_path / "other")


@pytest.mark.parametrize("kind", ["trl", "dpo", "verl", "harbor", "verifiers"])
def test_publish_takes_an_export_with_its_card(kind: str, exported: Exports, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(exported(kind)[1], out)
    assert kind_of(out) == "export"
    rules = Rules(lambda text, lang: "secret" if "hunter2" in text else None, lambda licenses: True)
    push = export_push(out, rules, repo_id="me/rl", license="cc-by-4.0")
    check(push)
    front = yaml.safe_load(push.card.split("---")[1])
    assert front["license"] == "cc-by-4.0"
    assert kind in front["tags"]
    assert not any(name.startswith(".") for name in push.files)
    (out / "notes.md").write_text("hunter2")
    with pytest.raises(PublishError, match="secrets"):
        export_push(out, rules, repo_id="me/rl")


def test_what_was_not_checked_is_not_published_unasked(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "rows" / "data").mkdir(parents=True)
    (tmp_path / "rows" / "data" / "a.parquet").write_bytes((pairs / "data" / "train-00000-of-00001.parquet").read_bytes())
    export_to("trl", tmp_path / "rows", tmp_path / "out")
    strict = Rules(lambda text, lang: None, lambda licenses: True)
    with pytest.raises(PublishError, match="the rows are not of a run"):
        export_push(tmp_path / "out", strict, repo_id="me/rl")
    relaxed = Rules(strict.secret_in, strict.may_be_shown, allow_unchecked=True)
    assert export_push(tmp_path / "out", relaxed, repo_id="me/rl").summary == "8 rows for trl"
