"""Terminal output shared by all commands. Untrusted text is shown as text, never as markup."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from hf_oss_instruct.extras import install_command
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.display import one_line, visible


def show_line(text: str, style: str = "", *, then: str = "") -> None:
    """Print text to standard output without wrapping it.

    Args:
        text: what to print; line breaks stay.
        style: style of rich, such as `bold`.
        then: plain text after it on the same line.
    """
    Console(soft_wrap=True).print(Text(visible(text), style).append(visible(then), "not bold"))


def show_block(title: str, text: str | None = None) -> None:
    """Print a one-line heading and a text below it."""
    show_line(f"── {one_line(title)}", "bold cyan")
    if text is not None:
        show_line(text)


def shown_as_text(plan: Mapping[str, Any], output: str) -> bool:
    """Print the plan of a dry run as one JSON object if `--format` is `json`.

    Args:
        plan: what the run would do, in plain values.
        output: the value of `--format`.

    Returns:
        Whether the caller prints it as a text instead; `quiet` prints nothing.
    """
    if output == "json":
        click.echo(json.dumps(plan))
    return output not in ("json", "quiet")


def show_ending(summary: str, location: object = None, *, view: Sequence[str] = (), next_command: str = "") -> None:
    """Print the first lines after a command: what was written and where, what to look at, and the next command to type.

    Args:
        summary: the result in a few words, with its count.
        location: folder, file or URL.
        view: commands, files or URLs that show it, a line each.
        next_command: the next command; empty if there is none or the command did not finish.
    """
    show_line(summary, "bold", then="" if location is None else f" → {location}")
    for label, text in zip(("Look at:", *[""] * len(view)), view, strict=False):
        show_line(f"{label:<9}{text}")
    if next_command:
        show_line(f"{'Next:':<9}{next_command}")


def view_commands(out: object) -> list[str]:
    """Return what shows a dataset in a folder: the command `report` and the card; the card first if the extra is missing."""
    report, card = command_line("report", out), f"{out}/README.md"
    if find_spec("vl_convert") and find_spec("sklearn"):
        return [report, card]
    return [card, f"{report} (after {install_command('report')})"]


def command_line(*words: object) -> str:
    """Return a command of this package as the user types it."""
    return shlex.join(["hf-oss-instruct", *map(str, words)])


def show_rejected(report: Mapping[str, Any]) -> None:
    """Print why rows were rejected, and how many are pending, from a `run.json`."""
    for reason, count in report["rejected"].items():
        show_line(f"  {count:,} rejected: {reason}")
    if report.get("pending"):
        show_line(f"  {report['pending']:,} pending")


def show_unfinished_checks(report: RunReport) -> None:
    """Print the checks of a `run.json` that were not done, and why."""
    for check in report["checks"]:
        if check["status"] != "done":
            show_line(f"  not done: {check['name']} ({check['why']})")
