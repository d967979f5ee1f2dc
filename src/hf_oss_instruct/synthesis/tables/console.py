"""Final output and exit codes of commands over tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from hf_oss_instruct.errors import BudgetReachedError
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.console import command_line, show_ending, show_rejected, view_commands
from hf_oss_instruct.terminal.display import plural, visible
from hf_oss_instruct.terminal.process import EXIT_BUDGET, EXIT_FAILED, typed_command
from hf_oss_instruct.terminal.signals import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from hf_oss_instruct.synthesis.tables import TableResult


def exit_with_result(
    result: TableResult,
    output: str,
    *,
    done: str,
    show_details: Callable[[RunReport], None],
    hint: str = "",
    recipe: str = "magicoder",
) -> NoReturn:
    """Print how a run over a table ended, and leave with its exit code.

    Args:
        result: how it ended.
        output: the value of `--format`.
        done: participle for processed rows, such as `verified`.
        show_details: prints the command's results, from the report.
        hint: advice if no row is kept.
        recipe: the training recipe for the next step.
    """
    report, out, failure = result.report, result.out, _failure(result, done, hint)
    if output == "json":
        click.echo(json.dumps({"out": str(out), **report}))
    elif output != "quiet":
        then = "" if failure else _next(out, recipe, verified=bool(report.get("verification")))
        show_ending(
            f"{plural(report['kept'], 'row')} kept of {report['requested']:,}", out, view=view_commands(out), next_command=then
        )
        show_rejected(report)
        show_details(report)
    if failure:
        click.echo(visible(failure), err=True)
    if report["pending"]:
        click.echo(f"Everything received is kept. Continue with:\n  {typed_command()}", err=True)
    sys.exit(_exit_code(result))


def _next(out: Path, recipe: str, verified: bool) -> str:
    """Rows with tests are for reinforcement learning, others for fine-tuning."""
    if verified:
        return command_line("export", out, "--to", "trl", "--out", f"{out}-trl")
    return f"{command_line('recipe', recipe, '--data', out)} > {recipe}.yaml"


def _failure(result: TableResult, done: str, hint: str) -> str | None:
    report = result.report
    if result.interrupted:
        return "Interrupted."
    if result.error:
        return f"Error: {result.error}"
    if report["pending"]:
        are = "is" if report["pending"] == 1 else "are"
        return f"Error: {plural(report['pending'], 'row')} {are} not {done} yet ({result.why})."
    if not report["kept"]:
        return f"Error: 0 of {report['requested']:,} rows kept; {result.out / 'rejected'} has the reasons.{hint}"
    return None


def _exit_code(result: TableResult) -> int:
    if result.interrupted:
        return EXIT_INTERRUPTED
    if isinstance(result.error, BudgetReachedError):
        return EXIT_BUDGET
    return EXIT_FAILED if result.error or result.report["pending"] or not result.report["kept"] else 0
