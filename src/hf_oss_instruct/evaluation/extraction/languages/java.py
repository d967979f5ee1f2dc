"""Java: one file, so no class of the answer may be public; `Main` and the tuple classes belong to the tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.languages.class_scope import InClass
from hf_oss_instruct.evaluation.extraction.outline import ItemKind


class Java(InClass):
    """Rules for Java."""

    name = "java"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "package_declaration": "package",
        "import_declaration": "import",
        "method_declaration": "function",
        "constructor_declaration": "type",
        "class_declaration": "container",
        "interface_declaration": "container",
        "record_declaration": "container",
        "enum_declaration": "container",
        "field_declaration": "value",
        "local_variable_declaration": "value",
    }
    transparent_nodes = frozenset({"enum_body_declarations"})
    main_functions = ("main",)
    test_method = re.compile(r"\s*@(?:Test|ParameterizedTest|RepeatedTest|BeforeEach|BeforeAll|AfterEach|AfterAll)\b")
    reserved = frozenset({"Main"})
    test_frameworks = re.compile(r"\borg\.(?:junit|testng|hamcrest|mockito|assertj)\b|^import\s+static\s+org\.")
