"""Progress of a run."""

from __future__ import annotations

from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.synthesis.requests.progress import count_requests
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.terminal.signals import StopRequest


def update_counts(counts: Counts, stats: RunStats, *, requests_before: int = 0, stopping: StopRequest | None = None) -> None:
    """Update the counts of a stage from those of a run.

    Rows are handed out in the order of their seeds. `done` counts answers in any order, so that a request that hangs stops
    neither the bar nor the estimate of the time left.

    Args:
        counts: of the stage.
        stats: of the run.
        requests_before: requests of earlier sessions.
        stopping: set when the run is interrupted.
    """
    handed_out = stats.done + stats.unanswered
    counts.total = counts.total or stats.requested or None
    counts.outcomes = {"kept": stats.kept}
    if stats.verification:
        counts.outcomes["verified"] = stats.verification.statuses["passed"]
    counts.reasons = stats.rejected
    count_requests(counts, stats.usage, stats.limits, handed_out, requests_before=requests_before, stopping=stopping)
