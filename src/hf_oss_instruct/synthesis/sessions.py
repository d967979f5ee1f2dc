"""The report and the usage of earlier sessions of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from hf_oss_instruct.data import Completion
from hf_oss_instruct.storage.run_report import RunReport, read_run_report
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.requests.reservations import Reservations
from hf_oss_instruct.teachers.batches.store import unanswered


def earlier_report(out: Path) -> RunReport:
    """The report of earlier sessions, as far as it is readable; the journal is authoritative."""
    kinds: dict[str, Any] = {
        "teacher": str,
        "started": str,
        "requests_sent": int,
        "seconds": (int, float),
        "tokens": dict,
        "tasks": list,
    }
    try:
        report: Mapping[str, Any] = read_run_report(out)
    except ValueError:
        return {}
    known = {name: report[name] for name, kind in kinds.items() if isinstance(report.get(name), kind)}
    known["tokens"] = {name: n for name, n in known.get("tokens", {}).items() if isinstance(n, int)}
    return cast(RunReport, known)


def earlier_usage(before: RunReport, journal: Journal, reservations: Reservations, free: Collection[str] = ()) -> Usage:
    """Usage of earlier sessions: from their report, and if the last one was killed, from the files that it left.

    Args:
        before: their report, as `earlier_report` gives it; a session that was killed wrote none.
        journal: their answers. Requests that were in flight at a kill are not among them.
        reservations: reservations at the time of a kill, if there are limits. Requests that batches answered or will answer are
            not among it: journal and batches say which those are, so that no kill comes between two counts of the same request.
        free: the tasks that send no requests, because the embedded teacher answers them.
    """
    tokens, reserved, answered, batched = before.get("tokens", {}), reservations.found, Usage(), Usage()
    batches = unanswered(journal.folder)
    # The whole journal is read only where nothing else has the counts: for batches, and after a kill of a run without limits.
    if batches or (reservations.killed and not reservations.complete):
        for entry in journal.answers():
            if entry.task in free:
                continue
            answered.requests_sent += 1
            if isinstance(entry.answer, Completion):
                answered.count(entry.answer)
                if entry.key in batches:
                    batched.requests_sent += 1
                    batched.count(entry.answer, most=batches[entry.key])
    if not reservations.killed:
        answered = reserved = Usage()
    elif reserved.requests_sent or batched.requests_sent:
        reserved = _added(reserved, batched)
    return Usage(
        # Each source may lack what another has: a killed session wrote no report, and the journal has no requests in flight.
        max(before.get("requests_sent", 0), reserved.requests_sent, answered.requests_sent),
        max(tokens.get("prompt", 0), reserved.prompt_tokens, answered.prompt_tokens),
        max(tokens.get("completion", 0), reserved.completion_tokens, answered.completion_tokens),
        batched=(batched.requests_sent, batched.prompt_tokens, batched.completion_tokens),
        in_batches={key: most for key, most in batches.items() if key not in journal},
    )


def _added(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.requests_sent + other.requests_sent,
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
    )
