"""`score` and `compare` as people type them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.hub import LocalHub
from tests.support.warm import BASE, COMMAND

from . import toys

WRONG = {"task_id": "HumanEval/900", "completion": "    import sys; sys.stderr.write('\\x1b[31mred'); return 7\n"}


def hf(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return BASE.run([COMMAND, *words])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    toys.plus(tmp_path / "data")
    return tmp_path / "data"


def score(data: Path, lines: list[dict[str, Any]], *words: str | Path) -> subprocess.CompletedProcess[str]:
    samples = toys.write_lines(data.parent / "samples.jsonl", lines)
    return hf("score", "--task", "humaneval_plus", "--data", data, samples, *words)


def test_scores_come_as_a_table_and_as_three_files(data: Path) -> None:
    out = data.parent / "out"
    done = score(data, [WRONG, *toys.canonical()[1:]], "--out", out, "--show", "1")
    assert done.returncode == 0, done.stderr
    assert "66.7" in done.stdout
    assert "HumanEval/900 · sample 0 · wrong_answer" in done.stdout
    assert r"\x1b[31mred" in done.stdout
    assert "\x1b" not in done.stdout  # what a program wrote is shown as text
    verdicts = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    assert [one["status"] for one in verdicts] == ["wrong_answer", "passed", "passed"]
    for name in ("task_id", "sample", "status", "base", "plus", "reason", "wall_s", "cpu_s", "program"):
        assert name in verdicts[0]
    results = json.loads((out / "results.json").read_text())
    assert results["statuses"] == {"passed": 2, "wrong_answer": 1}
    assert results["scores"]["plus"]["pass@1"]["mean"] == pytest.approx(2 / 3)
    assert results["facts"]["sandbox"]
    assert "| humaneval\\_plus | plus | pass@1 | 66.7 |" in (out / "results.md").read_text()


def test_a_second_run_takes_the_verdicts_it_has_and_survives_a_torn_line(data: Path) -> None:
    out = data.parent / "out"
    assert score(data, toys.canonical(), "--out", out).returncode == 0
    lines = (out / "verdicts.jsonl").read_text().splitlines()
    marked = [json.dumps(json.loads(line) | {"reason": "made before"}) for line in lines[:2]]
    (out / "verdicts.jsonl").write_text("\n".join([*marked, lines[2][:50]]))
    assert score(data, toys.canonical(), "--out", out).returncode == 0
    reasons = [json.loads(line)["reason"] for line in (out / "verdicts.jsonl").read_text().splitlines()]
    assert reasons == ["made before", "made before", ""]


def test_without_a_sandbox_is_the_users_own_word_warned_of_and_recorded(data: Path) -> None:
    out = data.parent / "out"
    isolated = score(data, toys.canonical(), "--out", out)
    assert (isolated.returncode, "Warning" in isolated.stderr) == (0, False), isolated.stderr
    assert json.loads((out / "results.json").read_text())["statuses"] == {"passed": 3}
    done = score(data, toys.canonical(), "--out", out, "--unsafe-no-sandbox", "--format", "quiet")
    assert done.returncode == 0, done.stderr
    assert "Warning: Untrusted programs run without a sandbox" in done.stderr
    verdicts = [json.loads(line) for line in (out / "verdicts.jsonl").read_text().splitlines()]
    assert [one["sandbox"] for one in verdicts] == ["unsafe-none"] * 3  # none was taken from the run with a sandbox
    assert json.loads((out / "results.json").read_text())["facts"]["sandbox"] == "unsafe-none"
    assert "Sandbox: unsafe-none." in (out / "results.md").read_text()


def test_a_folder_of_another_task_is_left_alone(data: Path) -> None:
    out = data.parent / "out"
    assert score(data, toys.canonical(), "--out", out).returncode == 0
    before = (out / "verdicts.jsonl").read_bytes()
    toys.plus(data, toys.PLUS[:2])
    done = score(data, toys.canonical()[:2], "--out", out)
    assert done.returncode == 1
    assert "contains results of humaneval_plus on sha256:" in done.stderr
    assert (out / "verdicts.jsonl").read_bytes() == before


def test_notes_of_the_user_are_not_replaced(data: Path) -> None:
    out = data.parent / "out"
    out.mkdir()
    (out / "results.md").write_text("# What I think of these models\n")
    done = score(data, toys.canonical(), "--out", out)
    assert done.returncode == 1
    assert (
        "contains 'results.md' from something else, which would be replaced. Move the file, or use another folder." in done.stderr
    )
    assert (out / "results.md").read_text() == "# What I think of these models\n"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"run.json": '{\n  "format_version": 1}', "verdicts.jsonl": "{}\n"}, "a run"),
        ({"run.json": '{\n  "format_version": 1}', "verdicts.jsonl": "{}\n", "results.json": "{}"}, "a run"),
        ({"oss_instruct.yaml": "seeds: {}\n", "verdicts.jsonl": "{}\n"}, "a run"),
        ({"training.json": "{}", "recipe.yaml": ""}, "a training"),
        ({"export.json": "{}", "README.md": ""}, "an export"),
    ],
    ids=["verified run", "verified run that was scored into", "unfinished run", "training", "export"],
)
def test_a_folder_of_another_command_is_left_alone(data: Path, files: dict[str, str], kind: str) -> None:
    out = data.parent / "out"
    out.mkdir()
    for name, text in files.items():
        (out / name).write_text(text)
    done = score(data, toys.canonical(), "--out", out)
    assert done.returncode == 1
    assert f"The folder {str(out)!r} contains {kind}. Use a new folder, or one in it, for the scores." in done.stderr
    assert {path.name: path.read_text() for path in out.iterdir()} == files


def test_verdicts_of_another_tool_are_not_replaced(data: Path) -> None:
    out = data.parent / "out"
    out.mkdir()
    (out / "verdicts.jsonl").write_text('{"case": 12, "verdict": "guilty"}\n')
    done = score(data, toys.canonical(), "--out", out)
    assert done.returncode == 1
    assert "contains 'verdicts.jsonl' from something else, which would be replaced" in done.stderr
    assert [path.name for path in out.iterdir()] == ["verdicts.jsonl"]


def test_a_result_is_not_replaced_by_that_of_other_samples(data: Path) -> None:
    out = data.parent / "out"
    assert score(data, toys.canonical(), "--out", out).returncode == 0
    before = (out / "results.json").read_text()
    done = score(data, [WRONG, *toys.canonical()[1:]], "--out", out)
    assert done.returncode == 1
    assert re.search(
        r"belongs to another run: samples: samples.jsonl \(\w{12}\) in the folder, samples.jsonl \(\w{12}\) now", done.stderr
    )
    assert (out / "results.json").read_text() == before
    assert score(data, toys.canonical(), "--out", out).returncode == 0
    found = json.loads(before)  # as an earlier version wrote it
    del found["facts"]["samples_hash"]
    (out / "results.json").write_text(json.dumps(found))
    assert score(data, [WRONG, *toys.canonical()[1:]], "--out", out).returncode == 0


def test_other_samples_are_not_scored_into_the_folder_of_a_model_that_is_being_evaluated(data: Path) -> None:
    out = data.parent / "out"
    out.mkdir()
    toys.write_lines(out / "samples.jsonl", toys.canonical()[:1])
    (out / "generation.json").write_text('{"model": "m", "style": "chat"}')
    done = score(data, toys.canonical(), "--out", out)
    assert done.returncode == 1
    assert "belongs to another run: samples: samples.jsonl of evaluate in the folder" in done.stderr
    assert {path.name for path in out.iterdir()} >= {"samples.jsonl", "generation.json"}
    assert not (out / "results.json").exists()


def test_other_files_in_a_folder_of_samples_do_not_make_it_another_one(data: Path) -> None:
    folder, out = data.parent / "samples", data.parent / "out"
    folder.mkdir()
    toys.write_lines(folder / "samples.jsonl", toys.canonical())
    words = ["score", folder, "--task", "humaneval_plus", "--data", data, "--out", out]
    assert hf(*words).returncode == 0
    (folder / ".DS_Store").write_bytes(b"\0")
    assert hf(*words).returncode == 0


def test_several_samples_give_pass_at_k_and_k_beyond_them_is_wrong_usage(data: Path) -> None:
    lines = [WRONG, *toys.canonical(), *toys.canonical()[1:]]
    found = json.loads(score(data, lines, "--k", "1", "--k", "2", "--format", "json").stdout)["scores"]["plus"]
    assert found["pass@1"]["mean"] == pytest.approx((0.5 + 1 + 1) / 3)
    assert found["pass@2"]["mean"] == 1.0
    done = score(data, lines, "--k", "3")
    assert done.returncode == 2
    assert "Use a k of 2 or less" in done.stderr


def test_missing_problems_are_reported_as_missing(data: Path) -> None:
    done = score(data, toys.canonical()[:1])
    assert done.returncode == 1
    assert "2 of 3 problems have no sample" in done.stderr
    found = json.loads(score(data, toys.canonical()[:1], "--allow-missing", "--format", "json").stdout)
    assert found["missing"] == ["HumanEval/901", "HumanEval/902"]
    assert found["scores"]["plus"]["pass@1"] == {"mean": 1.0, "low": pytest.approx(0.2, abs=0.1), "high": 1.0, "problems": 1}


def test_scores_without_the_problems_that_a_training_set_touches_are_added(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = tmp_path / "pairs.parquet"
    quotes = ["Write `root`. The square root of x. Be quick.", "Write `evens` as you like."]
    pq.write_table(pa.table({"instruction": quotes, "response": ["...", "..."]}), pairs)
    lines, words = [WRONG, *toys.canonical()[1:]], ("--format", "json", "--trained-on")
    found = json.loads(score(data, lines, *words, pairs).stdout)
    assert found["contaminated"] == ["HumanEval/901"]
    assert found["scores"]["plus"]["pass@1"]["mean"] == pytest.approx(2 / 3)
    assert found["scores"]["plus without"]["pass@1"]["mean"] == 0.5
    with LocalHub() as hub:
        for name, value in hub.environment(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        hub.put("them/pairs", "train.parquet", pairs.read_bytes())
        assert json.loads(score(data, lines, *words, "them/pairs").stdout) == found
    done = score(data, lines, *words, "nowhere")
    assert done.returncode == 1, done.stderr
    assert "'nowhere' is neither a local file or folder" in done.stderr


def test_compare_says_whether_a_difference_is_noise(data: Path) -> None:
    a, b = data.parent / "a", data.parent / "b"
    assert score(data, [WRONG, *toys.canonical()[1:]], "--out", a).returncode == 0
    assert score(data, toys.canonical(), "--out", b).returncode == 0
    done = hf("compare", a, b)
    assert done.returncode == 0, done.stderr
    assert "only A passed 0, only B passed 1; McNemar's exact test p = 1" in done.stdout
    assert "not distinguishable from noise" in done.stdout
    found = json.loads(hf("compare", a, b, "--format", "json").stdout)
    assert found["plus"]["difference"] == pytest.approx(1 / 3)
    toys.plus(data, toys.PLUS[:2])
    assert score(data, toys.canonical()[:2], "--out", data.parent / "c").returncode == 0
    other = hf("compare", a, data.parent / "c")
    assert other.returncode == 1
    assert "cannot be compared" in other.stderr


def test_wrong_names_exit_2_with_the_way_out(data: Path) -> None:
    samples = toys.write_lines(data.parent / "samples.jsonl", toys.canonical())
    done = hf("score", "--task", "humanevil", "--data", data, samples)
    assert done.returncode == 2
    assert "Unknown task 'humanevil'" in done.stderr
    assert "humaneval_plus" in done.stderr
    assert hf("compare", data, data.parent / "nowhere").returncode == 2
    done = hf("compare", data, data)
    assert done.returncode == 2, done.stderr
    assert "Pass a folder that score wrote" in done.stderr
