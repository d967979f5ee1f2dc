"""The workers: which request is sent next, how many at once, and what becomes of an item whatever its attempt brought."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.data import Completion, Pending, Provenance, Request, Seed
from hf_oss_instruct.errors import RetryableError
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.engine.claims import Claims
from hf_oss_instruct.synthesis.engine.items import Items
from hf_oss_instruct.synthesis.engine.ordered_window import OrderedWindow
from hf_oss_instruct.synthesis.engine.schedule import Schedule
from hf_oss_instruct.synthesis.engine.workers import INITIAL_WORKERS, Workers
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.requests.request_runner import RequestRunner
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.teachers.protocol import Teacher

AT_ONCE = RetryPolicy(tries=3, first_pause_s=0.0)


def seed(number: int) -> Seed:
    origin = Provenance("corpus", "v1", "a.py", 0, "python")
    return Seed(f"x = {number}", number + 1, number + 1, origin, "hash/1", 0, index=number)


def seeds(number: int) -> list[Seed]:
    return [seed(index) for index in range(number)]


class Scripted(Teacher):
    """A teacher that fails the requests about a seed as often as it is told to, and answers while its gate is open."""

    identity = "scripted/1"

    def __init__(self, failures: dict[int, int] | None = None) -> None:
        self.failures, self.requested, self.gate = failures or {}, list[int](), asyncio.Event()
        self.gate.set()
        self.in_flight = self.most_in_flight = 0

    async def complete(self, request: Request) -> Completion:
        number = request.seed.index
        self.requested.append(number)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.gate.wait()
        finally:
            self.in_flight -= 1
        if self.requested.count(number) <= self.failures.get(number, 0):
            raise RetryableError("HTTP 500", reached=True)
        return Completion(f"[Problem Description]\nProblem {number}.\n[Solution]\nSolution {number}.\n", "stop", None, None, 1, 1)


class Scene:
    """Workers with all that they need, and the items that they take to their outcomes."""

    def __init__(
        self,
        folder: Path,
        teacher: Teacher,
        *,
        workers: int = 4,
        window: int = 1000,
        limits: RunLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        journal, usage = Journal(folder), Usage()
        # More room than workers, and a teacher that only fails counts as there: both are the limiter's own tests.
        self.limiter = RateLimiter(1000, clock, gone_after=1000)
        self.runner = RequestRunner(journal, self.limiter, AT_ONCE, Budget(limits), usage)
        self.schedule, self.window = Schedule(self.runner.closed), OrderedWindow(window)
        claims = Claims(journal, self.schedule)
        self.items = Items((OssInstructTask(teacher),), journal, self.runner, claims, self.schedule, self.window, usage)
        self.workers = Workers(workers, self.schedule, claims, self.items, self.window, self.runner, self.limiter)

    async def settle(self, items: Sequence[Seed]) -> list[str]:
        """Let the workers take new items to their outcomes: of each its problem, or why there is none."""
        self.schedule.extend(items)
        while self.schedule.new_items or not self.schedule.is_quiet:
            self.schedule.changed.clear()
            await self.schedule.changed.wait()
            if self.runner.closed.is_set():
                break
        return [self.outcome(number) for number in range(len(self.window.entries))]

    def outcome(self, number: int) -> str:
        assert self.window.entries[number].settled
        outcome = self.items.outcome_of(self.window.entries[number])
        assert isinstance(outcome, dict | Pending)
        return outcome.why if isinstance(outcome, Pending) else str(outcome["problem"])

    async def end(self) -> None:
        self.runner.close()
        self.workers.cancel()
        assert await self.workers.ended(5)


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 5))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_retries_and_follow_ups_precede_new_items(tmp_path_factory: pytest.TempPathFactory, failures: list[int]) -> None:
    """One worker: an item whose attempt failed is sent again before another begins."""

    async def story() -> None:
        teacher = Scripted(dict(enumerate(failures)))
        scene = Scene(tmp_path_factory.mktemp("journal"), teacher, workers=1)
        outcomes = await scene.settle(seeds(len(failures)))
        sent = [min(failed + 1, AT_ONCE.tries) for failed in failures]
        assert teacher.requested == [number for number, times in enumerate(sent) for _ in range(times)]
        assert outcomes == [f"Problem {n}." if failed < AT_ONCE.tries else "HTTP 500" for n, failed in enumerate(failures)]
        await scene.end()

    play(story)


@pytest.mark.parametrize("number", [1, 3, INITIAL_WORKERS, INITIAL_WORKERS + 36])
def test_as_many_requests_are_in_flight_as_there_are_workers(tmp_path: Path, number: int) -> None:
    async def story() -> None:
        teacher = Scripted()
        teacher.gate.clear()
        scene = Scene(tmp_path, teacher, workers=number)
        settling = asyncio.ensure_future(scene.settle(seeds(number + 10)))
        while teacher.in_flight < number:
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (teacher.in_flight, scene.schedule.in_flight, scene.limiter.in_flight) == (number, number, number)
        teacher.gate.set()
        assert await settling == [f"Problem {n}." for n in range(number + 10)]
        assert teacher.most_in_flight == number
        await scene.end()

    play(story)


def test_no_more_items_begin_than_the_window_has_room_for(tmp_path: Path) -> None:
    async def story() -> None:
        teacher = Scripted()
        scene = Scene(tmp_path, teacher, workers=4, window=3)
        scene.schedule.extend(seeds(5))
        while not (len(teacher.requested) == 3 and scene.schedule.is_quiet):
            await asyncio.sleep(0)
        assert not scene.workers.can_start_item
        await asyncio.sleep(0.01)
        assert teacher.requested == [0, 1, 2]
        scene.window.pop_head()  # its outcome was handed out
        scene.schedule.wake(1)
        while not (len(teacher.requested) == 4 and scene.schedule.is_quiet):
            await asyncio.sleep(0)
        await scene.end()
        assert teacher.requested == [0, 1, 2, 3]

    play(story)


def test_what_the_journal_answers_takes_no_worker(tmp_path: Path) -> None:
    async def story() -> None:
        for requested in ([0, 1, 2], []):
            teacher = Scripted()
            scene = Scene(tmp_path, teacher, workers=1)
            assert await scene.settle(seeds(3)) == ["Problem 0.", "Problem 1.", "Problem 2."]
            assert teacher.requested == requested
            await scene.end()

    play(story)


def test_a_request_that_waits_for_the_budget_is_sent_when_another_returns_what_it_did_not_use(tmp_path: Path) -> None:
    async def story() -> None:
        teacher = Scripted()
        [most] = [sum(OssInstructTask(teacher).request(seed(0)).most_tokens)]
        teacher.gate.clear()
        scene = Scene(tmp_path, teacher, workers=4, limits=RunLimits(max_total_tokens=most + 20))
        settling = asyncio.ensure_future(scene.settle(seeds(4)))
        while len(scene.schedule.waiting_for_budget) < 3:
            await asyncio.sleep(0)
        assert teacher.requested == [0]
        assert scene.limiter.in_flight == 1  # those that wait hold no slot
        teacher.gate.set()
        assert await settling == [f"Problem {n}." for n in range(4)]
        assert teacher.requested == [0, 1, 2, 3]
        await scene.end()

    play(story)


def test_a_cancelled_request_leaves_its_item_pending_and_its_claim_free(tmp_path: Path) -> None:
    async def story() -> None:
        teacher = Scripted()
        teacher.gate.clear()
        scene = Scene(tmp_path, teacher, workers=2)
        scene.schedule.extend(seeds(2))
        while teacher.in_flight < 2:
            await asyncio.sleep(0)
        assert not await scene.workers.ended(0.0)
        await scene.end()
        assert [scene.outcome(number) for number in range(2)] == ["the run was interrupted"] * 2
        again = Scene(tmp_path, Scripted(), workers=2)
        assert await again.settle(seeds(2)) == ["Problem 0.", "Problem 1."]
        await again.end()

    play(story)


def test_items_with_the_same_request_share_the_answer_of_the_first(tmp_path: Path) -> None:
    async def story() -> None:
        teacher = Scripted({0: 1})
        scene = Scene(tmp_path, teacher, workers=3)
        twins = [replace(seed(0), index=index) for index in range(3)]
        teacher.gate.clear()
        settling = asyncio.ensure_future(scene.settle([*twins, seed(3)]))
        while len(scene.window.entries) < 4:
            await asyncio.sleep(0)
        teacher.gate.set()
        assert await settling == ["Problem 0."] * 3 + ["Problem 3."]
        assert sorted(teacher.requested) == [0, 0, 3]
        await scene.end()

    play(story)


@pytest.mark.parametrize("place", ["for_seed", "in_batch"])  # before the request is claimed, and before it is sent
def test_a_bug_in_a_teacher_ends_the_run_and_nothing_more_is_sent(tmp_path: Path, place: str) -> None:
    class Broken(Scripted):
        def for_seed(self, seed: Seed) -> Teacher:
            return self.at("for_seed", seed)

        def in_batch(self, request: Request) -> bool:
            self.at("in_batch", request.seed)
            return False

        def at(self, here: str, seed: Seed) -> Teacher:
            if here == place and seed.index == 1 and self.requested:
                raise ZeroDivisionError("a bug")
            return self

    async def story() -> None:
        teacher = Broken()
        scene = Scene(tmp_path, teacher, workers=1)
        assert await scene.settle(seeds(3)) == ["Problem 0.", "ZeroDivisionError: a bug"]
        assert isinstance(scene.runner.error, ZeroDivisionError)
        assert await scene.workers.ended(5)
        assert teacher.requested == [0]

    play(story)


def test_a_worker_that_fails_ends_the_run_instead_of_waiting_forever(tmp_path: Path) -> None:
    async def story() -> None:
        readings = iter([0.0] * 3)
        scene = Scene(tmp_path, Scripted(), workers=1, clock=lambda: next(readings))  # a clock that soon raises StopIteration
        await scene.settle(seeds(5))
        assert scene.runner.closed.is_set()
        assert isinstance(scene.runner.error, Exception)
        assert await scene.workers.ended(1)

    play(story)
