"""A report in a folder: `index.html`, the rows beside it, `report.json` and pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.reporting.charts.drawing import png
from hf_oss_instruct.reporting.charts.figures import Figure
from hf_oss_instruct.reporting.charts.vega_lite import Sets
from hf_oss_instruct.reporting.page.chunks import FOLDER, write_chunks
from hf_oss_instruct.reporting.page.html import page
from hf_oss_instruct.reporting.rows import ReportRows
from hf_oss_instruct.storage.workdir import write_whole

PAGE, NUMBERS, PICTURES = "index.html", "report.json", "pictures"
MOST_BESIDE = 300_000
"""Rows up to which they are written beside the page; more are for `--serve`."""


def write(
    sets: Sets, figures: Sequence[Figure], rows: ReportRows, out: Path, *, browser: bool = True, progress: Progress = SILENT
) -> Path:
    """Write page, rows, pictures and numbers.

    Args:
        sets: name of a dataset → its numbers: the dataset itself, then the one it is compared with.
        figures: the charts.
        rows: the dataset.
        out: the folder; an earlier report there is replaced.
        browser: whether to write the rows; if there are more than `MOST_BESIDE`, the page says so instead.
        progress: a progress display.

    Returns:
        The page.

    Raises:
        RunError: the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    left_out = len(rows) if browser and len(rows) > MOST_BESIDE else 0
    shown = browser and not left_out
    if shown:
        with progress.stage("Writing the row browser"):
            write_chunks(rows, out)
    else:
        shutil.rmtree(out / FOLDER, ignore_errors=True)
    pictures = out / PICTURES
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    with progress.stage("Drawing charts", "charts", len(figures)) as counts:
        for figure in figures:
            (pictures / figure.file_name).write_bytes(png(figure.spec, figure.title))
            counts.done += 1
    config = {"problem": rows.problem, "solution": rows.solution, "served": False} if shown else None
    write_whole(out / PAGE, page(sets, list(figures), browser=config, left_out=left_out))
    write_whole(out / NUMBERS, json.dumps(numbers_of(sets), indent=1, ensure_ascii=False) + "\n")
    return out / PAGE


def numbers_of(sets: Sets) -> dict[str, Any]:
    """All numbers as one object; those of the dataset that is compared with under `compared`."""
    first, *others = sets.values()
    return dict(first) | ({"compared": others[0]} if others else {})
