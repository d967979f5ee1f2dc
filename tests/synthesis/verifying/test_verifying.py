"""Verification as a stage of a run: every kind of answer is accounted for, and nothing is asked or run twice."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import hf_oss_instruct
from hf_oss_instruct.cli import cli
from hf_oss_instruct.errors import BudgetReachedError, SandboxError
from hf_oss_instruct.schemas import PREFERENCE_SCHEMA, VERIFICATION_COLUMNS, VERIFIED_SCHEMA
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.synthesis.export import export
from hf_oss_instruct.synthesis.run import RunResult, run
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import LocalTeacher
from tests.support.verified import EXPECTED, KINDS, snippet, verifying_teacher
from tests.support.warm import BASE, COMMAND, Running

FAST = tuple(kind for kind in KINDS if kind != "hanging")
"""Kinds that need no time limit to be found out."""


@pytest.fixture
def teacher() -> Iterator[LocalTeacher]:
    with verifying_teacher() as server:
        yield server


def code(folder: Path, kinds: tuple[str, ...]) -> Path:
    folder.mkdir()
    for number, kind in enumerate(kinds):
        (folder / f"{number:02d}.py").write_text(snippet(number, kind))
    return folder


def verified(out: Path, seeds: Path, teacher: LocalTeacher, limits: RunLimits | None = None, **options: Any) -> RunResult:
    spec = RunSpec(
        SeedPlan(str(seeds), n=len(list(seeds.iterdir()))),
        TeacherSpec(base_url=teacher.base_url),
        checks=Checks(benchmarks=(), near_duplicates=False),
        limits=limits or RunLimits(),
        verification=VerificationSpec(verify=True, **options),
    )
    return run(out, spec, open_source(str(seeds)), InferenceTeacher("m", teacher.base_url))


def rows(out: Path, config: str = "data") -> list[dict[str, Any]]:
    return [row for path in sorted((out / config).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def tables(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.glob("*/train-*.parquet"))}


@pytest.mark.parametrize("kinds", [FAST, pytest.param(KINDS, marks=pytest.mark.long)], ids=["fast", "hanging too"])
def test_every_kind_of_answer_is_accounted_for_and_a_second_run_asks_and_executes_nothing(
    tmp_path: Path, teacher: LocalTeacher, kinds: tuple[str, ...]
) -> None:
    out, seeds = tmp_path / "out", code(tmp_path / "code", kinds)
    result = verified(out, seeds, teacher, tests="answer")
    assert result.error is None
    found = json.loads((out / "run.json").read_text())
    assert (found["requested"], found["kept"], found["pending"]) == (len(kinds), 1, 0)
    by_kind = {kind: EXPECTED[kind] for kind in kinds}
    assert found["rejected"] == {status: list(by_kind.values()).count(status) for status in found["rejected"]}
    assert sum(found["rejected"].values()) + found["kept"] == len(kinds)
    said = found["verification"]
    assert said["statuses"] == {status: list(by_kind.values()).count(status) for status in by_kind.values()}
    assert said["not_verifiable"] == {"third_party": 1}
    assert list(said["funnel"].values()) == [len(kinds), len(kinds) - 1, len(kinds) - 2, 2, 1, 1]
    assert said["toolchains"]["python"].startswith("python 3.")
    assert found["sandbox"] in ("bubblewrap", "landlock")
    assert {check["name"]: check["status"] for check in found["checks"]}["execution"] == "done"
    [row] = rows(out)
    assert row["test_results"] == [True] * 3
    assert row["execution_status"] == "passed"
    assert row["mutation_score"] == 1.0
    assert row["solutions"][0]["text"] == row["solution"]
    assert pq.read_schema(next((out / "data").iterdir())).equals(VERIFIED_SCHEMA)
    assert len(teacher.requests) == len(kinds)

    before, lines = tables(out), (out / "verdicts.jsonl").read_bytes()
    again = verified(out, seeds, teacher, tests="answer")
    assert again.error is None
    assert tables(out) == before
    assert (out / "verdicts.jsonl").read_bytes() == lines, "nothing was executed"
    assert len(teacher.requests) == len(kinds), "nobody was asked"


def test_tests_apart_never_see_the_solution_and_further_solutions_make_preference_pairs(
    tmp_path: Path, teacher: LocalTeacher
) -> None:
    out, seeds = tmp_path / "out", code(tmp_path / "code", ("wrong", "right"))
    result = verified(out, seeds, teacher, tests="apart", solutions=2, tester=InferenceTeacher("another", teacher.base_url))
    assert result.report["kept"] == 2
    assert result.report["tasks"] == ["tests: openai-compatible:another", "solve: openai-compatible:m"]
    bodies = [request["body"] for request in teacher.requests]
    assert [body["model"] for body in bodies].count("another") == 2
    for body in bodies:
        text = body["messages"][-1]["content"]
        if text.startswith(("Write tests", "Solve")):
            assert "sorted(" not in text, "no body of the solution"
            assert "def largest_" in text, "but the signature"
        if text.startswith("Solve"):
            assert body["temperature"] == 0.8
    by_number = {row["seed"].split("(")[0]: row for row in rows(out)}
    repaired = by_number["def of_kind_0"]
    assert [one["status"] for one in repaired["solutions"]] == ["failed", "passed"]
    assert repaired["solution"] == repaired["solutions"][1]["text"], "the one that passes is kept"
    assert repaired["selected_by"] == "majority"
    assert result.report["verification"]["attempts"][1]["solved_by_then"] == 1.0


def test_preference_pairs_are_written_where_the_matrix_separates(tmp_path: Path, teacher: LocalTeacher) -> None:
    out, seeds = tmp_path / "out", code(tmp_path / "code", ("partly", "right"))
    result = verified(out, seeds, teacher, tests="apart", solutions=2)
    [pair] = rows(out, "preference")
    assert pq.read_schema(next((out / "preference").iterdir())).equals(PREFERENCE_SCHEMA)
    assert result.report["preferences"] == 1
    assert "largest_0" in pair["prompt"]
    assert "reverse" in pair["rejected"]
    assert "reverse" not in pair["chosen"]


def test_a_failing_solution_is_repaired_with_what_failed(tmp_path: Path, teacher: LocalTeacher) -> None:
    out, seeds = tmp_path / "out", code(tmp_path / "code", ("wrong",))
    result = verified(out, seeds, teacher, tests="answer", repair=2)
    assert result.report["kept"] == 1
    (asked,) = [request["body"] for request in teacher.requests if "fails tests" in request["body"]["messages"][-1]["content"]]
    assert "test_it_gives_the_greatest" in asked["messages"][-1]["content"], "the test that failed is shown"
    assert [one["status"] for one in rows(out)[0]["solutions"]] == ["failed", "passed"]
    assert rows(out)[0]["attempts"] == 2


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"keep": "all"}, {"right", "wrong", "vacuous", "hostile", "none"}),
        ({"keep": "all", "unverifiable": "keep"}, set(FAST)),
        ({"min_pass_rate": 0.3}, {"right", "wrong"}),
        ({"keep": "all", "min_pass_rate": 0.3}, {"right", "wrong", "vacuous"}),
        ({"min_tests": 4}, set()),
        ({"min_mutation_score": 0.9}, {"right"}),
    ],
)
def test_what_is_kept_is_the_users_choice(tmp_path: Path, options: dict[str, Any], kept: set[str]) -> None:
    with verifying_teacher() as teacher:
        out, seeds = tmp_path / "out", code(tmp_path / "code", FAST)
        result = verified(out, seeds, teacher, tests="answer", **options)
    found = {KIND_OF[row["seed"]] for row in rows(out)}
    assert found == kept
    assert result.report["kept"] + sum(result.report["rejected"].values()) == len(FAST)
    without_tests = [row["reason"] for row in rows(out, "rejected") if KIND_OF[row["seed"]] == "none"]
    assert without_tests == ([] if "none" in kept else ["tests_missing"])
    for row in rows(out):
        assert row["execution_status"] == EXPECTED[KIND_OF[row["seed"]]]
        if row["execution_status"] == "not_verifiable":
            assert row["flags"] == ["not_verifiable:third_party"]


KIND_OF = {snippet(number, kind): kind for number, kind in enumerate(FAST)} | {
    snippet(number, kind).rstrip("\n"): kind for number, kind in enumerate(FAST)
}


def test_an_export_needs_journal_and_verdicts_alone(tmp_path: Path, teacher: LocalTeacher) -> None:
    out, seeds = tmp_path / "out", code(tmp_path / "code", FAST)
    verified(out, seeds, teacher, tests="apart", solutions=2)
    asked, before = len(teacher.requests), tables(out)
    shutil.rmtree(seeds)
    stats = export(out, tmp_path / "exported")
    assert tables(tmp_path / "exported") == before
    assert stats.pending == 0
    assert len(teacher.requests) == asked
    assert stats.kept == 5


def test_an_interrupted_verification_leaves_rows_pending(tmp_path: Path, teacher: LocalTeacher) -> None:
    out, seeds = tmp_path / "out", code(tmp_path / "code", ("right", "wrong"))
    verified(out, seeds, teacher, tests="answer")
    (out / "verdicts.jsonl").unlink()
    stats = export(out, tmp_path / "exported")
    assert (stats.kept, stats.pending) == (0, 2), "an export runs nothing"


def test_the_embedded_teacher_gives_verified_pairs_offline(tmp_path: Path) -> None:
    seeds = tmp_path / "code"
    seeds.mkdir()
    documented = """    \"\"\"Return the value moved into the range from low to high, if it lies outside.

    >>> clamp(5)
    5
    >>> clamp(50)
    10
    \"\"\"
