"""What earlier sessions of a run left: their report, and what they spent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Completion
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.synthesis.budget import Usage
from hf_oss_instruct.synthesis.journal import Journal

REPORT, JOURNAL, VERDICTS = "run.json", "journal", "verdicts.jsonl"
"""Names in a run's folder."""


def report_before(out: Path) -> dict[str, Any]:
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
        found = read_object(out / REPORT)
    except ValueError:
        return {}
    known = {name: found[name] for name, kind in kinds.items() if isinstance(found.get(name), kind)}
    known["tokens"] = {name: n for name, n in known.get("tokens", {}).items() if isinstance(n, int)}
    return known


def usage_before(before: dict[str, Any], journal: Journal) -> Usage:
    """Usage of earlier sessions: from their report, or from the journal if they were killed before they wrote one."""
    tokens, answers = before.get("tokens", {}), Usage()
    for entry in journal.answers():
        answers.requests_sent += 1
        if isinstance(entry.answer, Completion):
            answers.count(entry.answer)
    return Usage(
        max(before.get("requests_sent", 0), answers.requests_sent),
        max(tokens.get("prompt", 0), answers.prompt_tokens),
        max(tokens.get("completion", 0), answers.completion_tokens),
    )
