"""How plain code reads an async stream: the event loop runs in a thread of its own.

So it works inside notebooks too, where a loop runs already, and requests in flight go on while the consumer is busy.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


def from_plain_code(start: Callable[[], AsyncGenerator[T, None]]) -> Iterator[T]:
    """Items of an async generator, one for each `next`; leaving early closes the generator and its loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="oss-instruct", daemon=True)
    thread.start()
    stream, end = start(), object()
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
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