"""
    (seeds / "a.py").write_text(f"def clamp(x, low=0, high=10):\n{documented}    return max(low, min(x, high))\n")
    plain = '        """Send a command that does nothing, and return what the server has said."""\n'
    (seeds / "b.py").write_text(f"class Mail:\n    def noop(self):\n{plain}        return self._shortcmd('NOOP')\n")
    spec = RunSpec(
        SeedPlan(str(seeds), n=2, sampler="functions"),
        checks=Checks(benchmarks=(), near_duplicates=False),
        verification=VerificationSpec(verify=True),
    )
    result = run(tmp_path / "out", spec, open_source(str(seeds)), CommentFunctionTeacher())
    assert (result.report["kept"], result.report["rejected"]) == (1, {"not_verifiable": 1})
    assert result.report["verification"]["not_verifiable"] == {"context": 1}
    assert result.report["requests_sent"] == 0, "the embedded teacher's answers are no requests"
    [row] = rows(tmp_path / "out")
    assert row["test_results"] == [True, True]
    assert "is a method and needs its class" in rows(tmp_path / "out", "rejected")[0]["detail"]
    assert "Generated without a model" in (tmp_path / "out" / "README.md").read_text()
    export(tmp_path / "out", tmp_path / "exported")
    assert tables(tmp_path / "exported") == tables(tmp_path / "out")


@pytest.mark.parametrize("rounds", [4, pytest.param(30, marks=pytest.mark.long)])
def test_killed_at_any_moment_the_same_command_ends_with_the_same_bytes(tmp_path: Path, rounds: int) -> None:
    count = 12 if rounds == 4 else 63
    kinds = tuple(FAST[number % len(FAST)] for number in range(count))
    if rounds > 4:  # one hangs, which costs seconds each time it is interrupted
        kinds = ("hanging", *kinds[1:])
    seeds = code(tmp_path / "code", kinds)
    with verifying_teacher() as server:
        words = ["--seeds", str(seeds), "--n", str(count), "--model", "m", "--base-url", server.base_url, "--concurrency", "4"]
        words += [
            "--verify",
            "--tests",
            "apart",
            "--solutions",
            "2",
            "--repair",
            "1",
            "--benchmarks",
            "none",
            "--format",
            "quiet",
        ]

        def start(name: str) -> Running:
            return BASE.start([COMMAND, "synthesize", *words, "--out", tmp_path / name])

        def progress() -> int:
            verdicts = tmp_path / "killed" / "verdicts.jsonl"
            return len(server.requests) + (verdicts.read_bytes().count(b"\n") if verdicts.exists() else 0)

        assert start("whole").wait(600).returncode == 0
        whole = json.loads((tmp_path / "whole" / "run.json").read_text())
        asked, lines = len(server.requests), (tmp_path / "whole" / "verdicts.jsonl").read_bytes().count(b"\n")
        dice, kills = random.Random(7), 0
        for _ in range(rounds):
            process, wanted = start("killed"), progress() + dice.randrange(1, 2 * (asked + lines) // rounds)
            while progress() < wanted and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            kills += process.wait().returncode != 0
        assert start("killed").wait(600).returncode == 0
        found = json.loads((tmp_path / "killed" / "run.json").read_text())
        assert kills >= rounds // 2
        assert asked <= len(server.requests) - asked <= asked + 4 * kills, "paid once, but for what was in flight"
    assert tables(tmp_path / "killed") == tables(tmp_path / "whole")
    for name in ("requested", "kept", "rejected", "pending", "verification", "preferences"):
        assert found[name] == whole[name]


@pytest.mark.parametrize("to_the_end", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_signal_ends_a_verification_in_good_order(tmp_path: Path, to_the_end: bool) -> None:
    """What hangs is ended at once, and runs again with the same command, until its time limit."""
    seeds = code(tmp_path / "code", ("hanging", "right", "wrong"))
    with verifying_teacher() as server:
        words = [
            "--seeds",
            str(seeds),
            "--n",
            "3",
            "--model",
            "m",
            "--base-url",
            server.base_url,
            "--verify",
            "--tests",
            "answer",
        ]
        words += [*"--verify --tests answer --benchmarks none --format quiet --out".split(), str(tmp_path / "out")]
        process = BASE.start([COMMAND, "synthesize", *words])
        verdicts = tmp_path / "out" / "verdicts.jsonl"
        while process.poll() is None and not (verdicts.exists() and verdicts.read_bytes().count(b'"row"') >= 2):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        done = process.wait()
        assert done.returncode == 130, done.stderr
        report = json.loads((tmp_path / "out" / "run.json").read_text())
        timed_out = report["rejected"]["tests_failed"] == 2  # on a slow machine, before the process has ended
        assert (report["kept"], report["pending"]) == (1, 0 if timed_out else 1), "what hangs is pending, the rest is there"
        assert len(server.requests) == 3
        if to_the_end:
            again = BASE.start([COMMAND, "synthesize", *words]).wait()
            assert again.returncode == 0, again.stderr
            assert len(server.requests) == 3
            assert json.loads((tmp_path / "out" / "run.json").read_text())["rejected"] == {"tests_failed": 2}


def test_tester_and_solver_have_servers_and_keys_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is asked at its server only, with the key of that host only; `run.json` and the card name both."""
    seeds = code(tmp_path / "code", ("right",))
    with verifying_teacher() as teacher, verifying_teacher() as tester, verifying_teacher() as solver:
        words = ["synthesize", "--seeds", str(seeds), "--n", "1", "--model", "writer", "--tester", "tester", "--solver", "solver"]
        words += ["--verify", "--solutions", "2", "--benchmarks", "none", "--out", str(tmp_path / "out")]
        for name, server in (("writer", teacher), ("tester", tester), ("solver", solver)):
            host = server.base_url.split("/")[2]
            monkeypatch.setenv(f"KEY_OF_{name}", f"secret-of-{name}")
            words += ["--base-url", f"{name}={server.base_url}", "--api-key-env", f"{host}=KEY_OF_{name}"]
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 0, done.output
        for name, server in (("writer", teacher), ("tester", tester), ("solver", solver)):
            [sent] = server.requests
            assert (sent["body"]["model"], sent["headers"]["authorization"]) == (name, f"Bearer secret-of-{name}")
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["tasks"] == ["tests: openai-compatible:tester", "solve: openai-compatible:solver"]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "solve: openai-compatible:solver" in card
    assert "secret-of" not in card + json.dumps(report) + done.output


