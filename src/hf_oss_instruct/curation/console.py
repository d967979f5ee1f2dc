"""Terminal output of a curation: how many rows were kept, and why the others were not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hf_oss_instruct.console import show_line, show_result, show_unfinished_checks


def show_curated(report: dict[str, Any], out: Path) -> None:
    """Print the report of a curation."""
    show_result(f"{report['kept']:,} rows kept of {report['requested']:,}", out)
    for reason, count in report["rejected"].items():
        show_line(f"  {count:,} rejected: {reason}")
    for old, new in report["columns_renamed"].items():
        show_line(f"  column {old!r} has a name that the checks use: kept as {new!r}")
    show_unfinished_checks(report)
