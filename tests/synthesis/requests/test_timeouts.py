"""How long an attempt may take, fixed or learned, and what the progress line says of slow ones."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.requests.timeouts import (
    FACTOR,
    INITIAL_ANSWERS,
    INITIAL_FACTOR,
    MAX_DEADLINE_S,
    MIN_DEADLINE_S,
    WINDOW,
    Deadline,
)
from hf_oss_instruct.synthesis.run_progress import update_counts
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.terminal.signals import StopRequest


def after(*latencies_s: float) -> float:
    deadline = Deadline()
    for latency_s in latencies_s:
        deadline.record_latency(latency_s)
    return deadline.seconds


def test_is_long_until_the_first_answer_then_a_multiple_of_the_slowest_within_bounds() -> None:
    assert after() == MAX_DEADLINE_S == 600
    assert after(0.2) == MIN_DEADLINE_S == 30
    assert after(4.0) == after(4.0, 1.0) == after(1.0, 4.0) == 4.0 * INITIAL_FACTOR
    assert after(100.0) == MAX_DEADLINE_S
    few = [1.0] * (INITIAL_ANSWERS - 2) + [20.0]
    assert after(*few) == 20.0 * INITIAL_FACTOR
    assert after(*few, 1.0) == 20.0 * FACTOR


def test_an_old_slow_answer_is_forgotten() -> None:
    slow_once = [40.0] + [10.0] * (WINDOW - 2)
    assert after(*slow_once) == after(*slow_once, *[10.0] * WINDOW) == 40.0 * FACTOR
    assert after(*slow_once, *[10.0] * 2 * WINDOW) == 10.0 * FACTOR


@given(st.lists(st.floats(0, 1000), min_size=INITIAL_ANSWERS, max_size=100))
def test_no_answer_like_those_before_is_cut(latencies_s: list[float]) -> None:
    assert min(max(latencies_s) * FACTOR, MAX_DEADLINE_S) <= after(*latencies_s) <= MAX_DEADLINE_S


def test_a_fixed_deadline_learns_nothing() -> None:
    async def quick() -> float:
        deadline = Deadline(7.0)
        await deadline.run(asyncio.sleep(0))
        return deadline.seconds

    assert asyncio.run(quick()) == 7.0
    assert Deadline(7.0).timeout_s(3) == 56.0
    assert Deadline(1200.0).timeout_s(1) == 1200.0


def test_attempts_in_flight_follow_what_others_teach() -> None:
    async def hangs_while_others_answer() -> float:
        deadline = Deadline(shortest_s=0.2, longest_s=3600)
        started = time.monotonic()
        hanging = asyncio.ensure_future(deadline.run(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        assert deadline.oldest_s >= 0
        for _ in range(3):
            await deadline.run(asyncio.sleep(0.001))
        with pytest.raises(TimeoutError):
            await hanging
        assert deadline.oldest_s == 0
        return time.monotonic() - started

    assert 0.2 <= asyncio.run(hangs_while_others_answer()) < 10


def test_one_timer_ends_every_attempt_at_its_own_deadline_in_one_loop_after_another() -> None:
    deadline, ended = Deadline(0.05), []

    async def late(timeouts: int) -> None:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await deadline.run(asyncio.sleep(3600), timeouts)
        assert time.monotonic() - started >= 0.05 * 2**timeouts - 0.005
        ended.append(timeouts)

    async def all_at_once() -> None:
        await asyncio.gather(*map(late, (2, 0, 1)))

    for _ in range(2):
        asyncio.run(all_at_once())
    assert ended == [0, 1, 2] * 2


def test_an_attempt_that_is_cancelled_leaves_the_others_their_deadline() -> None:
    async def two() -> None:
        deadline = Deadline(0.1)
        first, second = (asyncio.ensure_future(deadline.run(asyncio.sleep(3600))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(TimeoutError):
            await second
        assert first.cancelled()

    asyncio.run(two())


def test_a_question_that_ran_out_of_time_gets_twice_as_much() -> None:
    async def late(timeouts: int) -> str:
        return await Deadline(0.2).run(asyncio.sleep(0.4, "late"), timeouts)

    with pytest.raises(TimeoutError):
        asyncio.run(late(0))
    assert asyncio.run(late(2)) == "late"


def test_progress_counts_what_was_answered_and_names_the_slowest_request() -> None:
    usage = Usage(answered=150, settled=160, recalled=10, deadlines=[Deadline(60.0)])
    counts, interrupted = Counts(), StopRequest()
    interrupted.set()
    update_counts(counts, RunStats(200, usage=usage))  # the first row is not answered yet: none was handed out
    assert (counts.total, counts.done, counts.recalled, counts.waiting) == (200, 160, 10, 160)
    assert (counts.outcomes, counts.requests, counts.remark) == ({"kept": 0}, 150, "")

    async def waits() -> None:
        hanging = asyncio.ensure_future(usage.deadlines[0].run(asyncio.sleep(3600)))
        await asyncio.sleep(0)
        for timer in usage.deadlines[0]._running:
            usage.deadlines[0]._running[timer] = time.monotonic() - 45, 0
        update_counts(counts, RunStats(200, usage=usage), stopping=interrupted)
        hanging.cancel()

    asyncio.run(waits())
    assert counts.remark == "slowest request 45 of 60 s"
    assert counts.stopping.startswith("stopping: waiting up to 20 s for 1 request; Ctrl-C again: now")


def test_patience_learns_unless_it_is_told() -> None:
    assert RetryPolicy().deadline_s is None
