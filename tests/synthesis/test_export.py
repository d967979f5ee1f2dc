"""An export: what the journal alone gives, also while its run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.synthesis.export import export
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND

from .test_run import N, go, sometimes


def parquet(folder: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in folder.rglob("*.parquet")}


def test_of_a_finished_run_is_the_runs_own_data_set(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(sometimes(4, Answer(text="no sections"))) as teacher:
        go(tmp_path / "run", code, teacher)
    for path in code.iterdir():
        path.unlink()  # the seeds themselves are not needed
    stats = export(tmp_path / "run", tmp_path / "out")
    assert parquet(tmp_path / "out") == parquet(tmp_path / "run")
    assert (stats.requested, stats.pending) == (N, 0)
    rows = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "c"))
    assert len(rows) == stats.kept
    report, own = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("out", "run"))
    same = ("requested", "kept", "rejected", "pending", "tokens", "teacher", "config_hash", "requests_sent")
    assert {key: report[key] for key in same} == {key: own[key] for key in same}


def test_while_the_run_goes_on_has_what_was_answered_so_far(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(lambda body: Answer(latency_s=0 if len(teacher.requests) <= 9 else 60)) as teacher:
        words = ["--seeds", str(code), "--n", "30", "--model", "m", "--base-url", teacher.base_url, "--concurrency", "4"]
        run = BASE.start([COMMAND, "synthesize", *words, "--out", tmp_path / "run", "--format", "quiet"])
        try:
            journal = tmp_path / "run" / "journal"
            while sum(path.read_bytes().count(b"\n") for path in journal.glob("*")) < 9:
                assert run.poll() is None
            done = BASE.run([COMMAND, "export", tmp_path / "run", "--out", tmp_path / "out", "--format", "json"], check=True)
            assert run.poll() is None
        finally:
            run.kill()
    report = json.loads(done.stdout)
    answered = report["kept"] + sum(report["rejected"].values())
    assert answered >= 9
    assert report["pending"] == 30 - answered
    assert len(pq.read_table(tmp_path / "out" / "data")) == report["kept"]


def test_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(RunError, match="not a folder of a run"):
        export(tmp_path / "full", tmp_path / "out")
