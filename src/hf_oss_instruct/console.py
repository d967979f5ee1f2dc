"""What every command prints to the terminal in the same way. Untrusted text is shown as text, never as markup."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from hf_oss_instruct.display import one_line, visible


def show_line(text: str, style: str = "", *, then: str = "") -> None:
    """Print text to standard output without wrapping it.

    Args:
        text: what to print; line breaks stay.
        style: style of rich, such as `bold`.
        then: plain text after it on the same line.
    """
    Console(soft_wrap=True).print(Text(visible(text), style).append(visible(then), "not bold"))


def show_block(title: str, text: str | None = None) -> None:
    """Print a heading of one line, and a text below it."""
    show_line(f"── {one_line(title)}", "bold cyan")
    if text is not None:
        show_line(text)


def show_result(what: str, place: object) -> None:
    """Print what a command made and where it lies."""
    show_line(what, "bold", then=f" → {place}")


def show_unfinished_checks(report: dict[str, Any]) -> None:
    """Print the checks of a `run.json` that were not done, and why."""
    for check in report["checks"]:
        if check["status"] != "done":
            show_line(f"  not done: {check['name']} ({check['why']})")
