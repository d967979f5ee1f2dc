"""Streams of one process: what one was answered, the others know, and no question is on its way twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Completion, Provenance, Request, Row, Seed
from hf_oss_instruct.errors import RetryableError
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.protocol import Teacher

QUICK = RetryPolicy(tries=2, first_pause_s=0.0, longest_pause_s=0.0)


def seed(index: int) -> Seed:
    return Seed(f"x = {index}", 1, 1, Provenance("corpus", "v1", f"{index}.py", 0, "python"), "hash/1", 0, index=index)


def completion(index: int) -> Completion:
    return Completion(f"[Problem Description]\nProblem {index}.\n[Solution]\nSolution {index}.\n", "stop")


class Slow(Teacher):
    """Answers when it is told to, and fails what it is told to fail, once each."""

    identity = "slow/1"

    def __init__(self, *, fails: int = 0, open_at_once: bool = True) -> None:
        self.asked: list[int] = []
        self.gate, self.waiting = threading.Event(), threading.Event()
        self.fails = fails
        if open_at_once:
            self.gate.set()

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request.seed.index)
        self.waiting.set()
        while not self.gate.is_set():
            await asyncio.sleep(0.005)
        if self.fails:
            self.fails -= 1
            raise RetryableError("busy", reached=True)
        return completion(request.seed.index)


def in_thread(rows: Iterator[Row]) -> tuple[threading.Thread, list[Any]]:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(rows))
    thread.start()
    return thread, found


def test_an_answer_is_known_at_once_to_the_other_journals_of_its_folder(tmp_path: Path) -> None:
    home, run = tmp_path / "home", tmp_path / "run"
    with Journal(home) as one, Journal(home) as other, Journal(run, also=[home]) as third:
        one.append("a" * 32, completion(1))
        one.append("b" * 32, completion(2))
        for journal in (other, third):
            assert ("a" * 32 in journal, len(journal)) == (True, 2)
            assert journal.recall("b" * 32) == completion(2)
        other.append("c" * 32, completion(3))
        assert one.recall("c" * 32) == completion(3)
        third.append("a" * 32, completion(9))  # a run's own answer wins there, and is nobody else's
        one.append("a" * 32, completion(7))
        assert (third.recall("a" * 32), one.recall("a" * 32)) == (completion(9), completion(7))
    assert len(list(run.iterdir())) == 1


def test_two_streams_read_in_turns_ask_for_each_row_once(tmp_path: Path) -> None:
    teacher = Slow()
    seeds = [seed(index) for index in range(30)]
    streams = [synthesize(seeds, teacher, concurrency=3, journal=tmp_path) for _ in range(2)]
    pairs = list(zip(*streams, strict=True))
    assert [(one["index"], one) for one, _ in pairs] == [(index, other) for index, (_, other) in enumerate(pairs)]
    assert sorted(teacher.asked) == list(range(30))


def test_what_one_stream_asks_the_other_waits_for(tmp_path: Path) -> None:
    teacher = Slow(open_at_once=False)
    threads = [in_thread(synthesize([seed(0), seed(1)], teacher, concurrency=2, journal=tmp_path)) for _ in range(3)]
    assert teacher.waiting.wait(20)
    teacher.gate.set()
    for thread, _ in threads:
        thread.join(20)
    assert [[row["index"] for row in found] for _, found in threads] == [[0, 1]] * 3
    assert sorted(teacher.asked) == [0, 1]


def test_what_one_stream_gives_up_the_other_asks_itself(tmp_path: Path) -> None:
    async def kinds(teacher: Slow, folder: Path) -> list[str]:
        with Journal(folder) as journal:
            stream = outcomes([seed(0)], (OssInstructTask(teacher),), journal, concurrency=1, retry_policy=QUICK)
            return [type(outcome).__name__ async for outcome in stream]

    async def both() -> list[list[str]]:
        teacher = Slow(fails=2)
        found = await asyncio.gather(kinds(teacher, tmp_path), kinds(teacher, tmp_path))
        assert teacher.asked == [0, 0, 0]
        return list(found)

    assert sorted(asyncio.run(both())) == [["Pending"], ["dict"]]


def test_a_stream_that_is_left_early_holds_up_nobody(tmp_path: Path) -> None:
    teacher = Slow(open_at_once=False)
    first, reading = synthesize([seed(0)], teacher, journal=tmp_path), threading.Event()

    async def leave() -> None:
        with Journal(tmp_path) as journal:
            stream = outcomes([seed(0)], (OssInstructTask(teacher),), journal, concurrency=1)
            try:
                reading.set()
                await asyncio.wait_for(anext(stream), 0.3)
            except TimeoutError:
                pass
            finally:
                await stream.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(leave()))
    thread.start()
    assert teacher.waiting.wait(20)
    other, found = in_thread(first)
    thread.join(20)
    teacher.gate.set()
    other.join(20)
    assert ([row["index"] for row in found], teacher.asked) == ([0], [0, 0])


def test_a_stop_is_heard_while_another_stream_asks(tmp_path: Path) -> None:
    async def stopped() -> list[str]:
        teacher, stop = Slow(open_at_once=False), asyncio.Event()
        with Journal(tmp_path) as one, Journal(tmp_path) as other:
            busy = outcomes([seed(0)], (OssInstructTask(teacher),), one, concurrency=1)
            first = asyncio.ensure_future(anext(busy))
            while not teacher.asked:
                await asyncio.sleep(0.005)
            asyncio.get_running_loop().call_later(0.1, stop.set)
            found = [
                type(item).__name__
                async for item in outcomes([seed(0)], (OssInstructTask(teacher),), other, concurrency=1, stop=stop)
            ]
            teacher.gate.set()
            assert isinstance(await first, dict)
            await busy.aclose()
        return found

    assert asyncio.run(asyncio.wait_for(stopped(), 20)) == ["Pending"]
