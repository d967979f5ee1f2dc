"""Whole answers as chat models write them, a file for each language.

`=== NAME` begins an answer. `«right|wrong»` marks what makes its program right, and the slip that makes it wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_SLIP = re.compile(r"«(.*?)\|(.*?)»", re.DOTALL)


def written(language: str) -> Iterator[tuple[str, str, str]]:
    """Name, right text and wrong text of a language's answers."""
    text = Path(__file__).with_name(f"{language}.md").read_text("utf-8")
    for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        name, _, answer = part.partition("\n")
        assert _SLIP.search(answer), name
        yield name, _SLIP.sub(r"\1", answer), _SLIP.sub(r"\2", answer)
