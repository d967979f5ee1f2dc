"""The engine among faults, limits and kills: it ends by itself, pays once, loses nothing and makes nothing wrong."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.data import Completion, Provenance, Request, Seed
from hf_oss_instruct.errors import BudgetReachedError, UsageError
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.run import RunResult, run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher, well_formed
from tests.support.warm import BASE, COMMAND, Running

KILLS = pytest.mark.parametrize("rounds", [6, pytest.param(30, marks=pytest.mark.long)])
"""Rounds of kill -9."""
QUICK = RetryPolicy(first_pause_s=0.02, longest_pause_s=0.2, deadline_s=1.0, reach_s=0.1)
REQUEST = Request(
    Seed("x", 1, 1, Provenance("d", None, "r", 0, "python"), "hash/1", 0),
    ({"role": "user", "content": "äöü" * 10},),
    {"max_tokens": 50},
)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    for number in range(60):
        text = "\n".join(f"def task_{number}_{line}(x):\n    return x + {100 * number + line}" for line in range(12))
        (tmp_path / "code" / f"{number}.py").write_text(text)
    return tmp_path / "code"


def go(out: Path, code: Path, server: LocalTeacher, n: int, concurrency: int = 32, **options: Any) -> RunResult:
    teacher = InferenceTeacher("m", server.base_url, concurrency=concurrency)
    parts = {name: options.pop(name) for name in ("limits",) if name in options}
    checks = Checks(duplicates=False, near_duplicates=False)
    spec = RunSpec(SeedPlan(n=n), TeacherSpec(concurrency=concurrency), checks=checks, **parts)
    return run(out, spec, open_source(str(code)), teacher, **{"retry_policy": QUICK} | options)


def test_among_faults_the_run_ends_by_itself_and_every_row_is_right(tmp_path: Path, code: Path) -> None:
    dice, said = random.Random(3), {}
    faults = [
        (0.10, lambda text: Answer(status=429, headers={"Retry-After": "0.1"})),
        (0.02, lambda text: Answer(status=500, text="boom")),
        (0.02, lambda text: Answer(text=text[: len(text) // 2], finish_reason="length")),
        (0.02, lambda text: Answer(text="I am sorry.")),
        (0.01, lambda text: Answer(hang=True)),
        (0.01, lambda text: Answer(reset=True)),
    ]

    def answer(body: dict[str, Any]) -> Answer:
        text, chance = well_formed(body["messages"]), dice.random()
        for share, fault in faults:
            if (chance := chance - share) < 0:
                return fault(text)
        said[text.split("[Solution]")[1].strip()] = True
        return Answer(text=text, latency_s=0.02)

    with LocalTeacher(answer) as server:
        result = go(tmp_path / "out", code, server, 300)
    report = result.report
    assert (result.error, report["pending"]) == (None, 0)
    assert report["requested"] == 300 == report["kept"] + sum(report["rejected"].values())
    assert set(report["rejected"]) <= {"truncated", "unparsable"}
    rows = pq.read_table(tmp_path / "out" / "data").to_pylist()
    assert len({row["seed_id"] for row in rows}) == len(rows) == report["kept"] > 250
    assert all(row["solution"] in said for row in rows)
    assert report["requests_sent"] == len(server.requests) > 300


def test_a_servers_limit_is_met_and_hardly_overrun(tmp_path: Path, code: Path) -> None:
    limit, lock, recent, busy = 40, threading.Lock(), deque[float](), []

    def answer(body: dict[str, Any]) -> Answer:
        now = time.monotonic()
        with lock:
            while recent and recent[0] < now - 1:
                recent.popleft()
            if len(recent) >= limit:
                busy.append(now)
                return Answer(status=429, headers={"Retry-After": "0.5"})
            recent.append(now)
        return Answer(latency_s=0.05)

    started = time.monotonic()
    with LocalTeacher(answer) as server:
        result = go(tmp_path / "out", code, server, 400)
    seconds = time.monotonic() - started
    assert result.stats.kept == 400
    assert seconds < 400 / limit * 1.6  # 10 s at the limit itself
    late = [moment for moment in busy if moment > started + 4]
    assert len(late) < 0.15 * 400


def test_an_outage_is_waited_out_with_few_requests(tmp_path: Path, code: Path) -> None:
    def answer(body: dict[str, Any]) -> Answer:
        moment = time.monotonic() - started
        return Answer(status=503, text="restarting") if 0.5 < moment < 3.5 else Answer(latency_s=0.05)

    started = time.monotonic()
    with LocalTeacher(answer) as server:
        result = go(tmp_path / "out", code, server, 500, concurrency=16, retry_policy=replace(QUICK, tries=20))
    assert (result.error, result.stats.kept) == (None, 500)
    failed = len(server.requests) - 500
    assert failed < 16 * 16 + 30  # each answer still on its way may send 16 more; not thousands against a closed door


async def slots(limiter: RateLimiter, events: list[str]) -> None:
    for event in events:
        if event == "slot":
            if limiter.in_flight < int(limiter.limit) and not limiter.gone and limiter.rate is None:
                await limiter.acquire()
        elif limiter.in_flight:
            getattr(limiter, event)()
        assert 0 <= limiter.in_flight
        assert 1 <= limiter.limit <= 5


@given(st.lists(st.sampled_from(["slot", "slot", "answered", "busy", "failed", "cancelled"])))
def test_slots_are_never_more_than_there_are(events: list[str]) -> None:
    import asyncio

    asyncio.run(slots(RateLimiter(5), events))


TRUE = st.tuples(st.integers(0, REQUEST.most_tokens[0]), st.integers(0, 50))


@given(st.integers(0, 5), st.integers(1, 900), st.floats(0, 0.002, exclude_min=True), st.lists(st.none() | TRUE, max_size=40))
def test_no_limit_is_ever_exceeded(requests: int, tokens: int, cost: float, answers: list[tuple[int, int] | None]) -> None:
    limits = RunLimits(max_requests=requests + 1, max_total_tokens=tokens, max_cost=cost, price_in=1.0, price_out=3.0)
    budget, sent, prompt, completion = Budget(limits), 0, 0, 0
    flying: list[tuple[int, int] | None] = []
    for answer in answers:
        if budget.reserve(REQUEST):
            sent += 1
            flying.append(answer)
        elif flying:
            used = flying.pop(0)
            budget.settle(REQUEST, Completion("x", "stop", None, None, *used) if used else None)
            prompt, completion = prompt + (used or (0, 0))[0], completion + (used or (0, 0))[1]
        assert sent <= requests + 1
        assert prompt + completion <= tokens
        assert (limits.cost(prompt, completion) or 0) <= cost + 1e-12


def test_a_cost_limit_needs_prices() -> None:
    with pytest.raises(UsageError, match="--price-in"):
        RunLimits(max_cost=1.0)


def test_a_spent_budget_ends_the_run_resumable_and_exits_3(tmp_path: Path, code: Path) -> None:
    with LocalTeacher(lambda body: Answer(status=500) if len(server.requests) % 5 == 0 else Answer()) as server:
        result = go(tmp_path / "out", code, server, 60, limits=RunLimits(max_requests=20))
        assert isinstance(result.error, BudgetReachedError)
        assert len(server.requests) == 20  # retries included
        assert result.stats.kept == 16
        again = go(tmp_path / "out", code, server, 60, limits=RunLimits(max_requests=20))
        assert len(server.requests) == 20  # what earlier sessions spent counts
        assert again.stats.kept == 16
        assert go(tmp_path / "out", code, server, 60).stats.kept == 60
    with LocalTeacher() as server:
        words = ["--seeds", str(code), "--n", "9", "--model", "m", "--base-url", server.base_url, "--max-requests", "4"]
        done = BASE.run([COMMAND, "synthesize", *words, "--out", tmp_path / "b"])
    assert done.returncode == 3
    assert (
        "max_requests (--max-requests) of 4 does not allow another request. Repeat the command or call with a higher limit."
        in done.stderr
    )
    assert "Continue with" not in done.stderr  # the same limit would stop it again


def shards(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.parquet")}


@KILLS
def test_killed_at_any_moment_the_same_command_ends_with_the_same_bytes_and_pays_once(
    tmp_path: Path, code: Path, rounds: int
) -> None:
    with LocalTeacher(lambda body: Answer(latency_s=0.05)) as server:
        words = ["--seeds", str(code), "--n", "200", "--model", "m", "--base-url", server.base_url, "--concurrency", "8"]

        def start(name: str) -> Running:
            return BASE.start([COMMAND, "synthesize", *words, "--out", tmp_path / name, "--format", "quiet"])

        assert start("whole").wait().returncode == 0
        assert len(server.requests) == 200
        home = os.environ["HF_HOME"]
        assert not list(Path(home).rglob("*.jsonl"))  # nothing is shared but the folder
        dice, kills = random.Random(5), 0
        for _ in range(rounds):
            before = len(server.requests)
            process = start("killed")
            wanted = before + dice.randrange(1, 200 // rounds)
            while len(server.requests) < wanted and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            kills += process.wait().returncode != 0
        assert start("killed").wait().returncode == 0
        assert kills >= rounds - 1
        assert 200 <= len(server.requests) - 200 <= 200 + 8 * kills
        assert shards(tmp_path / "killed") == shards(tmp_path / "whole")

        # A flipped byte is noticed and its row asked again; a shard that was deleted comes back.
        [journal] = (tmp_path / "whole" / "journal").iterdir()
        data = bytearray(journal.read_bytes())
        data[len(data) // 2] ^= 1
        journal.write_bytes(data)
        (tmp_path / "whole" / "data" / "train-00000-of-00001.parquet").unlink()
        sent = len(server.requests)
        assert start("whole").wait().returncode == 0
        assert len(server.requests) == sent + 1
        assert shards(tmp_path / "whole") == shards(tmp_path / "killed")
