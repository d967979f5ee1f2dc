"""Claims: of all entries with the same request one sends it, in whatever stream, thread or loop of this process they are."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.data import Skipped
from hf_oss_instruct.synthesis.engine.claims import Claims
from hf_oss_instruct.synthesis.engine.ordered_window import Entry
from hf_oss_instruct.synthesis.engine.schedule import Schedule
from hf_oss_instruct.synthesis.journal.journal import Journal


class Stream:
    """What a stream has for its claims: a journal in a folder that streams may share, and a schedule."""

    def __init__(self, folder: Path) -> None:
        self.journal, self.schedule = Journal(folder), Schedule(asyncio.Event())
        self.claims = Claims(self.journal, self.schedule)


def entry(key: str) -> Entry:
    return Entry(Skipped("no matter what"), key=key * 32)


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))


def test_the_first_sends_and_the_others_are_queued_again_in_order_when_it_is_done(tmp_path: Path) -> None:
    async def story() -> None:
        stream = Stream(tmp_path)
        first, second, third, other = entry("a"), entry("a"), entry("a"), entry("b")
        assert [stream.claims.take(each) for each in (first, second, third, other)] == [True, False, False, True]
        assert stream.claims.take(first)  # a retry: it has its claim still
        stream.claims.release(third)  # has none, so that nothing happens
        assert not stream.schedule.is_due
        stream.claims.release(first)
        assert [stream.schedule.next_due() for _ in range(2)] == [second, third]
        assert [stream.claims.take(each) for each in (second, third)] == [True, False]

    play(story)


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from("ab"), st.booleans()), max_size=40))
def test_a_request_never_has_two_owners_and_none_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, bool]]
) -> None:
    """Two streams in turn: each step is a new entry, or the end of a request, after which those that waited try again."""
    folder = tmp_path_factory.mktemp("journal")

    async def story() -> None:
        streams = Stream(folder), Stream(folder)
        owners: dict[str, tuple[Stream, Entry]] = {}
        waiting = 0

        async def take_all_queued() -> None:
            nonlocal waiting
            await asyncio.sleep(0)  # for what another stream has released
            for stream in streams:
                while stream.schedule.is_due:
                    waiting -= 1
                    take(stream, stream.schedule.next_due())

        def take(stream: Stream, new: Entry) -> None:
            nonlocal waiting
            if stream.claims.take(new):
                assert new.key not in owners
                owners[new.key] = stream, new
            else:
                assert new.key in owners
                waiting += 1

        for number, key, ends in steps:
            if ends and owners:
                stream, owner = owners.pop(sorted(owners)[-1])
                stream.claims.release(owner)
                await take_all_queued()
            else:
                take(streams[number], entry(key))
        while owners:
            stream, owner = owners.pop(next(iter(owners)))
            stream.claims.release(owner)
            await take_all_queued()
        assert waiting == 0

    play(story)


def test_a_stream_that_stops_leaves_its_requests_to_the_others(tmp_path: Path) -> None:
    async def story() -> None:
        stopping, waiting = Stream(tmp_path), Stream(tmp_path)
        assert stopping.claims.take(entry("a"))
        entries = [entry("a"), entry("a")]
        assert not any(map(waiting.claims.take, entries))
        assert waiting.schedule.waiting_elsewhere == set(entries)
        stopping.journal.close()
        await asyncio.sleep(0)
        assert waiting.schedule.waiting_elsewhere == set()
        assert [waiting.claims.take(waiting.schedule.next_due()) for _ in entries] == [True, False]

    play(story)


def test_an_entry_that_was_settled_in_the_meantime_is_not_queued_again(tmp_path: Path) -> None:
    async def story() -> None:
        owner, stopped = Stream(tmp_path), Stream(tmp_path)
        first, settled = entry("a"), entry("a")
        owner.claims.take(first)
        stopped.claims.take(settled)
        assert stopped.schedule.take_all_waiting() == [settled]
        owner.claims.release(first)
        await asyncio.sleep(0)
        assert not stopped.schedule.is_due

    play(story)


def test_in_threads_with_loops_of_their_own_each_request_has_one_owner_at_a_time(tmp_path: Path) -> None:
    keys, owners, most, served = "abc", dict.fromkeys("abc", 0), dict.fromkeys("abc", 0), list[str]()
    lock, start = threading.Lock(), threading.Barrier(4)

    async def stream_of_thread() -> None:
        stream = Stream(tmp_path)
        start.wait()
        for key in keys:
            stream.schedule.queue(entry(key))
        while not stream.schedule.is_quiet:
            while not stream.schedule.is_due:
                await stream.schedule.sleep()
            taken = stream.schedule.next_due()
            if stream.claims.take(taken):
                key = taken.key[0]
                with lock:
                    owners[key] += 1
                    most[key] = max(most[key], owners[key])
                await asyncio.sleep(0.002)
                with lock:
                    owners[key] -= 1
                    served.append(key)
                stream.claims.release(taken)
        stream.journal.close()

    threads = [threading.Thread(target=play, args=(stream_of_thread,), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(served) == sorted(4 * keys)
    assert most == dict.fromkeys(keys, 1)


def test_a_release_after_the_end_of_a_waiting_stream_is_heard_by_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        owner, first = Stream(tmp_path), entry("a")
        assert owner.claims.take(first)

        async def waits_and_ends() -> None:
            assert not Stream(tmp_path).claims.take(entry("a"))

        await asyncio.to_thread(play, waits_and_ends)
        owner.claims.release(first)
        assert owner.claims.take(entry("a"))

    play(story)


def test_a_forked_process_does_not_wait_for_the_streams_of_its_parent(tmp_path: Path) -> None:
    program = """
        import os, sys
        from pathlib import Path
        from hf_oss_instruct.synthesis.journal.journal import Journal
        folder, key = Path(sys.argv[1]), "a" * 32
        parent = Journal(folder)
        claimed = parent.claim(key, print)
        child = os.fork()
        if not child:
            os._exit(0 if Journal(folder).claim(key, print) else 1)
        print(claimed, os.waitpid(child, 0)[1], Journal(folder).claim(key, print))
    """
    done = subprocess.run([sys.executable, "-c", dedent(program), tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout == "True 0 False\n"
