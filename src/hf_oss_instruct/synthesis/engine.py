"""The engine: items → tasks → rows, with bounded concurrency, each answer on disk before it is used, and nothing lost.

    item ─task→ request ─journal or teacher→ completion ─task→ row ─next task→ … → row | rejection     (no answer: pending)

`outcomes` is the whole of it. Items are seeds or rows. Several tasks in a row share one rate limiter, one budget and one journal,
and no item waits for another: it moves on to the next task when its answer is there.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing, suppress
from itertools import count
from typing import Any

from hf_oss_instruct.data import Completion, Outcome, Pending, Rejection, Row, Seed, Skipped
from hf_oss_instruct.errors import RowRejectedError, SeedError, UsageError
from hf_oss_instruct.synthesis.budget import Budget, Usage
from hf_oss_instruct.synthesis.generation import FollowUp, GenerationTask
from hf_oss_instruct.synthesis.journal import Answer, Journal
from hf_oss_instruct.synthesis.ordered_window import Entry, OrderedWindow, Step
from hf_oss_instruct.synthesis.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.request_runner import (
    Admission,
    Answered,
    AttemptResult,
    Refused,
    RequestRunner,
    Retry,
    RetryPolicy,
    TaskState,
    Undecided,
)
from hf_oss_instruct.synthesis.sync import off_the_loop

EARLY_S = 0.002
"""A timer of the event loop may fire that much early."""


async def outcomes(
    items: Iterable[Seed | Row | Skipped],
    tasks: Sequence[GenerationTask[Any]],
    journal: Journal,
    *,
    concurrency: int = 16,
    ahead: int | None = None,
    retry_policy: RetryPolicy | None = None,
    budget: Budget | None = None,
    usage: Usage | None = None,
    stop: asyncio.Event | None = None,
    catch_up: bool = False,
) -> AsyncGenerator[Outcome, None]:
    """What becomes of every item, in the order of the items.

    Args:
        items: seeds or rows; a `Skipped` is handed through in its place.
        tasks: the first is asked about the item, each next one about the row that the one before made of it.
        journal: where answers are kept and looked up.
        concurrency: the most requests in flight.
        ahead: the most items in work, from the one that the consumer waits for; by default as many as `concurrency`. A slow
            answer delays outcomes, not requests.
        retry_policy: when to try again, and when to give up.
        budget: what may be spent.
        usage: what was spent, kept up to date.
        stop: once set, what is in flight is cancelled, what was received is handed out, the rest comes as pending. Closing the
            generator cancels and hands out nothing. What was answered is in the journal either way.
        catch_up: whether a run that stops still looks through all its items for those that earlier sessions answered.

    Raises:
        TeacherError: a teacher cannot go on; raised after everything received has been handed out.
        BudgetReachedError, SeedError: the budget is spent; the source failed or ran out; likewise.
    """
    if concurrency < 1:
        raise UsageError(f"The concurrency must be at least 1, not {concurrency}.")
    limiter, usage = RateLimiter(concurrency), usage or Usage()
    runner = RequestRunner(journal, limiter, retry_policy or RetryPolicy(), budget or Budget(), usage)
    window = OrderedWindow(ahead or concurrency)
    engine = _Engine(tasks, journal, runner, limiter, window, usage, catch_up)
    working = asyncio.create_task(engine.run(items, concurrency, stop))
    working.add_done_callback(lambda _: window.wake())
    try:
        while True:
            while window.entries and window.entries[0].settled:
                yield engine.outcome_of(window.entries[0])
                engine.leave()  # only now, when the consumer came back: until then its place is taken
            if working.done() and not window.entries:
                break
            await window.moved()
        runner.finish()
        if trouble := runner.trouble or working.exception():
            raise trouble
    finally:
        await engine.close(working)


class _Engine:
    """Workers that take the question whose turn it is, send it, and see what its answer makes of the item."""

    def __init__(
        self,
        tasks: Sequence[GenerationTask[Any]],
        journal: Journal,
        runner: RequestRunner,
        limiter: RateLimiter,
        window: OrderedWindow,
        usage: Usage,
        catch_up: bool,
    ) -> None:
        self._tasks, self._journal, self._runner, self._limiter = tuple(tasks), journal, runner, limiter
        self._window, self._usage, self._catch_up = window, usage, catch_up
        self._loop = asyncio.get_running_loop()
        self._fresh: deque[Seed | Row | Skipped] = deque()  # read from the source, not begun
        self._due: list[tuple[float, int, Entry]] = []  # to be asked from a moment on: follow-ups, retries, equal questions
        self._numbers = count()
        self._same: dict[str, list[Entry]] = {}  # key of a question that is asked → entries with the same question
        self._elsewhere: set[Entry] = set()  # whose question another stream of this process asks
        self._short_of_budget: list[Entry] = []
        self._undecided: list[tuple[TaskState, Entry, RowRejectedError]] = []
        self._in_flight = 0
        self._workers: list[asyncio.Task[None]] = []
        self._sleeping: deque[asyncio.Future[None]] = deque()
        self._changed = asyncio.Event()
        self._teachers = {id(task.teacher): task.teacher for task in tasks}

    # A run: read the source, wait until everything is settled.

    async def run(self, items: Iterable[Seed | Row | Skipped], concurrency: int, stop: asyncio.Event | None) -> None:
        """Work until it is known what becomes of every item."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(concurrency)]
        watcher = asyncio.create_task(self._stop_when(stop)) if stop else None
        trouble: SeedError | None = None
        try:
            try:
                await self._read(items)
            except SeedError as error:  # what was read before is still worked on
                trouble = error
            while self._fresh or not self._is_quiet():
                await self._change()
        finally:
            for entry in self._window.entries:
                if not entry.settled:
                    self._give_up(entry)
            for task in (*self._workers, *([watcher] if watcher else [])):
                task.cancel()
        if trouble:
            raise trouble

    async def _read(self, items: Iterable[Seed | Row | Skipped]) -> None:
        """Read the source, a little ahead of the workers."""
        async with aclosing(off_the_loop(items)) as portions:
            async for portion in portions:
                while self._fresh:
                    await self._change()
                if self._runner.closed.is_set() and not self._catch_up:
                    return
                self._fresh.extend(portion)
                self._wake(len(portion))

    async def _change(self) -> None:
        """Wait until anything changes; once the run stops, nobody is asked any more."""
        self._changed.clear()
        if not self._runner.closed.is_set():
            await self._changed.wait()
        if not self._runner.closed.is_set():
            return
        self._drain()
        if not self._catch_up:
            self._fresh.clear()
        while self._fresh and not self._is_full():
            self._begin_without_asking()
        if self._fresh or not self._is_quiet():
            await self._changed.wait()

    def _drain(self) -> None:
        """Settle what waits to be asked; its answer may have come in the meantime."""
        waiting = [*self._short_of_budget, *self._elsewhere]
        self._short_of_budget.clear()
        self._elsewhere.clear()
        while self._due or waiting:
            entry = waiting.pop() if waiting else heapq.heappop(self._due)[2]
            if self._advance(entry):
                self._give_up(entry)

    def _begin_without_asking(self) -> None:
        """Begin an item that only the journal may answer."""
        entry = self._begin()
        if self._advance(entry):
            self._give_up(entry)

    def _is_quiet(self) -> bool:
        return not (self._in_flight or self._due or self._elsewhere or self._short_of_budget)

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._runner.close()
        for worker in self._workers:
            worker.cancel()
        self._changed.set()

    async def close(self, working: asyncio.Task[None]) -> None:
        """Cancel everything, and close the teachers."""
        self._runner.close()
        for task in (working, *self._workers):
            task.cancel()
        await asyncio.gather(working, *self._workers, return_exceptions=True)
        self._journal.release_all()
        for teacher in self._teachers.values():
            await teacher.close()

    # A worker: one question after the other.

    async def _work(self) -> None:
        while not self._runner.closed.is_set():
            if not self._has_work():
                await self._sleep()
                continue
            await self._limiter.acquire()
            entry = None if self._runner.closed.is_set() else self._next()
            if entry is None:
                self._limiter.cancelled()
                self._notice()
                continue
            try:
                await self._ask(entry)
            except Exception as error:
                self._fail(entry, error)
            self._notice()

    def _has_work(self) -> bool:
        return (bool(self._fresh) and not self._is_full()) or self._is_due()

    def _is_due(self) -> bool:
        return bool(self._due) and self._due[0][0] <= time.monotonic() + EARLY_S

    def _is_full(self) -> bool:
        """Whether no item may begin. Where all were refused so far, the window grows until one is answered."""
        return self._window.is_full and not (self._undecided and self._is_quiet())

    def _next(self) -> Entry | None:
        """The next entry to ask about: what is due goes before new items. What the journal knows is settled on the way."""
        while self._has_work():
            entry = heapq.heappop(self._due)[2] if self._is_due() else self._begin()
            if self._advance(entry) and self._claim(entry):
                return entry
        return None

    def _begin(self) -> Entry:
        source = self._fresh.popleft()
        entry = Entry(source, None if isinstance(source, Skipped) else Step(self._tasks[0], source, 0))
        self._window.entries.append(entry)
        if not self._fresh:
            self._changed.set()
        return entry

    def _claim(self, entry: Entry) -> bool:
        """Take on a question, unless it is being asked: then wait for the answer."""
        if entry.asking:
            return True
        if entry.key in self._same:
            self._same[entry.key].append(entry)
            return False
        if not self._journal.claim(entry.key, lambda: self._freed(entry)):
            self._elsewhere.add(entry)
            return False
        self._same[entry.key], entry.asking = [], True
        return True

    async def _ask(self, entry: Entry) -> None:
        """One attempt, if the budget lets it leave."""
        assert entry.step
        request = entry.step.task.request(entry.step.item)
        admission = self._runner.reserve(request)
        if admission is not Admission.NOW:
            self._limiter.cancelled()
            self._short_of_budget.append(entry)
            return
        self._in_flight += 1
        try:
            result = await self._runner.attempt(entry.step.task, request, entry.key, entry.attempts, entry.timeouts)
        except asyncio.CancelledError:
            entry.why = "the run was interrupted"
            self._give_up(entry)
            raise
        finally:
            self._in_flight -= 1
            while self._short_of_budget:
                self._queue(self._short_of_budget.pop())
        self._react(entry, result)

    def _react(self, entry: Entry, result: AttemptResult) -> None:
        """What an attempt means for its item, and for those that were refused before anything was answered."""
        assert entry.step
        state = self._runner.state(entry.step.task)
        if isinstance(result, Answered | Refused):
            self._release(entry)
            self._take(entry, result.completion if isinstance(result, Answered) else result.refusal)
            if not entry.settled:
                self._queue(entry)
        elif isinstance(result, Undecided):
            entry.why = result.refusal.detail
            self._undecided.append((state, entry, result.refusal))
        elif isinstance(result, Retry):
            self._retry(entry, result)
        else:
            self._give_up(entry)
        if state.answers_others:
            self._decide(state)

    def _retry(self, entry: Entry, result: Retry) -> None:
        entry.attempts += 1
        entry.tries += result.counts
        entry.timeouts += result.timed_out
        entry.why = result.why
        if self._runner.goes_on(entry.tries, entry.attempts):
            self._queue(entry, result.pause_s)
        else:
            self._give_up(entry)

    # An item: what its answers make of it.

    def _advance(self, entry: Entry) -> bool:
        """Take an item as far as the journal knows the answers; whether there is a question left to ask."""
        if isinstance(entry.source, Skipped):
            self._window.settle(entry, entry.source)
        try:
            while not entry.settled:
                if (answer := self._recalled(entry)) is None:
                    return True
                self._release(entry)
                self._take(entry, answer)
        except Exception as error:
            self._fail(entry, error)
        return False

    def _recalled(self, entry: Entry) -> Answer | None:
        """What the journal has for an entry's question."""
        assert entry.step
        task, item, _ = entry.step
        entry.key = entry.key or task.key(item)
        answer = self._journal.recall(entry.key, entry.step.seed, task.name)
        if answer is not None and not self._runner.closed.is_set():
            state = self._runner.state(task)
            if not state.answers_others:
                self._runner.others_are_answered(state)
                self._decide(state)
        return answer

    def _take(self, entry: Entry, answer: Answer) -> None:
        """Read an answer: the item is settled, or there is another question about it."""
        assert entry.step
        if isinstance(answer, Completion):
            self._usage.count(answer)
        outcome = self._after(entry.step, answer)
        if isinstance(outcome, Step):
            self._teachers.setdefault(id(outcome.task.teacher), outcome.task.teacher)
            entry.go_on(outcome)
        else:
            self._settle(entry, outcome)

    def _after(self, step: Step, answer: Answer) -> Step | Row | Rejection:
        """What follows from an answer: the next question, or what becomes of the item."""
        task, item, place = step
        if isinstance(answer, RowRejectedError):
            return Rejection(step.seed, answer.reason, answer.detail)
        outcome = task.outcome(item, answer)
        if isinstance(outcome, FollowUp):
            return Step(outcome.task, outcome.item, place)
        if isinstance(outcome, Rejection) or place + 1 == len(self._tasks):
            return outcome
        return Step(self._tasks[place + 1], outcome, place + 1)

    def _decide(self, state: TaskState) -> None:
        """The teacher answers others: what it refused before is refused for good."""
        decided = [(entry, refusal) for one, entry, refusal in self._undecided if one is state]
        self._undecided = [undecided for undecided in self._undecided if undecided[0] is not state]
        for entry, refusal in decided:
            self._release(entry)
            self._take(entry, refusal)

    def _settle(self, entry: Entry, outcome: Row | Rejection | Pending) -> None:
        self._usage.settled += 1
        self._window.settle(entry, outcome)

    def _give_up(self, entry: Entry) -> None:
        """Leave an item without an answer; those with the same question ask it themselves."""
        assert entry.step
        self._settle(entry, Pending(entry.step.seed, entry.why))
        self._release(entry)

    def _fail(self, entry: Entry, error: Exception) -> None:
        """A bug in a task, or a full disk: the run stops, and what was answered is kept."""
        self._runner.close(error)
        if not entry.settled:
            entry.why = f"{type(error).__name__}: {error}"
            self._give_up(entry)

    def outcome_of(self, entry: Entry) -> Outcome:
        """What became of a settled entry: from memory or, where it came long before its turn, once more from the journal."""
        if entry.outcome is not None:
            return entry.outcome
        assert not isinstance(entry.source, Skipped)
        step = Step(self._tasks[0], entry.source, 0)
        while (answer := self._journal.recall(step.task.key(step.item), step.seed, step.task.name)) is not None:
            outcome = self._after(step, answer)
            if not isinstance(outcome, Step):
                return outcome
            step = outcome
        return Pending(step.seed, "the journal was changed while it was in use")

    def leave(self) -> None:
        """Take the first entry out of the window, which makes room for another."""
        self._window.leave()
        self._wake(1)
        if self._runner.closed.is_set():
            self._changed.set()

    # Who waits for what.

    def _queue(self, entry: Entry, pause_s: float = 0.0) -> None:
        """Ask about an entry before new items, after a pause."""
        due = time.monotonic() + pause_s if pause_s else 0.0
        heapq.heappush(self._due, (due, next(self._numbers), entry))
        self._wake_at(due)
        self._notice()

    def _wake_at(self, due: float) -> None:
        if (wait_s := due - time.monotonic()) > EARLY_S:
            self._loop.call_later(wait_s, self._wake_at, due)
        else:
            self._wake(1)

    def _release(self, entry: Entry) -> None:
        """Let go of a question: whoever waits for its answer looks again."""
        if entry.asking:
            entry.asking = False
            self._journal.release(entry.key)
            for same in self._same.pop(entry.key):
                self._queue(same)

    def _freed(self, entry: Entry) -> None:
        """The other stream has its answer, or has given up. Called in its thread."""
        with suppress(RuntimeError):  # our loop is closed
            self._loop.call_soon_threadsafe(self._come_back, entry)

    def _come_back(self, entry: Entry) -> None:
        if entry in self._elsewhere:
            self._elsewhere.discard(entry)
            self._queue(entry)

    async def _sleep(self) -> None:
        """Wait until there may be work."""
        self._sleeping.append(self._loop.create_future())
        await self._sleeping[-1]

    def _wake(self, number: int) -> None:
        while number and self._sleeping:
            sleeper = self._sleeping.popleft()
            if not sleeper.done():
                sleeper.set_result(None)
                number -= 1

    def _notice(self) -> None:
        """Let the run look again, where it may be at its end."""
        if self._runner.closed.is_set() or self._is_quiet():
            self._changed.set()
