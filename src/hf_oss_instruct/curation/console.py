"""Terminal output of a curation: how many rows were kept, and why the others were not."""

from __future__ import annotations

from pathlib import Path

from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.console import (
    command_line,
    show_ending,
    show_line,
    show_rejected,
    show_unfinished_checks,
    view_commands,
)
from hf_oss_instruct.terminal.display import plural


def show_curated(report: RunReport, out: Path) -> None:
    """Print the report of a curation."""
    views = view_commands(out)
    then = command_line("publish", out, "--to", f"YOU/{out.resolve().name}") if report["kept"] else ""
    show_ending(f"{plural(report['kept'], 'row')} kept of {report['requested']:,}", out, view=views, next_command=then)
    show_rejected(report)
    for old, new in report["columns_renamed"].items():
        show_line(f"  column {old!r} was renamed to {new!r}: the checks use that name")
    show_unfinished_checks(report)
