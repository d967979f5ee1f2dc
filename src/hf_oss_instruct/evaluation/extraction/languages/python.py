"""Python: bodies are indented, `from __future__` comes first, a main guard is never part of a solution."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource
from hf_oss_instruct.evaluation.problems import Problem


class Python(ExtractionRules):
    """Rules for Python."""

    name = "python"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "import_statement": "import",
        "import_from_statement": "import",
        "future_import_statement": "import",
        "function_definition": "function",
        "class_definition": "container",
        "assignment": "value",
        "augmented_assignment": "value",
        "type_alias_statement": "value",
    }
    wrapper_nodes = frozenset({"decorated_definition", "expression_statement"})
    block_ends = ()
    code_line_start = re.compile(r"(?:async[ \t]+def|def|class|import|from|try)\b|@|#|[A-Za-z_][\w, ]*(?::[^=]*)?=[^=]")
    test_frameworks = re.compile(r"^(?:import|from)\s+(?:pytest|hypothesis|nose)\b")
    script_statements = re.compile(r"^assert\b|__name__\s*==|^(?:sys\.|os\._)?exit\(|^quit\(|\binput\(|\bsys\.(?:stdin|argv)\b")

    def completions(self, prompt: str, body: str) -> Iterator[str]:
        """Return the body unchanged, with the first line's indentation restored, or fully indented."""
        if "def " not in prompt:
            return
        # The prompt is indented by spaces, which do not mix with tabs.
        body = body.expandtabs(4)
        if body[:1].isspace():
            yield prompt + body
        first, *rest = [line for line in body.split("\n") if line.strip()]
        # After a line that opens a block, the next one is deeper than the body.
        deep = "     " if first.rstrip().endswith(":") else "    "
        if rest and not body[:1].isspace() and rest[0].startswith(deep) and all(line.startswith("    ") for line in rest):
            yield f"{prompt}    {body}"
        flush, after = self._split_body(textwrap.dedent(body))
        yield prompt + textwrap.indent(flush, "    ") + after

    def _split_body(self, body: str) -> tuple[str, str]:
        """Split an unindented body from the definitions after its last statement, which stay outside the function."""
        source = self.source(body)
        ends = [item.node.end_byte for item in source.items if item.kind in ("statement", "value", "error")]
        end = max(ends, default=len(source.code))
        return source.code[:end].decode(), source.code[end:].decode()

    def with_prompt_definitions(self, problem: Problem, source: ParsedSource, kept: str) -> str:
        """Join `from __future__` imports, the prompt's imports and helpers, and the program."""
        lines = [item.text for item in source.items if item.node.type == "future_import_statement"]
        for line in lines:
            kept = kept.replace(line, "", 1)
        own = [line for line in self.from_prompt(problem, source) if line not in lines]
        return "\n".join([*lines, *own, kept])

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a method of a class (`class Solution`) callable by its plain name."""
        if len(path) < 2:
            return ""
        # A method that is not static needs an object: `Solution().f`.
        owner = ".".join(name for item in path[:-1] for name in item.names)
        static = "staticmethod" in text_of(path[-1].node).partition("def ")[0]
        return f"\n{problem.entry_point} = {owner}{'' if static else '()'}.{problem.entry_point}\n"
