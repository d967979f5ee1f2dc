"""Values as a command line writes them, which the Python functions accept as well: names with commas, FIELD=COLUMN pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hf_oss_instruct.errors import UsageError


def names_in(value: str | Iterable[str]) -> tuple[str, ...]:
    """Several names: a list, or a comma-separated string; the string `none` means no names.

    Raises:
        UsageError: a string has no names, as that of an unset shell variable, or combines `none` with others.
    """
    if not isinstance(value, str):
        return tuple(value)
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise UsageError(f"{value!r} contains no name. Pass names separated by commas, or none.")
    if "none" in names and len(names) > 1:
        raise UsageError(f"{value!r} combines none with other names. Pass none alone, or leave it out.")
    return () if names == ("none",) else names


def columns_in(value: str | Mapping[str, str] | None) -> dict[str, str]:
    """Field → column, from such a mapping or from a string like that of `--columns`.

    Raises:
        UsageError: it is not of the form FIELD=COLUMN.
    """
    if value and not isinstance(value, str | Mapping):
        raise UsageError(f"The columns are FIELD=COLUMN pairs, not {value!r}. Write problem=NAME,solution=NAME, or a dict.")
    columns = dict(part.strip().partition("=")[::2] for part in value.split(",")) if isinstance(value, str) else dict(value or {})
    if empty := [field for field, name in columns.items() if not name]:
        raise UsageError(f"--columns takes FIELD=COLUMN, not {empty[0]!r}. Write problem=NAME,solution=NAME.")
    return columns
