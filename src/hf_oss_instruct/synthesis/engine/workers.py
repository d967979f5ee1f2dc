"""The workers that send requests: as many as there may be requests in flight, each one request after the other."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hf_oss_instruct.errors import TeacherError
from hf_oss_instruct.synthesis.engine.claims import Claims
from hf_oss_instruct.synthesis.engine.items import Items
from hf_oss_instruct.synthesis.engine.ordered_window import Entry, OrderedWindow
from hf_oss_instruct.synthesis.engine.schedule import Schedule
from hf_oss_instruct.synthesis.generation.task import GenerationTask
from hf_oss_instruct.synthesis.requests.attempts import Admission, Answered, AttemptResult, Refused, Retry, TaskState, Undecided
from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.requests.request_runner import RequestRunner

INITIAL_WORKERS = 64
"""Workers at the start; more begin when all are busy."""


class Workers:
    """Workers that take the request whose turn it is, send it, and see what its answer makes of the item.

    Args:
        number: how many.
        schedule: the pending requests.
        claims: which entry sends a request.
        items: the state of the items.
        window: how many items may be in work.
        runner: sends requests.
        limiter: how many, and how often.
    """

    def __init__(
        self,
        number: int,
        schedule: Schedule,
        claims: Claims,
        items: Items,
        window: OrderedWindow,
        runner: RequestRunner,
        limiter: RateLimiter,
    ) -> None:
        self._schedule, self._claims, self._items = schedule, claims, items
        self._window, self._runner, self._limiter = window, runner, limiter
        self._number = number
        self._tasks: list[asyncio.Task[None]] = []
        for _ in range(min(number, INITIAL_WORKERS)):
            self._start_worker()

    @property
    def can_start_item(self) -> bool:
        """Whether a new item may begin. Where all were refused so far, the window grows until one is answered."""
        return not self._window.is_full or (bool(self._items.undecided) and self._schedule.is_quiet)

    def cancel(self) -> None:
        """Cancel the requests in flight."""
        for task in self._tasks:
            task.cancel()

    async def ended(self, within_s: float) -> bool:
        """Wait at most this many seconds until all have ended, and return whether they have."""
        _, running = await asyncio.wait(self._tasks, timeout=within_s)
        return not running

    def _add_worker(self) -> None:
        """Start another worker if all are busy and there is work: batches have many thousands of requests in flight."""
        if len(self._tasks) < self._number and not self._schedule.has_sleepers and self._has_work():
            self._start_worker()

    def _start_worker(self) -> None:
        self._tasks.append(asyncio.create_task(self._work()))
        self._tasks[-1].add_done_callback(self._on_worker_end)

    def _on_worker_end(self, worker: asyncio.Task[None]) -> None:
        """A worker that fails ends the run, which would otherwise wait for its item forever."""
        if not worker.cancelled() and isinstance(error := worker.exception(), Exception):
            self._runner.close(error)
            self._schedule.changed.set()

    async def _work(self) -> None:
        while not self._runner.closed.is_set():
            if not self._has_work():
                await self._schedule.sleep()
                continue
            # The slot comes first: during the wait for it, retries become due, which precede new items.
            await self._limiter.acquire()
            entry = self._next()
            if entry is None:
                self._limiter.cancelled()
                self._schedule.notify_if_idle()
                continue
            self._add_worker()
            try:
                await self._ask(entry)
            except Exception as error:
                self._items.fail(entry, error)
            except SystemExit as error:
                # It would end the event loop, and the consumer would wait forever.
                ended = TeacherError(
                    f"A request ended with SystemExit: {error}. Raise an Exception from the teacher or the task."
                )
                ended.__cause__ = error
                self._items.fail(entry, ended)
            self._schedule.notify_if_idle()

    def _has_work(self) -> bool:
        return (bool(self._schedule.new_items) and self.can_start_item) or self._schedule.is_due

    def _next(self) -> Entry | None:
        """The next entry to request: due ones before new items. Entries that the journal answers are settled in passing."""
        # Looked at each time, because an entry that fails in passing closes the runner.
        while self._has_work() and not self._runner.closed.is_set():
            entry = self._schedule.next_due() if self._schedule.is_due else self._items.begin(self._schedule.next_new_item())
            if self._items.advance(entry) and self._claims.take(entry):
                return entry
        return None

    async def _ask(self, entry: Entry) -> None:
        """One attempt, if the budget lets it leave."""
        assert entry.step
        task = entry.step.task
        assert isinstance(task, GenerationTask)
        request = replace(task.request(entry.step.item), key=entry.key)
        if not task.teacher.embedded and self._runner.reserve(task, request) is not Admission.NOW:
            self._limiter.cancelled()
            # If no request is left that could return budget, the runner is closed now, and the driver gives the entry up.
            self._schedule.waiting_for_budget.append(entry)
            return
        self._schedule.in_flight += 1
        entry.requested = True
        try:
            result = await self._runner.attempt(task, request, entry.key, entry.attempts, entry.timeouts)
        except asyncio.CancelledError:
            entry.why = "the run was interrupted"
            self._items.give_up(entry)
            raise
        finally:
            # Also after an error, or the run would wait for this request forever.
            self._schedule.in_flight -= 1
            self._schedule.retry_budget()
        self._handle_result(entry, self._runner.state(task, request.seed), result)

    def _handle_result(self, entry: Entry, state: TaskState, result: AttemptResult) -> None:
        """The effect of an attempt on its item, and for those that were refused before anything was answered."""
        if isinstance(result, Answered | Refused):
            self._claims.release(entry)
            self._items.set_answer(entry, result.completion if isinstance(result, Answered) else result.refusal)
            self._items.continue_item(entry)
        elif isinstance(result, Undecided):
            entry.why = result.refusal.detail
            self._items.undecided.append((state, entry, result.refusal))
        elif isinstance(result, Retry):
            self._retry(entry, result)
        else:
            self._items.give_up(entry)
        if state.answers_others:
            self._items.decide(state)

    def _retry(self, entry: Entry, result: Retry) -> None:
        entry.attempts += 1
        entry.tries += result.counts
        entry.timeouts += result.timed_out
        entry.why = result.why
        if self._runner.should_retry(entry.tries, entry.attempts):
            self._schedule.queue(entry, result.pause_s)
        else:
            self._items.give_up(entry)
