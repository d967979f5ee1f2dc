"""C++: includes and `using` of both, no `main`; a method or a function in a namespace gets its plain name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.evaluation.extraction.language import Language
from hf_oss_instruct.evaluation.extraction.languages.delegation import arguments, signature
from hf_oss_instruct.evaluation.extraction.outline import Item, Kind, Source, name_of
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node


class Cpp(Language):
    """Rules for C++."""

    name = "cpp"
    node_kinds: ClassVar[Mapping[str, Kind]] = {
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
    test_frameworks = re.compile(r"#[ \t]*include[ \t]*(?:\"(?!bits/)|<(?:gtest|gmock|catch2)/)")

    def item(self, node: Node) -> Item:
        """As everywhere, but the declaration of a function defines nothing that can be called."""
        item = super().item(node)
        declarator = item.inner.child_by_field_name("declarator")
        if item.kind == "value" and declarator is not None and "function_declarator" in declarator.type:
            return Item("type", (name_of(item.inner),), node, item.inner)
        if item.inner.type == "type_definition":
            return Item("type", (text_of(item.inner.child_by_field_name("declarator")),), node, item.inner)
        return item

    def from_prompt(self, problem: Problem, source: Source) -> list[str]:
        """With the semicolon that ends a type."""
        return [
            f"{text};" if re.match(r"(?:struct|class|union|enum)\b", text) else text
            for text in super().from_prompt(problem, source)
        ]

    def entry_point_alias(self, problem: Problem, path: Sequence[Item]) -> str:
        """A function of a namespace or a class under its plain name."""
        if len(path) < 2:
            return ""
        name, owner = problem.entry_point, "::".join(one for item in path[:-1] for one in item.names)
        if all(item.inner.type == "namespace_definition" for item in path[:-1]):
            return f"\nusing {owner}::{name};\n"
        head = signature(path[-1].inner, ("static", "virtual", "override", "inline", "explicit"))
        head = re.sub(r"\)\s*(?:const|noexcept)\b.*$", ")", head)
        return f"\n{head} {{ return {owner}().{name}({', '.join(arguments(path[-1].inner))}); }}\n"
