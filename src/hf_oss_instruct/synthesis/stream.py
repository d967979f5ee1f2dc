"""Rows one at a time for synchronous Python code: a row is requested when it is needed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from hf_oss_instruct.data import Outcome, Pending, Rejection, Row, Seed, Skipped, is_row
from hf_oss_instruct.errors import TeacherError, UsageError
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.prompts import SECTIONS, Prompt, PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.concepts import pair_task
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask, check_seeds
from hf_oss_instruct.synthesis.generation.task import GenerationTask, Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.runtime.sync import iterate_sync
from hf_oss_instruct.synthesis.verifying import Prepare, Verification, open_verification
from hf_oss_instruct.teachers.parsing import Parser, parse
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.verification.memo import Verdicts

VERDICTS = "verdicts"
"""Folder next to a stream's journal with the results of programs that were run."""
logger = logging.getLogger(__name__)


def synthesize(
    seeds: Iterable[Seed],
    teacher: Teacher,
    *,
    prompt: Prompt | None = None,
    sampling: Sampling | None = None,
    parser: Parser | str = "default",
    keep_reasoning: bool = False,
    answer_format: str = SECTIONS,
    concepts: bool = False,
    style: str | None = None,
    limits: RunLimits | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    then: Sequence[GenerationTask[Row]] = (),
    verification: VerificationSpec | None = None,
    journal: str | Path | None = None,
    on_left_out: Callable[[Rejection | Pending | Skipped], None] | None = None,
) -> Iterator[Row]:
    """Generate OSS-Instruct rows lazily: a row is requested when it is needed, and at most `concurrency` − 1 rows ahead.

    Args:
        seeds: seed snippets, such as `read_seeds` returns.
        teacher: the teacher that answers.
        prompt: prompt template; the package's own by default.
        sampling: sampling parameters; the paper's by default.
        parser: how an answer is parsed: `default`, `magicoder` for the paper's exact rule, or your own function.
        keep_reasoning: store the reasoning of reasoning models in the column `reasoning`.
        answer_format: `sections`, or `json` for an object whose schema is sent as `response_format`.
        concepts: whether to request the concepts of each snippet first, and then a problem about these.
        style: `function`, `script` or `class`, to have each pair rewritten to that form; None to leave it as it is.
        limits: budget of requests, tokens and cost.
        concurrency: requests in flight at once.
        timeout: timeout of one request, in seconds; None adapts it to the answers.
        then: generation tasks that each row goes through before it is yielded, such as a judge.
        verification: whether and how each pair is run with tests before it is yielded: `VerificationSpec(verify=True)`.
        journal: folder that stores every answer, so that none is paid for twice; one below `$HF_HOME` by default.
        on_left_out: called with everything that does not become a row; by default a warning at the end counts them.

    Yields:
        Kept rows, in seed order. Duplicates are not removed, because that needs the whole dataset.

    Raises:
        UsageError: the arguments contradict each other, or the embedded teacher cannot use the seeds that `read_seeds` draws.
        TeacherError: the teacher cannot continue.
        SeedError: the source failed, or has fewer seeds than requested.
        RunError: the journal cannot be written.
        SandboxError: pairs are to be verified and this machine has no sandbox.

    Source:
        Magicoder, arXiv 2312.02120, section 2.1.
    """
    spec = RunSpec(
        teacher=TeacherSpec(concurrency=concurrency, timeout=timeout),
        prompt=PromptSpec(
            template=prompt or Prompt.default(),
            parser="default" if callable(parser) else parser,
            keep_reasoning=keep_reasoning,
            answer_format=answer_format,
            concepts=concepts,
            style=style,
        ),
        sampling=sampling or Sampling(),
        limits=limits or RunLimits(),
        verification=verification or VerificationSpec(),
    )
    check_seeds(seeds, teacher)
    task = pair_task(spec, teacher)
    if callable(parser) and parser is not parse:
        if answer_format != SECTIONS:
            raise UsageError(
                f"A parser of your own cannot be combined with answer_format={answer_format!r}. Leave out one of them."
            )
        task = replace(task, parser=parser)
    return rows(
        _only_seeds(seeds),
        task,
        then=then,
        journal=journal,
        on_left_out=on_left_out,
        concurrency=spec.teacher.concurrency,
        timeout=spec.teacher.timeout,
        limits=spec.limits,
        verification=open_verification(spec, teacher),
    )


