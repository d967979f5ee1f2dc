"""The method: seeds → prompts → completions → rows, with bounded concurrency and nothing lost.

    seed ─prompt→ request ─journal or teacher→ completion ─parse→ row | rejection     (no answer: pending)

`outcomes` is the whole of it; `synthesize` is the same for plain Python code.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias, cast

from hf_oss_instruct.data import (
    SCHEMA,
    Completion,
    Pair,
    Pending,
    Rejection,
    Request,
    Row,
    Seed,
    Skipped,
    digest,
    provenance_columns,
)
from hf_oss_instruct.errors import OssInstructError, Refusal, RunError, SeedError, TeacherError, TryAgain
from hf_oss_instruct.synthesis.bridge import from_plain_code
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.parsing import Parser, parse
from hf_oss_instruct.synthesis.prompts import Prompt
from hf_oss_instruct.synthesis.teacher import Sampling, Teacher

logger = logging.getLogger(__name__)

Outcome: TypeAlias = Row | Rejection | Pending | Skipped
SEEDS_AT_A_TIME = 64
"""Seeds read from the source in one go, off the event loop: a source may wait for a disk or the Hub."""
REFUSALS_TO_STOP = 16
"""If so many first answers are all HTTP 400 or 422, the request is wrong, not the row."""


@dataclass(frozen=True)
class Method:
    """Everything that decides which row a seed becomes.

    Attributes:
        teacher: who answers.
        prompt: what it is asked.
        sampling: sampling parameters.
        parser: how its answer is read.
        numbered: the server's random seed is rng_seed + index, as in the paper, instead of a hash of the seed's id.
    """

    teacher: Teacher
    prompt: Prompt = field(default_factory=Prompt.default)
    sampling: Sampling = field(default_factory=Sampling)
    parser: Parser = parse
    numbered: bool = False

    @property
    def journal_home(self) -> Path:
        """Where answers to this teacher, prompt and sampling are kept when no run folder holds them."""
        name = digest(self.teacher.identity, self.prompt.hash, self.sampling.as_sent(0))
        home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
        return Path(home).expanduser() / "oss-instruct" / "journal" / name

    def request(self, seed: Seed) -> Request:
        """The question that a seed becomes."""
        number = seed.rng_seed + seed.index if self.numbered else int(seed.seed_id[:7], 16)
        return Request(seed, self.prompt.messages(seed.snippet), self.sampling.as_sent(number))

    def key(self, request: Request) -> str:
        """The key of the answer in the journal: 32 hex digits."""
        identity = self.teacher.identity
        return digest(request.seed.seed_id, self.prompt.hash, identity, request.sampling, request.attempt)

    def row(self, request: Request, completion: Completion, pair: Pair) -> Row:
        """The row of an accepted pair; columns of later checks are null."""
        columns = dict.fromkeys(SCHEMA.names) | provenance_columns(request.seed)
        columns |= {
            "problem": pair.problem,
            "solution": pair.solution,
            "teacher": self.teacher.identity,
            "prompt_hash": self.prompt.hash,
            "openai_fingerprint": completion.fingerprint,
            "sampling": json.dumps(request.sampling, sort_keys=True),
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
        }
        return cast(Row, columns)


@dataclass(frozen=True, slots=True)
class Patience:
    """When to try again, and when to give up.

    Attributes:
        tries: attempts for one row; then it stays pending.
        first_pause_s, longest_pause_s: bounds of the exponential pause between attempts, in seconds.
        give_up_after_s: the run stops when nothing was answered for so long and requests keep failing.
        tries_to_reach: attempts of one row to reach a server that nobody has reached yet; then the run stops.
    """

    tries: int = 8
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    give_up_after_s: float = 300.0
    tries_to_reach: int = 4

    def pause_s(self, attempt: int, asked_for_s: float | None) -> float:
        """Seconds to wait after a failed attempt: what the server asks for, else exponential; both with jitter."""
        longest = min(self.first_pause_s * 2.0**attempt, self.longest_pause_s)
        return (asked_for_s or 0.0) + random.uniform(0.5, 1.0) * longest


@dataclass
class Spent:
    """What a run asked of the teacher, retries included."""

    requests_sent: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


async def outcomes(
    seeds: Iterable[Seed | Skipped],
    method: Method,
    journal: Journal,
    *,
    concurrency: int = 16,
    ahead: int | None = None,
    patience: Patience = Patience(),
    spent: Spent | None = None,
    stop: asyncio.Event | None = None,
) -> AsyncGenerator[Outcome, None]:
    """What becomes of every seed, in seed order.

    At most `concurrency` requests are in flight, and at most `ahead` seeds (by default as many) are beyond the one that the
    consumer waits for. Setting `stop` cancels what is in flight and hands out what was received, the rest as pending; closing
    the generator cancels and hands out nothing. What was answered is in the journal either way.

    Raises:
        TeacherError: the teacher cannot go on; raised after everything received has been handed out.
        SeedError: the source failed or ran out; likewise.
    """
    desk = _Desk(method, journal, asyncio.Semaphore(concurrency), patience, spent or Spent())
    waiting: deque[tuple[Seed | Skipped, asyncio.Task[Outcome]]] = deque()
    watcher = asyncio.create_task(_cancel_when(stop, desk, waiting)) if stop else None
    trouble: SeedError | None = None
    try:
        try:
            async for seed in _off_the_loop(seeds):
                waiting.append((seed, asyncio.create_task(desk.outcome(seed))))
                while waiting and (waiting[0][1].done() or len(waiting) >= (ahead or concurrency)):
                    outcome = await _settled(*waiting[0], stop)  # still in line, so that `stop` reaches it
                    waiting.popleft()
                    yield outcome
                if desk.closed.is_set():
                    break
        except SeedError as error:
            trouble = error
        while waiting:
            outcome = await _settled(*waiting[0], stop)
            waiting.popleft()
            yield outcome
        if desk.trouble or trouble:
            raise desk.trouble or trouble  # type: ignore[misc]  # one of them is an error
    finally:
        unfinished = [task for _, task in waiting] + ([watcher] if watcher else [])
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if close := getattr(method.teacher, "close", None):
            await close()


async def _cancel_when(stop: asyncio.Event, desk: _Desk, waiting: deque[tuple[Seed | Skipped, asyncio.Task[Outcome]]]) -> None:
    await stop.wait()
    desk.closed.set()
    for _, task in waiting:
        task.cancel()


async def _settled(seed: Seed | Skipped, task: asyncio.Task[Outcome], stop: asyncio.Event | None) -> Outcome:
    """What came of one seed; pending if the run was stopped before it was answered."""
    if stop and stop.is_set():
        task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        if stop and stop.is_set() and task.cancelled() and isinstance(seed, Seed):
            return Pending(seed, "the run was interrupted")
        raise


def synthesize(
    seeds: Iterable[Seed],
    teacher: Teacher,
    *,
    prompt: Prompt | None = None,
    sampling: Sampling | None = None,
    parser: Parser = parse,
    concurrency: int = 16,
    journal: str | Path | None = None,
    on_left_out: Callable[[Rejection | Pending | Skipped], None] | None = None,
) -> Iterator[Row]:
    """OSS-Instruct rows, lazily: a row is asked for when it is needed, at most `concurrency` − 1 ahead.

    Args:
        seeds: seed snippets, such as `read_seeds` gives.
        teacher: who answers.
        prompt: template; ours by default.
        sampling: sampling parameters; the paper's by default.
        parser: `parse`, or `parse_magicoder` for the paper's exact rule.
        concurrency: requests in flight at once.
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
    method = Method(teacher, prompt or Prompt.default(), sampling or Sampling(), parser)
    left_out: Counter[str] = Counter()
    with Journal(Path(journal) if journal else method.journal_home) as answers:
        for outcome in from_plain_code(lambda: outcomes(seeds, method, answers, concurrency=concurrency)):
            if isinstance(outcome, dict):
                yield outcome
            elif on_left_out:
                on_left_out(outcome)
            elif not isinstance(outcome, Skipped):
                left_out[outcome.reason if isinstance(outcome, Rejection) else "pending"] += 1
    if left_out:
        counts = ", ".join(f"{number} {reason}" for reason, number in left_out.most_common())
        logger.warning("Seeds that gave no row: %s. Pass on_left_out= to see each.", counts)


