"""Swift: top-level functions, and methods where the answer has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind


class Swift(ExtractionRules):
    """Rules for Swift."""

    name = "swift"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "import_declaration": "import",
        "function_declaration": "function",
        "class_declaration": "container",
        "protocol_declaration": "type",
        "typealias_declaration": "type",
        "property_declaration": "value",
    }
