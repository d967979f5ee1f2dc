"""A Space that shows a dataset: its report with the row browser, as static files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from hf_oss_instruct.errors import PublishError, UsageError
from hf_oss_instruct.publishing.cards.dataset_card import environment
from hf_oss_instruct.publishing.cards.terms import Terms
from hf_oss_instruct.publishing.hub import CARD, Push
from hf_oss_instruct.publishing.report import NUMBERS, PAGE, PublishedReport
from hf_oss_instruct.terminal.display import one_line

ROWS = "rows/"
MAX_TITLE_CHARS, MAX_DESCRIPTION_CHARS = 40, 60
"""Longest title that the Hub's list shows whole; longest `short_description` that it takes."""


def check_space(space: str, dataset: str, terms: Terms | None) -> None:
    """Check what is known of a Space before its report is made.

    Args:
        space: its name, `namespace/name`.
        dataset: the dataset's.
        terms: the terms of the snippets in the rows, if these are published.

    Raises:
        UsageError: it has the dataset's name.
        PublishError: readers must accept terms first, which a Space cannot ask.
    """
    if space == dataset:
        raise UsageError(f"--space {space!r} is the name of the dataset. Choose another, such as {dataset + '-browser'!r}.")
    if terms and terms.gate:
        raise PublishError(
            f"Readers must accept the terms of {terms.source} before they see its snippets, and a Space cannot ask them. Leave "
            "the snippets out with --no-seeds, or publish without --space."
        )


def space_push(report: PublishedReport, *, dataset: str, facts: Mapping[str, Any], notice: Path | bytes) -> Push:
    """Build the Space of a dataset.

    Args:
        report: the report, with the files of the Space.
        dataset: the dataset repository, `namespace/name`.
        facts: `run.json`.
        notice: the dataset's NOTICE.md: whose code it quotes.
    """
    # a page with too many rows for a browser contains only the charts, and says so
    rows = any(path.startswith(ROWS) for path in report.space)
    name = one_line(dataset.split("/")[-1], MAX_TITLE_CHARS)
    front = {
        "title": name,
        "emoji": "🔎",
        "colorFrom": "blue",
        "colorTo": "gray",
        "sdk": "static",
        "app_file": PAGE,
        "pinned": False,
        "short_description": one_line(f"Charts {'and rows ' if rows else ''}of {name}", MAX_DESCRIPTION_CHARS),
        "datasets": [dataset],
        "tags": ["code", "oss-instruct", "dataset-report"],
    }
    card = (
        environment()
        .get_template("space_card.md")
        .render(
            front_matter=yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip(),
            name=name,
            dataset=dataset,
            report=facts,
            rows=rows,
        )
    )
    files: dict[str, Path | bytes] = {**report.space, CARD: card.encode(), "NOTICE.md": notice}
    summary = f"Charts and {facts['kept']:,} rows of {dataset}" if rows else f"Charts of the {facts['kept']:,} rows of {dataset}"
    compared = (CARD, NUMBERS, f"{ROWS}index.js" if rows else PAGE)
    return Push("space", summary, files, compared=compared, owned=(ROWS, "pictures/"))
