"""Read an async stream from synchronous code, and a plain iterator from async code."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Generic, TypeVar

from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.synthesis.runtime.event_loop import new_event_loop

T = TypeVar("T")

END = object()
AT_EXIT_S = 5.0
"""Seconds that the exit of a program waits for an open stream."""
BATCH_ITEMS = 64
"""Items read at a time in a thread, because a source may wait for a disk or the Hub."""


def iterate_sync(start: Callable[[], AsyncGenerator[T, None]]) -> Iterator[T]:
    """Iterate over an async generator. Leaving early closes the generator and its loop.

    The loop runs in its own thread, so that this works inside notebooks, where a loop is running already, and requests in flight
    continue while the consumer is busy. If the program ends with the stream open, it is closed then.
    """
    stream = _Stream(start())
    try:
        while (item := stream.next()) is not END:
            yield item  # type: ignore[misc]  # anything but END is a T
    finally:
        stream.close()


class _Stream(Generic[T]):
    """An async generator and the thread that runs it."""

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items, self._loop = items, new_event_loop()
        self._running: asyncio.Task[T | object] | None = None
        self._closed = False
        self._consumer: int | None = None
        # A daemon, because Python waits for all other threads before it runs `atexit`, which closes the stream.
        self._thread = threading.Thread(target=self._loop.run_forever, name="oss-instruct", daemon=True)
        self._thread.start()
        _open.add(self)

    def next(self) -> T | object:
        """The next item, or END."""
        self._consumer = threading.get_ident()
        return asyncio.run_coroutine_threadsafe(self._step(), self._loop).result()

    def close(self) -> None:
        """Close the generator and end the thread. By the time the interpreter tears down modules, this has been done.

        The garbage collector closes a stream of a reference cycle, in any thread. If it is one that the stream itself runs in or
        waits for, waiting here would never end, so only the consumer waits.
        """
        if self._closed:
            return
        self._closed = True
        if threading.get_ident() == self._consumer:
            self._close()
        else:
            threading.Thread(target=self._close, name="oss-instruct-close", daemon=True).start()

    def _close(self) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        finally:
            self._end()

    def close_at_exit(self) -> None:
        """Close it at exit. Executors are gone by now, and a teacher that hangs is not waited for."""
        self._closed = True
        with suppress(Exception):
            asyncio.run_coroutine_threadsafe(self._stop_items(), self._loop).result(AT_EXIT_S)
            self._end()

    async def _step(self) -> T | object:
        self._running = asyncio.current_task()
        return await anext(self._items, END)

    async def _stop(self) -> None:
        await self._stop_items()
        # A thread may still be reading the source; it ends before its loop is closed.
        await self._loop.shutdown_default_executor()

    async def _stop_items(self) -> None:
        # Left by Ctrl-C; a running generator cannot be closed.
        if self._running and not self._running.done():
            self._running.cancel()
            await asyncio.wait([self._running])
        await self._items.aclose()

    def _end(self) -> None:
        _open.discard(self)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


_open: set[_Stream[Any]] = set()


@atexit.register
def _close_all() -> None:
    for stream in list(_open):
        stream.close_at_exit()


os.register_at_fork(after_in_child=_open.clear)  # their threads only exist in the parent


async def read_in_thread(items: Iterable[T]) -> AsyncGenerator[list[T], None]:
    """Read a plain iterator in a thread, some items at a time; an error is raised after the items before it.

    Raises:
        SeedError: the iterator raised something other than an `Exception`, such as `SystemExit`, which would end the event
            loop instead.
    """
    source = iter(items)

    def read_batch() -> tuple[list[T], Exception | None]:
        read: list[T] = []
        try:
            for item in islice(source, BATCH_ITEMS):
                read.append(item)
        except Exception as error:
            return read, error
        except BaseException as error:
            ended = SeedError(
                f"Reading the seeds ended with {type(error).__name__}. Let the iterator end, or raise an Exception."
            )
            ended.__cause__ = error
            return read, ended
        return read, None

    while True:
        read, error = await asyncio.to_thread(read_batch)
        if read:
            yield read
        if error:
            raise error
        if not read:
            return
