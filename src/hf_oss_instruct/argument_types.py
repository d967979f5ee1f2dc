"""Types of arguments of public functions: a value of another type is refused by name, before it fails somewhere inside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Any

from hf_oss_instruct.errors import UsageError


def check_type(name: str, value: object, types: type | UnionType, expected: str) -> None:
    """Refuse a value of another type.

    Args:
        name: name of the argument.
        value: its value.
        types: the types that are allowed.
        expected: these types in words, such as "a string".

    Raises:
        UsageError: it has none of these types.
    """
    if not isinstance(value, types):
        raise UsageError(f"{name} must be {expected}, not {value!r:.80}.")


def as_path(name: str, value: Any) -> Path:
    """The path that an argument names.

    Args:
        name: name of the argument.
        value: its value.

    Raises:
        UsageError: it is not a path.
    """
    check_type(name, value, str | os.PathLike, "a path")
    return Path(value)


def as_name(name: str, value: Any, expected: str) -> str:
    """What an argument names: something on the Hub, or a local path.

    Args:
        name: name of the argument.
        value: its value, a string or a path.
        expected: what it is in words.

    Raises:
        UsageError: it is neither of these.
    """
    check_type(name, value, str | os.PathLike, expected)
    return str(os.fspath(value))


def check_choice(value: object, names: Sequence[str], wrong: str) -> None:
    """Refuse a value that is none of several names.

    Args:
        value: the value.
        names: the allowed names.
        wrong: the first sentence of the error, without its full stop and with {value!r} for the value.

    Raises:
        UsageError: it is another value.
    """
    if not isinstance(value, str) or value not in names:
        raise UsageError(f"{wrong.format(value=value)}. Use one of: {', '.join(names)}.")
