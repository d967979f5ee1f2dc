"""TypeScript: as JavaScript, with types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.languages.javascript import JavaScript
from hf_oss_instruct.evaluation.extraction.outline import Kind


class TypeScript(JavaScript):
    """Rules for TypeScript."""

    name = "typescript"
    node_kinds: ClassVar[Mapping[str, Kind]] = {
        **JavaScript.node_kinds,
        "abstract_class_declaration": "container",
        "interface_declaration": "type",
        "type_alias_declaration": "type",
        "enum_declaration": "type",
        "ambient_declaration": "value",
        "function_signature": "type",
    }

    def forwarded(self, name: str, owner: str) -> str:
        """As in JavaScript; the arguments have no types, which are checked where the tests call it."""
        return f"\nconst {name} = (...args: any[]): any => ({owner} as any).{name}(...args);\n"
