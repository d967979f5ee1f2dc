"""The parts of a parsed source: imports, definitions, statements, each with its names and position."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal

from hf_oss_instruct.code.syntax import GRAMMARS, parse, text_of
from hf_oss_instruct.errors import EvaluationError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

ItemKind = Literal["package", "import", "function", "type", "container", "value", "statement", "comment", "error"]
DEFINITIONS: frozenset[ItemKind] = frozenset({"function", "type", "container", "value"})
_ASSIGNS = frozenset({"=", "<-", "<<-", ":="})
# Node types of `a.b` and `a[b]` in the grammars.
_MEMBER = re.compile(r"member|index|dot_|subscript|attribute|element|field_expression")
_NAME = re.compile(r"[^\W\d][\w$]*")


@dataclass(frozen=True)
class OutlineItem:
    """A statement at one level of a source.

    Attributes:
        kind: its kind; a `container` (class, namespace, module) has members.
        names: the names it defines.
        node: its syntax tree.
        inner: the defining node, inside wrappers such as `export` or a decorator.
    """

    kind: ItemKind
    names: tuple[str, ...]
    node: Node
    inner: Node

    @property
    def text(self) -> str:
        """Its source."""
        return text_of(self.node)


@dataclass(frozen=True)
class ParsedSource:
    """A text and its syntax tree.

    Attributes:
        text: the source.
        root: the root node.
        items: the top-level items, in order.
    """

    text: str
    root: Node = field(repr=False)
    items: tuple[OutlineItem, ...] = field(repr=False)

    @property
    def clean(self) -> bool:
        """Whether it has no syntax error."""
        return not self.root.has_error

    @cached_property
    def code(self) -> bytes:
        """The bytes that node positions refer to."""
        return encoded(self.text)

    @cached_property
    def defined(self) -> frozenset[str]:
        """Names that its top level defines."""
        return frozenset(name for item in self.items if item.kind in DEFINITIONS for name in item.names)

    def of_kind(self, *kinds: ItemKind) -> list[OutlineItem]:
        """The items of these kinds, in order."""
        return [item for item in self.items if item.kind in kinds]


def tree(text: str, lang: str) -> Node:
    """Parse a text and return the root node.

    Raises:
        EvaluationError: the language's grammar is not installed.
    """
    # Grammars with a wheel of their own are always installed; the others come with an extra.
    if lang in GRAMMARS:
        return parse(encoded(text), lang).root_node
    return _packed_parser(lang).parse(encoded(text)).root_node


@cache
def _packed_parser(lang: str) -> Parser:
    try:
        from tree_sitter_language_pack import get_parser
    except ImportError as error:
        raise EvaluationError(
            f"Parsing answers in {lang} requires tree-sitter-language-pack, which is not installed. "
            "Install it with: pip install 'tree-sitter-language-pack>=0.13,<1' (part of the extra `eval`)"
        ) from error
    return get_parser(lang)  # type: ignore[arg-type]


def encoded(text: str) -> bytes:
    """Encode a text for tree-sitter."""
    return text.encode("utf-8", "replace")


def cut_out(source: ParsedSource, nodes: Collection[Node], replaced: dict[int, str] | None = None) -> str:
    """Remove nodes from a source.

    Args:
        source: the source.
        nodes: the nodes to remove.
        replaced: node ID → text to insert in its place.
    """
    kept, position = [], 0
    # Of two nodes that begin at the same byte, the outer one first.
    for node in sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte)):
        if node.start_byte < position:  # inside a removed node
            continue
        kept.append(source.code[position : node.start_byte].decode(errors="replace"))
        kept.append((replaced or {}).get(node.id, ""))
        position = node.end_byte
    kept.append(source.code[position:].decode(errors="replace"))
    return "".join(kept)


def name_of(node: Node) -> str:
    """Return the name of a definition, looking through C declarators; empty if there is none."""
    while (named := node.child_by_field_name("name")) is None:
        inner = node.child_by_field_name("declarator") or next(
            (child for child in node.named_children if child.type == "identifier" or child.type.endswith("_declarator")), None
        )
        if inner is None:
            return ""
        if not inner.named_children:
            return text_of(inner)
        node = inner
    return text_of(named).strip()


def targets_of(node: Node, depth: int = 4) -> tuple[str, ...]:
    """Return the names that an assignment or declaration sets."""
    names = [name for assigned in _assignments(node, depth) for name in assigned]
    return tuple(dict.fromkeys(names)) or tuple(dict.fromkeys(leaves(node)))


def _assignments(node: Node, depth: int) -> Iterator[list[str]]:
    sign = next(
        (position for position, child in enumerate(node.children) if text_of(child) in _ASSIGNS and not child.children), None
    )
    if sign is not None:
        yield [name for child in node.children[:sign] for name in _target(child)]
    elif depth:
        for child in node.children:
            yield from _assignments(child, depth - 1)


def _target(node: Node) -> list[str]:
    inner = node.named_children[0] if node.type.endswith("_list") and len(node.named_children) == 1 else node
    return ["".join(text_of(inner).split())] if _MEMBER.search(inner.type) else leaves(node)


def leaves(node: Node) -> list[str]:
    """Return the names among the leaves of a tree, in order."""
    stack, texts = [node], []
    while stack:
        current = stack.pop()
        if current.children:
            stack.extend(reversed(current.children))
        elif current.is_named and _NAME.fullmatch(text := text_of(current).lstrip("$@%")):
            texts.append(text)
    return texts


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all its descendants."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))
