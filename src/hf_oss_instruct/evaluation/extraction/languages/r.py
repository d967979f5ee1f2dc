"""R: functions are values; remove the script's own calls and tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem

if TYPE_CHECKING:
    from tree_sitter import Node


class R(ExtractionRules):
    """Rules for R."""

    name = "r"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {}
    needs_return = False
    prose_parses = True
    test_frameworks = re.compile(r"testthat|RUnit|assertthat")
    identifier = re.compile(r"[A-Za-z.][\w.]*")
    script_statements = re.compile(
        r"\b(?:quit|q|interactive|commandArgs|readline|readLines|sys\.nframe|sys\.call|rm|test_that|expect_equal)\("
    )
    code_line_start = re.compile(r"[A-Za-z.][\w.]*[ \t]*(?:<-|=)|(?:library|require|suppressPackageStartupMessages)\(|#")

    def item(self, node: Node) -> OutlineItem:
        """Treat an assignment as a definition and `library(…)` as an import."""
        operator = text_of(node.child_by_field_name("operator")) if node.type == "binary_operator" else ""
        if operator in ("<-", "=", "<<-"):
            right = node.child_by_field_name("rhs")
            kind: ItemKind = "function" if right is not None and right.type == "function_definition" else "value"
            return OutlineItem(kind, (text_of(node.child_by_field_name("lhs")).strip("`\"'"),), node, node)
        # R also assigns to the right: `function(x) x -> f`.
        if operator in ("->", "->>"):
            return OutlineItem("function", (text_of(node.child_by_field_name("rhs")).strip("`\"'"),), node, node)
        if node.type == "call" and re.match(r"local\(", text_of(node)):
            return OutlineItem("value", tuple(re.findall(r"([\w.]+)\s*<<-", text_of(node))), node, node)
        if assigned := re.match(r"""assign\(\s*['"]([\w.]+)['"]""", text_of(node)):
            return OutlineItem("function", (assigned[1],), node, node)
        if node.type == "call" and re.match(r"(?:library|require|suppress\w+)\(", text_of(node)):
            return OutlineItem("import", (), node, node)
        return super().item(node)
