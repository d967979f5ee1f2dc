"""A report in a folder: `index.html`, the rows beside it, `report.json` and pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hf_oss_instruct.report import figures
from hf_oss_instruct.report.chunks import write_chunks
from hf_oss_instruct.report.drawing import png
from hf_oss_instruct.report.measure import ReportOptions, check_libraries, measure
from hf_oss_instruct.report.page import page
from hf_oss_instruct.report.rows import open_rows
from hf_oss_instruct.workdir import write_whole

PAGE, NUMBERS, PICTURES = "index.html", "report.json", "pictures"
MOST_BESIDE = 300_000
"""Rows up to which they are written beside the page; more are for `--serve`."""


def write_report(
    source: str | Path,
    out: Path,
    *,
    compare: str | Path | None = None,
    options: ReportOptions | None = None,
    columns: Sequence[str] | None = None,
    browser: bool = True,
) -> dict[str, Any]:
    """Measure a dataset and write page, rows, pictures and numbers.

    Args:
        source: as in `open_rows`.
        out: the folder; what an earlier report left there is replaced.
        compare: another dataset, whose numbers stand beside.
        options: benchmarks, tokenizer, model.
        columns: names of the columns with problem and solution.
        browser: whether to write the rows.

    Returns:
        The numbers, also in `report.json`.

    Raises:
        SeedError, UsageError: a dataset cannot be read; a library is missing.
        RunError: the folder cannot be written.
    """
    check_libraries()
    rows = open_rows(source, columns)
    sets = {rows.name: measure(rows, options)}
    if compare is not None:
        other = open_rows(compare, columns)
        sets[other.name if other.name != rows.name else f"{other.name} (2)"] = measure(other, options)
    found = figures.figures(sets)
    out.mkdir(parents=True, exist_ok=True)
    shown = browser and rows.kept.count_rows() + (rows.rejected.count_rows() if rows.rejected else 0) <= MOST_BESIDE
    if shown:
        write_chunks(rows, out)
    pictures = out / PICTURES
    pictures.mkdir(exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    for figure in found:
        (pictures / f"{_file_name(figure.name)}.png").write_bytes(png(figure.spec, figure.title))
    config = {"problem": rows.problem, "solution": rows.solution, "served": False} if shown else None
    write_whole(out / PAGE, page(sets, found, browser=config))
    first = next(iter(sets.values()))
    numbers = first | ({"compared": list(sets.values())[1]} if compare is not None else {})
    write_whole(out / NUMBERS, json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")
    return numbers


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
