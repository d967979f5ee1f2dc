"""D: no `module`, no `main`, no `unittest` of its own; a body begins with the brace that the prompt leaves out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import Language
from hf_oss_instruct.evaluation.extraction.outline import Item, Kind, Source, cut_out
from hf_oss_instruct.evaluation.problems import Problem


class D(Language):
    """Rules for D."""

    name = "d"
    node_kinds: ClassVar[Mapping[str, Kind]] = {
        "module_declaration": "package",
        "import_declaration": "import",
        "function_declaration": "function",
        "auto_declaration": "value",
        "variable_declaration": "value",
        "manifest_constant": "value",
        "enum_declaration": "type",
        "alias_declaration": "type",
        "union_declaration": "type",
        "template_declaration": "type",
        "struct_declaration": "container",
        "class_declaration": "container",
        "interface_declaration": "type",
        "unittest_declaration": "statement",
    }
    transparent_nodes = frozenset({"module_def", "aggregate_body"})
    body_opener = "{"
    main_functions = ("main",)

    def without_unneeded(self, problem: Problem, source: Source, path: Sequence[Item]) -> str:
        """Also without `module` and tests."""
        gone = [*self.unneeded(problem, source, path), *source.of_kind("package")]
        tests = [item for item in source.items if item.node.type == "unittest_declaration"]
        return cut_out(source, [item.node for item in (*gone, *tests)])

    def entry_point_alias(self, problem: Problem, path: Sequence[Item]) -> str:
        """A static method under its plain name."""
        if len(path) < 2:
            return ""
        owner = ".".join(name for item in path[:-1] for name in item.names)
        return f"\nauto {problem.entry_point}(Arguments...)(Arguments given) {{ return {owner}.{problem.entry_point}(given); }}\n"
