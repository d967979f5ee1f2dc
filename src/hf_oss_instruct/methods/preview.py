"""Before a run over a table: the outcome of its first rows, and an estimate of the cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Outcome
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.task import Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.runtime.sync import from_plain_code
from hf_oss_instruct.terminal.display import plural

CHARS_PER_TOKEN = 3.5
"""Of code and English prose, about: for estimates only."""


def first_outcomes(items: Iterable[Any], tasks: list[Task], spec: RunSpec, journal: Path) -> Iterator[Outcome]:
    """The outcomes of some items, one after the other; their answers stay in a journal that a later run reads.

    Args:
        items: the items of the first task.
        tasks: the chain, see `engine.outcomes`.
        spec: its parts `teacher` and `limits` say how requests are sent.
        journal: folder of the journal.
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
        )
        yield from from_plain_code(stream)


def tokens_of(*texts: str) -> int:
    """About how many tokens some texts have."""
    return round(sum(map(len, texts)) / CHARS_PER_TOKEN)


def estimate(rows: int, requests: tuple[int, int], tokens: tuple[int, int], limits: RunLimits, batch: bool = False) -> str:
    """One line: the requests of a run, its tokens, and with prices its cost.

    Args:
        rows: number of rows.
        requests: the fewest and the most requests of a row, not counting retries.
        tokens: prompt and completion tokens of all, about.
        limits: has the prices.
        batch: whether requests go into batches.
    """
    fewest, most = requests
    each = f"{most}" if fewest == most else f"{fewest} to {most}"
    prompt, completion = tokens
    line = f"# {plural(rows, 'row')}, {each} request{'s' * (most != 1)} per row, up to {most * rows:,} without retries; "
    line += f"about {prompt:,} tokens in prompts and {completion:,} in answers"
    if (cost := limits.cost(*tokens)) is None:
        return line
    line = f"{line}, which cost about {cost:,.2f}"
    return f"{line}, in batches about {cost / 2:,.2f} if the provider halves its prices" if batch else line
