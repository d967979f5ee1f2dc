"""`evolve`: rows become harder ones, with lineage, checks and verification, resumed like every run."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from datasets import load_dataset

import hf_oss_instruct as oss
from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import BudgetReachedError, RunError, SeedError, UsageError
from hf_oss_instruct.schemas import REJECTED_SCHEMA, SCHEMA, VERIFIED_SCHEMA, with_lineage
from hf_oss_instruct.spec.evolution import OPERATIONS
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.training.recipes import load_recipe
from tests.support import evolving
from tests.support.evolving import KINDS, evolving_teacher
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND, Running

UNCHECKED = oss.Checks(benchmarks=())


def written(path: Path, numbers: range) -> Path:
    path.write_text("".join(json.dumps(evolving.row(number)) + "\n" for number in numbers))
    return path


def read(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def tables(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.parquet")}


def model(server: LocalTeacher, name: str = "m") -> oss.InferenceTeacher:
    return oss.InferenceTeacher(name, server.base_url)


@pytest.fixture
def server() -> Iterator[LocalTeacher]:
    with evolving_teacher() as started:
        yield started


def test_every_row_and_round_is_kept_or_rejected_with_its_reason(tmp_path: Path, server: LocalTeacher) -> None:
    source = written(tmp_path / "rows.jsonl", range(8))
    report = oss.evolve(source, tmp_path / "out", teacher=model(server), rounds=2, checks=UNCHECKED)
    kept, rejected = read(tmp_path / "out" / "data"), read(tmp_path / "out" / "rejected")
    assert report["requested"] == report["kept"] + sum(report["rejected"].values()) == 16
    bad = Counter(kind for kind in KINDS if kind != "good")
    assert report["rejected"] == {reason: 2 * count for reason, count in bad.items()}
    assert report["requests_sent"] == len(server.requests) == 3 * 4 + 4 * 2 + 1 * 4, "a failed round is not solved"

    by_id = {row["seed_id"]: row for row in kept}
    assert len(by_id) == 6
    for row in kept:
        assert row["operation"] in OPERATIONS
        assert row["round"] == (2 if row["parent_id"] in by_id else 1), "round 2 evolves the row of round 1"
        assert (row["lang"], row["tests"], row["teacher"]) == ("python", None, "openai-compatible:m")
        assert row["problem"].split()[2].rstrip(".") in row["solution"]
    assert Counter(row["round"] for row in kept) == {1: 3, 2: 3}
    assert {row["operation"] for row in rejected} <= set(OPERATIONS)
    assert all(row["received"] for row in rejected)
    failed = [row for row in rejected if row["reason"] == "unchanged"]
    assert len({row["parent_id"] for row in failed}) == 1, "after a failed round the same parent is evolved again"
    assert sorted(row["round"] for row in failed) == [1, 2]

    summary = report["evolution"]
    assert sum(sum(counts.values()) for counts in summary["operations_chosen"].values()) == 16
    assert summary["rounds_done"]["1"]["kept"] == 3
    assert [(one["round"], one["rows"]) for one in summary["before_and_after"]] == [(0, 8), (1, 3), (2, 3)]
    assert 0 < summary["before_and_after"][1]["similarity_to_parent"] < 0.7


def test_tables_are_typed_and_the_magicoder_evol_recipe_takes_them(tmp_path: Path, server: LocalTeacher) -> None:
    source = written(tmp_path / "rows.jsonl", range(3))
    oss.evolve(source, tmp_path / "out", teacher=model(server), checks=UNCHECKED)
    [shard] = (tmp_path / "out" / "data").glob("*.parquet")
    assert pq.read_schema(shard).equals(with_lineage(SCHEMA))
    loaded = load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert set(loaded["round"]) == {1}
    recipe = load_recipe("magicoder-evol", data=str(tmp_path / "out"))
    assert recipe.values["dataset_name"] == str(tmp_path / "out")
    sft = load_dataset(recipe.values["dataset_name"], "sft", split="train", cache_dir=str(tmp_path / "cache"))
    assert sft.column_names == ["prompt", "completion"]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "evol-instruct" in card
    assert "| round 1 | 3 |" in card


def test_the_same_call_sends_nothing_and_another_one_is_refused(tmp_path: Path, server: LocalTeacher) -> None:
    source, out = written(tmp_path / "rows.jsonl", range(8)), tmp_path / "out"
    first = oss.evolve(source, out, teacher=model(server), rounds=2, checks=UNCHECKED)
    sent, before = len(server.requests), tables(out)
    second = oss.evolve(source, out, teacher=model(server), rounds=2, checks=UNCHECKED)
    assert len(server.requests) == sent
    assert tables(out) == before
    assert second | {"seconds": 0} == first | {"seconds": 0}
    for other in ({"rounds": 3}, {"rounds": 2, "keep_parents": True}, {"rounds": 2, "solver": model(server, "other")}):
        with pytest.raises(RunError, match="belongs to another run"):
            oss.evolve(source, out, teacher=model(server), checks=UNCHECKED, **other)


def test_parents_stay_if_asked_for_another_model_solves_and_rounds_go_on_counting(tmp_path: Path, server: LocalTeacher) -> None:
    source = written(tmp_path / "rows.jsonl", range(3))
    first = oss.evolve(source, tmp_path / "one", teacher=model(server), solver=model(server, "s"), checks=UNCHECKED)
    assert first == json.loads((tmp_path / "one" / "run.json").read_text())
    assert first["tasks"] == ["evolve: openai-compatible:m", "answer: openai-compatible:s"]
    assert Counter(request["body"]["model"] for request in server.requests) == {"m": 3, "s": 3}
    report = oss.evolve(tmp_path / "one", tmp_path / "two", teacher=model(server), keep_parents=True, checks=UNCHECKED)
    rows = read(tmp_path / "two" / "data")
    assert report["requested"] == report["kept"] == 6
    assert [row["round"] for row in rows] == [1, 2, 1, 2, 1, 2]
    parents, children = rows[::2], rows[1::2]
    assert parents == read(tmp_path / "one" / "data")
    assert [row["parent_id"] for row in children] == [row["seed_id"] for row in parents]


def test_an_evolved_problem_that_quotes_a_benchmark_is_contaminated(tmp_path: Path) -> None:
    quoted = "Return the sum of the two largest numbers of a list, or zero where the list is shorter than two."
    exam = tmp_path / "exam.jsonl"
    exam.write_text(json.dumps({"prompt": quoted}) + "\n")

    def answer(body: dict[str, Any]) -> Answer:
        found = evolving.answer(body)
        evolves = "Task number 1." in body["messages"][0]["content"] and "new and harder" in body["messages"][0]["content"]
        return Answer(text=f"{found.text} {quoted}") if evolves else found

    with LocalTeacher(answer) as server:
        source = written(tmp_path / "rows.jsonl", range(3))
        checks = oss.Checks(benchmarks=[str(exam)])
        report = oss.evolve(source, tmp_path / "out", teacher=model(server), checks=checks)
    assert (report["kept"], report["rejected"]) == (2, {"contaminated": 1})
    [row] = read(tmp_path / "out" / "rejected")
    assert (row["round"], row["operation"] in OPERATIONS) == (1, True)
    assert next(check for check in report["checks"] if check["name"] == "decontamination")["status"] == "done"


def test_evolved_rows_are_verified_like_any_row(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        found = evolving.answer(body)
        wrong = evolving.solution(1) in str(found.text)  # nothing else is that of row 1
        return Answer(text=str(found.text).replace("+ 1\n", "- 1\n")) if wrong else found

    with LocalTeacher(answer) as server:
        source = written(tmp_path / "rows.jsonl", range(2))
        report = oss.evolve(
            source,
            tmp_path / "out",
            teacher=model(server),
            keep_parents=True,
            verification=VerificationSpec(verify=True, mutants=2),
            checks=UNCHECKED,
        )
    rows = read(tmp_path / "out" / "data")
    assert report["kept"] == 4
    assert [row["execution_status"] for row in rows] == ["passed"] * 4
    assert [(row["round"], len(row["tests"])) for row in rows] == [(None, 2), (1, 2)] * 2
    [shard] = (tmp_path / "out" / "data").glob("*.parquet")
    assert pq.read_schema(shard).equals(with_lineage(VERIFIED_SCHEMA))
    assert report["verification"]["funnel"]["kept"] == 4
    assert report["evolution"]["solved_at_first"] == {"before": None, "after": 1.0}


def test_what_fails_its_tests_is_rejected_with_its_lineage(tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        found = evolving.answer(body)
        return Answer(text=str(found.text).replace("return sum(values) +", "return 7 + max(values, default=3) *"))

    with LocalTeacher(answer) as server:
        source = written(tmp_path / "rows.jsonl", range(1))
        verification = VerificationSpec(verify=True, mutants=0)
        report = oss.evolve(source, tmp_path / "out", teacher=model(server), verification=verification, checks=UNCHECKED)
    assert (report["kept"], report["rejected"]) == (0, {"tests_failed": 1})
    [shard] = (tmp_path / "out" / "rejected").glob("*.parquet")
    assert pq.read_schema(shard).equals(with_lineage(REJECTED_SCHEMA))
    [row] = read(tmp_path / "out" / "rejected")
    assert (row["round"], row["reason"]) == (1, "tests_failed")
    assert "[Tests]" in row["received"]


def test_a_budget_stops_it_and_more_of_it_continues(tmp_path: Path, server: LocalTeacher) -> None:
    source, out = written(tmp_path / "rows.jsonl", range(3)), tmp_path / "out"
    with pytest.raises(BudgetReachedError):
        oss.evolve(source, out, teacher=model(server), limits=RunLimits(max_requests=3), checks=UNCHECKED)
    report = json.loads((out / "run.json").read_text())
    assert report["pending"] + report["kept"] == 3
    done = oss.evolve(source, out, teacher=model(server), limits=RunLimits(max_requests=6), checks=UNCHECKED)
    assert (done["kept"], done["requests_sent"]) == (3, 6)


@pytest.mark.parametrize("rounds", [3, pytest.param(30, marks=pytest.mark.long)])
def test_killed_at_any_moment_the_same_command_ends_with_the_same_bytes_and_pays_once(
    tmp_path: Path, server: LocalTeacher, rounds: int
) -> None:
    source = written(tmp_path / "rows.jsonl", range(16 * rounds if rounds > 3 else 24))
    words = ["--rounds", "3", "--model", "m", "--base-url", server.base_url, "--concurrency", "4"]
    words += ["--keep-parents", "--benchmarks", "none", "--format", "quiet"]

    def start(name: str) -> Running:
        return BASE.start([COMMAND, "evolve", source, *words, "--out", tmp_path / name])

    assert start("whole").wait().returncode == 0
    asked, dice, kills = len(server.requests), random.Random(7), 0
    for _ in range(rounds):
        process, wanted = start("killed"), len(server.requests) + dice.randrange(1, asked // rounds)
        while len(server.requests) < wanted and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        kills += process.wait().returncode != 0
    assert start("killed").wait().returncode == 0
    assert kills >= rounds - 1
    assert asked <= len(server.requests) - asked <= asked + 4 * kills, "paid once, but for what was in flight"
    assert tables(tmp_path / "killed") == tables(tmp_path / "whole")
    whole, found = (json.loads((tmp_path / name / "run.json").read_text()) for name in ("whole", "killed"))
    for name in ("requested", "kept", "rejected", "pending", "evolution", "tokens"):
        assert found[name] == whole[name]


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, ["evolve", *map(str, words)])


def test_a_dry_run_asks_nobody_and_a_look_at_some_rows_is_paid_for_once(tmp_path: Path, server: LocalTeacher) -> None:
    source = written(tmp_path / "rows.jsonl", range(3))
    at = ["--model", "m", "--base-url", server.base_url, "--rounds", 2]
    dry = run(source, *at, "--dry-run", "--price-in", 1, "--price-out", 2)
    assert dry.exit_code == 0, dry.output
    assert "3 rows, 2 to 4 requests per row, up to 12 without retries" in dry.output
    assert "which cost about 0.01" in dry.output
    assert "Make a new and harder problem" in dry.output
    summary = json.loads(run(source, *at, "--dry-run", "--format", "json").output)
    assert (summary["rows"], summary["requests_per_row"]) == (3, [2, 4])
    assert "Unknown benchmark 'nonsense'" in str(run(source, *at, "--dry-run", "--benchmarks", "nonsense").exception)
    assert not server.requests

    look = run(source, *at, "--n", 2)
    assert look.exit_code == 0, look.output
    assert look.output.count("· before") == 4
    assert look.output.count("── problem") == 4
    assert len(server.requests) == 8
    lines = [json.loads(line) for line in run(source, *at, "--n", 2, "--format", "json").output.splitlines()]
    assert [line["round"] for line in lines] == [1, 2, 1, 2]
    done = run(source, *at, "--benchmarks", "none", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "6 rows kept of 6" in done.output
    assert "round 2: 3 rows" in done.output
    assert "recipe magicoder-evol --data" in done.output
    assert len(server.requests) == 12, "the answers of the look are used"


def test_bad_input_is_one_clear_error(tmp_path: Path) -> None:
    source = written(tmp_path / "rows.jsonl", range(2))
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts.jsonl").write_text('{"text": "x"}\n')
    (tmp_path / "none.jsonl").write_text("")
    at, to = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1"], ["--out", tmp_path / "out"]
    for words, code, said in (
        ((source, *at), None, "--out, or look at a few rows first with --n 3"),
        ((source, *to), None, "The embedded teacher cannot evolve problems"),
        ((source, *at, *to, "--verify", "--tests", "given"), None, "evolved problems have no tests"),
        ((source, *at, *to, "--operations", "harder"), None, "Unknown operation 'harder'"),
        ((tmp_path / "texts.jsonl", *at, *to), None, "no solution under a usual column name"),
        ((tmp_path / "empty", *at, *to), None, "contains no tables"),
        ((tmp_path / "nowhere", *at, *to), None, "neither a local file or folder"),
        ((source, *at, *to, "--rounds", "0"), 2, "1<=x<=4"),
        ((source, *at, *to, "--rounds", "5"), 2, "1<=x<=4"),
        ((source, *at, *to, "--max-similarity", "0"), 2, "max-similarity"),
    ):
        done = run(*words)
        assert done.exit_code == (code or 1), done.output
        assert said in (done.output if code else str(done.exception)), words
        assert isinstance(done.exception, SystemExit if code else UsageError | SeedError)
    assert not (tmp_path / "out").exists()
    for rounds in (0, 5):
        with pytest.raises(UsageError, match=f"rounds must be at least 1 and at most 4, not {rounds}"):
            oss.evolve(source, tmp_path / "out", teacher=oss.InferenceTeacher("m", "http://127.0.0.1:9/v1"), rounds=rounds)


def test_rows_that_are_odd_are_rejected_or_evolved_and_none_is_lost(tmp_path: Path, server: LocalTeacher) -> None:
    odd: list[dict[str, Any]] = [
        {"problem": "", "solution": "x"},
        {"problem": None, "solution": None},
        {"problem": "half \ud800 of a pair", "solution": "\x00"},
        {"problem": "{problem} {fence} ```", "solution": "{language}", "round": "many", "parent_id": 7, "operation": None},
    ]
    source = tmp_path / "odd.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in odd))
    report = oss.evolve(source, tmp_path / "out", teacher=model(server), rounds=1, keep_parents=True, checks=UNCHECKED)
    assert report["requested"] == report["kept"] + sum(report["rejected"].values()) == 8
    assert report["rejected"]["empty"] == 4
