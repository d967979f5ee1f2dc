"""D: drop `module`, `main` and the answer's `unittest` blocks; a body starts with the brace that the prompt omits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.languages.delegation import join_with_wrapper, signature, with_prompt_signature
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, cut_out
from hf_oss_instruct.evaluation.problems import Problem


class D(ExtractionRules):
    """Rules for D."""

    name = "d"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "module_declaration": "package",
        "import_declaration": "import",
        "function_declaration": "function",
        "auto_declaration": "value",
        "variable_declaration": "value",
        "manifest_constant": "value",
        "enum_declaration": "type",
        "alias_declaration": "type",
        "union_declaration": "type",
        "template_declaration": "function",
        "struct_declaration": "container",
        "class_declaration": "container",
        "interface_declaration": "type",
        "unittest_declaration": "statement",
    }
    transparent_nodes = frozenset({"module_def", "aggregate_body"})
    body_opener = "{"
    main_functions = ("main",)

    def join(self, problem: Problem, source: ParsedSource) -> str:
        """Extend the base rules: call a template from a function with the prompt's types, because `[]` alone is untyped."""
        path = self.path_to(problem.entry_point, source.items)
        if len(path) != 1 or not _is_template(path[0]):
            return super().join(problem, source)
        return join_with_wrapper(self, problem, source)

    def without_unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> str:
        """Also remove `module` and tests."""
        removed = [*self.unneeded(problem, source, path), *source.of_kind("package")]
        tests = [item for item in source.items if item.node.type == "unittest_declaration"]
        return cut_out(source, [item.node for item in (*removed, *tests)])

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a static method callable by its plain name."""
        if len(path) < 2:
            return ""
        owner = ".".join(name for item in path[:-1] for name in item.names)
        if "static" not in signature(path[-1].inner, ()).partition("(")[0].split():
            owner = f"(new {owner}())"
        return with_prompt_signature(self, problem, f"{owner}.{problem.entry_point}")


def _is_template(item: OutlineItem) -> bool:
    return any(child.type == "template_parameters" for child in item.inner.named_children)
