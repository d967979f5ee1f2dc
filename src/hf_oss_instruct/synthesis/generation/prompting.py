"""Fill the prompt templates of tasks: text files beside the code, with `{name}` for each value."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from hf_oss_instruct.data import Message

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@cache
def template(package: str, name: str) -> str:
    """The text of `templates/NAME.txt` in a package."""
    return files(package).joinpath(f"templates/{name}.txt").read_text("utf-8")


def render(text: str, **values: str) -> tuple[Message, ...]:
    """One user message. A value that contains a placeholder's name is text: one pass over the template."""
    return ({"role": "user", "content": _PLACEHOLDER.sub(lambda match: values[match[1]], text)},)