def test_a_spent_budget_leaves_rows_pending_and_verifies_what_was_answered(tmp_path: Path, teacher: LocalTeacher) -> None:
    out, seeds = tmp_path / "out", code(tmp_path / "code", ("right",) * 6)
    short = verified(out, seeds, teacher, tests="apart", limits=RunLimits(max_requests=7))
    assert isinstance(short.error, BudgetReachedError)
    assert len(teacher.requests) == 7
    found = short.report
    assert found["kept"] + found["pending"] == 6
    assert found["pending"] >= 3, "a row needs two answers"
    whole = verified(out, seeds, teacher, tests="apart")
    assert (whole.report["kept"], whole.report["pending"]) == (6, 0)
    assert len(teacher.requests) == 12, "nothing was paid twice"


def test_without_a_sandbox_nothing_is_asked(tmp_path: Path, teacher: LocalTeacher, monkeypatch: pytest.MonkeyPatch) -> None:
    from hf_oss_instruct.sandbox import backends

    monkeypatch.setattr(backends, "why_unavailable", lambda name: "it is not installed")
    with pytest.raises(SandboxError, match="--unsafe-no-sandbox"):
        verified(tmp_path / "out", code(tmp_path / "code", ("right",)), teacher, tests="answer")
    assert not teacher.requests
    assert not (tmp_path / "out").exists()


