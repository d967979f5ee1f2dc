"""`curate`: every row of any dataset is kept or stands in `rejected/` with its reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from hf_oss_instruct.cli import main
from hf_oss_instruct.curation.checks import STEPS, CurationOptions, select_steps
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.curation.run import _job, curate
from hf_oss_instruct.errors import RunError, SeedError, UsageError
from hf_oss_instruct.storage.workdir import JOB, locked, write_atomically

EXAM = {"task_id": "E/1", "prompt": "Fold every napkin of the long table into a swan that looks at the door.", "code": "fold()"}
LONG = (
    "def walk(path):\n    for part in path.parts:\n        if part.name in seen or part.old:\n            yield part, path\n"
    "    return sorted(seen, key=lambda one: one.depth, reverse=True)  # hidden\n"
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    problems = ["Walk a path.", "walk a path.", "Walk a path.", EXAM["prompt"].replace(" ", "\n# "), None, "Nothing like it."]
    solutions = [LONG, LONG.replace("hidden", "empty"), "x", "y", "z", None]
    table = pa.table({"problem": problems, "solution": solutions, "stars": [1, 2, 3, 4, 5, 6]})
    pq.write_table(table, tmp_path / "rows.parquet")
    (tmp_path / "exam.jsonl").write_text(json.dumps(EXAM))
    return tmp_path / "rows.parquet"


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["hf-oss-instruct", "curate", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_every_row_ends_once_and_the_folder_says_what_was_checked(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = rows.parent / "out"
    assert run(str(rows), "--out", str(out), "--benchmarks", f"{rows.parent / 'exam.jsonl'},gsm8k", monkeypatch=monkeypatch) == 0
    kept, rejected = (load_dataset(str(out), name, split="train") for name in ("default", "rejected"))
    assert kept["stars"] == [1, 5, 6]
    assert dict(zip(rejected["stars"], rejected["reason"], strict=True)) == {
        2: "near_duplicate",
        3: "duplicate",
        4: "contaminated",
    }
    assert rejected.filter(lambda row: row["stars"] == 4)["contaminated_by"][0][0].startswith("exam:E/1:")
    assert load_dataset(str(out), "sft", split="train")["completion"] == [LONG]
    report = json.loads((out / "run.json").read_text())
    assert report["requested"] == 6 == report["kept"] + sum(report["rejected"].values()) + report["pending"]
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["near_duplicates"]["cluster_sizes"] == {"2": 1}
    exam, gsm8k = checks["decontamination"]["lists"]
    assert (exam["status"], gsm8k["status"], checks["decontamination"]["status"]) == ("done", "not_done", "not_done")
    card = (out / "README.md").read_text()
    assert "not against gsm8k" in card
    assert exam["revision"] in card


def test_no_row_left_is_an_error_that_loses_nothing(rows: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    pq.write_table(pq.read_table(rows).slice(3, 1), rows)
    out = rows.parent / "out"
    assert run(str(rows), "--out", str(out), "--benchmarks", str(rows.parent / "exam.jsonl"), monkeypatch=monkeypatch) == 1
    assert "0 of 1 rows kept" in capsys.readouterr().err
    assert load_dataset(str(out), "rejected", split="train")["reason"] == ["contaminated"]


def test_steps_left_out_are_said_to_be(rows: Path) -> None:
    report = curate(str(rows), rows.parent / "out", steps=["duplicates"])
    assert report["rejected"] == {"duplicate": 1}
    left_out = {check["name"] for check in report["checks"] if check["status"] == "not_done"}
    assert left_out == {step.name for step in STEPS} - {"duplicates", "denied"}


def test_steps_see_what_earlier_ones_left_and_mark_only_once(rows: Path) -> None:
    report = curate(str(rows), rows.parent / "out", options=CurationOptions(threshold=0.5))
    assert [check.get("rejected") for check in report["checks"][: len(STEPS) - 1]] == [1, 0, 1, 0]


def test_other_columns_can_be_looked_at_and_json_lines_read(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"answer": answer}) + "\n" for answer in ("a b", "ab", "c")))
    report = curate(str(tmp_path / "rows.jsonl"), tmp_path / "out", columns=["answer"])
    assert report["rejected"] == {"duplicate": 1}
    assert not (tmp_path / "out" / "sft").exists()


def test_a_second_curation_keeps_what_the_first_one_checked(rows: Path) -> None:
    curate(str(rows), rows.parent / "one", steps=["duplicates"])
    report = curate(str(rows.parent / "one"), rows.parent / "two", steps=["near_duplicates"])
    assert (report["requested"], report["rejected"]) == (5, {"near_duplicate": 1})
    assert {check["name"] for check in report["checks"] if check["status"] == "done"} == {"duplicates", "near_duplicates"}


@pytest.mark.parametrize(
    ("columns", "error", "said"),
    [(["nope"], UsageError, "no text column 'nope'.*problem, solution"), (["stars"], UsageError, "no text column 'stars'")],
)
def test_a_missing_column_is_named_with_those_that_are_there(
    rows: Path, columns: list[str], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        curate(str(rows), rows.parent / "out", columns=columns)
    assert not (rows.parent / "out").exists()


def test_rows_without_any_known_text_column_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["x"]}), tmp_path / "rows.parquet")
    with pytest.raises(UsageError, match=r"none of the text columns seed, problem, solution.*Their text columns: text"):
        curate(str(tmp_path / "rows.parquet"), tmp_path / "out")


def test_bytes_that_are_no_utf8_are_refused_with_the_column(tmp_path: Path) -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"caf\xe9"]).buffers())
    pq.write_table(pa.table({"problem": broken, "solution": ["x"]}), tmp_path / "rows.parquet")
    with pytest.raises(SeedError, match="'problem' is not UTF-8"):
        curate(str(tmp_path / "rows.parquet"), tmp_path / "out")


@pytest.mark.parametrize(("name", "content"), [("gone", None), ("rows.parquet", b"PAR1 cut"), ("rows.jsonl", b"{cut")])
def test_what_cannot_be_read_is_refused_with_a_way_out(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SeedError, match=r"neither a local file or folder|cannot be read|is not JSON"):
        curate(str(tmp_path / name), tmp_path / "out")


def test_a_folder_with_something_in_it_is_not_written_to(rows: Path) -> None:
    with pytest.raises(RunError, match="not empty"):
        curate(str(rows), rows.parent)


def test_a_killed_curation_goes_on_and_another_is_refused(rows: Path) -> None:
    out = rows.parent / "out"
    (out / "data").mkdir(parents=True)
    write_atomically(out / JOB, json.dumps(_job(str(rows), select_steps(["duplicates"]), None, CurationOptions())))
    (out / "data" / ".unfinished-00000.parquet").write_bytes(b"torn")
    (out / "data" / ".unfinished-00001.parquet").write_bytes(b"torn")
    report = curate(str(rows), out, steps=["duplicates"])
    assert report["kept"] == 5
    assert curate(str(rows), out, steps=["duplicates"])["kept"] == 5
    assert [path.name for path in (out / "data").iterdir()] == ["train-00000-of-00001.parquet"]
    with pytest.raises(RunError, match=r"--steps: .* in the folder, .* now"):
        curate(str(rows), out, steps=["near_duplicates"])
    with locked(out), pytest.raises(RunError, match="in use by"):
        curate(str(rows), out, steps=["duplicates"])


def test_rows_of_a_denylist_are_rejected(tmp_path: Path) -> None:
    rows = [{"repo_name": name, "problem": f"Problem {name}", "solution": f"def f(): return {name!r}"} for name in ("a/b", "c/d")]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    report = curate(str(tmp_path / "rows.parquet"), tmp_path / "out", options=CurationOptions(deny=Denylist.of("repo: A/B")))
    assert report["rejected"] == {"denied": 1}
    assert report["checks"][0] == {"name": "denied", "version": 1, "status": "done", "rejected": 1}
    assert pq.read_table(tmp_path / "out" / "data")["repo_name"].to_pylist() == ["c/d"]
