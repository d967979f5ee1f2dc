"""The rate limiter, with a clock of the test's own: what a server answers, and how many requests leave after it."""

from __future__ import annotations

import asyncio
import math

import pytest

from hf_oss_instruct.synthesis.requests.rate_limit import GONE_AFTER, MAX_PAUSE_S, UNLIMITED_AFTER, RateLimiter


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def start(limiter: RateLimiter) -> bool:
    """Let a request leave if one may."""
    if limiter.delay_s() > 0:
        return False
    limiter.in_flight += 1
    return True


def second(limiter: RateLimiter, clock: Clock, allowed: int) -> tuple[int, int]:
    """A second of a server that answers so many requests and says 429 to the rest: answered, refused."""
    answered = busy = 0
    for _ in range(1000):
        if start(limiter):
            if answered < allowed:
                answered += 1
                limiter.answered()
            else:
                busy += 1
                limiter.busy()
        clock.now += 0.001
    return answered, busy


def test_no_more_are_in_flight_than_allowed_and_a_slot_comes_back() -> None:
    limiter = RateLimiter(3, Clock())
    assert [start(limiter) for _ in range(5)] == [True] * 3 + [False] * 2
    assert limiter.delay_s() == math.inf
    limiter.answered()
    assert (start(limiter), limiter.in_flight) == (True, 3)


def test_a_servers_limit_is_found_and_met_and_forgotten_when_it_is_gone() -> None:
    clock = Clock()
    limiter = RateLimiter(100, clock)
    seconds = [second(limiter, clock, 50) for _ in range(40)]
    assert limiter.rate == pytest.approx(48.5, rel=0.1)
    settled = seconds[8:]
    assert sum(answered for answered, _ in settled) > 0.9 * 50 * len(settled)
    assert sum(busy for _, busy in settled) < 0.1 * 50 * len(settled)
    for _ in range(UNLIMITED_AFTER + 2):
        second(limiter, clock, 10_000)
    assert limiter.rate is None


def test_an_overloaded_server_gets_fewer_requests_and_then_more_again() -> None:
    clock = Clock()
    limiter = RateLimiter(100, clock)
    for _ in range(6):
        assert start(limiter)
        limiter.failed()
        assert start(limiter)
        limiter.answered()
    clock.now += 1.1
    limiter.delay_s()
    assert limiter.limit == pytest.approx(70)
    for _ in range(10):
        assert start(limiter)
        limiter.answered()
        clock.now += 1.1
    assert limiter.limit == 100


def test_a_server_that_is_gone_is_asked_by_one_request_at_a_time_with_growing_pauses() -> None:
    clock = Clock()
    limiter = RateLimiter(16, clock)
    pauses = []
    for _ in range(GONE_AFTER):
        assert start(limiter)
        limiter.failed()
    assert (limiter.gone, start(limiter)) == (True, False)
    for _ in range(9):
        pauses.append(limiter.delay_s())
        clock.now += pauses[-1]
        assert (start(limiter), start(limiter)) == (True, False)
        limiter.failed()
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, *[MAX_PAUSE_S] * 3])
    clock.now += MAX_PAUSE_S
    assert start(limiter)
    limiter.answered()
    assert (limiter.gone, [start(limiter) for _ in range(4)]) == (False, [True] * 4)


def test_whoever_waits_is_served_in_order_and_let_go_when_it_closes() -> None:
    async def story() -> list[int]:
        limiter, served = RateLimiter(1), list[int]()

        async def worker(number: int) -> None:
            await limiter.acquire()
            served.append(number)

        workers = [asyncio.create_task(worker(number)) for number in range(5)]
        await asyncio.sleep(0)
        assert served == [0]
        for _ in range(2):
            limiter.answered()
            await asyncio.sleep(0.01)
        limiter.close()
        await asyncio.gather(*workers)
        return served

    assert asyncio.run(asyncio.wait_for(story(), 30)) == [0, 1, 2, 3, 4]