def test_the_dry_run_says_how_many_requests_a_row_costs(tmp_path: Path) -> None:
    seeds = code(tmp_path / "code", ("right",))
    words = ["synthesize", "--seeds", str(seeds), "--n", "10", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--dry-run"]
    planned = CliRunner().invoke(cli, [*words, "--verify", "--solutions", "3", "--repair", "2", "--out", str(tmp_path / "out")])
    assert "up to 60 requests (4 to 6 for each row)" in planned.output, planned.output
    assert "verify: true" in planned.output
    plain = CliRunner().invoke(cli, [*words, "--out", str(tmp_path / "out")])
    assert "up to 10 requests without" in plain.output
    assert "verification" not in plain.output, "older configs stay as they are"


def test_curation_keeps_what_verification_found(tmp_path: Path, teacher: LocalTeacher) -> None:
    """Preference pairs go with their rows, columns keep their types, and the funnel ends with what curation keeps."""
    out, seeds = tmp_path / "out", code(tmp_path / "code", ("partly", "right", "partly"))
    before = verified(out, seeds, teacher, tests="apart", solutions=2).report
    assert before["preferences"] == 2
    denied = next(row for row in rows(out) if len({one["status"] for one in row["solutions"]}) > 1)
    (tmp_path / "deny.txt").write_text(f"id: {denied['seed_id']}\n")
    steps = ("denied", "duplicates")
    report = hf_oss_instruct.curate(out, tmp_path / "curated", deny=tmp_path / "deny.txt", steps=steps)
    kept, pairs = rows(tmp_path / "curated"), rows(tmp_path / "curated", "preference")
    assert len(kept) == report["kept"] == 2
    assert pairs == [pair for pair in rows(out, "preference") if denied["problem"] not in pair["prompt"]]
    assert len(pairs) == 1
    assert report["preferences"] == 1
    assert report["verification"]["funnel"] == before["verification"]["funnel"] | {"kept": 2}
    schema = pq.read_schema(next((tmp_path / "curated" / "data").iterdir()))
    assert all(schema.field(name).equals(VERIFIED_SCHEMA.field(name)) for name in VERIFICATION_COLUMNS)
    card = (tmp_path / "curated" / "README.md").read_text()
    assert "## Verification" in card
    assert "checked with `hf-oss-instruct curate`" in card
    assert "config_name: preference" in card


def test_a_rejected_row_keeps_its_tests(tmp_path: Path, teacher: LocalTeacher) -> None:
    verified(tmp_path / "out", code(tmp_path / "code", ("wrong",)), teacher, tests="answer")
    [row] = rows(tmp_path / "out", "rejected")
    solution, tests = row["received"].split("\n\n[Tests]\n\n")
    assert row["reason"] == "tests_failed"
    assert solution.startswith("```python\ndef largest_0(")
    assert "def test_few_are_all_returned" in tests
