"""Run local tasks in threads, without blocking the event loop or any request."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hf_oss_instruct.data import Pending, Rejection, Row
from hf_oss_instruct.synthesis.engine.ordered_window import Entry
from hf_oss_instruct.synthesis.engine.schedule import Schedule
from hf_oss_instruct.synthesis.generation.task import FollowUp, LocalTask


class LocalWork:
    """Runs local tasks on one thread per processor.

    Args:
        schedule: counts the tasks in work, because the run is not over before they are done.
        done: called in the event loop with an entry and its task's result, or the exception that it raised.

    Attributes:
        tasks: all local tasks that were met, by id.
    """

    def __init__(
        self, schedule: Schedule, done: Callable[[Entry, Row | FollowUp | Rejection | Pending | Exception], None]
    ) -> None:
        self._schedule, self._done = schedule, done
        self._loop = asyncio.get_running_loop()
        self._pool: ThreadPoolExecutor | None = None
        self._closed = False
        self.tasks: dict[int, LocalTask[Any]] = {}

    def begin(self, entry: Entry) -> None:
        """Start the local task whose turn it is with an entry, unless it is at work already."""
        if entry.computing:
            return
        assert entry.step
        assert isinstance(entry.step.task, LocalTask)
        if self._pool is None:
            # The processors that this process may use: a batch system may have assigned fewer than the machine has.
            self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="oss-instruct-local")
        entry.computing = entry.computed = True
        self._schedule.in_flight += 1
        future = self._loop.run_in_executor(self._pool, entry.step.task.compute, entry.step.item)
        future.add_done_callback(lambda done: self._ended(entry, done))

    def stop(self) -> None:
        """Let running work end soon; what waits its turn is looked at, and is pending unless it is known."""
        for task in self.tasks.values():
            task.stop()

    def close(self) -> None:
        """Start nothing more, and wait for nothing."""
        self._closed = True
        if self._pool is not None:
            self.stop()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _ended(self, entry: Entry, future: asyncio.Future[Any]) -> None:
        entry.computing = False
        self._schedule.in_flight -= 1
        error = None if future.cancelled() else future.exception()
        # After the end its entry was given up already, and nobody takes the result.
        if future.cancelled() or self._closed or entry.settled:
            return
        if error is not None and not isinstance(error, Exception):
            # Such as KeyboardInterrupt: it ends the process instead of failing an item.
            raise error
        self._done(entry, error or future.result())
        self._schedule.notify_if_idle()
