"""Ruby: drop `__END__`, main guards and test libraries that run at exit; make a module's methods callable by plain name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node


class Ruby(ExtractionRules):
    """Rules for Ruby."""

    name = "ruby"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "method": "function",
        "singleton_method": "function",
        "class": "container",
        "module": "container",
        "singleton_class": "container",
        "assignment": "value",
        "uninterpreted": "package",
    }
    block_ends = ("end", "}")
    needs_return = False
    prose_parses = True
    test_frameworks = re.compile(r"^require.*(?:minitest|test/unit|rspec)")
    script_statements = re.compile(
        r"__FILE__|\$PROGRAM_NAME|^return\b|^(?:exit|abort)\b|\bgets\b|\bARGV\b|\bSTDIN\b|^(?:describe|RSpec)"
    )
    code_line_start = re.compile(r"(?:def|class|module|require|require_relative)[ \t]|[A-Z_a-z]\w*[ \t]*=|#")

    def item(self, node: Node) -> OutlineItem:
        """Extend the base rules: `require` is an import."""
        if node.type == "call" and text_of(node.child_by_field_name("method")) in ("require", "require_relative"):
            return OutlineItem("import", (), node, node)
        return super().item(node)

    def names(self, kind: ItemKind, node: Node) -> tuple[str, ...]:
        """Return no name for `class << self`."""
        return () if node.type == "singleton_class" else super().names(kind, node)

    def unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> list[OutlineItem]:
        """Also remove everything after `__END__`."""
        return [*super().unneeded(problem, source, path), *source.of_kind("package")]

    def cut(self, source: ParsedSource, nodes: Sequence[Node]) -> str:  # type: ignore[override]
        """Cut nodes without the line `__END__`."""
        return re.sub(r"^__END__\s*\Z", "", super().cut(source, nodes), flags=re.MULTILINE)

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a method of a module or class, or a lambda, callable by its plain name."""
        name = problem.entry_point
        if not path or (len(path) == 1 and path[0].inner.type == "method"):
            return ""
        if len(path) == 1:
            # Tests call a method, not the lambda in a variable.
            return f"\nObject.send(:define_method, :{name}, &{name})\n" if path[0].kind == "value" else ""
        owner = "::".join(part for item in path[:-1] for part in item.names)
        if path[-1].inner.type != "singleton_method" and path[-2].inner.type == "module":
            # Methods of a module become callable in every object.
            return f"\ninclude {owner}\n"
        static = path[-1].inner.type == "singleton_method" or path[-2].inner.type == "singleton_class"
        called = owner if static else f"{owner}.new"
        return f"\ndef {name}(...)\n  {called}.{name}(...)\nend\n"
