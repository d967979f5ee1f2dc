"""`load_dataset("oss-instruct", …, verify=True)`: pairs are run before they are handed out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
from datasets import load_dataset

from hf_oss_instruct import read_seeds
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.schemas import VERIFIED_SCHEMA
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import LocalTeacher
from tests.support.verified import snippet, verifying_teacher


@pytest.fixture
def teacher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalTeacher]:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    (tmp_path / "code").mkdir()
    for number, kind in enumerate(("right", "wrong", "right")):
        (tmp_path / "code" / f"{number}.py").write_text(snippet(number, kind))
    with verifying_teacher() as server:
        yield server


def test_a_stream_hands_out_pairs_that_pass_and_runs_them_once(tmp_path: Path, teacher: LocalTeacher) -> None:
    more = {"model": "m", "base_url": teacher.base_url, "verify": True, "tests": "answer", "mutants": 2}
    rows = load_dataset("oss-instruct", data_dir=str(tmp_path / "code"), split="train", streaming=True, **more)
    assert rows.features == datasets.Features.from_arrow_schema(VERIFIED_SCHEMA)
    first = list(rows)
    assert [row["execution_status"] for row in first] == ["passed", "passed"]
    assert all(row["test_results"] == [True] * 3 and row["mutants"] <= 2 for row in first)
    files = sorted((tmp_path / "home").rglob("verdicts/*.jsonl"))
    assert files
    before = [file.read_bytes() for file in files]
    assert list(rows) == first
    assert [file.read_bytes() for file in sorted((tmp_path / "home").rglob("verdicts/*.jsonl"))] == before
    assert len(teacher.requests) == 3
    kept = load_dataset("oss-instruct", data_dir=str(tmp_path / "code"), split="train", cache_dir=str(tmp_path / "c"), **more)
    assert [row["problem"] for row in kept] == [row["problem"] for row in first]


def test_options_of_verification_without_it_are_refused(tmp_path: Path, teacher: LocalTeacher) -> None:
    with pytest.raises(UsageError, match=r"--keep configures verification\. Pass --verify"):
        load_dataset("oss-instruct", data_dir=str(tmp_path / "code"), split="train", streaming=True, keep="all")
    assert not teacher.requests


def test_python_verifies_row_by_row(tmp_path: Path, teacher: LocalTeacher) -> None:
    asked = VerificationSpec(verify=True, keep="all")
    seeds = read_seeds(str(tmp_path / "code"), n=3)
    rows = list(synthesize(seeds, InferenceTeacher("m", teacher.base_url), verification=asked, journal=tmp_path / "journal"))
    assert sorted(str(row["execution_status"]) for row in rows) == ["passed", "passed", "tests_failed"]
    assert len(teacher.requests) == 6, "tests are asked apart where nothing else is said"
