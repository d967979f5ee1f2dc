"""The part of a solution that a tester may see: imports, types and signatures, without any body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import CODE, body_of

if TYPE_CHECKING:
    from tree_sitter import Node

# Beginnings of node types, in all grammars: what a tester needs to see, and what is kept only if it
# contains a definition (`_VALUES`).
_KEPT = ("import", "include", "using", "use_", "package", "namespace", "preproc", "require", "extern")
_TYPES = ("class", "struct", "enum", "interface", "trait", "impl", "record", "type", "module", "namespace", "protocol", "union")
_VALUES = ("lexical_declaration", "variable_declaration", "export", "decorated", "template", "ambient", "attribute")


def signatures(program: str, language: str) -> str:
    """The program with every body replaced by `...`, comments and other statements left out.

    Args:
        program: the source.
        language: as in `languages.LANGUAGES`.

    Returns:
        An empty text for a language without a row in `grammars.CODE`, and for a program that defines no function.
    """
    if language not in CODE or not program.strip():
        return ""
    source = program.encode(errors="replace")
    root = parse(source, language).root_node
    edits = list(_edits(root, language))
    if not any(new for *_, new in edits):
        return ""
    # From the end, so that offsets before an edit stay right.
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new + source[end:]
    lines = source.decode(errors="replace").split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip()) + "\n"


def _edits(root: Node, language: str) -> Iterator[tuple[int, int, bytes]]:
    """The replacement for bodies, and the parts to cut."""
    stack = [(node, True) for node in root.named_children]
    functions = CODE[language].functions
    while stack:
        node, top = stack.pop()
        if "comment" in node.type:
            yield node.start_byte, node.end_byte, b""
        elif node.type == "arrow_expression_clause":  # the body of a C# property
            yield node.start_byte, node.end_byte, b"=> ..."
        elif body := _body(node, functions):
            yield body.start_byte, body.end_byte, _placeholder(body, language)
        elif top and not _is_declaration(node, functions):
            yield node.start_byte, node.end_byte, b""
        else:
            stack += [(child, False) for child in node.named_children]


def _body(node: Node, functions: frozenset[str]) -> Node | None:
    kind = node.type
    if kind in functions or "constructor" in kind or kind in ("method_definition", "function_definition", "lambda"):
        return body_of(node)
    return None


def _placeholder(body: Node, language: str) -> bytes:
    if language in ("python", "ruby"):
        return b"..."
    return b"{ ... }" if text_of(body).startswith("{") else b"..."


def _is_declaration(node: Node, functions: frozenset[str]) -> bool:
    """Whether a top-level statement declares something that can be called."""
    if node.type in functions or node.type.startswith(_KEPT) or any(word in node.type for word in _TYPES):
        return True
    return node.type.startswith(_VALUES) and _contains_definition(node, functions)


def _contains_definition(node: Node, functions: frozenset[str]) -> bool:
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in functions or any(word in current.type for word in ("class", "struct")):
            return True
        stack += current.named_children
    return False
