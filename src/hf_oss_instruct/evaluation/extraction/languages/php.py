"""PHP: one opening tag, no closing tag, `declare` first, no namespace (it would include the tests)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node

_OPEN = re.compile(r"<\?(?:php\b|(?=\s))", re.IGNORECASE)


class Php(ExtractionRules):
    """Rules for PHP."""

    name = "php"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        # Everything that is removed and written once, if at all: tags, text around them, `declare`, namespaces.
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
    wrapper_nodes = frozenset({"expression_statement"})
    script_statements = re.compile(r"\bexit\b|\bdie\b|\bSTDIN\b|\breadline\(|\$arg[vc]\b|vendor/autoload|__FILE__|PHP_SAPI")

    def source(self, text: str) -> ParsedSource:
        """Parse a source, adding an opening tag if it has none."""
        return super().source(text if _OPEN.search(text) else f"<?php\n{text}")

    def items(self, nodes: Iterable[Node]) -> Iterator[OutlineItem]:
        """Treat the contents of a namespace block as top-level; its keyword and braces are packages."""
        for node in nodes:
            body = node.child_by_field_name("body") if node.type == "namespace_definition" else None
            if body is None:
                yield from super().items([node])
                continue
            words = [child for child in node.children if child.id != body.id]
            for word in (*words, body.children[0], body.children[-1]):
                yield OutlineItem("package", (), word, word)
            yield from self.items(body.named_children)

    def with_prompt_definitions(self, problem: Problem, source: ParsedSource, kept: str) -> str:
        """Join one tag, `declare`, the prompt's definitions, and the answer."""
        declared = [item.text for item in source.items if item.node.type == "declare_statement"]
        return "\n".join(["<?php", *declared, *self.from_prompt(problem, source), kept])

    def without_unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> str:
        """Also remove tags and namespaces."""
        return self.cut(source, [item.node for item in (*self.unneeded(problem, source, path), *source.of_kind("package"))])

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a method, or a function in a variable, callable by its plain name."""
        if not path or (len(path) == 1 and path[0].kind == "function"):
            return ""
        name = problem.entry_point
        if len(path) == 1:
            # A closure in a global variable, which functions see only with `global`.
            return f"\nfunction {name}(...$args) {{ global ${name}; return ${name}(...$args); }}\n"
        owner = path[-2].names[0]
        static = any(child.type == "static_modifier" for child in path[-1].node.children)
        called = f"{owner}::{name}" if static else f"(new {owner}())->{name}"
        return f"\nfunction {name}(...$args) {{ return {called}(...$args); }}\n"
