"""Interpret a language's grammar: kinds of syntax nodes, names, and rules for definitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.evaluation.extraction import stubs
from hf_oss_instruct.evaluation.extraction.brace_repair import with_balanced_end
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, name_of, targets_of, tree

if TYPE_CHECKING:
    from tree_sitter import Node


class GrammarRules:
    """A language's grammar: which nodes are imports, definitions or statements, and where their names are."""

    name: ClassVar[str]
    node_kinds: ClassVar[Mapping[str, ItemKind]]
    """Node type → kind of item; a statement if it is not listed."""
    wrapper_nodes: ClassVar[frozenset[str]] = frozenset()
    """Node types that wrap one definition as their last child: decorators, `export`, templates."""
    transparent_nodes: ClassVar[frozenset[str]] = frozenset()
    """Node types whose children belong to the level above."""
    block_ends: ClassVar[tuple[str, ...]] = ("}",)
    """Closing tokens that may be missing or surplus at the end of a truncated text."""
    body_opener: ClassVar[str] = ""
    """Beginning of a body that the prompt leaves out."""
    needs_return: ClassVar[bool] = True
    """Whether a function needs `return` to give a value."""
    identifier: ClassVar[re.Pattern[str]] = re.compile(r"[^\W\d]\w*")
    script_statements: ClassVar[re.Pattern[str] | None] = None
    """Statements that are never part of a solution: exiting, running tests, reading input."""
    test_frameworks: ClassVar[re.Pattern[str] | None] = None
    """Imports of test libraries, which a solution does not need."""
    defined_before_use: ClassVar[bool] = False
    """Whether a definition must precede its uses."""
    prose_parses: ClassVar[bool] = False
    """Whether prose can parse without syntax errors."""
    main_functions: ClassVar[tuple[str, ...]] = ()
    """Entry functions of a program, which the tests define themselves."""
    code_line_start: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:import|using|use|package|namespace|class|struct|enum|union|interface|record|type|typedef|template|const|let|var|func|fn|"
        r"pub|impl|mod|function|async|export|declare|abstract|public|private|protected|internal|static|final|object|def|module|macro)\b|"
        r"[@#/*{<(]|[^.!?]*\([^()]*\)?[^.!?]*(?:[{;,()]|=>.*)?\s*$|[\w$]+\s*=[^=]"
    )
    """Start of a line that is code rather than prose."""

    def source(self, text: str) -> ParsedSource:
        """Parse a text; the result is cached."""
        return _source(self, text)

    def items(self, nodes: Iterable[Node]) -> Iterator[OutlineItem]:
        """Yield the items at one level."""
        for node in nodes:
            if node.type in self.transparent_nodes:
                yield from self.items(node.children)
            elif node.is_named or node.is_missing:
                yield self.item(node)

    def item(self, node: Node) -> OutlineItem:
        """Classify a node."""
        inner = node
        while inner.type in self.wrapper_nodes and inner.named_children:
            inner = inner.named_children[-1]
        kind: ItemKind = "error" if node.type == "ERROR" else "comment" if "comment" in node.type else "statement"
        kind = self.node_kinds.get(inner.type, kind)
        return OutlineItem(kind, self.names(kind, inner), node, inner)

    def names(self, kind: ItemKind, node: Node) -> tuple[str, ...]:
        """Return the names that a definition introduces."""
        if kind == "value":
            return targets_of(node)
        return (name_of(node),) if kind in ("function", "type", "container") else ()

    def members(self, item: OutlineItem) -> list[OutlineItem]:
        """Return the items inside a container."""
        body = item.inner.child_by_field_name("body") or item.inner
        return list(self.items(body.named_children))

    def path_to(self, name: str, items: Iterable[OutlineItem]) -> list[OutlineItem]:
        """Return the definition of a name with the containers around it, outermost first; empty if there is none.

        The last top-level definition is preferred, as in a script; then those in containers, in order.
        """
        items = list(items)
        definitions = [item for item in items if item.kind in ("function", "value") and name in item.names]
        if definitions:
            return [next((item for item in reversed(definitions) if not self.is_stub(item)), definitions[-1])]
        declared: list[OutlineItem] = []
        for item in items:
            if item.kind in ("function", "value") and any(
                declared_name.endswith((f".{name}", f":{name}")) for declared_name in item.names
            ):
                return [item]
            if item.kind == "container" and (inside := self.path_to(name, self.members(item))):
                if not self.is_stub(inside[-1]):
                    return [item, *inside]
                declared = declared or [item, *inside]  # in an interface, or still to be written
        return declared

    def words(self, text: str) -> frozenset[str]:
        """Return the words in a text that may be names."""
        return frozenset(self.identifier.findall(text))

    def may_start_code(self, line: str) -> bool:
        """Whether a line may start a definition."""
        return self.code_line_start.match(line) is not None

    def is_stub(self, item: OutlineItem) -> bool:
        """Whether a function has no body yet, see `stubs.is_stub`."""
        return stubs.is_stub(item)

    def closed(self, text: str) -> str:
        """Balance the closing braces of a text, see `brace_repair.with_balanced_end`."""
        return with_balanced_end(text, self.source, self.block_ends)


@lru_cache(maxsize=512)
def _source(rules: GrammarRules, text: str) -> ParsedSource:
    root = tree(text, rules.name)
    return ParsedSource(text, root, tuple(rules.items(root.children)))
