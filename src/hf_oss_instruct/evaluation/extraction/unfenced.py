"""Find code between sentences: imports and definitions in a text without fences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hf_oss_instruct.evaluation.extraction.language import ExtractionRules

MAX_LINES = 400
"""How much of an answer without fences is searched for code."""
MAX_TRIES = 40
"""Number of possible ends to try for a definition followed by text that does not parse."""
MAX_BYTES = 400_000
"""How much is parsed in total: prose is full of syntax errors, which makes parsing slow."""
_TAKEN = ("import", "package", "function", "type", "container", "value")
_INDENT = re.compile(r"^(?: {4}|\t)", re.MULTILINE)


def definitions_in_prose(language: ExtractionRules, text: str, name: str) -> str:
    """Collect the imports and definitions in a text; empty if the name is not among them.

    Args:
        language: rules of the problem's language.
        text: the answer.
        name: the entry point.
    """
    # Markdown also marks code by indentation.
    for variant in (text, _INDENT.sub("", text)):
        code = _definitions(language, variant.split("\n")[:MAX_LINES])
        if language.path_to(name, language.source(code).items):
            return code
    return ""


def _definitions(language: ExtractionRules, lines: Sequence[str]) -> str:
    line, left = 0, MAX_BYTES
    kept: list[str] = []
    while line < len(lines) and left > 0:
        size = 0
        if language.may_start_code(lines[line]):
            size, parsed = _first(language, lines[line:])
            left -= parsed
        kept += lines[line : line + size]
        line += size or 1
    return "\n".join([*kept, ""]) if kept else ""


def _first(language: ExtractionRules, lines: Sequence[str]) -> tuple[int, int]:
    """Return the number of lines of the definition that a text starts with (0 if none), and how much was parsed."""
    parsed = sum(map(len, lines))
    if size := _size(language, lines):
        return size, parsed
    # Lines after which a definition may end: those before a blank line, or that are not indented.
    ends = [end for end in range(1, len(lines)) if not lines[end - 1][:1].isspace() or not lines[end].strip()]
    for end in ends[:MAX_TRIES]:
        parsed += sum(map(len, lines[:end]))
        if size := _size(language, lines[:end]):
            return size, parsed
    return 0, parsed


def _size(language: ExtractionRules, lines: Sequence[str]) -> int:
    source = language.source("\n".join(lines) + "\n")
    extra = source.text.count("\n") - len(lines)  # an opening tag that the language adds
    for item in source.items:
        if item.node.start_point.row < extra or (item.kind == "comment" and item.node.end_point.row == extra):
            continue
        if item.kind not in _TAKEN or item.node.has_error or item.node.start_point.row > extra + _comments(lines):
            return 0
        end = item.node.end_point
        return end.row - extra + (1 if end.column else 0)
    return 0


def _comments(lines: Sequence[str]) -> int:
    return next((number for number, line in enumerate(lines) if not line.lstrip().startswith(("#", "//", "--", ";", "%"))), 0)
