"""What a run leaves in its folder: three tables, a report, a card; and the counting behind them."""

from __future__ import annotations

import json
import platform
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hf_oss_instruct.curation.dedup import ExactDuplicates
from hf_oss_instruct.data import (
    FORMAT_VERSION,
    KEEP,
    REJECTED_SCHEMA,
    SCHEMA,
    SFT_SCHEMA,
    Pending,
    Rejection,
    Row,
    Skipped,
    provenance_columns,
)
from hf_oss_instruct.publishing.cards import dataset_card
from hf_oss_instruct.synthesis.budget import Limits, Spent
from hf_oss_instruct.synthesis.config import RunConfig
from hf_oss_instruct.synthesis.engine import Outcome
from hf_oss_instruct.synthesis.method import Method
from hf_oss_instruct.synthesis.writer import Shards
from hf_oss_instruct.templates import to_prompt_completion

REPORT, CARD = "run.json", "README.md"
PACKAGES = ("hf-oss-instruct", "datasets", "huggingface_hub", "pyarrow")
SAMPLES = 2
"""Rows shown on the card."""


@dataclass
class Tally:
    """What became of the seeds so far: requested = kept + sum(rejected) + pending, at every moment."""

    requested: int
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    limits: Limits = field(default_factory=Limits)
    first_why: str = ""

    @property
    def done(self) -> int:
        """Seeds that are kept or rejected."""
        return self.kept + self.rejected.total()

    @property
    def pending(self) -> int:
        """Seeds asked for that have no answer yet, read or not."""
        return self.requested - self.done

    def keep(self, row: Row) -> None:
        """Count a kept row."""
        self.kept += 1
        self.languages[row["lang"]] += 1
        self.licenses.update(row["licenses"] or ["not stated"])
        if len(self.samples) < SAMPLES:
            self.samples.append(row)


class Tables:
    """The three configs of a data set, and the tally of what goes into them.

    Args:
        out: the folder.
        tally: the counts, kept up to date.
        duplicates: whether exact duplicates are rejected.
    """

    def __init__(self, out: Path, tally: Tally, duplicates: bool) -> None:
        self._out, self._tally = out, tally
        self._duplicate = ExactDuplicates() if duplicates else None
        self._default = Shards(self._out / "data", SCHEMA)
        self._sft = Shards(self._out / "sft", SFT_SCHEMA)
        self._rejected = Shards(self._out / "rejected", REJECTED_SCHEMA)
        self._all = (self._default, self._sft, self._rejected)

    def settle(self, outcome: Outcome) -> None:
        """Count one outcome, and write it where it belongs. Outcomes come in seed order: of duplicates the first stays."""
        tally = self._tally
        if isinstance(outcome, Skipped):
            (tally.refused if outcome.snippet else tally.skipped)[outcome.reason] += 1
        elif isinstance(outcome, Pending):
            tally.unanswered += 1
            tally.first_why = tally.first_why or outcome.why
        elif isinstance(outcome, Rejection):
            tally.first_why = tally.first_why or f"{outcome.reason}: {outcome.detail}"
            self._reject(provenance_columns(outcome.seed), outcome.reason, outcome.detail, outcome.received)
        else:
            verdict = self._duplicate(outcome) if self._duplicate else KEEP
            if verdict.reason is None:
                self._keep(outcome)
            else:
                self._reject(outcome, verdict.reason, verdict.detail, outcome["solution"])

    def _keep(self, row: Row) -> None:
        self._tally.keep(row)
        self._default.add(row)
        self._sft.add(to_prompt_completion(row))

    def _reject(self, columns: Any, reason: str, detail: str, received: str | None) -> None:
        self._tally.rejected[reason] += 1
        shared = {name: columns[name] for name in REJECTED_SCHEMA.names if name in columns}
        self._rejected.add(shared | {"reason": reason, "detail": detail, "received": received})

    def finish(self) -> None:
        """Complete the files and put them in place."""
        try:
            for shards in self._all:
                shards.finish()
        finally:
            for shards in self._all:
                shards.abandon()


def report_of(
    config: RunConfig, method: Method, tally: Tally, before: dict[str, Any], seconds: float, dropped: int
) -> dict[str, Any]:
    """The contents of `run.json`; requests, seconds and start go on from the report of earlier sessions, `before`."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    duplicates = {"name": ExactDuplicates.name, "version": ExactDuplicates.version}
    return {
        "format_version": FORMAT_VERSION,
        "requested": tally.requested,
        "kept": tally.kept,
        "rejected": dict(tally.rejected.most_common()),
        "pending": tally.pending,
        "documents_skipped": dict(tally.skipped.most_common()),
        "snippets_refused": dict(tally.refused.most_common()),
        "requests_sent": before.get("requests_sent", 0) + tally.spent.requests_sent,
        "tokens": {"prompt": tally.spent.prompt_tokens, "completion": tally.spent.completion_tokens},
        "cost": tally.limits.cost(tally.spent.prompt_tokens, tally.spent.completion_tokens),
        "seconds": round(before.get("seconds", 0) + seconds, 3),
        "started": before.get("started", now),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "config_hash": config.hash,
        "teacher": method.teacher.identity,
        "prompt_hash": method.prompt.hash,
        "journal_lines_dropped": dropped,
        "checks": [
            duplicates | ({"status": "done"} if config.duplicates else {"status": "not_done", "why": "switched off"}),
            {"name": "decontamination", "status": "not_done", "why": "this version has no benchmark lists"},
            {"name": "execution", "status": "not_done", "why": "this version has no sandbox"},
        ],
        "sandbox": None,
    }


def publish(out: Path, tables: Tables, config: RunConfig, method: Method, tally: Tally, report: dict[str, Any]) -> None:
    """Put parquet, card and, last, the report in place."""
    tables.finish()
    card = dataset_card(
        name=out.resolve().name,
        report=report,
        config=config.as_dict(),
        prompt=method.prompt.text,
        languages=dict(tally.languages.most_common()),
        licenses=dict(tally.licenses.most_common()),
        samples=tally.samples,
    )
    write_whole(out / CARD, card)
    write_whole(out / REPORT, json.dumps(report, indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    temporary = path.with_name(f".{path.name}.unfinished")
    temporary.write_text(text, "utf-8")
    temporary.replace(path)
