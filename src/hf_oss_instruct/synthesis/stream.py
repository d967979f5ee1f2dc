"""Rows one at a time for synchronous Python code: a row is requested when it is needed."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import field, replace
from pathlib import Path

from hf_oss_instruct.data import Outcome, Pending, Rejection, Row, Seed, Skipped, is_row
from hf_oss_instruct.errors import TeacherError, UsageError
from hf_oss_instruct.spec.declare import argument, arguments, with_arguments_of
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.option_types import Folder
from hf_oss_instruct.spec.prompts import JSON
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.function_arguments import PairArguments
from hf_oss_instruct.synthesis.generation.concepts import pair_task
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask, check_seeds
from hf_oss_instruct.synthesis.generation.task import GenerationTask, Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.runtime.sync import iterate_sync
from hf_oss_instruct.synthesis.verifying import Prepare, Verification, open_verification
from hf_oss_instruct.teachers.parsing import Parser
from hf_oss_instruct.templates import DROP
from hf_oss_instruct.verification.memo import Verdicts

VERDICTS = "verdicts"
"""Folder next to a stream's journal with the results of programs that were run."""
logger = logging.getLogger(__name__)


@arguments
class StreamArguments(PairArguments):
    """Arguments of `synthesize`."""

    parser: Parser | str = argument(  # type: ignore[assignment]
        "How an answer is parsed: `default`, `magicoder` for the paper's exact rule, or your own function.", default="default"
    )
    # No argument here: it is about the config sft, which only a folder has.
    thoughts: str = field(init=False, default=DROP)
    journal: str | Path | None = argument(
        "Folder that stores every answer, so that none is paid for twice. Default: one below `$HF_HOME`.",
        default=None,
        kind=Folder(),
    )
    on_left_out: Callable[[Rejection | Pending | Skipped], None] | None = argument(
        "Called with everything that does not become a row. Default: a warning at the end counts them.", default=None
    )

    def __post_init__(self) -> None:
        if callable(self.parser) and self.answer_format == JSON:
            raise UsageError(f"A parser of your own cannot be combined with answer_format={JSON!r}. Leave out one of them.")
        super().__post_init__()


@with_arguments_of(StreamArguments)
def synthesize(call: StreamArguments) -> Iterator[Row]:
    """Generate OSS-Instruct rows lazily: a row is requested when it is needed, and at most `concurrency` − 1 rows ahead.

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
    parser, teacher = call.parser, call.teacher
    spec = call.pair_spec(without=("parser",) if callable(parser) else ())
    check_seeds(call.seeds, teacher)
    task = pair_task(spec, teacher)
    if callable(parser):
        task = replace(task, parser=parser)
    return rows(
        _only_seeds(call.seeds),
        task,
        then=call.then,
        journal=call.journal,
        on_left_out=call.on_left_out,
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
