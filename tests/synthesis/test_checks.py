"""What a run checks on its own: benchmark leakage and near duplicates, and what it says of both."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList, find, keys
from hf_oss_instruct.schemas import REJECTED_SCHEMA, SCHEMA
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.hub import LocalHub
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND

LEAK = "Fold every napkin of the long table into a swan that looks at the door of the hall."
EXAM = BenchmarkList.of("exam", "xxh3:0", [{"task_id": "E/1", "prompt": LEAK, "code": "fold()"}])
N = 12


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "my_code"
    folder.mkdir()
    for number in range(N):
        (folder / f"f{number}.py").write_text("\n".join(f"value_{number}_{line} = {line}" for line in range(4)))
    return folder


def answer(body: dict[str, Any]) -> Answer:
    """Some prompts get a leak, some nearly the same problem, each of the others one of its own."""
    kind = sum(body["messages"][-1]["content"].encode()) % 3
    own = " ".join(f"word{sum(body['messages'][-1]['content'].encode()) * 7 + at}" for at in range(30))
    problem = {0: "// " + LEAK.replace(" ", "\n// ") + own, 1: "one two three four five six " * 6 + LEAK[:9] + own[:6], 2: own}[
        kind
    ]
    return Answer(text=f"[Problem Description]\n{problem}\n\n[Solution]\nsolution of {own}")


def go(out: Path, code: Path, lists: list[BenchmarkList], **changes: Any) -> dict[str, Any]:
    config = RunSpec(seeds=SeedPlan(n=N, filters=()), checks=Checks(benchmarks=keys([], lists), **changes))
    with LocalTeacher(answer) as teacher:
        return run(out, config, open_source(str(code)), InferenceTeacher("m", teacher.base_url), lists=lists).report


def test_leaks_and_near_duplicates_are_rejected_counted_and_kept_with_what_was_received(tmp_path: Path, code: Path) -> None:
    report = go(tmp_path / "out", code, [EXAM])
    assert report["requested"] == N == report["kept"] + sum(report["rejected"].values()) + report["pending"]
    assert report["rejected"]["contaminated"] >= 1
    rejected = pq.read_table(tmp_path / "out" / "rejected")
    assert rejected.schema.equals(REJECTED_SCHEMA)
    contaminated = [row for row in rejected.to_pylist() if row["reason"] == "contaminated"]
    assert len(contaminated) == report["rejected"]["contaminated"]
    assert all("exam:E/1" in row["detail"] and row["received"].startswith("solution of") for row in contaminated)
    kept = pq.read_table(tmp_path / "out" / "data")
    assert kept.schema.equals(SCHEMA)
    assert len(kept) == report["kept"] == len(pq.read_table(tmp_path / "out" / "sft"))
    assert not any("napkin" in problem for problem in kept["problem"].to_pylist())
    assert not (tmp_path / "out" / ".unchecked").exists()


def test_flagging_keeps_the_row_and_names_the_task_in_it(tmp_path: Path, code: Path) -> None:
    report = go(tmp_path / "out", code, [EXAM], contaminated="flag")
    assert "contaminated" not in report["rejected"]
    marked = [row for row in pq.read_table(tmp_path / "out" / "data").to_pylist() if row["contaminated_by"]]
    assert marked
    assert all("napkin" in row["problem"].replace("\n// ", " ") for row in marked)


def test_the_report_and_the_card_name_each_list_its_revision_and_what_is_missing(tmp_path: Path, code: Path) -> None:
    lists = [EXAM, *find(["gsm8k"])]  # the Hub of these tests is never there
    report = go(tmp_path / "out", code, lists)
    check = next(check for check in report["checks"] if check["name"] == "decontamination")
    assert check["status"] == "not_done"
    assert [(item["name"], item["revision"], item["status"]) for item in check["lists"]] == [
        ("exam", "xxh3:0", "done"),
        ("gsm8k", lists[1].revision, "not_done"),
    ]
    assert json.loads((tmp_path / "out" / "run.json").read_text())["checks"] == report["checks"]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "not against gsm8k" in card
    assert lists[1].revision in card


def test_what_is_switched_off_is_said_to_be(tmp_path: Path, code: Path) -> None:
    report = go(tmp_path / "out", code, [], near_duplicates=False)
    statuses = {check["name"]: check["status"] for check in report["checks"]}
    assert statuses == {
        "duplicates": "done",
        "near_duplicates": "not_done",
        "decontamination": "not_done",
        "execution": "unavailable",
    }


def test_a_dry_run_refuses_benchmarks_as_the_run_does_and_downloads_none(tmp_path: Path) -> None:
    exam = tmp_path / "exam.jsonl"
    words = ["synthesize", "--n", "3", "--out", tmp_path / "out", "--dry-run", "--benchmarks"]
    with LocalHub() as hub:

        def dry_run(names: str) -> subprocess.CompletedProcess[str]:
            return BASE.run([COMMAND, *words, names], env=os.environ | hub.environment(tmp_path / "home"))

        assert "Unknown benchmark 'nonsense'" in dry_run("default,nonsense").stderr
        exam.write_text('{"colour": "red"}\n')
        assert "has no text column named" in dry_run(str(exam)).stderr
        exam.write_text(json.dumps({"prompt": LEAK}) + "\n")
        shown = yaml.safe_load(dry_run(f"HumanEval+,ns/quiz,{exam}").stdout)
        assert not hub.requests
    assert shown["checks"]["benchmarks"] == ["humanevalplus", "ns/quiz", find([str(exam)])[0].key], "as the run records them"
