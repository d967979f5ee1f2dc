"""How plain code reads an async stream, and async code a plain iterator."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

AT_A_TIME = 64
"""Items read in one go off the loop: a source may wait for a disk or the Hub."""


def from_plain_code(start: Callable[[], AsyncGenerator[T, None]]) -> Iterator[T]:
    """Items of an async generator, one for each `next`; leaving early closes the generator and its loop.

    The loop runs in a thread of its own: this works inside notebooks too, where a loop runs already, and requests in flight
    go on while the consumer is busy.
    """
    stream, end = start(), object()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="oss-instruct", daemon=True)
    thread.start()
    running: asyncio.Task[T | object] | None = None

    async def step() -> T | object:
        nonlocal running
        running = asyncio.current_task()
        return await anext(stream, end)

    async def stop() -> None:
        if running and not running.done():  # a Ctrl-C left it; a generator in use cannot be closed
            running.cancel()
            await asyncio.wait([running])
        await stream.aclose()
        await loop.shutdown_default_executor()

    try:
        while (item := asyncio.run_coroutine_threadsafe(step(), loop).result()) is not end:
            yield item  # type: ignore[misc]  # anything but `end` is a T
    finally:
        # Where the program ends with the stream open, the loop's thread is gone and nobody would answer.
        if not sys.is_finalizing():
            asyncio.run_coroutine_threadsafe(stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def off_the_loop(items: Iterable[T]) -> AsyncGenerator[T, None]:
    """Read a plain iterator in a thread, a handful at a time; an error comes after what was read before it."""
    source = iter(items)

    def some() -> tuple[list[T], Exception | None]:
        read: list[T] = []
        try:
            for item in islice(source, AT_A_TIME):
                read.append(item)
        except Exception as error:
            return read, error
        return read, None

    while True:
        read, error = await asyncio.to_thread(some)
        for item in read:
            yield item
        if error:
            raise error
        if not read:
            return
