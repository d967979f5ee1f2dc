"""What commands over tables print while they run and at their end, and their exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click

from hf_oss_instruct.console import show_line, show_result
from hf_oss_instruct.display import visible
from hf_oss_instruct.errors import BudgetReachedError
from hf_oss_instruct.process import EXIT_BUDGET, EXIT_FAILED, typed_command
from hf_oss_instruct.signals import EXIT_INTERRUPTED
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.console import live
from hf_oss_instruct.synthesis.output import RunStats

if TYPE_CHECKING:
    from hf_oss_instruct.synthesis.budget import Usage
    from hf_oss_instruct.synthesis.tables import TableResult


@contextmanager
def live_usage(output: str) -> Iterator[Callable[[int, int, Usage], None]]:
    """Show the progress of a run of which only the settled rows are known: settled, of how many, usage."""
    with live(0, output) as show:

        def on_progress(done: int, rows: int, usage: Usage) -> None:
            show(RunStats(rows, usage=usage, limits=RunLimits()))

        yield on_progress


def leave_table_run(
    result: TableResult, output: str, *, done: str, say_more: Callable[[dict[str, Any]], None], hint: str = ""
) -> NoReturn:
    """Print how a run over a table ended, and leave with its exit code.

    Args:
        result: how it ended.
        output: the value of `--format`.
        done: what becomes of rows, such as `verified`.
        say_more: prints what the command found, from the report.
        hint: what to do if no row is left.
    """
    report, out = result.report, result.out
    if output == "json":
        click.echo(json.dumps({"out": str(out), **report}))
    elif output != "quiet":
        show_result(f"{report['kept']:,} rows kept of {report['requested']:,}", out)
        for reason, count in report["rejected"].items():
            show_line(f"  {count:,} rejected: {reason}")
        if report["pending"]:
            show_line(f"  {report['pending']:,} pending")
        say_more(report)
    if trouble := _trouble(result, done, hint):
        click.echo(visible(trouble), err=True)
    if report["pending"]:
        click.echo(f"Everything received is kept. Continue with:\n  {typed_command()}", err=True)
    sys.exit(_exit_code(result))


def _trouble(result: TableResult, done: str, hint: str) -> str | None:
    report = result.report
    if result.interrupted:
        return "Interrupted."
    if result.trouble:
        return f"Error: {result.trouble}"
    if report["pending"]:
        return f"Error: {report['pending']:,} rows are not {done} yet ({result.why})."
    if not report["kept"]:
        return f"Error: no row is left of {report['requested']:,}; {result.out / 'rejected'} has each with its reason.{hint}"
    return None


def _exit_code(result: TableResult) -> int:
    if result.interrupted:
        return EXIT_INTERRUPTED
    if isinstance(result.trouble, BudgetReachedError):
        return EXIT_BUDGET
    return EXIT_FAILED if result.trouble or result.report["pending"] or not result.report["kept"] else 0
