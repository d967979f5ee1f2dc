"""TypeScript: the rules of JavaScript, with types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.languages.javascript import JavaScript
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, leaves

if TYPE_CHECKING:
    from tree_sitter import Node


class TypeScript(JavaScript):
    """Rules for TypeScript."""

    name = "typescript"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        **JavaScript.node_kinds,
        "abstract_class_declaration": "container",
        "interface_declaration": "type",
        "type_alias_declaration": "type",
        "enum_declaration": "type",
        "ambient_declaration": "value",
        "function_signature": "type",
    }

    def forwarded(self, name: str, owner: str) -> str:
        """As in JavaScript; parameters are untyped, and checked where the tests call the function."""
        return f"\nconst {name} = (...args: any[]): any => ({owner} as any).{name}(...args);\n"

    def as_required(self, node: Node) -> str:
        """As in JavaScript; imported types become `any`, because their files are missing."""
        text = text_of(node)
        names = re.findall(r"\btype\s+([A-Za-z_$][\w$]*)", text)
        # `import type { A }`, or `import { type A, b }` below, of which only `b` exists at run time.
        if re.match(r"import\s+type\b", text):
            clause = next(child for child in node.named_children if child.type == "import_clause")
            return _any(leaves(clause))
        if not names:
            return super().as_required(node)
        rest = [name for name in leaves(node) if name not in names]
        required = f" const {{ {', '.join(rest)} }} = require({text_of(node.child_by_field_name('source'))});" if rest else ""
        return _any(names) + required


def _any(names: list[str]) -> str:
    return " ".join(f"type {name}<A = any, B = any, C = any> = any;" for name in names)
