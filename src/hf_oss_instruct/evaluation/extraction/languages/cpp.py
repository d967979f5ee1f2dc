"""C++: keep all includes and `using`, drop `main`, make methods and functions of namespaces callable by plain name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.languages.delegation import arguments, join_with_wrapper, with_prompt_signature
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, name_of, walk
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node


class Cpp(ExtractionRules):
    """Rules for C++."""

    name = "cpp"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "preproc_include": "import",
        "using_declaration": "import",
        "preproc_def": "type",
        "preproc_function_def": "type",
        "function_definition": "function",
        "class_specifier": "container",
        "struct_specifier": "container",
        "union_specifier": "type",
        "enum_specifier": "type",
        "type_definition": "type",
        "alias_declaration": "type",
        "declaration": "value",
        "namespace_definition": "container",
    }
    wrapper_nodes = frozenset({"template_declaration"})
    main_functions = ("main",)
    defined_before_use = True
    # Headers in quotes are files that do not exist here.
    test_frameworks = re.compile(r"#[ \t]*include[ \t]*(?:\"(?!bits/)|<(?:gtest|gmock|catch2)/)")

    def item(self, node: Node) -> OutlineItem:
        """Extend the base rules: a function declaration without a body is not a definition."""
        item = super().item(node)
        declarator = item.inner.child_by_field_name("declarator")
        if item.kind == "value" and declarator is not None and "function_declarator" in declarator.type:
            return OutlineItem("type", (name_of(item.inner),), node, item.inner)
        # `typedef old name;` has its name in the declarator.
        if item.inner.type == "type_definition":
            return OutlineItem("type", (text_of(item.inner.child_by_field_name("declarator")),), node, item.inner)
        if item.kind == "function" and (owner := _owner(item.inner)):
            return OutlineItem("function", (f"{owner}::{item.names[0]}",), node, item.inner)
        return item

    def join(self, problem: Problem, source: ParsedSource) -> str:
        """Extend the base rules: rename a function whose signature differs from the prompt's, and add a wrapper that calls it."""
        path = self.path_to(problem.entry_point, source.items)
        if len(path) != 1 or path[0].kind != "function" or not self._has_other_signature(problem, path[0]):
            return super().join(problem, source)
        return join_with_wrapper(self, problem, source)

    def _has_other_signature(self, problem: Problem, item: OutlineItem) -> bool:
        """Whether the function is a template, modifies its arguments, or has additional (default) parameters."""
        prompt = self.path_to(problem.entry_point, self.prompt_of(problem).items)
        if not prompt or problem.entry_point not in item.names:
            return False
        more = len(arguments(item.inner)) > len(arguments(prompt[-1].inner))
        return more or item.node.type == "template_declaration" or _changes_arguments(item.inner)

    def from_prompt(self, problem: Problem, source: ParsedSource) -> list[str]:
        """Include the semicolon after a type."""
        return [
            f"{text};" if re.match(r"(?:struct|class|union|enum)\b", text) else text
            for text in super().from_prompt(problem, source)
        ]

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a function of a namespace or class callable by its plain name."""
        name = problem.entry_point
        if len(path) == 1 and name not in path[0].names:  # a method defined outside its class
            return with_prompt_signature(self, problem, f"{path[0].names[0].rpartition('::')[0]}().{name}")
        if len(path) < 2:
            return ""
        owner = "::".join(part for item in path[:-1] for part in item.names)
        if all(item.inner.type == "namespace_definition" for item in path[:-1]):
            return f"\nusing {owner}::{name};\n"
        return with_prompt_signature(self, problem, f"{owner}().{name}")


def _owner(function: Node) -> str:
    """Return the class in `Class::function`, or an empty string."""
    declarator = function.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "qualified_identifier":
        declarator = declarator.child_by_field_name("declarator")
    return text_of(declarator.child_by_field_name("scope")) if declarator is not None else ""


def _changes_arguments(function: Node) -> bool:
    """Whether a parameter is a non-const reference."""
    parameters = (node for node in walk(function) if node.type == "parameter_declaration")
    return any(
        "&" in text_of(parameter) and "&&" not in text_of(parameter) and "const" not in text_of(parameter)
        for parameter in parameters
    )
