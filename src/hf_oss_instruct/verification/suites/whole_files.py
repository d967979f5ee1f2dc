"""Languages whose test files cannot simply be concatenated: files with one test each, and several files combined into one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.suites.core import Test

if TYPE_CHECKING:
    from tree_sitter import Node

_BLANK = re.compile(r"\n(?:[ \t]*\n){2,}")


def alone(
    tests: Sequence[Test], source: bytes, spans: Sequence[tuple[int, int]], kept: frozenset[int] = frozenset()
) -> tuple[Test, ...]:
    """Each test with everything in its file but the other tests as its text.

    Args:
        tests: the tests of a file, in any order.
        source: the file.
        spans: first byte and end of each test in it, in the order of `tests`.
        kept: tests that also stay in the texts of those after them, because they change what those inspect.
    """
    return tuple(
        replace(
            test,
            text=_without(
                source, [span for other, span in enumerate(spans) if other > index or (other < index and other not in kept)]
            ),
        )
        for index, test in enumerate(tests)
    )


def renamed(text: str, names: Iterable[str], number: int) -> str:
    """Rename what a file declares, so that it can be combined with others.

    Args:
        text: the file.
        names: what it declares.
        number: number of the file, which is appended to the names; the first one, 0, keeps its names.
    """
    for name in dict.fromkeys(names) if number else ():
        text = re.sub(rf"(?<![\w$]){re.escape(name)}\b", f"{name}_{number}", text)
    return text


def combined(
    texts: Sequence[str],
    language: str,
    imports: re.Pattern[str],
    body_of: Callable[[str], str],
    declared: Callable[[Node], Iterable[Node]],
) -> str:
    """Combine several files into one: their imports first, then their bodies, each with different names for what it declares.

    Args:
        texts: the files.
        language: their language.
        imports: finds the imports of a file.
        body_of: returns a file without its imports.
        declared: returns the declarations of a parsed body whose names must differ between files.
    """
    head = dict.fromkeys(line.strip() for text in texts for line in imports.findall(text))
    parts = []
    for number, body in enumerate(map(body_of, texts)):
        nodes = declared(parse(body.encode(errors="replace"), language).root_node)
        parts.append(renamed(body, [text_of(node.child_by_field_name("name")) for node in nodes], number))
    return "\n".join([*head, *parts])


def _without(source: bytes, spans: Sequence[tuple[int, int]]) -> str:
    # From the end, so that offsets before a span stay right.
    for start, end in sorted(spans, reverse=True):
        source = source[:start] + source[end:]
    return _BLANK.sub("\n\n", source.decode(errors="replace")).strip() + "\n"
