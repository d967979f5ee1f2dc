"""What `run.json` says of the diversity of seeds and of the tasks that became of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.synthesis.export import export
from tests.support.teacher import Answer, LocalTeacher, well_formed


def run(code: Path, out: Path, teacher: LocalTeacher, *more: str) -> tuple[dict[str, Any], str]:
    words = f"synthesize --n 8 --model m --base-url {teacher.base_url} --concurrency 1 --benchmarks none --seeds".split()
    done = CliRunner().invoke(cli, [*words, str(code), "--out", str(out), *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    report: dict[str, Any] = json.loads((out / "run.json").read_text())
    return report, done.output


def test_near_duplicates_count_as_one_task_although_they_are_removed(tmp_path: Path, code: Path) -> None:
    first: list[str] = []

    def answer(body: dict[str, Any]) -> Answer:
        first.append(well_formed(body["messages"]))
        number = len(first)  # every second answer is the one before it, with a further word
        if number % 2:
            return Answer(text=first[-1])
        return Answer(text=first[-2].replace("the new list", "the list").replace("return values", f"return values[:{number}]"))

    with LocalTeacher(answer) as teacher:
        report, said = run(code, tmp_path / "out", teacher)
        assert report["checks"][1]["name"] == "near_duplicates"
    assert (report["kept"], report["rejected"]) == (4, {"near_duplicate": 4})
    assert report["diversity"] == {
        "rows": 8,
        "distinct_problems": 8,
        "distinct_tasks": 4,
        "near_duplicate_rate": 0.5,
        "threshold": 0.7,
    }
    assert "4 distinct tasks in 8 pairs before near duplicates were removed: 50.0% of the problems resembled another" in said
    export(tmp_path / "out", tmp_path / "exported")
    assert json.loads((tmp_path / "exported" / "run.json").read_text())["diversity"] == report["diversity"]


def test_a_balanced_run_counts_its_seeds_and_goes_on_with_the_same(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as teacher:
        report, said = run(code, tmp_path / "out", teacher, "--balance")
        assert run(code, tmp_path / "out", teacher, "--balance")[0]["balance"] == report["balance"]
        assert len(teacher.requests) == 8
    assert report["balance"] == {"languages": {"python": 8}, "categories": {"None of the ten": 8}}
    assert "seeds by category: 8 None of the ten" in said
    assert "balance: true" in (tmp_path / "out" / "oss_instruct.yaml").read_text()
