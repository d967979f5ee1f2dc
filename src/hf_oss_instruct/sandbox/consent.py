"""The user's own word for running programs without isolation: an option of every command that runs programs."""

from __future__ import annotations

import click


def _warned(context: click.Context, option: click.Parameter, tier: str | None) -> str | None:
    """Say on the terminal what was asked for, whatever the format: a line in a script is easily copied."""
    if tier:
        click.echo("Warning: programs of strangers run here as you, with your files and your network in reach.", err=True)
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
