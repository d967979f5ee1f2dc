"""Repair source code with missing or surplus closing braces (or `end`) at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from hf_oss_instruct.evaluation.extraction.outline import ParsedSource

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_ERRORS = 6
"""With more syntax errors than this, the problem is not at the end of the text."""
MAX_CLOSERS = 6
"""Maximum number of closing braces to add or remove."""


def with_balanced_end(text: str, parse: Callable[[str], ParsedSource], closers: Sequence[str]) -> str:
    """Add missing closing braces or remove surplus ones; return the text unchanged if that leaves a syntax error.

    Args:
        text: source code.
        parse: parser of its language.
        closers: tokens that end a block, such as `}` or `end`.
    """
    if not text.strip() or not (root := parse(text).root).has_error or not _has_few_errors(root):
        return text
    # The shortest repair wins.
    for closer in closers:
        for count in range(1, MAX_CLOSERS + 1):
            longer = f"{text.rstrip()}\n" + f"{closer}\n" * count
            if parse(longer).clean:
                return longer
    shorter = text.rstrip()
    for _ in range(MAX_CLOSERS):
        if not (ends := [closer for closer in closers if shorter.endswith(closer)]):
            break
        shorter = shorter[: -max(map(len, ends))].rstrip()
        if parse(shorter).clean:
            return shorter + "\n"
    return text


def _has_few_errors(root: Node) -> bool:
    stack, errors = [root], 0
    while stack and errors <= MAX_ERRORS:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            errors += 1
        elif node.has_error:
            stack.extend(node.children)
    return errors <= MAX_ERRORS
