"""Find the definitions that the entry point uses, and the statements that use the entry point."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from hf_oss_instruct.evaluation.extraction.outline import OutlineItem

WordFinder = Callable[[str], frozenset[str]]
"""Returns the words in a text that may be names."""


def used_by(items: Sequence[OutlineItem], roots: Sequence[OutlineItem], words: WordFinder) -> list[OutlineItem]:
    """Return the roots and everything that they use, directly or indirectly.

    Args:
        items: one level of a source.
        roots: the items to start from.
        words: extracts the names in a text.
    """
    first = {item.node.id for item in roots}
    waiting = [item for item in items if item.node.id not in first and item.names]
    needed, used = list(roots), set().union(*(words(item.text) for item in roots))
    while more := [item for item in waiting if used.intersection(_name_parts(item.names))]:
        needed += more
        ids = {item.node.id for item in more}
        waiting = [item for item in waiting if item.node.id not in ids]
        used.update(*(words(item.text) for item in more))
    return needed


def callers_of(names: set[str], items: Sequence[OutlineItem], words: WordFinder) -> set[int]:
    """Return the node IDs of items that mention these names, directly or indirectly: `main`, tests, examples.

    Args:
        names: the entry point, and names that only exist while the answer runs as a script.
        items: items that the entry point does not use.
        words: extracts the names in a text.
    """
    waiting = {item.node.id: (item, words(item.text)) for item in items}
    callers = set[int]()
    while more := [item for item, mentioned in waiting.values() if names & mentioned]:
        for item in more:
            callers.add(item.node.id)
            del waiting[item.node.id]
        # Next, items that mention only these: `main` calls a test, which calls the entry point.
        names = {name for item in more for name in item.names}
    return callers


def _name_parts(names: Iterable[str]) -> set[str]:
    """Return the names, including the parts of `module.name`."""
    return {part for name in names for part in (name, *re.split(r"[.:]+", name))}
