"""The engine: seeds → prompts → completions → rows, with bounded concurrency and nothing lost.

    seed ─prompt→ request ─journal or teacher→ completion ─parse→ row | rejection     (no answer: pending)

`outcomes` is the whole of it; `synthesize` and `rows` are the same for plain Python code.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hf_oss_instruct.data import Pending, Rejection, Request, Row, Seed, Skipped
from hf_oss_instruct.errors import Refusal, SeedError, TeacherError, UsageError
from hf_oss_instruct.spec.limits import Limits
from hf_oss_instruct.spec.prompts import Prompt
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.budget import Budget, Usage
from hf_oss_instruct.synthesis.generation import PARSERS, OssInstructTask
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.request_runner import RequestRunner, Retry, RetryPolicy, Undecided
from hf_oss_instruct.synthesis.sync import from_plain_code, off_the_loop
from hf_oss_instruct.teachers.parsing import Parser, parse
from hf_oss_instruct.teachers.protocol import Teacher

logger = logging.getLogger(__name__)

Outcome: TypeAlias = Row | Rejection | Pending | Skipped


@dataclass(slots=True, eq=False)
class _Entry:
    """A seed in line. Its answer lies in the journal, not in memory: a line may be long.

    Attributes:
        settled: whether it is known what becomes of the seed.
        refusal: why it is refused, if it is.
        tries: the part of its retry_policy that failed attempts have used up.
        attempts, timeouts: attempts that failed, and those of them that ran out of time.
        why: why there is no answer.
    """

    seed: Seed | Skipped
    key: str = ""
    settled: bool = False
    refusal: Refusal | None = None
    tries: int = 0
    attempts: int = 0
    timeouts: int = 0
    why: str = "the run stopped before it was asked"


async def outcomes(
    seeds: Iterable[Seed | Skipped],
    task: OssInstructTask,
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
    """What becomes of every seed, in seed order.

    At most `concurrency` requests are in flight, and at most `ahead` seeds (by default as many) are in line from the one that the
    consumer waits for: a slow answer delays rows, not sending. Setting `stop` cancels what is in flight and hands out what was
    received, the rest as pending; closing the generator cancels and hands out nothing. What was answered is in the journal
    either way. With `catch_up`, a run that stops still looks through all its seeds for those that earlier sessions answered.

    Raises:
        TeacherError: the teacher cannot go on; raised after everything received has been handed out.
        BudgetReached, SeedError: the budget is spent; the source failed or ran out; likewise.
    """
    if concurrency < 1:
        raise UsageError(f"The concurrency must be at least 1, not {concurrency}.")
    usage, limiter = usage or Usage(), RateLimiter(concurrency)
    runner = RequestRunner(task.teacher, journal, limiter, retry_policy or RetryPolicy(), budget or Budget(), usage)
    line = _OrderedWindow(task, journal, runner, limiter, usage, ahead or concurrency, catch_up)
    sending = asyncio.create_task(line.send(seeds, stop))
    try:
        while True:
            while line.entries and line.entries[0].settled:
                yield line.first()
                line.leave()  # only now, when the consumer came back: until then its place is taken
            if sending.done() and not line.entries:
                break
            await line.moved()
        runner.finish()
        if trouble := runner.trouble or sending.exception():
            raise trouble
    finally:
        await line.close(sending)
        if close := getattr(task.teacher, "close", None):
            await close()


class _OrderedWindow:
    """Seeds in work, in seed order: one end sends them to the runner, the other hands out what became of them."""

    def __init__(
        self,
        task: OssInstructTask,
        journal: Journal,
        runner: RequestRunner,
        limiter: RateLimiter,
        usage: Usage,
        length: int,
        catch_up: bool,
    ) -> None:
        self._task, self._journal, self._runner, self._limiter, self._usage = task, journal, runner, limiter, usage
        self._length = length
        self.entries: deque[_Entry] = deque()
        self._catch_up = catch_up
        self._again: list[tuple[float, int, _Entry]] = []
        self._asking: dict[str, list[_Entry]] = {}
        self._undecided: list[tuple[_Entry, Refusal]] = []
        self._elsewhere: set[_Entry] = set()
        self._loop = asyncio.get_running_loop()
        self._attempts: set[asyncio.Task[None]] = set()
        self._head_moved, self._work = asyncio.Event(), asyncio.Event()

    async def moved(self) -> None:
        """Wait until something was settled."""
        await self._head_moved.wait()
        self._head_moved.clear()

    def leave(self) -> None:
        """Take the first in line out."""
        self.entries.popleft()
        self._work.set()

    def first(self) -> Outcome:
        """What became of the first in line."""
        entry = self.entries[0]
        if isinstance(entry.seed, Skipped):
            return entry.seed
        answer = entry.refusal or (self._journal.recall(entry.key, entry.seed) if entry.key else None)
        if answer is None:
            return Pending(entry.seed, entry.why)
        if isinstance(answer, Refusal):
            return Rejection(entry.seed, answer.reason, answer.detail)
        self._usage.count(answer)
        return self._task.outcome(entry.seed, answer)

    async def send(self, seeds: Iterable[Seed | Skipped], stop: asyncio.Event | None) -> None:
        """Send every seed in its turn, and again where that is due, until all are settled."""
        watcher = asyncio.create_task(self._stop_when(stop)) if stop else None
        trouble: SeedError | None = None
        try:
            try:
                await self._send_all(seeds)
            except SeedError as error:  # what was sent before is still waited for
                trouble = error
            while self._again or self._attempts or self._elsewhere:
                await self._due_or_change()
        finally:
            for entry in self.entries:
                entry.settled = True
            self._head_moved.set()
            if watcher:
                watcher.cancel()
        if trouble:
            raise trouble

    async def _send_all(self, seeds: Iterable[Seed | Skipped]) -> None:
        async for seed in off_the_loop(seeds):
            while self._full():
                await self._due_or_change()
            entry = _Entry(seed)
            self.entries.append(entry)
            if self._runner.closed.is_set() and not self._catch_up:
                return
            await self._enter(entry)
            await self._send_due()

    def _full(self) -> bool:
        """Whether the line is as long as it may be. Where all were refused so far, it grows until one is answered."""
        waiting = self._undecided and not (self._attempts or self._again or self._elsewhere)
        return len(self.entries) >= self._length and not waiting

    async def close(self, sending: asyncio.Task[None]) -> None:
        """Cancel everything."""
        self._runner.close()
        for task in (sending, *self._attempts):
            task.cancel()
        await asyncio.gather(sending, *self._attempts, return_exceptions=True)
        self._journal.release_all()

    async def _enter(self, entry: _Entry) -> None:
        """Ask, unless the journal knows the answer or the same question is being asked."""
        if isinstance(entry.seed, Skipped):
            return self._settle(entry)
        entry.key = self._task.key(entry.seed)
        if entry.key in self._journal:
            if not self._runner.answers_others and not self._runner.closed.is_set():
                self._runner.others_are_answered()
                self._decide()
            self._settle(entry)
        elif entry.key in self._asking:
            self._asking[entry.key].append(entry)
        else:
            self._asking[entry.key] = [entry]
            await self._ask_once(entry)

    async def _ask_once(self, entry: _Entry) -> None:
        """Ask, unless another stream of this process does: then wait for its answer."""
        if entry.key in self._journal:
            self._settle(entry)
        elif self._journal.claim(entry.key, lambda: self._freed(entry)):
            await self._ask(entry)
        else:
            self._elsewhere.add(entry)

    def _freed(self, entry: _Entry) -> None:
        """The other stream has its answer, or has given up. Called in its thread."""
        with suppress(RuntimeError):  # our loop is closed
            self._loop.call_soon_threadsafe(self._come_back, entry)

    def _come_back(self, entry: _Entry) -> None:
        if entry in self._elsewhere:
            self._elsewhere.discard(entry)
            heapq.heappush(self._again, (time.monotonic(), id(entry), entry))
            self._work.set()

    async def _ask(self, entry: _Entry) -> None:
        """One attempt, as soon as there are a slot and the means for it."""
        assert isinstance(entry.seed, Seed)
        request = self._task.request(entry.seed)
        await self._limiter.slot()
        while not self._runner.closed.is_set() and (may := self._runner.reserve(request)) is not True:
            self._limiter.cancelled()
            if may is None:
                self._work.clear()
                await self._work.wait()
            await self._limiter.slot()
        if self._runner.closed.is_set():
            self._limiter.cancelled()
            return self._settle(entry)
        task = asyncio.create_task(self._attempt(entry, request))
        self._attempts.add(task)
        task.add_done_callback(self._attempt_ended)

    def _attempt_ended(self, task: asyncio.Task[None]) -> None:
        self._attempts.discard(task)
        self._work.set()

    async def _attempt(self, entry: _Entry, request: Request) -> None:
        try:
            result = await self._runner.attempt(request, entry.key, entry.attempts, entry.timeouts)
        except asyncio.CancelledError:
            entry.why = "the run was interrupted"
            self._settle(entry)
            raise
        if isinstance(result, Retry):
            entry.attempts += 1
            entry.tries += result.counts
            entry.timeouts += result.timed_out
            entry.why = result.why
            if self._runner.goes_on(entry.tries, entry.attempts):
                heapq.heappush(self._again, (time.monotonic() + result.pause_s, id(entry), entry))
                return
        elif isinstance(result, Undecided):
            entry.why = result.refusal.detail
            self._undecided.append((entry, result.refusal))
            return
        elif isinstance(result, Refusal):
            entry.refusal = result
        if self._runner.answers_others:
            self._decide()
        self._settle(entry)

    def _decide(self) -> None:
        """The teacher answers others: what it refused before is refused for good."""
        for entry, refusal in self._undecided:
            entry.refusal = refusal
            self._settle(entry)
        self._undecided.clear()

    def _settle(self, entry: _Entry) -> None:
        """It is known what becomes of a seed, and of those with the same question; without an answer, they ask themselves."""
        self._journal.release(entry.key)
        self._usage.settled += isinstance(entry.seed, Seed)
        entry.settled = True
        same = [other for other in self._asking.pop(entry.key, ()) if other is not entry]
        self._head_moved.set()
        if not same:
            return
        if entry.refusal or entry.key in self._journal or self._runner.closed.is_set():
            self._usage.settled += len(same)
            for other in same:
                other.settled, other.refusal = True, entry.refusal
        else:
            self._asking[entry.key] = same
            heapq.heappush(self._again, (time.monotonic(), id(same[0]), same[0]))

    async def _send_due(self) -> None:
        """Retries take turns with new seeds: those that are due go first."""
        while self._again and (self._runner.closed.is_set() or self._again[0][0] <= time.monotonic()):
            _, _, entry = heapq.heappop(self._again)
            if self._runner.closed.is_set():
                self._settle(entry)
            else:
                await self._ask_once(entry)
        while self._elsewhere and self._runner.closed.is_set():
            self._settle(self._elsewhere.pop())

    async def _due_or_change(self) -> None:
        """Send what is due, then wait until something else is, or anything changes."""
        self._work.clear()  # first: whatever changes from here on is noticed
        await self._send_due()
        if self._again or self._attempts or self._elsewhere or self._full():
            wait_s = max(self._again[0][0] - time.monotonic(), 0.0) if self._again else None
            with suppress(TimeoutError):
                await asyncio.wait_for(self._work.wait(), wait_s)

    async def _stop_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._runner.close()
        for task in self._attempts:
            task.cancel()
        self._work.set()


def synthesize(
    seeds: Iterable[Seed],
    teacher: Teacher,
    *,
    prompt: Prompt | None = None,
    sampling: Sampling | None = None,
    parser: Parser | str = parse,
    keep_reasoning: bool = False,
    limits: Limits | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    journal: str | Path | None = None,
    on_left_out: Callable[[Rejection | Pending | Skipped], None] | None = None,
) -> Iterator[Row]:
    """OSS-Instruct rows, lazily: a row is asked for when it is needed, at most `concurrency` − 1 ahead.

    Args:
        seeds: seed snippets, such as `read_seeds` gives.
        teacher: who answers.
        prompt: template; ours by default.
        sampling: sampling parameters; the paper's by default.
        parser: how an answer is read: `default`, `magicoder` for the paper's exact rule, or a function of your own.
        keep_reasoning: put a reasoning model's thoughts into the column `reasoning`.
        limits: what may be spent.
        concurrency: requests in flight at once.
        timeout: deadline of one request, in seconds; None learns one from the answers.
        journal: folder that keeps every answer, so that none is paid for twice; one below `$HF_HOME` by default.
        on_left_out: called with everything that does not become a row; without it a warning at the end counts them.

    Yields:
        Kept rows, in seed order. Duplicates are not looked for: that needs the whole set.

    Raises:
        TeacherError: the teacher cannot go on.
        SeedError: the source failed, or ran out before it gave what was asked for.
        RunError: the journal cannot be written.

    Source:
        Magicoder, arXiv 2312.02120, section 2.1.
    """
    rule = PARSERS[parser] if isinstance(parser, str) else parser
    task = OssInstructTask(teacher, prompt or Prompt.default(), sampling or Sampling(), rule, keep_reasoning=keep_reasoning)
    return rows(seeds, task, concurrency=concurrency, timeout=timeout, journal=journal, limits=limits, on_left_out=on_left_out)


def rows(
    seeds: Iterable[Seed],
    task: OssInstructTask,
    *,
    concurrency: int = 16,
    timeout: float | None = None,
    journal: str | Path | None = None,
    limits: Limits | None = None,
    complete: bool = False,
    on_left_out: Callable[[Rejection | Pending | Skipped], None] | None = None,
) -> Iterator[Row]:
    """What `synthesize` does, for a task that is put together already, within limits.

    Raises:
        TeacherError: also at the end, if a seed has no answer although the rows were to be `complete`.
    """
    left_out: Counter[str] = Counter()
    limits = limits or Limits()
    retry_policy = RetryPolicy(give_up_after_s=limits.give_up_after, deadline_s=timeout)

    def stream_of(answers: Journal) -> AsyncGenerator[Outcome, None]:
        return outcomes(seeds, task, answers, concurrency=concurrency, retry_policy=retry_policy, budget=Budget(limits))

    async def made() -> AsyncGenerator[Outcome, None]:  # the journal is closed with the stream, also at the end of a program
        with Journal(Path(journal) if journal else task.journal_home) as answers:
            async with aclosing(stream_of(answers)) as stream:
                async for outcome in stream:
                    yield outcome

    for outcome in from_plain_code(made):
        if isinstance(outcome, dict):
            yield outcome
        elif on_left_out:
            on_left_out(outcome)
        elif not isinstance(outcome, Skipped):
            left_out[outcome.reason if isinstance(outcome, Rejection) else "pending"] += 1
    if left_out:
        counts = ", ".join(f"{number} {reason}" for reason, number in left_out.most_common())
        logger.warning("Seeds that gave no row: %s.", counts)
    if complete and left_out["pending"]:
        raise TeacherError(f"{left_out['pending']:,} seeds have no answer yet. What was received is kept; the same call goes on.")
