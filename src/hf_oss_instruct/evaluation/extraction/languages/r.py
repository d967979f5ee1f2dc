"""R: functions are values; remove the script's own calls and tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import Language
from hf_oss_instruct.evaluation.extraction.outline import Item, Kind

if TYPE_CHECKING:
    from tree_sitter import Node


class R(Language):
    """Rules for R."""

    name = "r"
    node_kinds: ClassVar[Mapping[str, Kind]] = {}
    needs_return = False
    prose_parses = True
    test_frameworks = re.compile(r"testthat|RUnit|assertthat")
    identifier = re.compile(r"[A-Za-z.][\w.]*")
    script_statements = re.compile(
        r"\b(?:quit|q|interactive|commandArgs|readline|readLines|sys\.nframe|sys\.call|rm|test_that|expect_equal)\("
    )
    code_line_start = re.compile(r"[A-Za-z.][\w.]*[ \t]*(?:<-|=)|(?:library|require|suppressPackageStartupMessages)\(|#")

    def item(self, node: Node) -> Item:
        """Treat an assignment as a definition and `library(…)` as an import."""
        operator = text_of(node.child_by_field_name("operator")) if node.type == "binary_operator" else ""
        if operator in ("<-", "=", "<<-"):
            right = node.child_by_field_name("rhs")
            kind: Kind = "function" if right is not None and right.type == "function_definition" else "value"
            return Item(kind, (text_of(node.child_by_field_name("lhs")).strip("`\"'"),), node, node)
        if operator in ("->", "->>"):
            return Item("function", (text_of(node.child_by_field_name("rhs")).strip("`\"'"),), node, node)
        if node.type == "call" and re.match(r"local\(", text_of(node)):
            return Item("value", tuple(re.findall(r"([\w.]+)\s*<<-", text_of(node))), node, node)
        if assigned := re.match(r"""assign\(\s*['"]([\w.]+)['"]""", text_of(node)):
            return Item("function", (assigned[1],), node, node)
        if node.type == "call" and re.match(r"(?:library|require|suppress\w+)\(", text_of(node)):
            return Item("import", (), node, node)
        return super().item(node)
