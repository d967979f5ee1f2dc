"""PHP: one opening tag, no closing one, `declare` first, no namespace (the tests would be in it too)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import Language
from hf_oss_instruct.evaluation.extraction.outline import Item, Kind, Source
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.syntax import text_of

_OPEN = re.compile(r"<\?(?:php\b|(?=\s))", re.IGNORECASE)


class Php(Language):
    """Rules for PHP."""

    name = "php"
    kinds: ClassVar[Mapping[str, Kind]] = {
        "text": "package",
        "php_tag": "package",
        "php_end_tag": "package",
        "declare_statement": "package",
        "namespace_definition": "package",
        "text_interpolation": "package",
        "namespace_use_declaration": "import",
        "function_definition": "function",
        "method_declaration": "function",
        "class_declaration": "container",
        "interface_declaration": "type",
        "trait_declaration": "container",
        "enum_declaration": "type",
        "const_declaration": "value",
        "assignment_expression": "value",
    }
    wrappers = frozenset({"expression_statement"})
    noise = re.compile(r"\bexit\b|\bdie\b|\bSTDIN\b|\breadline\(|\$arg[vc]\b|vendor/autoload|__FILE__|PHP_SAPI")

    def source(self, text: str) -> Source:
        """A text with its tree, under an opening tag where it has none."""
        return super().source(text if _OPEN.search(text) else f"<?php\n{text}")

    def restored(self, problem: Problem, source: Source, kept: str) -> str:
        """One tag, `declare`, the prompt's definitions, the rest."""
        declared = [item.text for item in source.items if item.node.type == "declare_statement"]
        return "\n".join(["<?php", *declared, *self.from_prompt(problem, source), kept])

    def without_unneeded(self, problem: Problem, source: Source, path: Sequence[Item]) -> str:
        """Also without tags and namespaces; what stands in the braces of one stays."""
        gone = [item.node for item in (*self.unneeded(problem, source, path), *source.of_kind("package"))]
        inside = [
            text_of(item.node.child_by_field_name("body"))[1:-1]
            for item in source.of_kind("package")
            if item.node.type == "namespace_definition" and item.node.child_by_field_name("body")
        ]
        return "\n".join([self.cut(source, gone), *inside])

    def exposed(self, problem: Problem, path: Sequence[Item]) -> str:
        """A method, or a function in a variable, under its plain name."""
        if not path or (len(path) == 1 and path[0].kind == "function"):
            return ""
        name = problem.entry_point
        if len(path) == 1:
            return f"\nfunction {name}(...$args) {{ global ${name}; return ${name}(...$args); }}\n"
        owner = path[-2].names[0]
        static = any(child.type == "static_modifier" for child in path[-1].node.children)
        called = f"{owner}::{name}" if static else f"(new {owner}())->{name}"
        return f"\nfunction {name}(...$args) {{ return {called}(...$args); }}\n"
