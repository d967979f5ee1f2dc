"""Verified pairs become what each framework's own loader reads, and what cannot is counted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from datasets import load_dataset

from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import PublishError, UsageError
from hf_oss_instruct.exports.export import export_to
from hf_oss_instruct.exports.harbor import confirm
from hf_oss_instruct.publishing.dataset import Rules
from hf_oss_instruct.publishing.export import export_push
from hf_oss_instruct.publishing.folders import kind_of
from hf_oss_instruct.publishing.hub import check
from hf_oss_instruct.rewards import make_code_reward
from hf_oss_instruct.rewards.verl import compute_score
from hf_oss_instruct.schemas import PREFERENCE_SCHEMA
from hf_oss_instruct.shards import Shards

DOUBLE = "def double(x):\n    return 2 * x\n"
PYTEST = """from solution import double
import pytest

def test_it():
    assert double(2) == 4
    with pytest.raises(TypeError):
        double(None)
"""
STACK = """class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)
"""
UNITTEST = """import unittest

class TestStack(unittest.TestCase):
    def test_push(self):
        stack = Stack()
        stack.push(1)
        self.assertEqual(stack.items, [1])
"""
TOTAL = "import sys\nprint(sum(map(int, sys.stdin.read().split())))\n"
SUM = "#include <iostream>\nint main() {\n    int a, b;\n    std::cin >> a >> b;\n    std::cout << a + b << std::endl;\n}\n"
JAVA = "class A {\n    static int one() {\n        return 1;\n    }\n}\n"


def row(problem: str, solution: str, tests: Any, lang: str = "python", status: str | None = "passed") -> dict[str, Any]:
    return {"problem": problem, "solution": solution, "tests": tests, "lang": lang, "execution_status": status}


ROWS = [
    row("Write double(x).", f"Here:\n```python\n{DOUBLE}```\n", [PYTEST]),
    row("Write a stack.", STACK, [UNITTEST]),
    row("Add two numbers.", SUM, ['{"input": "1 2\\n", "output": "3\\n"}'], "cpp"),
    row("Add all numbers.", TOTAL, ['{"input": "1 2 3", "output": "6"}', '{"input": "", "output": "0"}']),
    row("Say hello.", "echo hello\n", ['{"input": "", "output": "hello\\n\\n"}'], "shell"),
    row("Return one.", JAVA, ["class T {\n    @Test\n    void t() {\n        assertEquals(1, A.one());\n    }\n}\n"], "java"),
    row("A wrong one.", "def one():\n    return 1\n", ["assert one() == 2"]),
    row("A vacuous one.", "def one():\n    return 1\n", ["assert 1 == 1"]),
    row("Not verified.", "def one():\n    return 1\n", ["assert one() == 1"], status="tests_failed"),
    row("No tests.", "def one():\n    return 1\n", None, status=None),
]  # fmt: skip
PREFERENCES = [{"prompt": "Write double(x).", "chosen": DOUBLE, "rejected": "def double(x):\n    return x\n"}]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with verified rows, as `synthesize` leaves it."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "data" / "train-00000-of-00001.parquet")
    preference = Shards(folder / "preference", PREFERENCE_SCHEMA)
    preference.add(PREFERENCES[0])
    preference.finish()
    report = {"teacher": "a-teacher", "kept": len(ROWS), "checks": [{"name": "duplicates", "status": "done"}]}
    (folder / "run.json").write_text(json.dumps(report))
    return folder


def loaded(folder: Path, cache: Path) -> list[dict[str, Any]]:
    return list(load_dataset(str(folder), split="train", cache_dir=str(cache)))


def test_trl_loads_prompts_with_the_columns_that_the_reward_reads(pairs: Path, tmp_path: Path) -> None:
    found = export_to("trl", pairs, tmp_path / "out")
    assert (found.rows, found.skipped) == (8, {"no tests": 1, "not verified: tests_failed": 1})
    rows = loaded(tmp_path / "out", tmp_path / "cache")
    assert rows[0]["prompt"][0]["role"] == "user"
    assert "`Stack`" in rows[1]["prompt"][0]["content"]
    assert "reads standard input" in rows[2]["prompt"][0]["content"]
    own = [one for one in rows if one["lang"] in ("python", "shell")][:4]
    columns = {name: [one[name] for one in own] for name in ("tests", "lang", "solution", "entry_point")}
    answers = [[{"role": "assistant", "content": f"```{one['lang']}\n{one['solution']}```"}] for one in own]
    rewards = asyncio.run(make_code_reward()(prompts=[one["prompt"] for one in own], completions=answers, **columns))
    assert rewards == [1.0] * 4


def test_dpo_is_the_preference_pairs_of_the_run(pairs: Path, tmp_path: Path) -> None:
    assert export_to("dpo", pairs, tmp_path / "out").rows == 1
    assert loaded(tmp_path / "out", tmp_path / "cache") == PREFERENCES
    with pytest.raises(UsageError, match="no Parquet files in preference/"):
        export_to("dpo", tmp_path / "out", tmp_path / "again")


def test_verl_gets_its_columns_and_our_score_reads_them(pairs: Path, tmp_path: Path) -> None:
    export_to("verl", pairs, tmp_path / "out")
    rows = loaded(tmp_path / "out", tmp_path / "cache")
    assert set(rows[0]) == {"data_source", "prompt", "ability", "reward_model", "extra_info"}
    assert json.loads(rows[2]["reward_model"]["ground_truth"])["outputs"] == ["3\n"]  # as verl's own scorer reads it
    for one in (rows[0], rows[3]):
        truth, extra = one["reward_model"]["ground_truth"], one["extra_info"]
        assert compute_score(one["data_source"], f"```python\n{extra['solution']}```", truth, extra)["score"] == 1.0
        assert compute_score(one["data_source"], "nothing", truth, extra)["score"] == 0.0


def test_every_harbor_task_gives_its_solution_one_and_doing_nothing_zero(pairs: Path, tmp_path: Path) -> None:
    found = export_to("harbor", pairs, tmp_path / "out")
    assert found.rows == 7
    assert found.skipped == {"its solution does not pass its own tests": 1, "no tests": 1, "not verified: tests_failed": 1}
    tasks = sorted((tmp_path / "out" / "tasks").iterdir())
    assert len(tasks) == 7
    for task in tasks:
        files = {path.relative_to(task).as_posix(): path.read_text() for path in task.rglob("*") if path.is_file()}
        assert {"instruction.md", "task.toml", "environment/Dockerfile", "tests/test.sh", "solution/solve.sh"} <= set(files)
        name = next(one for one in files if one.startswith("solution/") and one != "solution/solve.sh").partition("/")[2]
        assert f"`/app/{name}`" in files["instruction.md"]
        assert files["environment/Dockerfile"].startswith("FROM debian:bookworm-2")
        assert confirm(files) == ""
        assert (task / "tests" / "test.sh").stat().st_mode & 0o111
        # A program that ends at once, with success, passes nothing.
        if name == "solution.py" and "1 == 1" not in files["tests/tests.json"]:
            assert confirm(files | {"solution/solution.py": "import os\nprint('passed')\nos._exit(0)\n"})


def test_a_taskset_of_verifiers_is_a_package_with_its_tasks(pairs: Path, tmp_path: Path) -> None:
    export_to("verifiers", pairs, tmp_path / "my-tasks")
    module = (tmp_path / "my-tasks" / "my_tasks" / "__init__.py").read_text()
    compile(module, "module", "exec")
    assert "__all__" in module
    tasks = [json.loads(line) for line in (tmp_path / "my-tasks" / "my_tasks" / "tasks.jsonl").read_text().splitlines()]
    assert len(tasks) == 8
    assert tasks[2]["tests"]["pairs"] == [["1 2\n", "3\n"]]


def test_the_command_says_what_it_wrote_and_goes_on_in_its_own_folder_only(pairs: Path, tmp_path: Path) -> None:
    words = ["export", str(pairs), "--to", "trl", "--out", str(tmp_path / "out")]
    for _ in range(2):
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert "8 rows for trl" in done.output
        assert "left out: 1 not verified: tests_failed" in done.output
    with pytest.raises(Exception, match="out"):
        export_to("verl", pairs, tmp_path / "out")
    (tmp_path / "empty" / "data").mkdir(parents=True)
    with pytest.raises(UsageError, match="has no Parquet files"):
        export_to("trl", tmp_path / "empty", tmp_path / "other")
    with pytest.raises(UsageError, match="Unknown format 'csv'"):
        export_to("csv", pairs, tmp_path / "other")


@pytest.mark.parametrize("kind", ["trl", "dpo", "verl", "harbor", "verifiers"])
def test_publish_takes_an_export_with_its_card(kind: str, pairs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_to(kind, pairs, out)
    assert kind_of(out) == "export"
    rules = Rules(lambda text, lang: "secret" if "hunter2" in text else None, lambda licenses: True)
    push = export_push(out, rules, repo_id="me/rl", license="cc-by-4.0")
    check(push)
    front = yaml.safe_load(push.card.split("---")[1])
    assert front["license"] == "cc-by-4.0"
    assert kind in front["tags"]
    assert "# rl" in push.card
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
