"""A report in a folder: `index.html`, the rows beside it, `report.json` and pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.reporting.charts.drawing import png
from hf_oss_instruct.reporting.charts.figures import Figure
from hf_oss_instruct.reporting.charts.vega_lite import Sets
from hf_oss_instruct.reporting.page.chunks import remove_chunks, write_chunks
from hf_oss_instruct.reporting.page.html import page
from hf_oss_instruct.reporting.rows import ReportRows
from hf_oss_instruct.storage.workdir import check_unused, locked, write_atomically, writing
from hf_oss_instruct.structured import read_object

PAGE, NUMBERS, PICTURES = "index.html", "report.json", "pictures"
MAX_PAGE_ROWS = 300_000
"""Rows up to which they are written beside the page; more are for `--serve`."""

_MARK: dict[str, type] = {"format_version": int, "name": str, "version": str, "funnel": dict}
"""Keys of `report.json` by which a folder is recognized as a report of ours."""


def check_report_folder(out: Path) -> None:
    """Refuse a folder whose files a report would overwrite, unless they are an earlier report's.

    Args:
        out: the folder, which may be missing.

    Raises:
        RunError: it is a file, or contains something that is not a report.
    """
    try:
        read_object(out / NUMBERS, _MARK)
    except ValueError:
        check_unused(out)


def write(
    sets: Sets, figures: Sequence[Figure], rows: ReportRows, out: Path, *, browser: bool = True, progress: Progress = SILENT
) -> Path:
    """Write page, rows, pictures and numbers.

    Args:
        sets: name of a dataset → its numbers: the dataset itself, then the one it is compared with.
        figures: the charts.
        rows: the dataset.
        out: a new or empty folder, or one with an earlier report, which is replaced.
        browser: whether to write the rows; if there are more than `MAX_PAGE_ROWS`, the page says so instead.
        progress: a progress display.

    Returns:
        The page.

    Raises:
        RunError: the folder contains something else, is in use by another process, or cannot be written.
    """
    check_report_folder(out)
    with locked(out):
        return write_locked(sets, figures, rows, out, browser=browser, progress=progress)


def write_locked(
    sets: Sets, figures: Sequence[Figure], rows: ReportRows, out: Path, *, browser: bool = True, progress: Progress = SILENT
) -> Path:
    """The same, for a caller that has checked the folder and holds its lock.

    Args:
        sets: as of `write`.
        figures: the charts.
        rows: the dataset.
        out: the folder.
        browser: whether to write the rows.
        progress: a progress display.

    Returns:
        The page.

    Raises:
        RunError: the folder cannot be written.
    """
    pictures = out / PICTURES
    with writing(out):
        # first, because it marks the folder as ours: after a kill, the same report can be written there again
        write_atomically(out / NUMBERS, json.dumps(numbers_of(sets), indent=1, ensure_ascii=False) + "\n")
        pictures.mkdir(exist_ok=True)
        # Charts that the new report lacks; other files in the folder are not ours.
        for old in pictures.glob("*.png"):
            old.unlink()
        remove_chunks(out)
    left_out = len(rows) if browser and len(rows) > MAX_PAGE_ROWS else 0
    shown = browser and not left_out
    if shown:
        with progress.stage("Writing the row browser"):
            write_chunks(rows, out)
    with progress.stage("Drawing charts", "charts", len(figures)) as counts:
        for figure in figures:
            write_atomically(pictures / figure.file_name, png(figure.spec, figure.title))
            counts.done += 1
    config = {"problem": rows.problem, "solution": rows.solution, "served": False} if shown else None
    # The page last: what it shows is there by then.
    write_atomically(out / PAGE, page(sets, list(figures), browser=config, left_out=left_out))
    return out / PAGE


def numbers_of(sets: Sets) -> dict[str, Any]:
    """All numbers as one object; those of the dataset that is compared with under `compared`."""
    first, *others = sets.values()
    return dict(first) | ({"compared": others[0]} if others else {})
