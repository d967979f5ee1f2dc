"""Files of exports with placeholders, written as `@NAME@`."""

from __future__ import annotations

from importlib.resources import files


def render(template: str, **values: str) -> str:
    """A template with its values filled in.

    Args:
        template: file name, without `.in`.
        values: for each placeholder `@NAME@` the text that goes there, by its name in lower case.
    """
    text = (files(__package__) / f"{template}.in").read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name.upper()}@", value)
    return text
