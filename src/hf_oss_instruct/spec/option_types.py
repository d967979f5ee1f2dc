"""Kinds of option values: how each is read from a flag, YAML or Python, and written to YAML."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from operator import index
from pathlib import Path
from typing import Any, TypeVar

from hf_oss_instruct.argument_types import check_choice
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.terminal.values import names_in

T = TypeVar("T")
AUTO = "auto"
"""On the command line, in YAML and in Python: the value that the program chooses, None in a spec."""


class OptionType:
    """A kind of values. This base class is for values with the same form everywhere.

    Attributes:
        yaml_types: types that YAML may contain.
        expected: what `from_python` accepts, as a phrase.
    """

    yaml_types: tuple[type, ...] = ()
    expected = "of its declared type"

    def from_flag(self, value: Any) -> Any:
        """Convert the value of a flag that click has validated.

        Raises:
            UsageError: it cannot be read.
        """
        return value

    def from_yaml(self, value: Any) -> Any:
        """Convert a value that `yaml.safe_load` returned.

        Raises:
            TypeError: it has the wrong type.
        """
        return typed(value, *self.yaml_types)

    def to_yaml(self, value: Any) -> Any:
        """The value in plain types, for YAML."""
        return value

    def from_python(self, value: Any) -> Any:
        """Convert a value that was passed in Python to the type of the field.

        Raises:
            UsageError: it is not allowed.
            TypeError: it is not what `expected` says.
            OutOfRangeError: it is a number outside of its interval.
        """
        return value


def typed(value: Any, *types: type) -> Any:
    """Return the value if it has one of these types; a bool does not count as an int."""
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        names = ("null" if kind is type(None) else kind.__name__ for kind in types)
        raise TypeError(f"{value!r} should be {' or '.join(names)}")
    return value


class OutOfRangeError(ValueError):
    """A number is outside of its interval, which the message describes: `at least 1`."""


def in_range(value: T, low: float, high: float | None = None, *, low_open: bool = False) -> T:
    """Return the number if it lies in an interval.

    Args:
        value: the number.
        low: the lower end of the interval.
        high: its upper end; None for no end.
        low_open: whether `low` itself is outside of it.

    Raises:
        OutOfRangeError: it is outside of the interval.
    """
    number: Any = value
    # Written so that NaN fails: each comparison with it is false.
    if (number > low if low_open else number >= low) and (high is None or number <= high):
        return value
    least = f"{'above' if low_open else 'at least'} {low}"
    raise OutOfRangeError(least if high is None else f"{least} and at most {high}")


def real(value: Any) -> int | float:
    """Return a number of any type, such as NumPy's, as an int or a float, as JSON and YAML have it.

    Raises:
        TypeError: it is not a number, or it is a bool.
    """
    number = typed(value, Real)
    if number != number:  # NaN, which passes no comparison with a range
        raise TypeError(value)
    return int(number) if isinstance(number, Integral) else float(number)


def whole(value: Any) -> int:
    """Return a whole number of any type, such as NumPy's, as an int. Raises TypeError for others, and for a bool."""
    if isinstance(value, bool):
        raise TypeError(value)
    return index(value)


def checked_value(name: str, kind: OptionType, value: Any, *, optional: bool = False) -> Any:
    """Convert a value that a program passes, or refuse it by name.

    Args:
        name: name of the argument.
        kind: its type.
        value: the value.
        optional: whether None is allowed, and stays None.

    Raises:
        UsageError: the value is not allowed.
    """
    if value is None and optional:
        return None
    try:
        return kind.from_python(value)
    except TypeError as error:
        raise UsageError(f"{name} must be {kind.expected}, not {value!r}.") from error
    except OutOfRangeError as error:
        raise UsageError(f"{name} must be {error}, not {value!r}.") from error


@dataclass(frozen=True)
class Integer(OptionType):
    """A whole number, at least `low` and, if there is a limit, at most `high`."""

    low: int
    high: int | None = None
    yaml_types = (int,)
    expected = "a whole number"

    def from_python(self, value: Any) -> int:
        """See `OptionType.from_python`."""
        return in_range(whole(value), self.low, self.high)


@dataclass(frozen=True)
class Number(OptionType):
    """A number in an interval; `low_open` excludes `low` itself."""

    low: float
    high: float | None = None
    low_open: bool = False
    yaml_types = (int, float)
    expected = "a number"

    def from_python(self, value: Any) -> Any:
        """See `OptionType.from_python`."""
        return in_range(real(value), self.low, self.high, low_open=self.low_open)


