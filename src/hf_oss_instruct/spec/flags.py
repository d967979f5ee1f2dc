"""Derive command-line options from the declared options of a run, and the run from their values."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec import option_types
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.declare import Option, in_order, options_of
from hf_oss_instruct.spec.name_types import OptOuts
from hf_oss_instruct.spec.prompts import PromptTemplateType
from hf_oss_instruct.spec.run import OPTIONS, RunSpec, magicoder, values_in
from hf_oss_instruct.terminal.flags import GroupedOption

Result = TypeVar("Result")


class Timeout(click.ParamType[float | None]):
    """Seconds, or None for `auto`."""

    name = "timeout"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float | None:
        """See `click.ParamType.convert`."""
        if value == option_types.AUTO:
            return None
        seconds: float = click.FloatRange(min=0, min_open=True).convert(value, param, ctx)
        return seconds


class JsonObjectParam(click.ParamType[dict[str, Any]]):
    """A JSON object."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """See `click.ParamType.convert`."""
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError) as error:
            self.fail(f"{value!r} is not JSON: {error}. Quote it for the shell: '{{\"top_k\": 20}}'.", param, ctx)
        if not isinstance(parsed, dict):
            self.fail(f"{value!r} is not a JSON object. Write names and values: '{{\"top_k\": 20}}'.", param, ctx)
        return parsed


PRESET = click.option(
    "--preset",
    type=click.Choice(["magicoder"]),
    help="The paper's languages and counts, sampler, parser and random seed.",
)
CONFIG = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run config (oss_instruct.yaml, *.ossi); flags override it.",
)


HEADINGS = {
    "seeds": "Seeds",
    "teacher": "Model",
    "prompt": "Model",
    "sampling": "Model",
    "limits": "Limits",
    "checks": "Checks",
    "verification": "Verification",
}
"""Part of a run → where `--help` lists its options."""


@dataclass(frozen=True)
class RunFlags:
    """The run that a command line describes.

    Attributes:
        spec: preset, run config or defaults, overridden by the given flags except those below.
        config: the run config.
        seeds, revision: source of the seeds and its revision, apart from those in the run config, which identifies them
            by what was read: a run that is continued must find the same.
        benchmarks: names and files; a run config names files by a hash of their contents.
        sampler_given: whether flag, preset or run config names the sampler, which else depends on the teacher.
    """

    spec: RunSpec
    config: Path | None = None
    seeds: str | None = None
    revision: str | None = None
    benchmarks: tuple[str, ...] | None = None
    sampler_given: bool = False


def run_options(*parts: str, without: Sequence[str] = ()) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Give a command the options of some parts of a run, which reach it as its argument `flags`, a `RunFlags`.

    Args:
        parts: names of parts of `RunSpec`, in the order of `--help`. Without `seeds` there is no preset and no run config.
        without: options that the command does not have.
    """
    groups: dict[str, list[Option]] = {}
    for part in parts:
        own = [option for option in OPTIONS[part] if option.flag and option.name not in without]
        groups.setdefault(HEADINGS[part], []).extend(own)

    def of(command: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(command)
        def call(*, preset: str | None = None, config: Path | None = None, **values: Any) -> Result:
            given = {part: _given(OPTIONS[part], values) for part in parts}
            return command(flags=_flags(preset, config, given), **values)

        decorators: list[Callable[[Callable[..., Any]], Callable[..., Any]]] = [PRESET, CONFIG] if "seeds" in parts else []
        decorators += [click_option(option, heading) for heading, group in groups.items() for option in in_order(group)]
        # In reverse, because the option that is added last is listed first in `--help`.
        return functools.reduce(lambda inner, decorate: decorate(inner), reversed(decorators), call)

    return of


def check_options(*names: str) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Give a command some of the options of `Checks`, which reach it as its argument `checks`.

    Args:
        names: names of options, in the order of `--help`.
    """
    chosen = tuple(option for name in names for option in OPTIONS["checks"] if option.name == name)

    def of(command: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(command)
        def call(**values: Any) -> Result:
            return command(checks=Checks(**_given(chosen, values)), **values)

        decorators = [click_option(option) for option in chosen]
        return functools.reduce(lambda inner, decorate: decorate(inner), reversed(decorators), call)

    return of


def part_options(part: type[Any], name: str) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Give a command the options of a part outside `RunSpec`, which reach it as the argument `name`.

    Args:
        part: a dataclass whose fields are declared options.
        name: the argument.
    """
    options = options_of(part)

    def of(command: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(command)
        def call(**values: Any) -> Result:
            return command(**{name: part(**_given(options, values))}, **values)

        decorators = [click_option(option) for option in in_order(option for option in options if option.flag)]
        return functools.reduce(lambda inner, decorate: decorate(inner), reversed(decorators), call)

    return of


def click_option(option: Option, heading: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Convert a declared option to an option of click, under a heading of `--help`."""
    assert option.flag
    shown: dict[str, Any] = {"cls": GroupedOption, "heading": heading} if heading else {}
    if option.shown and not isinstance(option.kind, (option_types.Switch, option_types.Repeated)):
        shown |= {"default": option_types.AUTO if option.default is None else option.default, "show_default": True}
    if isinstance(option.kind, option_types.Switch):
        # None if neither flag was given: then the value of the run config stays.
        switch: dict[str, Any] = {"default": None} if "/" in option.flag else {"is_flag": True}
        return click.option(option.flag, option.name, help=option.help, **switch, **shown)
    if isinstance(option.kind, option_types.Repeated):
        return click.option(option.flag, option.name, multiple=True, metavar=option.metavar, help=option.help, **shown)
    return click.option(option.flag, option.name, type=_type(option.kind), metavar=option.metavar, help=option.help, **shown)


def _type(kind: option_types.OptionType) -> click.ParamType[Any]:
    """The click type that validates a flag's value; the kind then converts it."""
    match kind:
        case option_types.Integer(low, high):
            return click.IntRange(low, high)
        case option_types.Number(low, None) if low == -math.inf:
            return click.FLOAT  # an infinite range would be printed as `x>=-inf`
        case option_types.Number(low, high, low_open):
            return click.FloatRange(low, high, min_open=low_open)
        case option_types.Choice(names):
            return click.Choice(names)
        case option_types.Seconds():
            return Timeout()
        case option_types.JsonObject():
            return JsonObjectParam()
        case option_types.Folder():
            return click.Path(exists=True, file_okay=False, path_type=Path)
        case OptOuts() | option_types.File() | PromptTemplateType():
            return click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.STRING


def _given(options: tuple[Option, ...], values: dict[str, Any]) -> dict[str, Any]:
    """Remove the values of given flags from a command's values, and return them by option name."""
    given: dict[str, Any] = {}
    for option in options:
        if option.flag:
            value = values.pop(option.name, None)
            if isinstance(option.kind, option_types.Switch) and option.flag.startswith("--no-"):
                value = False if value else None
            if value is not None:
                given[option.name] = option.kind.from_flag(value)
    return given


def _flags(preset: str | None, config: Path | None, given: dict[str, dict[str, Any]]) -> RunFlags:
    if preset and config:
        raise UsageError("--preset and --config both define the run. Leave one of them out.")
    seeds, checks = given.get("seeds", {}), given.get("checks", {})
    source, revision = seeds.pop("source", None), seeds.pop("revision", None)
    benchmarks = checks.pop("benchmarks", None)
    by_config = values_in(config) if config else {}
    base = magicoder() if preset else RunSpec().changed(**by_config)
    sampler_given = preset is not None or "sampler" in seeds or "sampler" in by_config.get("seeds", {})
    if "n" in seeds and "languages" not in seeds and any(n for _, n in base.seeds.counts):
        raise UsageError(
            "The preset or config has a count for each language. Change them with --languages python=100,… instead of --n."
        )
    return RunFlags(base.changed(**given), config, source, revision, benchmarks, sampler_given)
