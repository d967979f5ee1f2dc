"""Clean up copied code: interpreter sessions, patches, numbered lines, HTML entities."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator

from hf_oss_instruct.code.languages import find_language

_PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|irb\([^)]*\)[^>]*>|>)(?: |$)")
# `12: `, `12. `, `12) ` or `12 | ` before the code of a line.
_NUMBERED = re.compile(r"^[ \t]*(?P<number>\d{1,6})(?:[:.)|]| \|)? ?(?P<code>.*)$")
# Characters that text processors put in place of spaces and quotes.
_SPACES = str.maketrans({"\u00a0": " ", "\u3000": " ", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


def cleaned(code: str) -> Iterator[str]:
    """Yield what a block may have been before it was copied, starting with the block itself."""
    first, _, rest = code.lstrip("\n").partition("\n")
    if (
        rest.strip() and first.strip() and find_language(first.strip()) is not None
    ):  # the language tag, which belongs after the fence
        code = rest
    # Numbers that count every line from 1 are those of a listing, not code.
    listing = [_NUMBERED.match(line) for line in code.split("\n") if line.strip()]
    if len(listing) > 2 and [int(match["number"]) if match else 0 for match in listing] == list(range(1, len(listing) + 1)):
        code = "".join(match["code"] + "\n" for match in listing if match)
    yield code
    lines = [line for line in code.split("\n") if line.strip()]
    if (flush := textwrap.dedent(code)) != code:
        yield flush
    if "&" in code and (unescaped := html.unescape(code)) != code:
        yield unescaped
    if (spaced := code.translate(_SPACES)) != code:
        yield spaced
    if lines and _PROMPT.match(lines[0]):
        yield "".join(_PROMPT.sub("", line, count=1) + "\n" for line in lines if _PROMPT.match(line))
    # A patch: its context and added lines are the code after it.
    if lines and any(line[0] == "+" for line in lines) and all(line[0] in "+- @" for line in lines):
        kept = [line[1:] for line in code.split("\n") if line[:1] in ("+", " ") and not line.startswith("+++")]
        yield "\n".join(kept) + "\n"
