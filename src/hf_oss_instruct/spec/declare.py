"""Declare the options of a run: one dataclass field each, from which flags, YAML keys and arguments are derived.

one_in: int = option(1, Integer(1), "Use one document in K, chosen by a hash.", flag="--one-in", yaml="one_in", metavar="K")
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Flag, auto
from textwrap import TextWrapper
from typing import Any, ParamSpec, TypeVar, dataclass_transform, get_type_hints

from hf_oss_instruct.spec.option_types import OptionType, checked_value

P = ParamSpec("P")
Part = TypeVar("Part")
Result = TypeVar("Result")
_OPTION, _ARGUMENT = "option", "argument"
_WRAPPER = TextWrapper(
    width=110, initial_indent=" " * 4, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False
)
"""Lays out the description of an option in a docstring."""


class Interface(Flag):
    """A way in which an option can be set."""

    COMMAND = auto()
    """A command-line flag."""
    RUN_CONFIG = auto()
    """A run config that the caller passes: `--config FILE`."""
    REPO_CONFIG = auto()
    """A run config found in a dataset repository (`*.ossi`). Untrusted: it never sets a server, key, price or path."""
    LOAD_DATASET = auto()
    """An argument of `load_dataset("oss-instruct", …)`."""
    PYTHON = auto()
    """An argument of a public function, or a field of a public class that such a function takes, such as `Sampling`."""


ANYONE = Interface.COMMAND | Interface.RUN_CONFIG | Interface.REPO_CONFIG | Interface.LOAD_DATASET | Interface.PYTHON
CALLER = Interface.COMMAND | Interface.LOAD_DATASET | Interface.PYTHON
"""Only the person who starts the run, never a file: options that cost money, open connections, or name a local path."""


@dataclass(frozen=True)
class Option:
    """The declaration of an option.

    Attributes:
        name: name of the field.
        default: its default.
        kind: how its value is read and written.
        help: its text in `--help` and the docs.
        python_help: its text in docstrings.
        flag: its flag, `--no-…` for what is on by default; two flags with a slash switch it on and off.
        metavar: name of the value in `--help`.
        yaml: key in its part of a run config.
        keyword: name as an argument of `load_dataset`.
        set_by: who may set it.
        auto: whether None is written as `auto` in YAML, instead of null.
        rare: whether YAML contains it only if it is not the default: for later options, so that older hashes stay valid.
        shown: whether `--help` shows the default.
        after: name of the option that it follows in `--help`, if that is not the one declared before it.
        section: section of the paper (Magicoder, arXiv 2312.02120) that describes it.
    """

    name: str
    default: Any
    kind: OptionType
    help: str
    python_help: str
    flag: str | None
    metavar: str | None
    yaml: str | None
    keyword: str
    set_by: Interface
    auto: bool
    rare: bool
    shown: bool
    after: str | None
    section: str | None

    @property
    def nullable(self) -> bool:
        """Whether YAML may contain null."""
        return self.default is None and not self.auto


def option(
    default: Any,
    kind: OptionType,
    help: str,
    *,
    flag: str | None = None,
    metavar: str | None = None,
    yaml: str | None = None,
    keyword: str | None = None,
    set_by: Interface = ANYONE,
    auto: bool = False,
    rare: bool = False,
    shown: bool = False,
    after: str | None = None,
    section: str | None = None,
    kw_only: bool = False,
    python_help: str | None = None,
) -> Any:
    """Declare a field that is an option, see `Option`.

    Args:
        default: the default, or a function that returns it.
        kind: how a value is read and written.
        help: text in `--help` and the docs.
        flag: the flag; None for an option without one.
        metavar: name of the value in `--help`.
        yaml: key in its part of a run config; None if no run config has it.
        keyword: name as an argument of `load_dataset`; by default that of the field.
        set_by: who may set it.
        auto: whether YAML has `auto` for None.
        rare: whether YAML has it only if it is not the default.
        shown: whether `--help` shows the default.
        after: name of the option that it follows in `--help`.
        section: section of the paper that describes it.
        kw_only: whether the field is a keyword-only argument.
        python_help: text in docstrings, where `help` speaks of the command line; by default `help`.

    Returns:
        The field of a dataclass.
    """
    facts = (kind, help, python_help or help, flag, metavar, yaml, keyword, set_by, auto, rare, shown, after, section)
    where = {"default_factory": default} if callable(default) else {"default": default}
    # MISSING leaves it to a `KW_ONLY` above the field; False would make it positional again.
    return field(**where, kw_only=kw_only or MISSING, metadata={_OPTION: facts})


def same_option(part: type, name: str, *, python_help: str | None = None) -> Any:
    """Declare a field that is an option of another part, with its type, default and limits.

    Args:
        part: class of the part.
        name: name of the option there, and of the field.
        python_help: text in docstrings; by default that of the option.
    """
    declared = next(declared for declared in fields(part) if declared.name == name)
    if python_help is None:
        return field(default=declared.default, default_factory=declared.default_factory, metadata=declared.metadata)
    kind, help, _, *others = declared.metadata[_OPTION]
    return field(default=declared.default, metadata={_OPTION: (kind, help, python_help, *others)})


def argument(help: str, *, default: Any = MISSING, kind: OptionType | None = None, kw_only: bool = True) -> Any:
    """Declare a field that is an argument of a function, but no option of a run.

    Args:
        help: text in the docstring of the function.
        default: the default; without one, the argument is required.
        kind: how a value is validated; by default the function does it.
        kw_only: whether it is a keyword-only argument.

    Returns:
        The field of a dataclass.
    """
    return field(default=default, kw_only=kw_only, metadata={_ARGUMENT: (help, kind)})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(argument, field))
def arguments(part: type[Part]) -> type[Part]:
    """Make a class of arguments a frozen dataclass. Type checkers read `argument` there as they read `field`."""
    return dataclass(frozen=True, kw_only=True)(part)


def options_of(part: type) -> tuple[Option, ...]:
    """The options of a part of a run, in the order of their declaration."""
    return tuple(_option(declared) for declared in fields(part) if _OPTION in declared.metadata)


def _option(field: Field[Any]) -> Option:
    kind, help, python_help, flag, metavar, yaml, keyword, *others = field.metadata[_OPTION]
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    return Option(field.name, default, kind, help, python_help, flag, metavar, yaml, keyword or field.name, *others)


def in_order(options: Iterable[Option]) -> list[Option]:
    """Options in the order of `--help`: those with `after` are moved behind the option that it names."""
    options = list(options)
    listed = [option for option in options if option.after is None]
    for moved in (option for option in options if option.after is not None):
        index = next((at for at, option in enumerate(listed, 1) if option.name == moved.after), len(listed))
        listed.insert(index, moved)
    return listed


def normalize(part: Any) -> None:
    """Convert the values of a part to their types and validate them; call it in `__post_init__`.

    None stands for a default that a function returns, such as the default prompt.

    Raises:
        UsageError: a value is not allowed.
    """
    for declared in fields(part):
        kind = _option(declared).kind if _OPTION in declared.metadata else declared.metadata.get(_ARGUMENT, (None, None))[1]
        if kind is None:
            continue
        given = getattr(part, declared.name)
        wanted = declared.default_factory() if given is None and declared.default_factory is not MISSING else given
        value = checked_value(declared.name, kind, wanted, optional=declared.default is None)
        if value is not given:
            # The parts are frozen; `__post_init__` runs before anybody else has them.
            object.__setattr__(part, declared.name, value)


def in_yaml(part: Any) -> dict[str, Any]:
    """The values of a standalone part, such as an `EvolutionSpec`, as plain values by YAML key."""
    values = {option: getattr(part, option.name) for option in options_of(type(part)) if option.yaml}
    return {str(option.yaml): None if value is None else option.kind.to_yaml(value) for option, value in values.items()}


def documented(part: type[Part]) -> type[Part]:
    """Add an `Attributes:` section with the options' help to the docstring of a part of a run."""
    part.__doc__ = _with_section(part.__doc__, "Attributes", part)
    return part


