"""Runs through a batch API: the same rows, nothing paid twice, whatever becomes of a batch or of the process."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hf_oss_instruct.cli import cli
from hf_oss_instruct.data import Provenance, Request, Seed
from hf_oss_instruct.errors import BudgetReachedError, RunError, TeacherError, UsageError
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.requests.reservations import Reservations
from hf_oss_instruct.synthesis.run import RunResult, run
from hf_oss_instruct.synthesis.sessions import earlier_usage
from hf_oss_instruct.teachers.batches.api import BatchApi
from hf_oss_instruct.teachers.batches.teacher import BatchTeacher
from hf_oss_instruct.teachers.http.client import HttpClient
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.batches import BatchServer, Job
from tests.support.teacher import Answer, LocalTeacher, chained
from tests.support.warm import BASE, ROOT, Running

N = 24
PACE = 0.004
"""Factor on all pauses."""


def batches(url: str, most_requests: int = 50, most_bytes: int = 10**8) -> BatchTeacher:
    api = BatchApi(HttpClient(url, None, 30.0))
    return BatchTeacher(InferenceTeacher("m", url), api, most_requests=most_requests, most_bytes=most_bytes, pace=PACE)


def go(out: Path, code: Path, url: str, limits: RunLimits | None = None, direct: bool = False, **sizes: int) -> RunResult:
    teacher = InferenceTeacher("m", url) if direct else batches(url, **sizes)
    options = TeacherSpec(batch=not direct, batch_requests=50)
    spec = RunSpec(SeedPlan(n=N), options, limits=limits or RunLimits())
    return run(out, spec, open_source(str(code)), teacher)


def tables(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.parquet")}


@pytest.fixture
def plain(tmp_path: Path, code: Path) -> dict[str, bytes]:
    """What a run with direct requests writes."""
    with LocalTeacher() as server:
        go(tmp_path / "plain", code, server.base_url, direct=True)
    return tables(tmp_path / "plain")


def test_rows_are_those_of_direct_requests_and_each_is_paid_for_once(tmp_path: Path, code: Path, plain: dict[str, bytes]) -> None:
    with BatchServer() as server:
        result = go(tmp_path / "out", code, server.base_url)
        assert (result.error, result.stats.pending) == (None, 0)
        assert (len(server.jobs), len(server.paid), server.paid.total(), len(server.requests)) == (1, N, N, 0)
        again = go(tmp_path / "out", code, server.base_url)
        assert (again.error, len(server.jobs)) == (None, 1)
    assert tables(tmp_path / "out") == plain
    assert result.report["requests_sent"] == N == again.report["requests_sent"]


def test_each_question_of_a_chain_goes_through_a_batch(tmp_path: Path, code: Path) -> None:
    prompt = PromptSpec(concepts=True, style="function", answer_format="json")
    spec = RunSpec(SeedPlan(n=6), TeacherSpec(batch=True, batch_requests=50), prompt)
    with BatchServer(answer=chained) as server:
        result = run(tmp_path / "out", spec, open_source(str(code)), batches(server.base_url))
        assert (result.error, result.stats.pending, result.stats.kept) == (None, 0, 6)
        assert (server.paid.total(), len(server.paid), len(server.requests)) == (18, 18, 0)
    direct = replace(spec, teacher=TeacherSpec())
    with LocalTeacher(chained) as server:
        run(tmp_path / "direct", direct, open_source(str(code)), InferenceTeacher("m", server.base_url))
    assert tables(tmp_path / "out") == tables(tmp_path / "direct")


def test_batches_are_within_the_providers_limits(tmp_path: Path, code: Path, plain: dict[str, bytes]) -> None:
    with BatchServer() as server:
        go(tmp_path / "requests", code, server.base_url, most_requests=10)
        assert sorted(len(job.lines) for job in server.jobs) == [4, 10, 10]
        before = len(server.jobs)
        go(tmp_path / "bytes", code, server.base_url, most_bytes=8000)
        sizes = [len(server.files[job.file_id]) for job in server.jobs[before:]]
        assert max(sizes) <= 8000
        assert len(sizes) > 2
    assert tables(tmp_path / "requests") == plain == tables(tmp_path / "bytes")


def expires(job: Job) -> None:
    if job.number == 0:
        job.status, job.answered = "expired", 0.5


def loses_lines(job: Job) -> None:
    job.answered, job.missing = (0.7, True) if job.number < 2 else (1.0, False)


@pytest.mark.parametrize("plan", [expires, loses_lines])
def test_what_a_batch_leaves_unanswered_goes_into_another_and_then_directly(
    tmp_path: Path, code: Path, plain: dict[str, bytes], plan: Any
) -> None:
    with BatchServer(plan) as server:
        result = go(tmp_path / "out", code, server.base_url)
        assert (result.error, result.stats.pending) == (None, 0)
        assert max(server.paid.values()) == 1
        assert server.paid.total() + len(server.requests) == N
        assert bool(server.requests) == (plan is loses_lines)
        assert len(server.jobs) == 2
    assert tables(tmp_path / "out") == plain


def test_lines_with_errors_are_asked_again_or_rejected_as_direct_requests_are(tmp_path: Path, code: Path) -> None:
    seen: dict[str, int] = {}

    def answer(body: dict[str, Any]) -> Answer:
        asked = json.dumps(body["messages"])
        seen[asked] = seen.get(asked, 0) + 1
        if "task_3_" in asked:
            return Answer(status=400, text="this prompt is too long")
        if "task_5_" in asked and seen[asked] == 1:
            return Answer(status=503, text="overloaded")
        return Answer()

    with BatchServer(answer=answer) as server:
        result = go(tmp_path / "out", code, server.base_url)
        assert (result.error, result.stats.pending) == (None, 0)
        assert result.stats.rejected["refused"] == sum("task_3_" in asked for asked in seen) > 0
        assert len(server.jobs) == 2
        assert {json.dumps(line["body"]["messages"]).count("task_5_") > 0 for line in server.jobs[1].lines} == {True}
        assert max(server.paid.values()) == 1


def test_a_parameter_that_the_server_does_not_take_is_left_out_of_the_next_batch(tmp_path: Path, code: Path) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        return Answer(status=400, text="Unsupported parameter: 'seed' is not supported") if "seed" in body else Answer()

    with BatchServer(answer=answer) as server:
        result = go(tmp_path / "out", code, server.base_url)
        assert (result.error, result.stats.pending, len(server.jobs)) == (None, 0, 2)
    assert result.report["parameters_changed"] == {"seed": None}


def test_a_batch_that_is_cancelled_at_the_provider_stops_the_run_and_the_same_command_submits_the_rest(
    tmp_path: Path, code: Path, plain: dict[str, bytes]
) -> None:
    def plan(job: Job) -> None:
        if job.number == 0:
            job.status, job.answered, job.missing = "cancelled", 0.25, True

    with BatchServer(plan) as server:
        stopped = go(tmp_path / "out", code, server.base_url)
        assert isinstance(stopped.error, TeacherError)
        assert "batch_0 was cancelled at the provider" in str(stopped.error)
        assert (stopped.stats.done, len(server.jobs)) == (N // 4, 1)
        assert go(tmp_path / "out", code, server.base_url).error is None
        assert (len(server.jobs), server.paid.total(), max(server.paid.values())) == (2, N, 1)
    assert tables(tmp_path / "out") == plain


def test_a_batch_that_the_provider_refuses_stops_the_run_and_rejects_nothing(tmp_path: Path, code: Path) -> None:
    def plan(job: Job) -> None:
        job.status, job.errors = "failed", {"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit"}]}

    with BatchServer(plan) as server:
        stopped = go(tmp_path / "out", code, server.base_url)
        assert "token_limit_exceeded" in str(stopped.error)
        assert (stopped.stats.done, stopped.stats.pending) == (0, N)
        server._plan = lambda job: None
        assert go(tmp_path / "out", code, server.base_url).error is None
    with LocalTeacher() as without:
        stopped = go(tmp_path / "other", code, without.base_url)
    assert "no route POST /v1/files" in str(stopped.error)
    assert stopped.stats.rejected.total() == 0


@pytest.mark.parametrize("lost", ["POST /v1/files", "POST /v1/batches", "GET /v1/batches", "GET /v1/files"])
def test_a_call_whose_answer_is_lost_is_not_paid_for_twice(
    tmp_path: Path, code: Path, plain: dict[str, bytes], lost: str
) -> None:
    """The server does what it is told, and the connection breaks before the answer."""
    breaks = iter([True, True, True])

    def after(method: str, path: str) -> Answer | None:
        return Answer(reset=True) if f"{method} {path}".startswith(lost) and next(breaks, False) else None

    with BatchServer() as server:
        server.after = after
        assert go(tmp_path / "out", code, server.base_url).error is None
        assert (len(server.jobs), server.paid.total()) == (1, N)
    assert tables(tmp_path / "out") == plain


def test_an_overloaded_batch_api_is_asked_again(tmp_path: Path, code: Path) -> None:
    busy = iter([True, True, False] * 2)
    with BatchServer() as server:
        server.before = lambda method, path: Answer(status=429, headers={"Retry-After": "0"}) if next(busy, False) else None
        assert go(tmp_path / "out", code, server.base_url).error is None
        assert (len(server.jobs), server.paid.total()) == (1, N)


def test_the_budget_is_reserved_before_a_batch_is_submitted(tmp_path: Path, code: Path) -> None:
    with BatchServer() as server:
        result = go(tmp_path / "out", code, server.base_url, RunLimits(max_requests=10))
        assert isinstance(result.error, BudgetReachedError)
        assert (sum(len(job.lines) for job in server.jobs), result.report["requests_sent"]) == (10, 10)
        result = go(tmp_path / "out", code, server.base_url, RunLimits(max_requests=N))
        assert (result.error, server.paid.total(), result.report["requests_sent"]) == (None, N, N)


RUN = """
import sys
from pathlib import Path
from tests.synthesis.test_batches import go
from hf_oss_instruct.spec.limits import RunLimits
result = go(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], RunLimits(max_requests=int(sys.argv[4])), most_requests=10)
sys.exit(0 if result.error is None and not result.stats.pending else 1)
"""


def start(out: Path, code: Path, server: BatchServer) -> Running:
    return BASE.start(["-c", RUN, out, code, server.base_url, str(N)], cwd=ROOT)


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.long)])
def test_killed_at_any_moment_the_same_run_ends_with_the_same_bytes_and_pays_once(
    tmp_path: Path, code: Path, plain: dict[str, bytes], kills: int
) -> None:
    """Each process is killed at the moment of a call: before the server has it, or after it has done it."""
    dice = random.Random(kills)
    running: list[Running] = []

    def killed_at(call: int) -> Any:
        def at(method: str, path: str) -> Answer | None:
            if len(server.calls) < call:
                return None
            os.kill(running[-1].pid, signal.SIGKILL)
            return Answer(reset=True)

        return at

    def slow(job: Job) -> None:
        job.left = kills

    killed = 0
    with BatchServer(slow) as server:
        for _ in range(kills):
            hook = killed_at(len(server.calls) + dice.randint(1, 9))
            server.before, server.after = (hook, server.after) if dice.random() < 0.5 else (server.before, hook)
            running.append(start(tmp_path / "out", code, server))
            killed += running[-1].wait(120).returncode != 0
            server.before = server.after = lambda method, path: None
        assert start(tmp_path / "out", code, server).wait(120).returncode == 0
        assert killed >= min(kills, 3)
        assert (server.paid.total(), max(server.paid.values()), len(server.requests)) == (N, 1, 0)
        assert sum(len(job.lines) for job in server.jobs) == N, "no request is in two batches"
    assert tables(tmp_path / "out") == plain
    assert json.loads((tmp_path / "out/run.json").read_text())["requests_sent"] == N


KILLED_BETWEEN_JOURNAL_AND_BUDGET = """
import os, signal, sys
from pathlib import Path
from hf_oss_instruct.data import Completion
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.reservations import Reservations
from hf_oss_instruct.teachers.batches.store import BatchStore
from tests.synthesis.test_batches import request
out = Path(sys.argv[1])
reservations, journal = Reservations(out), Journal(out / "journal")
budget = Budget(RunLimits(max_requests=9), record=reservations.write)
batched, direct = [request(n) for n in range(4)], request(9)
assert all(budget.reserve(one, batched=True) for one in batched)
store = BatchStore(out / "journal")
store.record(store.new("m", batched, [b"{}"] * 4), file_id="f", batch_id="b")
assert budget.reserve(direct)
budget.settle(direct, None)  # sent, and failed
for one in batched[:3]:
    answer = Completion("text", "stop", None, None, 10, 5)
    journal.append(one.key, answer)
    if one is batched[2]:
        os.kill(os.getpid(), signal.SIGKILL)
    budget.settle(one, answer)
