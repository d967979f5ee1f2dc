"""Kinds of option values: how each is read from a flag, YAML or Python, and written to YAML."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.benchmarks.registry import recorded
from hf_oss_instruct.errors import UsageError

if TYPE_CHECKING:
    from hf_oss_instruct.curation.denylist import Denylist

Counts = tuple[tuple[str, int | None], ...]
"""Language names, each with its number of seeds, or None if it has no count."""


class Kind:
    """A kind of values. This base class is for values with the same form everywhere.

    Attributes:
        yaml_types: types that YAML may contain.
    """

    yaml_types: tuple[type, ...] = ()

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
        """
        return value


def typed(value: Any, *types: type) -> Any:
    """Return the value if it has one of these types; a bool does not count as an int."""
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        names = ("null" if kind is type(None) else kind.__name__ for kind in types)
        raise TypeError(f"{value!r} should be {' or '.join(names)}")
    return value


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number, at least `low` and, if there is a limit, at most `high`."""

    low: int
    high: int | None = None
    yaml_types = (int,)


@dataclass(frozen=True)
class Number(Kind):
    """A number in an interval; `low_open` excludes `low` itself."""

    low: float
    high: float | None = None
    low_open: bool = False
    yaml_types = (int, float)


@dataclass(frozen=True)
class Text(Kind):
    """Any text."""

    yaml_types = (str,)


@dataclass(frozen=True)
class Switch(Kind):
    """A switch: on or off."""

    yaml_types = (bool,)


@dataclass(frozen=True)
class Choice(Kind):
    """One of several names.

    Attributes:
        names: the allowed names.
        wrong: the error message, with {value!r} for the value.
    """

    names: tuple[str, ...]
    wrong: str
    yaml_types = (str,)

    def from_python(self, value: Any) -> str:
        """See `Kind.from_python`."""
        if value not in self.names:
            raise UsageError(f"{self.wrong.format(value=value)}. Use one of: {', '.join(self.names)}.")
        return str(value)


@dataclass(frozen=True)
class Seconds(Kind):
    """Seconds; `auto` on the command line for None."""

    yaml_types = (int, float)


@dataclass(frozen=True)
class JsonObject(Kind):
    """A JSON object."""

    yaml_types = (dict,)

    def to_yaml(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """See `Kind.to_yaml`."""
        return dict(value)


@dataclass(frozen=True)
class AutoInteger(Kind):
    """A whole number; `auto` on the command line for None."""

    flag: str
    yaml_types = (int,)

    def from_flag(self, value: str) -> int | None:
        """See `Kind.from_flag`."""
        if value != "auto" and not value.isdigit():
            raise UsageError(f"{self.flag} takes a number or 'auto', not {value!r}.")
        return None if value == "auto" else int(value)


@dataclass(frozen=True)
class Names(Kind):
    """Several names; separated by commas on the command line, `none` for no names."""

    def from_flag(self, value: str) -> tuple[str, ...]:
        """See `Kind.from_flag`."""
        return tuple(name.strip() for name in value.split(",") if name.strip() not in ("", "none"))

    def from_yaml(self, value: Any) -> tuple[str, ...]:
        """See `Kind.from_yaml`."""
        return tuple(typed(name, str) for name in typed(value, list))

    def to_yaml(self, value: Sequence[str]) -> list[str]:
        """See `Kind.to_yaml`."""
        return list(value)

    def from_python(self, value: Sequence[str]) -> tuple[str, ...]:
        """See `Kind.from_python`."""
        return value if isinstance(value, tuple) else tuple(value)


@dataclass(frozen=True)
class FilterNames(Names):
    """Names of seed filters; `all` on the command line for all of them."""

    def from_flag(self, value: str) -> tuple[str, ...]:
        """See `Kind.from_flag`."""
        return {"all": filter_names(), "none": ()}.get(value, tuple(value.split(",")))

    def from_python(self, value: Sequence[str]) -> tuple[str, ...]:
        """See `Kind.from_python`."""
        names = super().from_python(value)
        if unknown := sorted(set(names) - set(filter_names())) if names else []:
            raise UsageError(f"Unknown seed filters: {', '.join(unknown)}. Use some of: {', '.join(filter_names())}.")
        return names


def filter_names() -> tuple[str, ...]:
    """Names of the seed filters: `parses` checks the whole document, the others check the snippet."""
    from hf_oss_instruct.curation.snippet_filters import SNIPPET_FILTERS

    return ("parses", *SNIPPET_FILTERS)


@dataclass(frozen=True)
class BenchmarkNames(Names):
    """Names of benchmarks. A run config may not name a path, which would be read on the machine of the person who runs it."""

    def from_yaml(self, value: Any) -> tuple[str, ...]:
        """See `Kind.from_yaml`."""
        names = super().from_yaml(value)
        if paths := [name for name in names if name.startswith((".", "/", "~", "\\"))]:
            raise TypeError(f"checks.benchmarks names a path, {paths[0]!r}; a file from somebody else may not. Use --benchmarks")
        return tuple(map(recorded, names))


@dataclass(frozen=True)
class LanguageCounts(Kind):
    """Languages, each with an optional number of seeds."""

    def from_flag(self, value: str) -> Counts:
        """See `Kind.from_flag`."""
        found: dict[str, int | None] = {}
        for part in value.split(","):
            name, _, number = (piece.strip() for piece in part.partition("="))
            if number and not number.isdigit():
                raise UsageError(f"--languages {part!r}: the count must be a number. Write it as python=4000,cpp=500.")
            found |= self.from_python({name: int(number) if number else None})
        return tuple(found.items())

    def from_yaml(self, value: Any) -> Counts:
        """See `Kind.from_yaml`."""
        counts = dict.fromkeys(value) if isinstance(value, list) else typed(value or {}, dict)
        return self.from_python({str(name): n if n is None else typed(n, int, type(None)) for name, n in counts.items()})

    def to_yaml(self, value: Counts) -> dict[str, int | None] | None:
        """See `Kind.to_yaml`."""
        return dict(value) or None

    def from_python(self, value: Mapping[str, int | None] | Sequence[str] | Counts) -> Counts:
        """See `Kind.from_python`."""
        from hf_oss_instruct.languages import named

        pairs = (
            value.items() if isinstance(value, Mapping) else [(item, None) if isinstance(item, str) else item for item in value]
        )
        return tuple((named(name).name, number) for name, number in pairs)


@dataclass(frozen=True)
class Folder(Kind):
    """The path of a local folder. No file can set it."""

    yaml_types = (str,)

    def from_flag(self, value: Path) -> str:
        """See `Kind.from_flag`."""
        return str(value)

    def from_python(self, value: str | os.PathLike[str]) -> str:
        """See `Kind.from_python`."""
        return os.fspath(value)


@dataclass(frozen=True)
class File(Kind):
    """The path of a local file, or what a program made of one. No file can set it."""

    def from_flag(self, value: Path) -> str:
        """See `Kind.from_flag`."""
        return str(value)


@dataclass(frozen=True)
class Several(Kind):
    """Several values; the flag is given once for each."""

    def from_python(self, value: Sequence[Any]) -> tuple[Any, ...]:
        """See `Kind.from_python`."""
        return tuple(value)


@dataclass(frozen=True)
class OptOuts(Kind):
    """A denylist. A run config contains only its hash, because opt-outs name people's repositories."""

    def from_flag(self, value: Path) -> Denylist:
        """See `Kind.from_flag`."""
        return self.from_python(value)

    def from_yaml(self, value: Any) -> Denylist:
        """See `Kind.from_yaml`."""
        from hf_oss_instruct.curation.denylist import Denylist

        return Denylist(typed(value, str))

    def to_yaml(self, value: Denylist) -> str:
        """See `Kind.to_yaml`."""
        return value.hash

    def from_python(self, value: Denylist | str | os.PathLike[str]) -> Denylist:
        """See `Kind.from_python`."""
        from hf_oss_instruct.curation.denylist import Denylist

        return Denylist.from_file(Path(value)) if isinstance(value, str | os.PathLike) else value