def _only_seeds(items: Iterable[Seed | Skipped]) -> Iterator[Seed | Skipped]:
    for item in items:
        if not isinstance(item, Seed | Skipped):
            raise UsageError(
                f"seeds must yield Seed objects, not {type(item).__name__}. Pass the result of read_seeds(FOLDER, n=100)."
            )
        yield item


def rows(
    seeds: Iterable[Seed | Skipped],
    task: OssInstructTask,
    *,
    then: Sequence[GenerationTask[Row]] = (),
    verification: Verification | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    journal: str | Path | None = None,
    limits: RunLimits | None = None,
    complete: bool = False,
    on_left_out: Callable[[Rejection | Pending | Skipped], None] | None = None,
) -> Iterator[Row]:
    """Generate rows for an existing task; see `synthesize`.

    Args:
        seeds: seed snippets, such as `read_seeds` returns.
        task: the task of the rows; the requests of its tasks before and after the pair are sent, too.
        then: generation tasks that each row goes through before it is yielded.
        verification: runs each pair with tests before it is yielded; None for no verification.
        concurrency: requests in flight at once.
        timeout: timeout of one request, in seconds; None adapts it to the answers.
        journal: folder that stores every answer; by default `journal_home` of the task.
        limits: budget of requests, tokens and cost.
        complete: whether a seed without an answer is an error.
        on_left_out: called with everything that does not become a row; by default a warning at the end counts them.

    Yields:
        Kept rows, in seed order.

    Raises:
        TeacherError: also at the end, if `complete` is set and a seed has no answer.
    """
    left_out: Counter[str] = Counter()
    limits = limits or RunLimits()
    retry_policy = RetryPolicy.of(limits, timeout)

    home = Path(journal) if journal else task.journal_home

    def stream_of(answers: Journal, verdicts: Verdicts) -> AsyncGenerator[Outcome, None]:
        verify = [Prepare(replace(verification, verdicts=verdicts))] if verification else []
        tasks: list[Task] = [*task.tasks, *verify, *then]
        # Without `window_size`: rows that the consumer may never ask for are not paid for.
        return outcomes(seeds, tasks, answers, concurrency=concurrency, retry_policy=retry_policy, budget=Budget(limits))

    # A generator of its own, which closes the journal with the stream, also when the program ends.
    async def made() -> AsyncGenerator[Outcome, None]:
        # Shared, because other processes may read streams from the same folder.
        with Journal(home) as answers, Verdicts.shared(home / VERDICTS) as verdicts:
            async with aclosing(stream_of(answers, verdicts)) as stream:
                async for outcome in stream:
                    yield outcome

    for outcome in iterate_sync(made):
        if is_row(outcome):
            yield outcome
        elif on_left_out:
            on_left_out(outcome)
        elif not isinstance(outcome, Skipped):
            # Skipped documents are not counted: they were not requested as rows.
            left_out[outcome.reason if isinstance(outcome, Rejection) else "pending"] += 1
    if left_out:
        counts = ", ".join(f"{number} {reason}" for reason, number in left_out.most_common())
        logger.warning("Seeds that gave no row: %s.", counts)
    # `datasets` would keep the gap in its cache, and datatrove would count the task as completed.
    if complete and left_out["pending"]:
        raise TeacherError(
            f"{left_out['pending']:,} seeds have no answer yet. Everything received is kept; the same call continues."
        )
