"""A run in a folder: what it leaves there, how it goes on, what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from hf_oss_instruct.data import REASONS
from hf_oss_instruct.errors import RunError, SeedsExhaustedError, UsageError
from hf_oss_instruct.schemas import REJECTED_SCHEMA, SCHEMA
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.requests import rate_limit
from hf_oss_instruct.synthesis.requests.reservations import FILE
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.run import RunResult, run
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher, chat_completion, well_formed
from tests.support.warm import BASE, COMMAND

QUICK = RetryPolicy(tries=3, first_pause_s=0.01, longest_pause_s=0.05, reach_s=0.1)
N = 30


def go(out: Path, code: Path, teacher: LocalTeacher, n: int = N, **changes: Any) -> RunResult:
    config = replace(RunSpec(SeedPlan(n=n), TeacherSpec(concurrency=8)), **changes)
    network = InferenceTeacher("m", teacher.base_url, concurrency=8, timeout_s=20)
    return run(out, config, open_source(str(code)), network, retry_policy=QUICK)


def rows(folder: Path) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = pq.read_table(folder).to_pylist()
    return table


def sometimes(every: int, otherwise: Answer) -> Callable[[dict[str, Any]], Answer]:
    """Every so-many-th prompt gets another answer; which one depends on the prompt alone."""

    def answer(body: dict[str, Any]) -> Answer:
        text = well_formed(body["messages"])
        return otherwise if sum(text.encode()) % every == 0 else Answer(text=text)

    return answer


def test_the_folder_is_a_data_set_with_three_configs(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(sometimes(4, Answer(text="no sections here"))) as teacher:
        result = go(tmp_path / "out", code, teacher)
    out = str(tmp_path / "out")
    default, sft, rejected = (
        load_dataset(out, name, split="train", cache_dir=str(tmp_path / "c")) for name in ("default", "sft", "rejected")
    )
    assert default.column_names == SCHEMA.names
    assert sft.column_names == ["prompt", "completion"]
    assert rejected.column_names == REJECTED_SCHEMA.names
    assert len(default) == len(sft) == result.stats.kept
    assert 0 < result.report["rejected"]["unparsable"] <= len(rejected) == sum(result.report["rejected"].values())
    assert default["index"] == sorted(default["index"])
    assert set(default["index"]) | set(rejected["index"]) == set(range(N))
    assert sft[0]["completion"] == default[0]["solution"]
    row = default[0]
    assert row["seed"] == "\n".join((code / row["file_path"]).read_text().split("\n")[row["start_line"] - 1 : row["end_line"]])
    assert (row["seed_dataset"], row["sampler"], row["licenses"], row["repo_name"]) == ("my_code", "hash/1", None, None)
    assert json.loads(row["sampling"]).keys() == {"max_tokens", "seed", "temperature"}


def test_the_first_nine_columns_are_never_null(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as teacher:
        go(tmp_path / "out", code, teacher)
    table = pq.read_table(tmp_path / "out" / "data")
    assert [table.column(name).null_count for name in SCHEMA.names[:9]] == [0] * 9


def test_the_report_counts_every_seed_once(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(sometimes(3, Answer(finish_reason="length", text="[Problem Description] cut"))) as teacher:
        report = go(tmp_path / "out", code, teacher).report
    assert report == json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["requested"] == N == report["kept"] + sum(report["rejected"].values()) + report["pending"]
    assert report["pending"] == 0
    assert set(report["rejected"]) <= set(REASONS)
    assert report["requests_sent"] == len(teacher.requests) == N
    assert report["tokens"]["completion"] > 0
    statuses = {check["name"]: check["status"] for check in report["checks"]}
    assert statuses == {
        "duplicates": "done",
        "near_duplicates": "done",
        "decontamination": "not_done",
        "execution": "unavailable",
    }


def test_what_the_server_did_otherwise_stands_in_the_report(tmp_path: Path, code: Path) -> None:
    ends = iter(["eos", "all_done", None] * N)

    def answer(body: dict[str, Any]) -> Answer:
        if "seed" in body:
            return Answer(status=400, text="seed is not supported")
        said = chat_completion(body, Answer())
        said["choices"][0]["finish_reason"] = next(ends)
        return Answer(raw=json.dumps(said).encode())

    with LocalTeacher(answer) as teacher:
        report = go(tmp_path / "out", code, teacher, n=6).report
    assert report["finish_reasons"] == {"eos": 2, "all_done": 2, "none": 2}
    assert report["parameters_changed"] == {"seed": None}
    assert report["kept"] + sum(report["rejected"].values()) == 6
    with LocalTeacher(answer) as teacher:
        again = go(tmp_path / "out", code, teacher, n=6).report
        assert (again["finish_reasons"], again["parameters_changed"]) == (report["finish_reasons"], {"seed": None})
        assert not teacher.requests


@pytest.mark.parametrize("keep", [False, True])
def test_thoughts_have_a_column_of_their_own_which_is_null_unless_it_is_asked_for(tmp_path: Path, code: Path, keep: bool) -> None:
    def thinking(body: dict[str, Any]) -> Answer:
        draft = "[Problem Description]\nDRAFT\n[Solution]\nDRAFT\n"
        return Answer(text=f"<think>\n{draft}</think>\n\n{well_formed(body['messages'])}")

    out = tmp_path / "out"
    with LocalTeacher(thinking) as teacher:
        result = go(out, code, teacher, n=6, prompt=PromptSpec(keep_reasoning=keep))
    assert result.stats.kept == 6  # the drafts are all the same: as pairs, five would be duplicates
    for row in rows(out / "data"):
        assert "DRAFT" not in row["problem"] + row["solution"]
        assert (row["reasoning"] is not None and "DRAFT" in row["reasoning"]) is keep
    assert "DRAFT" not in json.dumps(rows(out / "sft"))
    assert ("no check has read it" in (out / "README.md").read_text()) is keep
    assert ("keep_reasoning: true" in (out / "oss_instruct.yaml").read_text()) is keep


def test_completions_begin_with_the_thoughts_if_they_are_kept(tmp_path: Path, code: Path) -> None:
    def thinking(body: dict[str, Any]) -> Answer:
        return Answer(text=f"<think>\nAn idea.\n</think>\n\n{well_formed(body['messages'])}")

    with LocalTeacher(thinking) as teacher:
        go(tmp_path / "out", code, teacher, n=3, prompt=PromptSpec(thoughts="keep"))
    kept, sft = rows(tmp_path / "out" / "data"), rows(tmp_path / "out" / "sft")
    assert [pair["completion"] for pair in sft] == [f"<think>\nAn idea.\n</think>\n\n{row['solution']}" for row in kept]


def test_the_same_call_sends_nothing_and_writes_the_same_bytes(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as teacher:
        go(tmp_path / "out", code, teacher)
        before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.parquet")}
        go(tmp_path / "out", code, teacher)
        assert len(teacher.requests) == N
    assert {path.parent.name for path in before} == {"data", "sft", "rejected"}
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.parquet")}


def test_answers_in_any_order_give_the_same_bytes(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as teacher:
        go(tmp_path / "a", code, teacher)
    with LocalTeacher(lambda body: Answer(latency_s=hash(str(body)) % 7 / 100)) as slow:
        go(tmp_path / "b", code, slow)
    for folder in ("data", "sft", "rejected"):
        (a,), (b,) = ((tmp_path / out / folder).iterdir() for out in "ab")
        assert a.read_bytes() == b.read_bytes()


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path, code: Path) -> None:
    def revoked_after_ten(body: dict[str, Any]) -> Answer:
        return Answer() if len(first.requests) <= 10 else Answer(status=401, text="key revoked")

    with LocalTeacher(revoked_after_ten) as first:
        result = go(tmp_path / "out", code, first)
    assert result.error is not None
    assert "key revoked" in str(result.error)
    kept = result.stats.kept
    assert kept + result.stats.pending == N
    assert kept == len(rows(tmp_path / "out" / "data")) >= 9
    assert not result.report["rejected"]
    with LocalTeacher() as second:
        result = go(tmp_path / "out", code, second)
    assert (result.error, result.stats.pending) == (None, 0)
    assert len(second.requests) == N - kept
    assert result.report["requests_sent"] == len(first.requests) + len(second.requests)


def test_rejected_is_final_and_pending_is_asked_again(tmp_path: Path, code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "FIRST_PAUSE_S", 0.01)  # of a server that gives nothing but failures
    with LocalTeacher(sometimes(3, Answer(status=400, text="too long"))) as picky:
        first = go(tmp_path / "a", code, picky)
        sent = len(picky.requests)
        go(tmp_path / "a", code, picky)
        assert len(picky.requests) == sent
    assert first.report["rejected"]["refused"] > 0
    with LocalTeacher(sometimes(3, Answer(status=500, text="boom"))) as shaky:
        first = go(tmp_path / "b", code, shaky)
    assert first.stats.pending > 0
    assert not first.report["rejected"]
    with LocalTeacher() as well:
        second = go(tmp_path / "b", code, well)
        assert len(well.requests) == first.stats.pending
    assert second.stats.pending == 0


def test_duplicates_of_seed_problem_or_solution_are_rejected_and_the_first_stays(tmp_path: Path, code: Path) -> None:
    same = "[Problem Description]\nSay  hello.\n[Solution]\nprint('hello')"
    with LocalTeacher(lambda body: Answer(text=same)) as teacher:
        result = go(tmp_path / "out", code, teacher)
    assert result.report["rejected"] == {"duplicate": N - 1}
    assert [row["index"] for row in rows(tmp_path / "out" / "data")] == [0]
    assert {row["reason"] for row in rows(tmp_path / "out" / "rejected")} == {"duplicate"}
    with LocalTeacher(lambda body: Answer(text=same)) as teacher:
        assert go(tmp_path / "all", code, teacher, checks=Checks(duplicates=False)).stats.kept == N


def test_another_run_into_the_same_folder_is_refused_with_the_difference(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as teacher:
        kept = go(tmp_path / "out", code, teacher).stats.kept
        with pytest.raises(RunError, match=r"belongs to another run: --n: 30 in the folder, 31 now"):
            go(tmp_path / "out", code, teacher, n=31)
        other = InferenceTeacher("other", teacher.base_url)
        with pytest.raises(RunError, match=r"teacher: .*:m in the folder, .*:other now"):
            run(tmp_path / "out", RunSpec(seeds=SeedPlan(n=N)), open_source(str(code)), other)
        (code / "tasks_0.py").write_text("changed = True\n")
        with pytest.raises(RunError, match=r"has changed since the run"):
            go(tmp_path / "out", code, teacher)
        assert len(teacher.requests) == N
    assert len(rows(tmp_path / "out" / "data")) == kept


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, code: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"meow")
    (tmp_path / "file").write_text("x")
    with LocalTeacher() as teacher:
        for name in ("photos", "file"):
            with pytest.raises(RunError, match=name):
                go(tmp_path / name, code, teacher)
        assert not teacher.requests
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def test_a_folder_in_use_is_refused_with_the_name_of_who_uses_it(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(lambda body: Answer(latency_s=20)) as teacher:
        words = ["synthesize", "--seeds", str(code), "--n", "5", "--model", "m", "--base-url", teacher.base_url]
        process = BASE.start([COMMAND, *words, "--out", tmp_path / "out"])
        try:
            while not teacher.requests:
                assert process.poll() is None
            with pytest.raises(RunError, match=f"process {process.pid} on "):
                go(tmp_path / "out", code, teacher)
        finally:
            process.kill()
    with LocalTeacher() as teacher:  # a killed process leaves no lock behind
        assert go(tmp_path / "out", code, teacher, n=5).stats.kept == 5


def test_too_few_seeds_end_the_run_with_all_there_are(tmp_path: Path, code: Path) -> None:
    plan = SeedPlan(n=100, snippets_per_document=1)
    with LocalTeacher() as teacher:
        result = go(tmp_path / "out", code, teacher, seeds=plan)
    assert isinstance(result.error, SeedsExhaustedError)
    assert (result.stats.kept, result.stats.pending) == (12, 88)
    assert len(rows(tmp_path / "out" / "data")) == 12


def test_the_config_makes_the_run_again(tmp_path: Path, code: Path) -> None:
    with LocalTeacher() as teacher:
        go(tmp_path / "a", code, teacher)
        config = RunSpec.from_file(tmp_path / "a" / "oss_instruct.yaml")
        network = InferenceTeacher("m", teacher.base_url)
        run(tmp_path / "b", config, open_source(str(code)), network, retry_policy=QUICK)
    assert rows(tmp_path / "a" / "data") == rows(tmp_path / "b" / "data")
    (code / "new.py").write_text("x = 1\n")
    with pytest.raises(RunError, match="was made from my_code at"):
        run(tmp_path / "c", config, open_source(str(code)), network)


def test_nothing_that_was_rejected_loses_what_was_received(tmp_path: Path, code: Path) -> None:
    babble = "I am sorry, \ud83d I cannot. \x00 \x1b[0m"
    with LocalTeacher(lambda body: Answer(text=babble)) as teacher:
        result = go(tmp_path / "out", code, teacher, n=3)
    received = {row["received"] for row in rows(tmp_path / "out" / "rejected")}
    assert received == {"I am sorry, ? I cannot. \x00 \x1b[0m"}  # half a surrogate pair cannot be stored
    assert result.stats.kept == 0
    # An empty split cannot be loaded, so there is none; what was rejected loads.
    assert not (tmp_path / "out" / "data").exists()
    assert len(load_dataset(str(tmp_path / "out"), "rejected", split="train", cache_dir=str(tmp_path / "c"))) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
def test_a_full_disk_stops_the_run_intact_and_the_same_call_goes_on_when_there_is_room(tmp_path: Path, code: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("this machine mounts nothing")
    try:
        filler = disk / "filler"
        filler.write_bytes(b"x" * 150_000)
        with LocalTeacher() as teacher:
            with pytest.raises(RunError, match=r"free disk space|Free disk space"):
                raise go(disk / "out", code, teacher, n=110).error or AssertionError("the disk was large enough")
            answered = len(teacher.requests)
            assert 0 < answered
            filler.unlink()
            subprocess.run(["mount", "-o", "remount,size=16m", disk], check=True)
            result = go(disk / "out", code, teacher, n=110)
            assert (result.stats.done, result.stats.pending) == (110, 0)
            # Whatever was in the journal was not asked again; the torn line, and what could not be written, was.
            assert len(teacher.requests) <= 110 + 8 + 1
    finally:
        subprocess.run(["umount", disk], check=True)


def test_two_folders_of_one_name_are_two_data_sets(tmp_path: Path) -> None:
    lengths = []  # `datasets` caches a local folder by its last name and its card
    for number in (10, 20):
        out = tmp_path / str(number) / "pairs"
        run(out, RunSpec(seeds=SeedPlan(n=number, sampler="functions")), open_source("stdlib"), CommentFunctionTeacher())
        rows = load_dataset(str(out), "sft", split="train", cache_dir=str(tmp_path / "cache"))
        assert len(rows) == json.loads((out / "run.json").read_text())["kept"]
        lengths.append(len(rows))
    assert lengths[0] < lengths[1]


def test_a_source_that_was_edited_in_between_is_said_in_words(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.py").write_text(
        'def half(x):\n    """Give half of the number x, rounded down to the next whole."""\n    return x // 2\n'
    )
    config = RunSpec(seeds=SeedPlan(n=1, sampler="functions"), checks=Checks(benchmarks=()))
    run(tmp_path / "out", config, open_source(str(code)), CommentFunctionTeacher())
    before = (tmp_path / "out/run.json").read_bytes()
    (code / "a.py").write_text((code / "a.py").read_text() + "\n\nx = 1\n")
    with pytest.raises(RunError, match=r"The source 'code' has changed since the run .* began.*Restore that state.*export"):
        run(tmp_path / "out", config, open_source(str(code)), CommentFunctionTeacher())
    assert (tmp_path / "out/run.json").read_bytes() == before


def test_a_run_inside_the_folder_of_its_source_goes_on(tmp_path: Path) -> None:
    rows = [
        {"content": f'def f{n}(x):\n    """Add {n} to the number x and give the sum back."""\n    return x + {n}\n'}
        for n in range(4)
    ]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row | {"lang": "Python"}) + "\n" for row in rows))
    config = RunSpec(seeds=SeedPlan(n=4, sampler="functions"), checks=Checks(benchmarks=(), near_duplicates=False))
    for _ in range(2):
        result = run(tmp_path / "pairs", config, open_source(str(tmp_path)), CommentFunctionTeacher())
        assert (result.stats.kept, result.error) == (4, None)


@pytest.mark.parametrize("name", ["p [1]", "what?", "all*"])
def test_a_folder_that_load_dataset_would_take_for_a_pattern_is_refused_before_anything_is_paid(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match=r"load_dataset interprets as a pattern.*another folder"):
        run(tmp_path / name, RunSpec(seeds=SeedPlan(n=1)), open_source("stdlib"), CommentFunctionTeacher())
    assert not (tmp_path / name).exists()


def test_a_killed_run_of_the_embedded_teacher_has_sent_no_requests(tmp_path: Path) -> None:
    spec, stdlib = RunSpec(seeds=SeedPlan(n=5, sampler="functions")), open_source("stdlib")
    for _ in range(2):
        report = run(tmp_path / "out", spec, stdlib, CommentFunctionTeacher()).report
        assert (report["requests_sent"], report["tokens"]) == (0, {"prompt": 0, "completion": 0})
        (tmp_path / "out" / FILE).touch()  # what a kill leaves
