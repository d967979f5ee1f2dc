"""Show untrusted text as plain text: no terminal escape, HTML, Markdown or bidirectional control takes effect."""

from __future__ import annotations

import re

_HIDDEN = [
    # All control characters except tab and new line.
    *range(9),
    *range(11, 32),
    *range(127, 160),
    # Bidirectional controls, which make code look like other code, and separators that some programs take for new lines.
    0x061C,
    0x200E,
    0x200F,
    0x2028,
    0x2029,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),  # halves of surrogate pairs: what Python makes of a file name that is not UTF-8
    0xFFFE,  # these two are not characters, and XML forbids them
    0xFFFF,
]
_ESCAPES = {code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" for code in _HIDDEN}
_MARKDOWN = re.compile(r"([\\`*_\[\]|~<>&$])")


def visible(text: str) -> str:
    r"""Escape control and bidirectional characters (`\x1b`); keep new lines and tabs."""
    return text.translate(_ESCAPES)


def one_line(text: str, limit: int = 300) -> str:
    """Join a text to one line of at most `limit` characters."""
    line = " ".join(visible(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 row`, `2,000 rows`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def error_message(error: BaseException, limit: int = 300) -> str:
    """The message of an exception on one line, without a final period; the name of its type if the message is empty."""
    return one_line(str(error), limit).rstrip(".") or type(error).__name__


def fenced(text: str, tag: str = "") -> str:
    """Return the text as a Markdown code block that it cannot close, with control characters escaped."""
    return code_block(visible(text), tag)


def code_block(text: str, tag: str = "") -> str:
    """Return the unmodified text in a Markdown fence longer than any run of backticks in it."""
    fence = fence_for(text)
    return f"{fence}{tag}\n{text}\n{fence}"


def fence_for(text: str) -> str:
    """Return at least three backticks, more than any run of backticks in the text."""
    if "```" not in text:  # faster than the pattern, which looks at every character
        return "```"
    return "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))


def markdown(text: str) -> str:
    """Escape text for a Markdown line or table cell."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))
