"""Julia: functions in their long and short form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem

if TYPE_CHECKING:
    from tree_sitter import Node


class Julia(ExtractionRules):
    """Rules for Julia."""

    name = "julia"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "using_statement": "import",
        "import_statement": "import",
        "function_definition": "function",
        "assignment": "value",
        "const_statement": "value",
        "struct_definition": "type",
        "macro_definition": "type",
        "module_definition": "container",
    }
    block_ends = ("end",)
    needs_return = False
    script_statements = re.compile(r"PROGRAM_FILE|\bexit\(|\breadline\(|\bARGS\b|^@test")

    def item(self, node: Node) -> OutlineItem:
        """Take a function's name from the first word of its signature."""
        item = super().item(node)
        if item.inner.type in ("function_definition", "struct_definition", "macro_definition"):
            head = re.search(r"(?:function|struct|macro)\s+([\w!]+)", text_of(item.inner))
            return OutlineItem(item.kind, (head[1],) if head else (), node, item.inner)
        return item