class _Desk:
    """Takes questions to the journal or the teacher, and knows when to stop asking."""

    def __init__(self, method: Method, journal: Journal, slots: asyncio.Semaphore, patience: Patience, spent: Spent) -> None:
        self._method, self._journal, self._slots, self._patience, self._spent = method, journal, slots, patience, spent
        self._asking: dict[str, asyncio.Event] = {}
        self._answered = self._refused = 0
        self._last_answer = time.monotonic()
        self.closed = asyncio.Event()
        self.trouble: OssInstructError | None = None

    async def outcome(self, seed: Seed | Skipped) -> Outcome:
        if isinstance(seed, Skipped):
            return seed
        request, received = self._method.request(seed), None
        try:
            completion = await self._once(request)
            if isinstance(completion, Pending):
                return completion
            received = completion.text
            return self._method.row(request, completion, self._method.parser(completion))
        except Refusal as refusal:
            return Rejection(seed, refusal.reason, refusal.detail, received)

    async def _once(self, request: Request) -> Completion | Pending:
        """Ask each question once, also when two seeds are the same snippet."""
        key = self._method.key(request)
        while key in self._asking:
            await self._asking[key].wait()
        answer = self._journal.recall(key) or await self._ask_alone(request, key)
        if isinstance(answer, Refusal):
            raise answer
        if isinstance(answer, Completion):
            self._spent.prompt_tokens += answer.prompt_tokens or 0
            self._spent.completion_tokens += answer.completion_tokens or 0
        return answer

    async def _ask_alone(self, request: Request, key: str) -> Completion | Refusal | Pending:
        done = self._asking[key] = asyncio.Event()
        try:
            return await self._ask(request, key)
        finally:
            del self._asking[key]
            done.set()

    async def _ask(self, request: Request, key: str) -> Completion | Refusal | Pending:
        why = "the run stopped before it was asked"
        for attempt in range(self._patience.tries):
            try:
                async with self._slots:  # no slot is held while a retry waits for its turn
                    if self.closed.is_set():
                        break
                    self._spent.requests_sent += 1
                    answer: Completion | Refusal = await self._method.teacher.complete(request)
            except Refusal as refusal:
                answer = refusal
            except TryAgain as error:
                why = str(error)
                self._worry(attempt, error)
                await self._pause(self._patience.pause_s(attempt, error.after_s))
                continue
            except TeacherError as error:
                self._close(error)
                why = str(error)
                break
            try:
                self._journal.append(key, answer)
            except RunError as error:  # an answer that cannot be kept must not be followed by more that are paid for
                self._close(error)
                why = str(error)
                break
            self._note(answer)
            return answer
        return Pending(request.seed, why)

    def _note(self, answer: Completion | Refusal) -> None:
        self._last_answer = time.monotonic()
        if isinstance(answer, Refusal) and answer.reason == "refused":
            self._refused += 1
            if self._refused == REFUSALS_TO_STOP and not self._answered:
                self._close(
                    TeacherError(f"The first {self._refused} requests were all refused: {answer.detail}. Check the request.")
                )
        else:
            self._answered += 1

    def _worry(self, attempt: int, error: TryAgain) -> None:
        never = not (error.reached or self._answered or self._refused)
        if never and attempt + 1 >= self._patience.tries_to_reach:
            self._close(TeacherError(f"The teacher cannot be reached: {error}. Start the server, or check --base-url."))
        silent_s = time.monotonic() - self._last_answer
        if silent_s > self._patience.give_up_after_s:
            self._close(TeacherError(f"Nothing was answered for {silent_s:.0f} s; last: {error}. Run it again to go on."))

    def _close(self, error: OssInstructError) -> None:
        self.trouble = self.trouble or error
        self.closed.set()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.closed.wait(), seconds)
        except TimeoutError:
            pass


async def _off_the_loop(seeds: Iterable[Seed | Skipped]) -> AsyncGenerator[Seed | Skipped, None]:
    """Read a plain iterator in a thread, a handful at a time; an error comes after what was read before it."""
    source = iter(seeds)

    def some() -> tuple[list[Seed | Skipped], Exception | None]:
        read: list[Seed | Skipped] = []
        try:
            for seed in islice(source, SEEDS_AT_A_TIME):
                read.append(seed)
        except Exception as error:
            return read, error
        return read, None

    while True:
        read, error = await asyncio.to_thread(some)
        for seed in read:
            yield seed
        if error:
            raise error
        if not read:
            return
