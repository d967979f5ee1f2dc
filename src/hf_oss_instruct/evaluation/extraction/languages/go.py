"""Go: use the prompt's package, merge the imports in use, drop `main`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.languages.delegation import with_prompt_signature
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, cut_out, walk
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node


class Go(ExtractionRules):
    """Rules for Go."""

    name = "go"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "package_clause": "package",
        "import_declaration": "import",
        "function_declaration": "function",
        "method_declaration": "function",
        "type_spec": "type",
        "type_alias": "type",
        "var_declaration": "value",
        "const_declaration": "value",
    }
    wrapper_nodes = frozenset({"type_declaration"})
    main_functions = ("main",)

    def names(self, kind: ItemKind, node: Node) -> tuple[str, ...]:
        """Name a method `Type.method`."""
        names = super().names(kind, node)
        return (f"{_receiver(node)}.{names[0]}",) if node.type == "method_declaration" else names

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a method callable by its plain name."""
        if not path or path[-1].inner.type != "method_declaration":
            return ""
        return with_prompt_signature(self, problem, f"(&{_receiver(path[-1].inner)}{{}}).{problem.entry_point}")

    def without_unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> str:
        """Also remove the package clause, imports and build constraints (which must precede the package clause)."""
        constraints = [item for item in source.of_kind("comment") if re.match(r"//(?:go:build| \+build)\b", item.text)]
        removed = [*self.unneeded(problem, source, path), *source.of_kind("package", "import"), *constraints]
        return cut_out(source, [item.node for item in removed])

    def with_prompt_definitions(self, problem: Problem, source: ParsedSource, kept: str) -> str:
        """Join the prompt's package, the imports that the program or tests use, the prompt's helpers, and the answer."""
        prompt = self.prompt_of(problem)
        package = [item.text for item in prompt.of_kind("package")][:1]
        helpers = [text for text in self.from_prompt(problem, source) if not text.startswith("import")]
        used = "\n".join([*helpers, kept, problem.tests])
        imports = dict(spec for code in (prompt, source) for spec in _imports(code.of_kind("import")))
        # Go does not compile unused imports; those under `_` or `.` have no name to look for.
        lines = [f"import {spec}" for spec, name in imports.items() if name in "._" or re.search(rf"\b{re.escape(name)}\.", used)]
        return "\n".join([*package, *lines, *helpers, kept])


def _receiver(method: Node) -> str:
    """Return the receiver type of a method."""
    return str(re.findall(r"\w+", text_of(method.child_by_field_name("receiver")).partition("[")[0])[-1])


def _imports(items: Iterable[OutlineItem]) -> Iterable[tuple[str, str]]:
    """Yield the source of each import and the name it binds."""
    for item in items:
        for node in walk(item.node):
            if node.type == "import_spec":
                words = text_of(node).split()
                # `example.com/module/v2` binds `module`.
                parts = [part for part in words[-1].strip('"`').split("/") if not re.fullmatch(r"v\d+", part)]
                yield " ".join(words), words[0] if len(words) > 1 else parts[-1]
