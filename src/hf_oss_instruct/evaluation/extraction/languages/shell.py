"""Shell: keep functions, variables and options; remove argument handling and `exit`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind


class Shell(ExtractionRules):
    """Rules for Bash."""

    name = "shell"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "function_definition": "function",
        "variable_assignment": "value",
        "declaration_command": "value",
    }
    needs_return = False
    prose_parses = True
    identifier = re.compile(r"[^\W\d][\w-]*")
    script_statements = re.compile(r"\bexit\b|\$[#@*0-9]|\$\{[#@*0-9]|\bread\b|\bBASH_SOURCE\b|^main\b")
    code_line_start = re.compile(
        r"(?:function[ \t]+)?[\w-]+[ \t]*(?:\(\)|\{)|[A-Za-z_]\w*=|(?:declare|readonly|local|export)[ \t]|#"
    )
