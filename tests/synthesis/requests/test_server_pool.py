"""The server pool: which server the next request goes to, and how one that fails is left out and tried again."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.errors import TeacherError
from hf_oss_instruct.synthesis.requests.rate_limit import MAX_PAUSE_S
from hf_oss_instruct.synthesis.requests.server_pool import GONE_AFTER, ServerPool, ServerSlot
from hf_oss_instruct.teachers.fleet import FleetTeacher
from hf_oss_instruct.teachers.protocol import Server
from tests.synthesis.requests.test_rate_limit import Clock
from tests.teachers.test_fleet import Named


def fleet(**concurrency: int) -> FleetTeacher:
    """A model behind servers of these names, with the most requests that each may have in flight."""
    return FleetTeacher([Server(name, Named("m"), most) for name, most in concurrency.items()])


def name_of(slot: ServerSlot) -> str:
    assert slot.server
    return slot.server.name


async def has_room(pool: ServerPool, teacher: FleetTeacher) -> ServerSlot | None:
    """A slot, or None if one would have to be waited for."""
    waiting = asyncio.ensure_future(pool.acquire(teacher))
    await asyncio.sleep(0)
    if waiting.done():
        return waiting.result()
    waiting.cancel()
    return None


async def slot_at(pool: ServerPool, teacher: FleetTeacher, name: str) -> ServerSlot:
    """A slot at this server; those at others, taken on the way, are given back."""
    taken = []
    while name_of(slot := await pool.acquire(teacher)) != name:
        taken.append(slot)
    for other in taken:
        other.limiter.cancelled()
    return slot


async def fail(pool: ServerPool, teacher: FleetTeacher, name: str, times: int = GONE_AFTER) -> None:
    for _ in range(times):
        (await slot_at(pool, teacher, name)).limiter.failed()


@given(st.lists(st.integers(1, 8), min_size=1, max_size=4), st.lists(st.integers(0, 15), min_size=10, max_size=40))
def test_a_request_goes_to_a_server_with_the_most_room_and_waits_only_if_all_are_full(most: list[int], events: list[int]) -> None:
    """An event below 4 is the end of a request in flight, every other a new request."""
    teacher = fleet(**{f"server {number}": concurrency for number, concurrency in enumerate(most)})
    concurrency = {server.name: server.concurrency for server in teacher.servers}

    async def story() -> None:
        pool, in_flight = ServerPool(Clock()), list[ServerSlot]()
        for event in events:
            if event < 4 and in_flight:
                in_flight.pop(event % len(in_flight)).limiter.answered()
                continue
            counts = Counter(map(name_of, in_flight))
            least = min(counts[name] / concurrency[name] for name in concurrency)
            slot = await has_room(pool, teacher)
            assert (slot is None) == (least == 1)
            if slot:
                assert counts[name_of(slot)] / concurrency[name_of(slot)] == least
                assert slot.server
                assert slot.target is slot.server.teacher  # which has the key of that server, and no other
                in_flight.append(slot)

    asyncio.run(story())


def test_idle_servers_take_turns() -> None:
    async def story() -> Counter[str]:
        pool, teacher, served = ServerPool(Clock()), fleet(one=4, two=4, three=4), Counter[str]()
        for _ in range(9):
            slot = await pool.acquire(teacher)
            served[name_of(slot)] += 1
            slot.limiter.answered()
        return served

    assert asyncio.run(story()) == {"one": 3, "two": 3, "three": 3}


def test_teachers_behind_the_same_server_share_its_room() -> None:
    async def story() -> None:
        pool, one, other = ServerPool(Clock()), fleet(shared=2, own=1), fleet(shared=2)
        slots = [await pool.acquire(one) for _ in range(3)]
        assert await has_room(pool, other) is None
        next(slot for slot in slots if name_of(slot) == "shared").limiter.answered()
        assert await has_room(pool, other)

    asyncio.run(story())


def test_whoever_waits_gets_the_room_of_any_server_as_soon_as_there_is_some() -> None:
    async def story() -> list[str]:
        pool, teacher = ServerPool(Clock()), fleet(one=1, two=1)
        slots = {name_of(slot): slot for slot in [await pool.acquire(teacher) for _ in range(2)]}
        waiting = [asyncio.ensure_future(pool.acquire(teacher)) for _ in range(2)]
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        slots["two"].limiter.answered()
        [first], _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        slots["one"].limiter.failed()
        await asyncio.wait(waiting)
        return [name_of(first.result()), *(name_of(each.result()) for each in waiting if each is not first)]

    assert asyncio.run(asyncio.wait_for(story(), 10)) == ["two", "one"]


def test_a_dead_server_is_left_out_and_probed_by_one_request_at_a_time_with_growing_pauses() -> None:
    clock = Clock()

    async def story() -> None:
        pool, teacher = ServerPool(clock), fleet(dead=4, alive=20)
        await fail(pool, teacher, "dead")
        assert pool.note == "1 of 2 servers left out for now: dead"
        for pause_s in (1, 2, 4, 8, 16, 32, MAX_PAUSE_S, MAX_PAUSE_S):
            slots = [await pool.acquire(teacher) for _ in range(6)]
            clock.now += pause_s * 0.99
            slots += [await pool.acquire(teacher) for _ in range(6)]
            assert set(map(name_of, slots)) == {"alive"}
            clock.now += pause_s * 0.02
            probe, *others = [await pool.acquire(teacher) for _ in range(4)]
            assert (name_of(probe), set(map(name_of, others))) == ("dead", {"alive"})
            probe.limiter.failed()
            for slot in (*slots, *others):
                slot.limiter.answered()
        clock.now += MAX_PAUSE_S
        (await pool.acquire(teacher)).limiter.answered()
        assert pool.note == ""
        assert {name_of(await pool.acquire(teacher)) for _ in range(8)} == {"dead", "alive"}

    asyncio.run(story())


def test_whether_another_server_can_take_over() -> None:
    clock = Clock()

    async def story() -> None:
        pool, teacher = ServerPool(clock), fleet(one=4, two=4)
        slot = await slot_at(pool, teacher, "one")
        assert pool.has_usable_servers(slot)
        await fail(pool, teacher, "two")
        assert not pool.has_usable_servers(slot)
        clock.now += 1.1
        (await slot_at(pool, teacher, "two")).limiter.answered()
        assert pool.has_usable_servers(slot)
        two = await slot_at(pool, teacher, "two")
        assert pool.wait_s(two, 60.0) == 0.0  # since `one` takes what `two` does not
        assert not pool.has_usable_servers(slot)
        assert not pool.has_usable_servers(ServerSlot(teacher, slot.limiter))  # a teacher without servers has no other

    asyncio.run(story())


@given(st.dictionaries(st.sampled_from("abcd"), st.floats(0.1, 1000), min_size=1), st.floats(0, 500))
def test_a_wait_is_as_long_as_the_shortest_pause_of_any_server(pauses: dict[str, float], later_s: float) -> None:
    clock, teacher = Clock(), fleet(**dict.fromkeys("abcd", 1))

    async def story() -> None:
        pool, wait_s = ServerPool(clock), None
        slots = {name_of(slot): slot for slot in [await pool.acquire(teacher) for _ in range(4)]}
        assert pool.wait_s(slots["a"], None) is None  # the server asked for no pause
        for name, asked_s in pauses.items():
            wait_s = pool.wait_s(slots[name], asked_s)
            slots[name].limiter.failed()
        shortest = min(pauses.values()) if len(pauses) == 4 else 0.0
        assert wait_s == pytest.approx(shortest)
        clock.now += later_s
        for name, slot in slots.items():
            if name not in pauses:
                slot.limiter.answered()
        asked = {name_of(slot) for _ in range(4) if (slot := await has_room(pool, teacher))}
        assert asked == {name for name in "abcd" if pauses.get(name, -1.0) <= later_s}

    asyncio.run(story())


def test_a_server_that_can_answer_nothing_is_named_once_and_probed_until_it_is_repaired(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, revoked = Clock(), TeacherError("HTTP 401: key revoked")

    async def story() -> None:
        pool, teacher = ServerPool(clock), fleet(one=4, two=4)
        for pause_s in (1, 2, 4):
            slot = await slot_at(pool, teacher, "one")
            slot.limiter.cancelled()
            assert pool.mark_unusable(slot, revoked)  # `two` can still answer
            assert name_of(await pool.acquire(teacher)) == "two"
            clock.now += pause_s
        two = await slot_at(pool, teacher, "two")
        assert not pool.mark_unusable(two, TeacherError("HTTP 404: no such model"))  # now none can
        repaired = await slot_at(pool, teacher, "one")
        repaired.limiter.answered()
        pool.answered(repaired)
        assert pool.mark_unusable(two, TeacherError("HTTP 404: no such model"))

    with caplog.at_level(logging.WARNING):
        asyncio.run(story())
    assert [record.getMessage() for record in caplog.records] == [
        "The server one is left out for now: HTTP 401: key revoked",
        "The server two is left out for now: HTTP 404: no such model",
    ]


def test_a_teacher_without_servers_has_no_other_to_turn_to() -> None:
    async def story() -> bool:
        pool, teacher = ServerPool(Clock()), fleet(one=1)
        slot = ServerSlot(Named("alone"), (await pool.acquire(teacher)).limiter)
        assert (slot.target, pool.wait_s(slot, 3.0)) == (slot.teacher, 3.0)
        return pool.mark_unusable(slot, TeacherError("HTTP 401"))

    assert not asyncio.run(story())


def test_all_that_wait_are_let_go_when_the_run_stops() -> None:
    async def story() -> int:
        pool, teacher = ServerPool(Clock()), fleet(one=1)
        await pool.acquire(teacher)
        waiting = [asyncio.ensure_future(pool.acquire(teacher)) for _ in range(5)]
        await asyncio.sleep(0)
        pool.close()
        return len(await asyncio.gather(*waiting, pool.acquire(teacher)))

    assert asyncio.run(asyncio.wait_for(story(), 10)) == 6
