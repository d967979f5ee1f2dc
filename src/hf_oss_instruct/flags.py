"""Options shared by several commands."""

from __future__ import annotations

import click

format_option = click.option(
    "--format",
    "output",
    type=click.Choice(["auto", "human", "json", "quiet"]),
    default="auto",
    show_default=True,
    help="json for programs; quiet prints errors only.",
)


def _warned(context: click.Context, option: click.Parameter, tier: str | None) -> str | None:
    """Warn on the terminal, whatever the output format: a line in a script is easily copied unread."""
    if tier:
        click.echo(
            "Warning: untrusted programs run without a sandbox, as your user, with access to your files and network.", err=True
        )
    return tier


unsafe_option = click.option(
    "--unsafe-no-sandbox",
    "tier",
    is_flag=True,
    flag_value="unsafe-none",
    default=None,
    callback=_warned,
    help="Run programs without isolation: for a machine that is disposable itself. Every result says so.",
)


def names_in(text: str) -> tuple[str, ...]:
    """Names with commas between them; `none` means an empty list."""
    return tuple(name.strip() for name in text.split(",") if name.strip() not in ("", "none"))
