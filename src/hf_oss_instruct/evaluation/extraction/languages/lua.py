"""Lua: remove a module's final `return`, which nothing may follow; make fields of the module callable by plain name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, walk
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node

_RETURNED_TABLE = re.compile(r"^return[ \t]*(?=\{\s*(?:\w+|\[\"\w+\"\])\s*=\s*function\b)", re.MULTILINE)


class Lua(ExtractionRules):
    """Rules for Lua."""

    name = "lua"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "hash_bang_line": "package",
        "function_declaration": "function",
        "variable_declaration": "value",
        "assignment_statement": "value",
    }
    block_ends = ("end",)
    defined_before_use = True
    script_statements = re.compile(r"^return\b|\bos\.exit\b|\bio\.(?:read|stdin)\b|\barg\b|\bluaunit\b|^lu\.")
    code_line_start = re.compile(r"(?:local[ \t]+)?function\b|local[ \t]|[A-Za-z_][\w.]*[ \t]*=|--")

    def source(self, text: str) -> ParsedSource:
        """Parse a source; a module table that is only returned becomes a variable."""
        return super().source(_RETURNED_TABLE.sub("local exported = ", text))

    def item(self, node: Node) -> OutlineItem:
        """Extend the base rules: a `do` block that assigns outer variables is a definition."""
        if node.type == "do_statement":
            names = [
                name for item in self.members(super().item(node)) if item.kind in ("function", "value") for name in item.names
            ]
            local = [name for item in self.members(super().item(node)) if item.text.startswith("local") for name in item.names]
            return OutlineItem("value", tuple(name for name in names if name not in local), node, node)
        return super().item(node)

    def names(self, kind: ItemKind, node: Node) -> tuple[str, ...]:
        """Also find functions in a table."""
        names = super().names(kind, node)
        if kind != "value" or len(names) != 1:
            return names
        table = next((inner for inner in walk(node) if inner.type == "table_constructor"), None)
        fields = [field.child_by_field_name("name") for field in table.named_children] if table is not None else []
        return (*names, *(f"{names[0]}.{text_of(field)}" for field in fields if field is not None))

    def unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> list[OutlineItem]:
        """Also remove the shebang line."""
        return [*super().unneeded(problem, source, path), *source.of_kind("package")]

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a field of a table callable by its plain name."""
        name = problem.entry_point
        if not path or name in path[-1].names:
            return ""
        dotted = next(dotted_name for dotted_name in path[-1].names if dotted_name.endswith((f".{name}", f":{name}")))
        # Called with a colon, a function also gets its table as the first argument.
        if ":" in dotted:
            return f"\nlocal {name} = function(...) return {dotted}(...) end\n"
        return f"\nlocal {name} = {dotted}\n"
