"""C#: flatten namespaces, put `using` first, keep a single `Main`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.languages.class_scope import InClass
from hf_oss_instruct.evaluation.extraction.outline import ItemKind


class CSharp(InClass):
    """Rules for C#."""

    name = "csharp"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "file_scoped_namespace_declaration": "package",
        "qualified_name": "comment",
        "identifier": "comment",
        "using_directive": "import",
        "method_declaration": "function",
        "local_function_statement": "function",
        "constructor_declaration": "type",
        "class_declaration": "container",
        "struct_declaration": "container",
        "record_declaration": "container",
        "interface_declaration": "container",
        "enum_declaration": "type",
        "delegate_declaration": "type",
        "field_declaration": "value",
        "property_declaration": "type",
    }
    wrapper_nodes = frozenset({"global_statement"})
    transparent_nodes = frozenset({"namespace_declaration", "declaration_list"})
    main_functions = ("Main",)
    test_method = re.compile(r"\s*\[(?:Test|TestCase|TestMethod|Fact|Theory|SetUp)\b")
    test_frameworks = re.compile(r"\b(?:NUnit|Xunit|Microsoft\.VisualStudio)\b")
