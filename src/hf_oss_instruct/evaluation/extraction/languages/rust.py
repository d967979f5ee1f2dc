"""Rust: inner attributes first, no duplicate imports, no `main`; make functions of an `impl` or module callable by plain name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.languages.delegation import arguments, signature
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, cut_out, leaves
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node


class Rust(ExtractionRules):
    """Rules for Rust."""

    name = "rust"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "inner_attribute_item": "package",
        "use_declaration": "import",
        "extern_crate_declaration": "import",
        "attribute_item": "comment",
        "function_item": "function",
        "struct_item": "type",
        "enum_item": "type",
        "trait_item": "type",
        "type_item": "type",
        "const_item": "type",
        "static_item": "type",
        "macro_definition": "type",
        "impl_item": "container",
        "mod_item": "container",
    }
    needs_return = False
    main_functions = ("main",)

    def names(self, kind: ItemKind, node: Node) -> tuple[str, ...]:
        """Name an `impl` after its type."""
        if node.type == "impl_item":
            return tuple(leaves(node.child_by_field_name("type") or node)[:1])
        return super().names(kind, node)

    def cut(self, source: ParsedSource, nodes: Collection[Node]) -> str:
        """Include the attributes and comments of removed items."""
        removed = list(nodes)
        for node in nodes:
            # In this grammar, attributes and doc comments are siblings before the item.
            before = node.prev_sibling
            while before is not None and (
                before.type == "attribute_item" or (before.type == "line_comment" and "///" in text_of(before))
            ):
                removed.append(before)
                before = before.prev_sibling
        return cut_out(source, removed)

    def with_prompt_definitions(self, problem: Problem, source: ParsedSource, kept: str) -> str:
        """Join inner attributes, the prompt's imports that the program lacks, and the answer."""
        # Inner attributes are allowed at the beginning of a file only.
        first = [item.text for item in source.of_kind("package")]
        for text in first:
            kept = kept.replace(text, "", 1)
        imported = {name for item in source.of_kind("import") for name in leaves(item.node)}
        own = [text for text in self.from_prompt(problem, source) if not text.startswith("use") or not _last(text) & imported]
        return "\n".join([*first, *own, kept])

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a function of a module or `impl` callable by its plain name."""
        if len(path) < 2:
            return ""
        name, owner = problem.entry_point, path[-2].names[0]
        siblings = path[0].node.parent.named_children if path[0].node.parent else []
        if any(sibling.type == "use_declaration" and name in leaves(sibling) for sibling in siblings):  # the answer's own `use`
            return ""
        if all(item.inner.type == "mod_item" for item in path[:-1]):
            return f"\nuse {'::'.join(part for item in path[:-1] for part in item.names)}::{name};\n"
        method = path[-1].inner
        bound = any(
            child.type == "self_parameter" for child in (method.child_by_field_name("parameters") or method).named_children
        )
        # A free function has no `self`.
        head = re.sub(r"\((?:&?\s*(?:mut\s+)?self)\s*,?\s*", "(", signature(method, ("pub",)), count=1)
        made = f"{owner}::new()" if _has_plain_new(path[-2].inner) else f"{owner} {{}}"
        called = f"({made}).{name}" if bound else f"{owner}::{name}"
        return f"\n{head} {{ {called}({', '.join(arguments(method))}) }}\n"

    def without_unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> str:
        """Add the type of an `impl` if the answer omits it."""
        text = super().without_unneeded(problem, source, path)
        if len(path) == 2 and path[0].inner.type == "impl_item":
            owner = path[0].names[0]
            if not any(owner in item.names for item in source.of_kind("type")):
                return f"struct {owner};\n{text}"
        return text


def _last(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.rpartition("::")[2]))


def _has_plain_new(implementation: Node) -> bool:
    """Whether an `impl` has a `new` without parameters."""
    return re.search(r"\bfn\s+new\s*\(\s*\)", text_of(implementation)) is not None
