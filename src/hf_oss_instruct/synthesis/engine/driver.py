"""The driver of a run: it reads the source slightly ahead of the workers and yields the outcomes in the order of the items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing

from hf_oss_instruct.data import Outcome, Row, Seed, Skipped
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.synthesis.engine.claims import Claims
from hf_oss_instruct.synthesis.engine.items import Items
from hf_oss_instruct.synthesis.engine.ordered_window import Entry, OrderedWindow
from hf_oss_instruct.synthesis.engine.schedule import Schedule
from hf_oss_instruct.synthesis.engine.workers import Workers
from hf_oss_instruct.synthesis.generation.task import Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.requests.request_runner import RequestRunner
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.runtime.sync import read_in_thread

CANCEL_AGAIN_S = 1.0
"""Seconds after which requests that did not end are cancelled once more."""


async def outcomes(
    items: Iterable[Seed | Row | Skipped],
    tasks: Sequence[Task],
    journal: Journal,
    *,
    concurrency: int = 16,
    window_size: int | None = None,
    retry_policy: RetryPolicy | None = None,
    budget: Budget | None = None,
    usage: Usage | None = None,
    stop: asyncio.Event | None = None,
    finish_s: float = 0.0,
    replay_journal: bool = False,
) -> AsyncGenerator[Outcome, None]:
    """The outcome of every item, in the order of the items.

    Args:
        items: seeds or rows; a `Skipped` is passed on in order.
        tasks: the first makes a request about the item, each next one about the row that the one before made of it. Local
            tasks are computed in threads while requests continue.
        journal: where answers are kept and looked up.
        concurrency: the most requests in flight.
        window_size: the most items in work, from the one that the consumer waits for; by default as many as `concurrency`. A slow
            answer delays outcomes, not requests.
        retry_policy: when to retry, and when to give up.
        budget: limits on requests, tokens and cost.
        usage: usage so far, kept up to date.
        stop: once set, no more requests are sent, received rows are yielded, and the rest is yielded as pending. Closing the
            generator cancels and hands out nothing. All answers are in the journal either way.
        finish_s: seconds that requests in flight then have to be answered, before they are cancelled.
        replay_journal: whether a run that stops still looks through all its items for those that earlier sessions answered.

    Raises:
        TeacherError: a teacher cannot continue; raised after everything received has been handed out.
        BudgetReachedError, SeedError: the budget is spent; the source failed or ran out; likewise. So is any other exception of
            the source.
    """
    if concurrency < 1:
        raise UsageError(f"The concurrency must be at least 1, not {concurrency}.")
    limiter, usage = RateLimiter(concurrency), usage or Usage()
    runner = RequestRunner(journal, limiter, retry_policy or RetryPolicy(), budget or Budget(), usage)
    window = OrderedWindow(window_size or concurrency)
    engine = _Engine(tasks, journal, runner, limiter, window, usage, concurrency, replay_journal)
    working = asyncio.create_task(engine.run(items, stop, finish_s))
    # The loop below must also wake up if the engine ends without settling the first entry.
    working.add_done_callback(lambda _: window.wake())
    try:
        while True:
            while window.entries and window.entries[0].settled:
                yield engine.outcome_of(window.entries[0])
                # Only now that the consumer came back: until then the slot is taken.
                engine.leave()
            # It ends before every entry is settled only if it failed itself.
            if working.done() and not (window.entries and window.entries[0].settled):
                break
            await window.wait_for_head()
        runner.finish()
        # Only now, so that everything that was received has been yielded before the error.
        if failure := runner.error or working.exception():
            raise failure
    finally:
        await engine.close(working)


class _Engine:
    """A run: read the source a little ahead of the workers, and wait until every item is settled."""

    def __init__(
        self,
        tasks: Sequence[Task],
        journal: Journal,
        runner: RequestRunner,
        limiter: RateLimiter,
        window: OrderedWindow,
        usage: Usage,
        concurrency: int,
        replay_journal: bool,
    ) -> None:
        self._journal, self._runner, self._window, self._replay_journal = journal, runner, window, replay_journal
        self._schedule = Schedule(runner.closed)
        claims = Claims(journal, self._schedule)
        self._items = Items(tasks, journal, runner, claims, self._schedule, window, usage)
        self._workers = Workers(concurrency, self._schedule, claims, self._items, window, runner, limiter)

    async def run(self, items: Iterable[Seed | Row | Skipped], stop: asyncio.Event | None, finish_s: float) -> None:
        """Work until every item has an outcome."""
        watcher = asyncio.create_task(self._stop_when(stop, finish_s)) if stop else None
        failure: Exception | None = None
        try:
            try:
                await self._read(items)
            except Exception as error:  # from the source; items read before are still processed
                failure = error
            while self._schedule.new_items or not self._schedule.is_quiet:
                await self._change()
        finally:
            self._items.give_up_all()
            self._workers.cancel()
            if watcher:
                watcher.cancel()
        if failure:
            raise failure

    async def _read(self, items: Iterable[Seed | Row | Skipped]) -> None:
        """Read the source, a little ahead of the workers."""
        async with aclosing(read_in_thread(items)) as portions:
            async for portion in portions:
                # The next portion is read when the last one has been started, so that little is read ahead.
                while self._schedule.new_items:
                    await self._change()
                # With `replay_journal` the whole source is read, since the journal may know items that come late in it.
                if self._runner.closed.is_set() and not self._replay_journal:
                    return
                self._schedule.extend(portion)

    async def _change(self) -> None:
        """Wait until anything changes; once the run stops, no requests are sent."""
        # Cleared first, so that a change during the work below is not missed.
        changed = self._schedule.changed
        changed.clear()
        if not self._runner.closed.is_set():
            await changed.wait()
        if not self._runner.closed.is_set():
            return
        # From here on nothing is sent: what is left is settled with the answers that the journal has.
        self._drain()
        if not self._replay_journal:
            self._schedule.new_items.clear()
        while self._schedule.new_items and self._workers.can_start_item:
            self._advance_or_give_up(self._items.begin(self._schedule.next_new_item()))
        # The window is full, or a request is still in flight: the consumer or the request sets it.
        if self._schedule.new_items or not self._schedule.is_quiet:
            await changed.wait()

    def _drain(self) -> None:
        """Settle what waits to be requested; its answer may have come in the meantime."""
        while waiting := self._schedule.take_all_waiting():
            while waiting:
                self._advance_or_give_up(waiting.pop())

    def _advance_or_give_up(self, entry: Entry) -> None:
        """Only the journal may answer now."""
        if self._items.advance(entry):
            self._items.give_up(entry)

    async def _stop_when(self, stop: asyncio.Event, finish_s: float) -> None:
        await stop.wait()
        self._runner.close()
        self._items.local_work.stop()
        self._schedule.changed.set()
        # Requests in flight are paid for, so they get time to be answered before they are cancelled.
        await self._workers.ended(finish_s)
        self._workers.cancel()

    def outcome_of(self, entry: Entry) -> Outcome:
        """The outcome of a settled entry."""
        return self._items.outcome_of(entry)

    def leave(self) -> None:
        """Take the first entry out of the window, which makes room for another."""
        self._window.pop_head()
        self._schedule.wake(1)
        if self._runner.closed.is_set():
            self._schedule.changed.set()

    async def close(self, working: asyncio.Task[None]) -> None:
        """Cancel everything, and close the teachers."""
        self._runner.close()
        working.cancel()
        self._workers.cancel()
        await asyncio.gather(working, return_exceptions=True)
        while not await self._workers.ended(CANCEL_AGAIN_S):
            self._workers.cancel()  # a teacher may have ignored it
        self._items.local_work.close()
        # Other streams of this process may wait for requests that this one has claimed.
        self._journal.release_all()
        # Last, since closing a teacher closes the connections of its requests.
        for teacher in self._items.teachers.values():
            await teacher.close()