def taken_from(arguments: Any, part: type[Part], *, without: Iterable[str] = ()) -> Part:
    """The part of a run that the arguments of a function describe: its options that are among them.

    Args:
        arguments: a dataclass that has options of the part.
        part: class of the part.
        without: options that keep their defaults.

    Raises:
        UsageError: a value is not allowed.
    """
    names = {declared.name for declared in fields(arguments)} - set(without)
    return part(**{declared.name: getattr(arguments, declared.name) for declared in options_of(part) if declared.name in names})


def with_arguments_of(part: Callable[P, Part]) -> Callable[[Callable[[Part], Result]], Callable[P, Result]]:
    """Let a function whose argument is a dataclass of options take these as arguments: `f(SeedArguments(n=3))` becomes `f(n=3)`.

    An `Args:` section with the help of options and arguments is added to its docstring.
    """

    def of(function: Callable[[Part], Result]) -> Callable[P, Result]:
        signature = _signature(part).replace(return_annotation=inspect.signature(function).return_annotation)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> Result:
            try:
                signature.bind(*args, **kwargs)
            except TypeError as error:
                # Python would name the dataclass, which the caller does not know.
                raise TypeError(f"{function.__name__}() {str(error).replace('multiple values', 'got multiple values')}") from None
            return function(part(*args, **kwargs))

        # For help(), editors and get_type_hints(), which would otherwise show the argument of `function`.
        del call.__wrapped__
        call.__signature__ = signature  # type: ignore[attr-defined]
        types = get_type_hints(part, localns=function.__globals__) | get_type_hints(function)
        call.__annotations__ = {name: types[name] for name in (*signature.parameters, "return")}
        call.__doc__ = _with_section(function.__doc__, "Args", part)  # type: ignore[arg-type]
        return call

    return of


def _signature(part: Callable[..., Any]) -> inspect.Signature:
    """The signature of a dataclass, with None for defaults that a function returns, as `normalize` has it."""
    signature = inspect.signature(part)
    made = {declared.name for declared in fields(part) if declared.default_factory is not MISSING}  # type: ignore[arg-type]
    parameters = [
        parameter.replace(default=None) if name in made else parameter for name, parameter in signature.parameters.items()
    ]
    # Required ones first among the keyword-only, as one would write them.
    return signature.replace(parameters=sorted(parameters, key=lambda one: (one.kind, one.default is not one.empty)))


def _with_section(docstring: str | None, title: str, part: type) -> str:
    """A docstring with a section that describes options and arguments in the order of a call, before its other sections."""
    text = inspect.cleandoc(docstring or "")
    others = (text.find(f"\n\n{name}:\n") for name in ("Returns", "Yields", "Raises", "Source"))
    before = min((at for at in others if at >= 0), default=len(text))
    help = {declared.name: declared.metadata[_ARGUMENT][0] for declared in fields(part) if _ARGUMENT in declared.metadata}
    help |= {option.name: option.python_help for option in options_of(part)}
    described = "\n".join(_WRAPPER.fill(f"{name}: {help[name]}") for name in _signature(part).parameters)
    return f"{text[:before]}\n\n{title}:\n{described}{text[before:]}"