@dataclass(frozen=True)
class Text(OptionType):
    """Any string, or in Python a path or an object that stands for what a name means."""

    yaml_types = (str,)
    expected = "a string"

    def from_python(self, value: Any) -> Any:
        """See `OptionType.from_python`."""
        if isinstance(value, bytes | list | tuple | dict | set | Real):
            raise TypeError(value)
        return os.fspath(value) if isinstance(value, os.PathLike) else value


@dataclass(frozen=True)
class ModelOrTeacher(Text):
    """The name of a model on a command line and in `load_dataset`; a teacher in functions."""

    expected = "a teacher"


@dataclass(frozen=True)
class Switch(OptionType):
    """A switch: on or off."""

    yaml_types = (bool,)
    expected = "True or False"

    def from_python(self, value: Any) -> Any:
        """See `OptionType.from_python`."""
        return typed(value, bool)


@dataclass(frozen=True)
class Choice(OptionType):
    """One of several names.

    Attributes:
        names: the allowed names.
        wrong: the error message, with {value!r} for the value.
    """

    names: tuple[str, ...]
    wrong: str
    yaml_types = (str,)

    def from_python(self, value: Any) -> str:
        """See `OptionType.from_python`."""
        check_choice(value, self.names, self.wrong)
        return str(value)


@dataclass(frozen=True)
class Seconds(OptionType):
    """Seconds; `auto` stands for None."""

    yaml_types = (int, float)
    expected = f"a number of seconds, or {AUTO!r}"

    def from_python(self, value: Any) -> Any:
        """See `OptionType.from_python`."""
        return None if isinstance(value, str) and value == AUTO else in_range(real(value), 0, low_open=True)


@dataclass(frozen=True)
class JsonObject(OptionType):
    """A JSON object."""

    yaml_types = (dict,)
    expected = "a dict with string keys"

    def from_python(self, value: Any) -> Mapping[str, Any]:
        """See `OptionType.from_python`."""
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            raise TypeError(value)
        return value

    def to_yaml(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """See `OptionType.to_yaml`."""
        return dict(value)


@dataclass(frozen=True)
class AutoInteger(OptionType):
    """A whole number, at least `low`; `auto` stands for None."""

    flag: str
    low: int
    yaml_types = (int,)
    expected = f"a whole number, or {AUTO!r}"

    def from_flag(self, value: str) -> int | None:
        """See `OptionType.from_flag`."""
        if value != AUTO and not value.isdigit():
            raise UsageError(f"{self.flag} takes a number or 'auto', not {value!r}.")
        return None if value == AUTO else int(value)

    def from_python(self, value: Any) -> int | None:
        """See `OptionType.from_python`."""
        return None if isinstance(value, str) and value == AUTO else in_range(whole(value), self.low)


@dataclass(frozen=True)
class Names(OptionType):
    """Several names; in a string they are separated by commas, and `none` means no names."""

    expected = "a list of names, or a comma-separated string"

    def from_flag(self, value: str) -> tuple[str, ...]:
        """See `OptionType.from_flag`."""
        return names_in(value)

    def from_yaml(self, value: Any) -> tuple[str, ...]:
        """See `OptionType.from_yaml`."""
        return tuple(typed(name, str) for name in typed(value, list))

    def to_yaml(self, value: Sequence[str]) -> list[str]:
        """See `OptionType.to_yaml`."""
        return list(value)

    def from_python(self, value: Sequence[str] | str) -> tuple[str, ...]:
        """See `OptionType.from_python`."""
        return self.from_flag(value) if isinstance(value, str) else tuple(typed(name, str) for name in value)


@dataclass(frozen=True)
class Folder(OptionType):
    """The path of a local folder. No file can set it."""

    yaml_types = (str,)
    expected = "a path"

    def from_flag(self, value: Path) -> str:
        """See `OptionType.from_flag`."""
        return str(value)

    def from_python(self, value: str | os.PathLike[str]) -> str:
        """See `OptionType.from_python`."""
        return os.fspath(value)


@dataclass(frozen=True)
class File(OptionType):
    """The path of a local file, or what a program made of one. No file can set it."""

    def from_flag(self, value: Path) -> str:
        """See `OptionType.from_flag`."""
        return str(value)


@dataclass(frozen=True)
class Repeated(OptionType):
    """Several values; the flag is repeated for each. In Python, a single value does not need a list around it."""

    def from_python(self, value: Any) -> tuple[Any, ...]:
        """See `OptionType.from_python`."""
        return (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
