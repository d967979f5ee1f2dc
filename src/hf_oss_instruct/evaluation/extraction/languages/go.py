"""Go: the prompt's package, one list of the imports that are used, no `main`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import Language
from hf_oss_instruct.evaluation.extraction.outline import Item, Kind, Source, cut_out, walk
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.syntax import text_of


class Go(Language):
    """Rules for Go."""

    name = "go"
    node_kinds: ClassVar[Mapping[str, Kind]] = {
        "package_clause": "package",
        "import_declaration": "import",
        "function_declaration": "function",
        "method_declaration": "type",
        "type_spec": "type",
        "type_alias": "type",
        "var_declaration": "value",
        "const_declaration": "value",
    }
    wrapper_nodes = frozenset({"type_declaration"})
    main_functions = ("main",)

    def without_unneeded(self, problem: Problem, source: Source, path: Sequence[Item]) -> str:
        """Also without package and imports."""
        gone = [*self.unneeded(problem, source, path), *source.of_kind("package", "import")]
        return cut_out(source, [item.node for item in gone])

    def with_prompt_definitions(self, problem: Problem, source: Source, kept: str) -> str:
        """The prompt's package, the imports of both that the program or the tests use, the prompt's helpers, the rest."""
        prompt = self.prompt_of(problem)
        package = [item.text for item in prompt.of_kind("package")][:1]
        helpers = [text for text in self.from_prompt(problem, source) if not text.startswith("import")]
        used = "\n".join([*helpers, kept, problem.tests])
        imports = dict(spec for one in (prompt, source) for spec in _imports(one.of_kind("import")))
        lines = [f"import {spec}" for spec, name in imports.items() if name in "._" or re.search(rf"\b{re.escape(name)}\.", used)]
        return "\n".join([*package, *lines, *helpers, kept])


def _imports(items: Iterable[Item]) -> Iterable[tuple[str, str]]:
    """Each import as it is written, and the name by which it is used."""
    for item in items:
        for node in walk(item.node):
            if node.type == "import_spec":
                words = text_of(node).split()
                parts = [part for part in words[-1].strip('"`').split("/") if not re.fullmatch(r"v\d+", part)]
                yield " ".join(words), words[0] if len(words) > 1 else parts[-1]
