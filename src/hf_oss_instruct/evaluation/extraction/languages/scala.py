"""Scala: tests continue inside the prompt's object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, ParsedSource
from hf_oss_instruct.evaluation.problems import Problem


class Scala(ExtractionRules):
    """Rules for Scala."""

    name = "scala"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "package_clause": "package",
        "import_declaration": "import",
        "function_definition": "function",
        "class_definition": "container",
        "object_definition": "container",
        "trait_definition": "container",
        "val_definition": "value",
        "var_definition": "value",
    }
    needs_return = False
    main_functions = ("main",)

    def join(self, problem: Problem, source: ParsedSource) -> str:
        """Join imports, other classes, and the tests' object, left open, with the members of the entry point's object."""
        path = self.path_to(problem.entry_point, source.items)
        holder = path[0] if len(path) > 1 else None
        members = self.members(holder) if holder else [item for item in source.items if item.kind in ("function", "value")]
        kept = [item.text for item in members if item.names != ("main",)]
        outside = [item.text for item in source.of_kind("container") if item != holder]
        imports = [item.text for item in source.of_kind("import")]
        prompt = [item.text for item in self.prompt_of(problem).of_kind("import")]
        head = list(dict.fromkeys([*prompt, *imports]))
        return "\n".join([*head, *outside, "object Problem {", *kept, ""])
