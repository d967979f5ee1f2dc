"""The outcomes of a few items, for commands that show results before a whole run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Outcome
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.task import Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.runtime.sync import iterate_sync


def first_outcomes(
    items: Iterable[Any], tasks: Sequence[Task], spec: RunSpec, journal: Path, usage: Usage | None = None
) -> Iterator[Outcome]:
    """The outcomes of some items, one after the other; their answers stay in a journal that a later run reads.

    Args:
        items: the items of the first task.
        tasks: the chain, see `engine.outcomes`.
        spec: its parts `teacher` and `limits` say how requests are sent.
        journal: folder of the journal.
        usage: kept up to date.
    """
    with Journal(journal) as answers:
        stream = partial(
            outcomes,
            items,
            tasks,
            answers,
            concurrency=spec.teacher.in_flight,
            retry_policy=RetryPolicy.of(spec.limits, spec.teacher.timeout),
            budget=Budget(spec.limits),
            usage=usage,
        )
        yield from iterate_sync(stream)
