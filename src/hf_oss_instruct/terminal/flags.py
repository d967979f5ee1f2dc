"""Options shared by several commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any

import click

from hf_oss_instruct.terminal.unsafe import UNSAFE_HELP, UNSAFE_WARNING


class GroupedOption(click.Option):
    """An option that `--help` lists under a heading.

    Args:
        heading: the heading; the others are as in `click.Option`.
    """

    def __init__(self, *arguments: Any, heading: str, **others: Any) -> None:
        super().__init__(*arguments, **others)
        self.heading = heading


class GroupedCommand(click.Command):
    """A command whose `--help` lists each `GroupedOption` under its heading, after the other options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Command.format_options`."""
        groups: dict[str, list[tuple[str, str]]] = {"Options": []}
        for option in self.get_params(ctx):
            if isinstance(option, click.Argument):  # in the usage line; click 8.5.1 and later list it again
                continue
            if record := option.get_help_record(ctx):
                heading = option.heading if isinstance(option, GroupedOption) else "Options"
                groups.setdefault(heading, []).append(record)
        for heading, records in groups.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def as_argument(flags: type, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Pass the options of a command that are fields of a dataclass as one argument; the innermost decorator of a command.

    Args:
        flags: the dataclass, whose fields have the names of options.
        name: name of the argument.
    """

    def decorated(function: Callable[..., None]) -> Callable[..., None]:
        @wraps(function)
        def command(**given: Any) -> None:
            own = {field.name: given.pop(field.name) for field in fields(flags)}
            function(**given, **{name: flags(**own)})

        return command

    return decorated


def option_words(command: click.Command, values: Mapping[str, Any]) -> list[str]:
    """The options of a command line, for another process of the same command.

    Args:
        command: the command.
        values: name of a parameter → its value; defaults are left out.
    """
    words = []
    for option in command.params:
        value = values.get(str(option.name))
        if not isinstance(option, click.Option) or value in (None, False, ()) or value == option.default:
            continue
        for one in value if option.multiple else [value]:
            words += [option.opts[0]] if option.is_flag else [option.opts[0], str(one)]
    return words


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
        click.echo(f"Warning: {UNSAFE_WARNING}", err=True)
    return tier


unsafe_option = click.option(
    "--unsafe-no-sandbox",
    "tier",
    is_flag=True,
    flag_value="unsafe-none",
    default=None,
    callback=_warned,
    help=UNSAFE_HELP,
)


columns_option = click.option(
    "--columns",
    metavar="F=C,…",
    help="Columns without one of the usual names: problem=, solution=, tests=, language=.",
)
language_option = click.option(
    "--language",
    default="python",
    show_default=True,
    help="Language of rows that have none in a column or on a code fence.",
)
