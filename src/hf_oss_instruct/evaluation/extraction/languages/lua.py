"""Lua: a module's `return` goes, since nothing may follow it; a field of the module gets its plain name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import Language
from hf_oss_instruct.evaluation.extraction.outline import Item, Kind, Source
from hf_oss_instruct.evaluation.problems import Problem


class Lua(Language):
    """Rules for Lua."""

    name = "lua"
    kinds: ClassVar[Mapping[str, Kind]] = {
        "hash_bang_line": "package",
        "function_declaration": "function",
        "variable_declaration": "value",
        "assignment_statement": "value",
    }
    closers = ("end",)
    in_order = True
    noise = re.compile(r"^return\b|\bos\.exit\b|\bio\.(?:read|stdin)\b|\barg\b|\bluaunit\b|^lu\.")
    beginning = re.compile(r"(?:local[ \t]+)?function\b|local[ \t]|[A-Za-z_][\w.]*[ \t]*=|--")

    def unneeded(self, problem: Problem, source: Source, path: Sequence[Item]) -> list[Item]:
        """Also the line that names the interpreter."""
        return [*super().unneeded(problem, source, path), *source.of_kind("package")]

    def exposed(self, problem: Problem, path: Sequence[Item]) -> str:
        """A field of a table under its plain name."""
        name = problem.entry_point
        if not path or name in path[-1].names:
            return ""
        dotted = next(one for one in path[-1].names if one.endswith((f".{name}", f":{name}")))
        if ":" in dotted:
            return f"\nlocal {name} = function(...) return {dotted}(...) end\n"
        return f"\nlocal {name} = {dotted}\n"
