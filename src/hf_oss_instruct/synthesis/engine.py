"""The method: seeds → prompts → completions → rows, with bounded concurrency and nothing lost.

    seed ─prompt→ request ─journal or teacher→ completion ─parse→ row | rejection     (no answer: pending)

`outcomes` is the whole of it; `synthesize` is the same for plain Python code.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from hf_oss_instruct.data import Pending, Rejection, Row, Seed, Skipped
from hf_oss_instruct.errors import OssInstructError, Refusal, SeedError, UsageError
from hf_oss_instruct.synthesis.asking import Desk, Patience, Spent
from hf_oss_instruct.synthesis.bridge import from_plain_code, off_the_loop
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.method import Method
from hf_oss_instruct.synthesis.parsing import Parser, parse
from hf_oss_instruct.synthesis.prompts import Prompt
from hf_oss_instruct.synthesis.teacher import Sampling, Teacher

logger = logging.getLogger(__name__)

Outcome: TypeAlias = Row | Rejection | Pending | Skipped
Line: TypeAlias = deque[tuple[Seed | Skipped, asyncio.Task[Outcome]]]
"""Seeds in work, in seed order."""


async def outcomes(
    seeds: Iterable[Seed | Skipped],
    method: Method,
    journal: Journal,
    *,
    concurrency: int = 16,
    ahead: int | None = None,
    patience: Patience | None = None,
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
    if concurrency < 1:
        raise UsageError(f"The concurrency must be at least 1, not {concurrency}.")
    desk = Desk(method, journal, asyncio.Semaphore(concurrency), patience or Patience(), spent or Spent())
    line: Line = deque()
    watcher = asyncio.create_task(_cancel_when(stop, desk, line)) if stop else None
    trouble: OssInstructError | None = None

    async def first_in_line() -> Outcome:
        outcome = await _settled(*line[0], stop)
        line.popleft()  # only now: while it is in line, `stop` reaches it
        return outcome

    try:
        try:
            async for seed in off_the_loop(seeds):
                line.append((seed, asyncio.create_task(_outcome(seed, method, desk))))
                while line and (line[0][1].done() or len(line) >= (ahead or concurrency)):
                    yield await first_in_line()
                if desk.closed.is_set():
                    break
        except SeedError as error:
            trouble = error
        while line:
            yield await first_in_line()
        if trouble := desk.trouble or trouble:
            raise trouble
    finally:
        unfinished = [task for _, task in line] + ([watcher] if watcher else [])
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if close := getattr(method.teacher, "close", None):
            await close()


async def _outcome(seed: Seed | Skipped, method: Method, desk: Desk) -> Outcome:
    if isinstance(seed, Skipped):
        return seed
    request, received = method.request(seed), None
    try:
        completion = await desk.answer(request)
        if isinstance(completion, Pending):
            return completion
        received = completion.text
        return method.row(request, completion, method.parser(completion))
    except Refusal as refusal:
        return Rejection(seed, refusal.reason, refusal.detail, received)


async def _cancel_when(stop: asyncio.Event, desk: Desk, line: Line) -> None:
    await stop.wait()
    desk.closed.set()
    for _, task in line:
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
