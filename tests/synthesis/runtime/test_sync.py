"""Plain code that reads an async stream."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncGenerator, Callable
from itertools import islice
from pathlib import Path

import pytest

from hf_oss_instruct.synthesis.runtime.sync import iterate_sync

Loops = Callable[[], int]


@pytest.fixture
def loops() -> Loops:
    """How many threads of ours live that did not when the test began."""
    before = set(threading.enumerate())
    return lambda: sum(thread.name == "oss-instruct" for thread in set(threading.enumerate()) - before)


class Stream:
    """Counts up, and remembers what became of it."""

    def __init__(self, end: int | None = None, fails_at: int | None = None) -> None:
        self.end, self.fails_at = end, fails_at
        self.given = 0
        self.closed_in: str | None = None
        self.background: asyncio.Task[None] | None = None

    async def items(self) -> AsyncGenerator[int, None]:
        self.background = asyncio.create_task(asyncio.sleep(3600))
        try:
            while self.given != self.end:
                await asyncio.sleep(0)
                if self.given == self.fails_at:
                    raise LookupError("out of numbers")
                self.given += 1
                yield self.given - 1
        finally:
            self.background.cancel()
            await asyncio.sleep(0)
            self.closed_in = threading.current_thread().name


def program(body: str, *words: str, seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """Run a script of its own, as a user would."""
    command = [sys.executable, "-c", textwrap.dedent(body), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)


def test_every_item_comes_once_and_in_order(loops: Loops) -> None:
    stream = Stream(end=100)
    assert list(iterate_sync(stream.items)) == list(range(100))
    assert stream.closed_in == "oss-instruct"
    assert loops() == 0


def test_an_empty_stream_ends(loops: Loops) -> None:
    assert list(iterate_sync(Stream(end=0).items)) == []
    assert loops() == 0


def test_nothing_is_made_before_it_is_asked_for(loops: Loops) -> None:
    stream = Stream()
    items = iterate_sync(stream.items)
    assert (stream.given, loops()) == (0, 0)
    assert list(islice(items, 3)) == [0, 1, 2]
    assert stream.given == 3
    assert loops() == 1
    items.close()  # type: ignore[attr-defined]


def test_leaving_early_closes_the_stream_cancels_its_tasks_and_joins_the_thread(loops: Loops) -> None:
    stream = Stream()
    for item in iterate_sync(stream.items):
        if item == 5:
            break
    assert stream.given == 6
    assert stream.closed_in == "oss-instruct"
    assert stream.background
    assert stream.background.cancelled()
    assert loops() == 0


def test_a_stream_in_a_reference_cycle_is_closed_by_its_own_thread(loops: Loops) -> None:
    """The garbage collector runs in whichever thread allocates, mostly the one that works."""
    closed = threading.Event()

    async def items() -> AsyncGenerator[int, None]:
        async def allocate() -> None:
            while True:
                gc.collect()
                await asyncio.sleep(0.01)

        working = asyncio.create_task(allocate())
        try:
            yield 1
            yield 2
        finally:
            working.cancel()
            closed.set()

    gc.disable()  # in this thread
    try:
        holder: list[object] = []
        holder += [holder, iterate_sync(items)]
        assert next(holder[1]) == 1  # type: ignore[call-overload]
        del holder
        assert closed.wait(10)
        deadline = time.monotonic() + 10
        while loops() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert loops() == 0
    finally:
        gc.enable()


def test_an_error_arrives_after_the_items_before_it(loops: Loops) -> None:
    items = iterate_sync(Stream(fails_at=3).items)
    assert list(islice(items, 3)) == [0, 1, 2]
    with pytest.raises(LookupError, match="out of numbers"):
        next(items)
    assert loops() == 0


def test_a_stream_that_cannot_start_leaves_no_thread(loops: Loops) -> None:
    def start() -> AsyncGenerator[int, None]:
        raise LookupError("no such stream")

    with pytest.raises(LookupError):
        next(iterate_sync(start))
    assert loops() == 0


def test_two_streams_do_not_disturb_each_other(loops: Loops) -> None:
    pairs = zip(iterate_sync(Stream(end=50).items), iterate_sync(Stream(end=50).items), strict=True)
    assert list(pairs) == [(number, number) for number in range(50)]
    assert loops() == 0


def test_it_works_where_a_loop_runs_already_as_in_a_notebook() -> None:
    async def cell() -> list[int]:
        return list(iterate_sync(Stream(end=10).items))

    assert asyncio.run(cell()) == list(range(10))


def test_work_goes_on_while_the_consumer_is_busy() -> None:
    finished = threading.Event()

    async def items() -> AsyncGenerator[int, None]:
        async def work() -> None:
            await asyncio.sleep(0.01)
            finished.set()

        task = asyncio.create_task(work())
        yield 1
        await task

    stream = iterate_sync(items)
    next(stream)
    assert finished.wait(10)  # nobody asks for the next item meanwhile
    assert list(stream) == []


INTERRUPTED = """
    import asyncio, os, signal, threading, time
    from hf_oss_instruct.synthesis.runtime.sync import iterate_sync

    async def items():
        try:
            yield 1
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
            await asyncio.sleep(3600)
        finally:
            print("closed", flush=True)

    try:
        for item in iterate_sync(items):
            print(item, flush=True)
    except KeyboardInterrupt:
        print([t.name for t in threading.enumerate() if t.name == "oss-instruct"])
"""


def test_ctrl_c_while_waiting_closes_the_stream() -> None:
    started = time.monotonic()
    done = program(INTERRUPTED)
    assert (done.stdout.split("\n"), done.stderr) == (["1", "closed", "[]", ""], "")
    assert time.monotonic() - started < 20


LEFT_OPEN = """
    import asyncio
    from hf_oss_instruct.synthesis.runtime.sync import iterate_sync

    async def items():
        while True:
            yield 1
            await asyncio.sleep(0)

    stream = iterate_sync(items)
    print(next(stream), flush=True)
"""


def test_a_program_that_leaves_a_stream_open_still_ends() -> None:
    done = program(LEFT_OPEN, seconds=15)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


LEFT_OPEN_BY_DATASETS = """
    import sys
    import hf_oss_instruct
    from datasets import load_dataset

    rows = iter(load_dataset("oss-instruct", data_dir=sys.argv[1], teacher="comment-function", split="train", streaming=True))
    print(bool(next(rows)["problem"]), flush=True)
"""


def test_a_data_set_that_is_read_half_way_ends_with_its_program_and_says_nothing(tmp_path: Path) -> None:
    function = 'def {}(a, b):\n    """Return a plus b plus {}, as one number that is a sum."""\n    return a + b + {}\n\n'
    code = "".join(function.format(f"add_{n}", n, n) for n in range(9))
    for name in range(5):
        (tmp_path / f"tools_{name}.py").write_text(code.replace("add_", f"add_{name}_"))
    done = program(LEFT_OPEN_BY_DATASETS, str(tmp_path), seconds=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