"""


def request(number: int) -> Request:
    seed = Seed("x", 1, 1, Provenance("corpus", "v1", f"{number}", 0, "python"), "hash/1", 0)
    return Request(seed, ({"role": "user", "content": "x"},), {"max_tokens": 100}, key=f"{number:032x}")


def test_a_kill_between_journal_and_budget_miscounts_nothing(tmp_path: Path) -> None:
    """One request was sent directly and failed, three of four in a batch were answered, the last of them at the kill."""
    killed = BASE.run(["-c", KILLED_BETWEEN_JOURNAL_AND_BUDGET, tmp_path], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    most = request(3).most_tokens
    for _ in range(2):  # the next session is killed before it has done anything
        with Journal(tmp_path / "journal") as journal:
            reservations = Reservations(tmp_path)
            spent = earlier_usage({}, journal, reservations)
        assert (spent.requests_sent, spent.prompt_tokens, spent.completion_tokens) == (4, 30, 15)
        assert spent.in_batches == {request(3).key: most}
        budget = Budget(RunLimits(max_requests=6), spent, reservations.write)
        assert budget.reserve(request(3), batched=True), "it is in a batch already"
        assert budget.reserve(request(10)), "the sixth"
        assert not budget.reserve(request(11))
        budget.withdraw(request(10))
        reservations.write(1, 0, 0)  # as it was


def test_an_interrupted_run_leaves_its_batches_to_the_next_session_and_is_not_continued_directly(
    tmp_path: Path, code: Path, plain: dict[str, bytes]
) -> None:
    def slow(job: Job) -> None:
        job.left = 10**6

    with BatchServer(slow) as server:
        process = start(tmp_path / "out", code, server)
        while len(server.jobs) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120).returncode == 1
        report = json.loads((tmp_path / "out/run.json").read_text())
        assert (report["pending"], report["requests_sent"]) == (N, 0)
        for job in server.jobs:
            job.left = 0
        refused = go(tmp_path / "out", code, server.base_url, direct=True)
        assert isinstance(refused.error, RunError)
        assert "Pass --batch to collect the answers" in str(refused.error)
        assert len(server.requests) == 0
        result = go(tmp_path / "out", code, server.base_url, RunLimits(max_requests=N))
        assert (result.error, len(server.jobs), server.paid.total(), result.report["requests_sent"]) == (None, 3, N, N)
    assert tables(tmp_path / "out") == plain


def test_results_that_a_kill_kept_out_of_the_journal_are_not_requested_again(
    tmp_path: Path, code: Path, plain: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    with BatchServer() as server:
        go(out, code, server.base_url)
        [journal] = (out / "journal").glob("*.jsonl")
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join(lines[:-3]))
        refused = go(out, code, server.base_url, direct=True)
        assert "3 requests to openai-compatible:m went into batches" in str(refused.error)
        result = go(out, code, server.base_url)
        assert (result.error, len(server.jobs), len(server.requests)) == (None, 1, 0)
        # Everything is in the journal now, so the batches are no reason to refuse.
        assert go(out, code, server.base_url, direct=True).error is None
        assert (server.paid.total(), len(server.requests)) == (N, 0)
    assert tables(out) == plain


@pytest.mark.parametrize("teacher", [[], ["--teacher", "transformers", "--model", "tiny"]])
def test_batches_are_refused_where_no_server_could_take_them(tmp_path: Path, teacher: list[str]) -> None:
    with pytest.raises(UsageError, match="--batch needs a model on a server with a batch API"):
        CliRunner().invoke(cli, ["synthesize", "--n", "1", "--batch", *teacher, "--out", str(tmp_path)], catch_exceptions=False)


def test_a_dry_run_shows_half_the_price_and_needs_one_server(tmp_path: Path, code: Path) -> None:
    def dry(*words: str) -> Any:
        common = [
            "synthesize",
            "--seeds",
            str(code),
            "--n",
            "20",
            "--model",
            "m",
            "--batch",
            "--dry-run",
            "--out",
            str(tmp_path / "o"),
        ]
        return CliRunner().invoke(cli, [*common, *words])

    estimated = dry("--base-url", "http://gpu1/v1", "--price-in", "1", "--price-out", "4", "--max-tokens", "1000")
    assert estimated.exit_code == 0, estimated.output
    assert "# at most 20,000 tokens in answers, which cost at most 0.08, in batches 0.04" in estimated.output
    assert "# in batches of up to 50,000 requests" in estimated.output
    assert "needs one server with a batch API for 'm', not 0" in str(dry().exception)
    assert "Leave it out with --batch" in str(dry("--base-url", "http://gpu1/v1", "--timeout", "9").exception)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "--batch needs a model on a server with a batch API"),
        ("--model m", "needs one server with a batch API for 'm', not 0"),
        ("--model m --base-url http://gpu1/v1 --timeout 9", "Leave it out with --batch"),
    ],
)
def test_a_preview_refuses_what_the_batches_of_the_next_command_would_refuse(words: str, says: str) -> None:
    done = CliRunner().invoke(cli, ["preview", "--seeds", "stdlib", "--batch", *words.split()])
    assert isinstance(done.exception, UsageError)
    assert says in str(done.exception)


@pytest.mark.parametrize("method", ["evolve", "judge"])
def test_so_do_the_previews_of_methods(method: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"problem": "Add a and b.", "solution": "a + b"}\n')
    done = CliRunner().invoke(cli, [method, str(tmp_path / "rows.jsonl"), "--n", "1", "--model", "m", "--batch"])
    assert "needs one server with a batch API for 'm', not 0" in str(done.exception)
