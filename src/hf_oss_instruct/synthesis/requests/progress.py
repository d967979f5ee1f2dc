"""Progress of requests: answers, throughput, cost, and requests that hang."""

from __future__ import annotations

from collections.abc import Iterator

from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.runtime.drive import FINISH_S
from hf_oss_instruct.terminal.display import plural
from hf_oss_instruct.terminal.signals import StopRequest

SLOW_S = 10.0
"""Age in seconds from which on a request in flight is worth a remark."""


def count_requests(
    counts: Counts,
    usage: Usage,
    limits: RunLimits,
    handed_out: int,
    *,
    requests_before: int = 0,
    stopping: StopRequest | None = None,
) -> None:
    """Update the counts of a stage from requests and answers.

    Args:
        counts: of the stage.
        usage: requests, answers and tokens so far.
        limits: limits on requests, tokens and cost.
        handed_out: items that had their turn.
        requests_before: requests of earlier sessions.
        stopping: set when the process is interrupted.
    """
    counts.done = max(usage.settled, handed_out)
    counts.recalled, counts.waiting = usage.recalled, counts.done - handed_out
    counts.requests, counts.tokens = usage.answered, usage.tokens_answered
    counts.spent = dict(_spent(usage, limits, requests_before))
    counts.remark = " · ".join(_remarks(usage))
    # A copy: the engine adds deadlines in another thread.
    in_flight = sum(deadline.in_flight for deadline in list(usage.deadlines))
    counts.stopping = _stopping(in_flight) if stopping else ""


def _stopping(in_flight: int) -> str:
    if not in_flight:
        return "stopping"
    return f"stopping: waiting up to {FINISH_S:.0f} s for {plural(in_flight, 'request')}; Ctrl-C again: now"


def _spent(usage: Usage, limits: RunLimits, requests_before: int) -> Iterator[tuple[str, tuple[float, float | None]]]:
    cost = limits.cost(usage.prompt_tokens, usage.completion_tokens)
    if cost is not None:
        yield "cost", (cost, limits.max_cost)
    if limits.max_requests is not None:
        yield "requests", (requests_before + usage.requests_sent, limits.max_requests)
    if limits.max_total_tokens is not None:
        yield "tokens", (usage.prompt_tokens + usage.completion_tokens, limits.max_total_tokens)


def _remarks(usage: Usage) -> Iterator[str]:
    notes = [teacher.note for teacher in list(usage.teachers) if teacher.note]
    yield from notes
    slowest = max(list(usage.deadlines), key=lambda deadline: deadline.oldest_s, default=None)
    if slowest and slowest.oldest_s > SLOW_S and not notes:
        yield f"slowest request {slowest.oldest_s:.0f} of {slowest.seconds:.0f} s"
    if usage.note:
        yield usage.note
