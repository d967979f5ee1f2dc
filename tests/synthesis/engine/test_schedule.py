"""The queue of the workers: what is sent next, who is woken for it, and when nothing is left to wait for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.data import Skipped
from hf_oss_instruct.synthesis.engine.ordered_window import Entry
from hf_oss_instruct.synthesis.engine.schedule import TIMER_SLACK_S, Schedule

HOUR_S = 3600.0


def entry(number: int) -> Entry:
    return Entry(Skipped(str(number)))


def number_of(entry: Entry) -> int:
    assert isinstance(entry.source, Skipped)
    return int(entry.source.reason)


def with_schedule(story: Callable[[Schedule, asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Play a story in an event loop, with a schedule and the event that says that nothing is sent any more."""

    async def play() -> None:
        closed = asyncio.Event()
        await story(Schedule(closed), closed)

    asyncio.run(asyncio.wait_for(play(), 10))


@given(st.lists(st.integers(0, 5), max_size=30))
def test_follow_ups_come_first_then_retries_as_they_are_due_and_equals_in_order(hours: list[int]) -> None:
    async def story(schedule: Schedule, closed: asyncio.Event) -> None:
        for number, pause in enumerate(hours):
            schedule.queue(entry(number), pause * HOUR_S)
        order = sorted(range(len(hours)), key=hours.__getitem__)
        for number in order:
            assert schedule.is_due == (hours[number] == 0)
            assert number_of(schedule.next_due()) == number
        assert not schedule.is_due
        assert schedule.is_quiet

    with_schedule(story)


def test_a_retry_is_not_due_before_its_pause_is_over_and_wakes_a_worker_then() -> None:
    async def story(schedule: Schedule, closed: asyncio.Event) -> None:
        started = time.monotonic()
        schedule.queue(entry(0), 0.05)
        assert not schedule.is_due
        while not schedule.is_due:  # as the workers do
            await schedule.sleep()
        assert time.monotonic() - started >= 0.05 - TIMER_SLACK_S
        schedule.queue(entry(1))  # a follow-up comes before retries, also before those that are due already
        assert [number_of(schedule.next_due()) for _ in range(2)] == [1, 0]

    with_schedule(story)


@given(st.integers(0, 6), st.integers(0, 6), st.sets(st.integers(0, 5)))
def test_as_many_workers_wake_as_there_are_new_items_and_cancelled_ones_use_up_no_signal(
    workers: int, items: int, cancelled: set[int]
) -> None:
    async def story(schedule: Schedule, closed: asyncio.Event) -> None:
        asleep = [asyncio.ensure_future(schedule.sleep()) for _ in range(workers)]
        await asyncio.sleep(0)
        assert schedule.has_sleepers == bool(workers)
        for number in cancelled & set(range(workers)):
            asleep[number].cancel()
        await asyncio.sleep(0)
        schedule.extend([Skipped(str(number)) for number in range(items)])
        await asyncio.sleep(0)
        left = [number for number in range(workers) if number not in cancelled]
        assert [number for number in left if asleep[number].done()] == left[:items]  # those who waited longest
        for task in asleep:
            task.cancel()

    with_schedule(story)


def test_new_items_keep_their_order_and_the_last_one_asks_for_more() -> None:
    async def story(schedule: Schedule, closed: asyncio.Event) -> None:
        schedule.extend([Skipped("first"), Skipped("second")])
        schedule.extend([Skipped("third")])
        taken = []
        for more in (False, False, True):
            taken.append(schedule.next_new_item())
            assert schedule.changed.is_set() == more
        assert taken == [Skipped("first"), Skipped("second"), Skipped("third")]

    with_schedule(story)


def test_those_who_wait_for_the_budget_keep_their_order_and_come_before_retries() -> None:
    """Items are handed out in their order, so the first one should get what another request returns."""

    async def story(schedule: Schedule, closed: asyncio.Event) -> None:
        schedule.queue(entry(9), HOUR_S)
        schedule.waiting_for_budget += [entry(0), entry(1), entry(2)]
        assert not schedule.is_due
        schedule.retry_budget()
        assert schedule.waiting_for_budget == []
        assert [number_of(schedule.next_due()) for _ in range(4)] == [0, 1, 2, 9]

    with_schedule(story)


def in_flight(schedule: Schedule) -> None:
    schedule.in_flight += 1


@pytest.mark.parametrize(
    "wait",
    [
        in_flight,
        lambda schedule: schedule.queue(entry(0)),
        lambda schedule: schedule.queue(entry(0), HOUR_S),
        lambda schedule: schedule.waiting_elsewhere.add(entry(0)),
        lambda schedule: schedule.waiting_for_budget.append(entry(0)),
    ],
    ids=["in flight", "due", "a retry", "with another stream", "for the budget"],
)
def test_is_quiet_when_nothing_is_on_its_way_and_the_driver_hears_of_it(wait: Callable[[Schedule], None]) -> None:
    async def story(schedule: Schedule, closed: asyncio.Event) -> None:
        assert schedule.is_quiet
        schedule.new_items.append(Skipped("not started"))
        assert schedule.is_quiet
        wait(schedule)
        assert not schedule.is_quiet
        schedule.notify_if_idle()
        assert not schedule.changed.is_set()
        if schedule.in_flight:
            schedule.in_flight -= 1
        else:
            assert len(schedule.take_all_waiting()) == 1
        assert schedule.is_quiet
        schedule.notify_if_idle()
        assert schedule.changed.is_set()

    with_schedule(story)


def test_once_nothing_is_sent_any_more_whatever_is_queued_is_settled_at_once() -> None:
    async def story(schedule: Schedule, closed: asyncio.Event) -> None:
        schedule.queue(entry(0), HOUR_S)
        assert not schedule.changed.is_set()
        closed.set()
        schedule.queue(entry(1), HOUR_S)
        assert schedule.changed.is_set()
        schedule.waiting_elsewhere.add(entry(2))
        schedule.waiting_for_budget.append(entry(3))
        assert sorted(map(number_of, schedule.take_all_waiting())) == [0, 1, 2, 3]
        assert schedule.take_all_waiting() == []

    with_schedule(story)
