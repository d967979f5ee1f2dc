"""Rows one at a time, for plain Python code: a row is asked for when it is needed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path

from hf_oss_instruct.data import Outcome, Pending, Rejection, Row, Seed, Skipped
from hf_oss_instruct.errors import TeacherError
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.prompts import Prompt
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.budget import Budget
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation import GenerationTask
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.oss_instruct import PARSERS, OssInstructTask
from hf_oss_instruct.synthesis.request_runner import RetryPolicy
from hf_oss_instruct.synthesis.sync import from_plain_code
from hf_oss_instruct.teachers.parsing import Parser, parse
from hf_oss_instruct.teachers.protocol import Teacher

logger = logging.getLogger(__name__)


def synthesize(
    seeds: Iterable[Seed],
    teacher: Teacher,
    *,
    prompt: Prompt | None = None,
    sampling: Sampling | None = None,
    parser: Parser | str = parse,
    keep_reasoning: bool = False,
    limits: RunLimits | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    then: Sequence[GenerationTask[Row]] = (),
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
        then: generation tasks that each row goes through before it is handed out, such as a judge.
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
    return rows(
        seeds, task, then=then, journal=journal, on_left_out=on_left_out, concurrency=concurrency, timeout=timeout, limits=limits
    )


def rows(
    seeds: Iterable[Seed],
    task: OssInstructTask,
    *,
    then: Sequence[GenerationTask[Row]] = (),
    concurrency: int = 16,
    timeout: float | None = None,
    journal: str | Path | None = None,
    limits: RunLimits | None = None,
    complete: bool = False,
    on_left_out: Callable[[Rejection | Pending | Skipped], None] | None = None,
) -> Iterator[Row]:
    """What `synthesize` does, for a task that is put together already, within limits.

    Raises:
        TeacherError: also at the end, if a seed has no answer although the rows were to be `complete`.
    """
    left_out: Counter[str] = Counter()
    limits = limits or RunLimits()
    retry_policy = RetryPolicy(give_up_after_s=limits.give_up_after, deadline_s=timeout)

    def stream_of(answers: Journal) -> AsyncGenerator[Outcome, None]:
        return outcomes(seeds, (task, *then), answers, concurrency=concurrency, retry_policy=retry_policy, budget=Budget(limits))

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
