"""JavaScript: a Node.js script without `import` and `export`; answers whose names collide with the tests' are wrapped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, cut_out, leaves
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node

_EXPORTED_FUNCTION = re.compile(r"^module\.exports[ \t]*=[ \t]*(?=(?:async[ \t]+)?function\b[ \t*]*\w)", re.MULTILINE)
_EXPORTED_OBJECT = re.compile(
    r"^module\.exports[ \t]*=[ \t]*(?=\{\s*(?:async\s+)?[\w$]+\s*(?:\(|:\s*(?:async\s*)?(?:function\b|\()))", re.MULTILINE
)


class JavaScript(ExtractionRules):
    """Rules for JavaScript."""

    name = "javascript"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "hash_bang_line": "package",
        "import_statement": "import",
        "function_declaration": "function",
        "generator_function_declaration": "function",
        "method_definition": "function",
        "class_declaration": "container",
        "pair": "value",
        "lexical_declaration": "value",
        "variable_declaration": "value",
        "assignment_expression": "value",
    }
    wrapper_nodes = frozenset({"export_statement", "expression_statement"})
    identifier = re.compile(r"[^\W\d][\w$]*")
    test_frameworks = re.compile(r"""(?:require\(|from\s*)['"](?:chai|jest|mocha|vitest|@jest/\w+|node:test|tape|ava)['"]""")
    script_statements = re.compile(
        r"\brequire\.main\b|\bprocess\.(?:exit|argv|stdin)\b|\breadline\b|^(?:describe|test|it)\(|^module\.exports|^export\b"
    )

    def source(self, text: str) -> ParsedSource:
        """Parse a source; functions defined only in `module.exports` count as definitions."""
        return super().source(_EXPORTED_OBJECT.sub("const exported = ", _EXPORTED_FUNCTION.sub("", text)))

    def item(self, node: Node) -> OutlineItem:
        """Extend the base rules: an object literal assigned to a variable has members."""
        item = super().item(node)
        declarator = item.inner.named_children[-1] if item.kind == "value" and item.inner.named_children else None
        value = declarator.child_by_field_name("value") if declarator is not None else None
        if value is not None and value.type == "object" and len(item.names) == 1:
            return OutlineItem("container", item.names, node, value)
        return item

    def names(self, kind: ItemKind, node: Node) -> tuple[str, ...]:
        """Name a member of an object after its key."""
        return (text_of(node.child_by_field_name("key")),) if node.type == "pair" else super().names(kind, node)

    def without_unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> str:
        """Also remove module syntax; wrap the program in a function if it defines names that the tests define."""
        unneeded = [item.node for item in self.unneeded(problem, source, path)]
        unneeded += self._unused_imports(source, {node.id for node in unneeded})
        removed = {node.id for node in unneeded}
        replaced = {item.node.id: self._as_script(item) for item in source.items if item.node.id not in removed}
        replaced = {node_id: text for node_id, text in replaced.items() if text is not None}
        changed = [item.node for item in source.items if item.node.id in replaced]
        text = cut_out(source, [*unneeded, *changed], {node_id: text or "" for node_id, text in replaced.items()})
        left = self.source(text)
        name = problem.entry_point
        if not path or len(path) > 1 or not self.names_in_tests(problem).intersection(left.defined - {name}):
            return text
        # A second `const` of the same name would be a syntax error.
        return f"const {name} = (() => {{\n{text}\nreturn {name};\n}})();\n"

    def _unused_imports(self, source: ParsedSource, removed: set[int]) -> list[Node]:
        """Return unused imports, which often name files that do not exist."""
        imports = [item for item in source.items if _imported_names(item)]
        ids = {item.node.id for item in imports} | removed
        used = frozenset().union(*(self.words(item.text) for item in source.items if item.node.id not in ids))
        return [item.node for item in imports if not used.intersection(_imported_names(item))]

    def _as_script(self, item: OutlineItem) -> str | None:
        """Return a statement without module syntax; None if it has none."""
        if item.kind == "package":
            return ""
        if item.node.type == "import_statement":
            return self.as_required(item.node)
        if item.node.type == "export_statement" and item.kind != "statement":
            return text_of(item.node.named_children[-1])
        return None

    def as_required(self, node: Node) -> str:
        """Return an `import` as a `require` call, for a script."""
        return _required(node)

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a method or a property of `module.exports` callable by its plain name."""
        name = problem.entry_point
        if len(path) == 1 and name not in path[0].names:
            dotted = next(dotted_name for dotted_name in path[0].names if dotted_name.endswith(f".{name}"))
            return f"\nconst {name} = {dotted};\n"
        if len(path) < 2:
            return ""
        owner = path[-2].names[0]
        static = path[-2].inner.type == "object" or any(text_of(child) == "static" for child in path[-1].node.children)
        called = owner if static else f"new {owner}()"
        return self.forwarded(name, called)

    def forwarded(self, name: str, owner: str) -> str:
        """Return a function that calls the member of the same name."""
        return f"\nconst {name} = (...args) => {owner}.{name}(...args);\n"


def _imported_names(item: OutlineItem) -> list[str]:
    """Return the names that `import … from` or `const … = require(…)` binds."""
    if item.node.type == "import_statement":
        clause = next((child for child in item.node.named_children if child.type == "import_clause"), None)
        return leaves(clause) if clause is not None else []
    required = re.search(r"=\s*require\(\s*['\"][^'\"]+['\"]\s*\)\s*;?\s*\Z", item.text)
    return list(item.names) if item.kind == "value" and required else []


def _required(node: Node) -> str:
    """Rewrite `import … from` as `require`."""
    module = text_of(node.child_by_field_name("source"))
    clause = next((child for child in node.named_children if child.type == "import_clause"), None)
    if clause is None:
        return f"require({module});"
    made = []
    for child in clause.named_children:
        if child.type == "namespace_import":
            made.append(f"const {text_of(child.named_children[-1])} = require({module});")
        elif child.type == "named_imports":
            names = re.sub(r"\s+as\s+", ": ", text_of(child))
            made.append(f"const {names} = require({module});")
        else:
            made.append(f"const {text_of(child)} = require({module});")
    return " ".join(made)
