"""How text of strangers is shown: as text. No terminal escape, HTML, Markdown or hidden direction mark takes effect."""

from __future__ import annotations

import re

_HIDDEN = [
    *range(9),
    *range(11, 32),
    *range(127, 160),
    0x061C,
    0x200E,
    0x200F,
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
]
_ESCAPES = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _HIDDEN}
_MARKDOWN = re.compile(r"([\\`*_\[\]|~<>&$])")


def visible(text: str) -> str:
    r"""Control and direction characters spelled out (`\x1b`), new line and tab kept."""
    return text.translate(_ESCAPES)


def one_line(text: str, limit: int = 300) -> str:
    """The text on one line, at most `limit` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def fenced(text: str, tag: str = "") -> str:
    """The text as a Markdown code block that it cannot close, control characters spelled out."""
    return code_block(visible(text), tag)


def code_block(text: str, tag: str = "") -> str:
    """The text, untouched, in a Markdown fence longer than any run of backticks in it."""
    fence = fence_for(text)
    return f"{fence}{tag}\n{text}\n{fence}"


def fence_for(text: str) -> str:
    """A run of at least three backticks, longer than any in the text."""
    return "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))


def markdown(text: str) -> str:
    """The text inside a Markdown line or table cell, with no mark in it taking effect."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))
