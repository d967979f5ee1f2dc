"""Options that mean the same in every command."""

import click

format_option = click.option(
    "--format",
    "output",
    type=click.Choice(["auto", "human", "json", "quiet"]),
    default="auto",
    show_default=True,
    help="json for programs; quiet prints errors only.",
)
