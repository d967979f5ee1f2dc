"""The counts of a run: outcomes of its seeds, and what the card says of its rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from hf_oss_instruct.data import Pending, Rejection, Row, is_row
from hf_oss_instruct.schemas import provenance_columns
from hf_oss_instruct.seeds.balance.features import category_of
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.verifying.stats import VerificationStats

CARD_ROWS = 2
"""Rows shown on the card."""


@dataclass
class RunStats:
    """Outcomes of the seeds so far: requested = kept + sum(rejected) + pending, at every moment."""

    requested: int
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    licenses: Counter[str] = field(default_factory=Counter)
    teachers: Counter[str] = field(default_factory=Counter)
    samples: list[Row] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    limits: RunLimits = field(default_factory=RunLimits)
    first_why: str = ""
    pending_why: str = ""
    verification: VerificationStats | None = None
    preferences: int = 0
    diversity: dict[str, Any] = field(default_factory=dict)
    seeds_by_language: Counter[str] = field(default_factory=Counter)
    seeds_by_category: Counter[str] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        """Number of seeds that are kept or rejected."""
        return self.kept + self.rejected.total()

    @property
    def pending(self) -> int:
        """Number of requested seeds without an answer."""
        return self.requested - self.done

    def count_seed(self, outcome: Row | Rejection | Pending) -> None:
        """Count the seed of an outcome by its language and category."""
        columns = outcome if is_row(outcome) else provenance_columns(outcome.seed)
        self.seeds_by_language[columns["lang"]] += 1
        self.seeds_by_category[category_of(columns["seed"], columns["file_path"])] += 1

    def describe(self, rows: pa.Table) -> None:
        """Count languages, licenses and teachers of kept rows, and remember the first rows as samples."""
        self.languages.update(rows["lang"].to_pylist())
        self.teachers.update(rows["teacher"].to_pylist())
        for licenses in rows["licenses"].to_pylist():
            self.licenses.update(licenses or ["not stated"])
        if len(self.samples) < CARD_ROWS:
            self.samples.extend(rows.slice(0, CARD_ROWS - len(self.samples)).to_pylist())
