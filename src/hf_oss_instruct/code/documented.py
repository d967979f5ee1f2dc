"""Extract documented functions from source code, with their lines, documentation and signature."""

from __future__ import annotations

import ast
import html
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from inspect import cleandoc
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from hf_oss_instruct.code.syntax import GRAMMARS, MINED_LANGUAGES, Declaration, declarations, names_of, parse, text_of
from hf_oss_instruct.errors import UsageError

if TYPE_CHECKING:
    from tree_sitter import Node

_ATTRIBUTE = re.compile(r"decorator|(marker_)?annotation|attribute_")
_RULER = re.compile(r"([-=*~])\1{2}.*|[-=*~#/_+|\s]{3,}")
_LICENSE = re.compile(r"\bcopyright\b|\blicensed under\b|\bspdx-license|\ball rights reserved\b", re.IGNORECASE)
_XML_TAG = re.compile(r'<\w+\s+\w+="([^"]*)"\s*/>|</?[A-Za-z][^<>]*>')
_NO_MORE_CODE = re.compile(rb"[ \t\r;]*(?:(?://|/\*|#).*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DocumentedFunction:
    r"""A function or method with a body and documentation that shares no line with other code.

    Attributes:
        name: its name as written (`parse`, `operator==`).
        owner: the class, struct, trait or interface it belongs to, without type parameters; None for a free function.
        documentation: text of the docstring or of the comment above, without comment markers and common indentation.
        signature: its head, without decorators and attributes; Python's ends with the colon, others' before the brace.
        code: the whole function with its decorators, attributes, `export` or `template<…>`, without the documentation.
            Lines end in `\n`; the first line's indentation is removed from every line.
        start_line: first line of its documentation or code, whichever comes first; from 1, and only `\n` ends a line.
        end_line: its last line, included.
    """

    name: str
    owner: str | None
    documentation: str
    signature: str
    code: str
    start_line: int
    end_line: int


def documented_functions(content: str, lang: str) -> list[DocumentedFunction]:
    """List the documented functions of a source by line; no two share a line.

    Functions are omitted if they have no body, are nested in another function, contain a syntax error, or share a line with
    other code. Never raises because of the text.

    Args:
        content: the source.
        lang: one of `MINED_LANGUAGES`.

    Raises:
        UsageError: this language has no grammar; the message lists the supported ones.
    """
    if lang not in MINED_LANGUAGES:
        raise UsageError(f"Functions cannot be found in {lang!r}. Use one of: {', '.join(sorted(MINED_LANGUAGES))}.")
    # tree-sitter reads bytes; lone surrogates, which cannot be encoded, become `?`.
    source = content.removeprefix("\ufeff").replace("\r\n", "\n").encode(errors="replace")
    kept: list[DocumentedFunction] = []
    for candidate in sorted(_search(source, lang), key=lambda function: function.start_line):
        if not kept or candidate.start_line > kept[-1].end_line:
            kept.append(candidate)
    return kept


class _Documentation(NamedTuple):
    """The text of a docstring or comment, the nodes where its lines and the code begin, and the bytes to cut from the code."""

    text: str
    top: Node
    first: Node
    cut: slice


def _search(source: bytes, lang: str) -> Iterator[DocumentedFunction]:
    row = GRAMMARS[lang]
    for declaration in declarations(parse(source, lang).root_node, row):
        docs = _docstring(source, declaration) if row.docstrings else _comment(source, declaration, row.xml)
        if re.search(r"\w", docs.text):
            yield from _function(source, declaration, docs)


def _docstring(source: bytes, declaration: Declaration) -> _Documentation:
    """Find the docstring as Python does, if it starts a line and is not the whole body."""
    statement, body = declaration.siblings[declaration.position], declaration.function.child_by_field_name("body")
    literal, *rest = (body.named_children if body else []) or [statement]
    idle = all(node.type in ("comment", "pass_statement") or node.text == b"..." for node in rest)
    text = "" if idle or _before(source, literal).strip() else _evaluated(literal)
    return _Documentation(text, statement, statement, slice(literal.start_byte, rest[0].start_byte if rest else None))


def _evaluated(statement: Node) -> str:
    """Return the dedented text of a statement that is only a string, else an empty string."""
    if [child.type for child in statement.children] not in (["string"], ["concatenated_string"]):
        return ""
    # Python warns about an invalid escape and rejects an f-string
    with warnings.catch_warnings(action="ignore"), suppress(SyntaxError, ValueError):
        value = ast.literal_eval(text_of(statement))
        return cleandoc(value).strip().encode(errors="replace").decode() if isinstance(value, str) else ""
    return ""


def _comment(source: bytes, declaration: Declaration, xml: bool) -> _Documentation:
    """Return the comments that end on the line above a function or its attributes."""
    siblings, first = declaration.siblings, declaration.position
    while first and _ATTRIBUTE.match(siblings[first - 1].type) and _rows_between(siblings, first) <= 1:
        first -= 1
    top = first
    while top and siblings[top - 1].type.endswith("comment") and _rows_between(siblings, top) == 1:
        if _before(source, siblings[top - 1]).strip():  # a trailing comment of another statement
            break
        top -= 1
    text = "\n".join(_unmarked(text_of(comment).rstrip()) for comment in siblings[top:first])
    if xml and text_of(siblings[top]).startswith("///"):
        text = html.unescape(_XML_TAG.sub(r"\1", text))
    start = siblings[first].start_byte
    return _Documentation(_plain(text), siblings[top], siblings[first], slice(start, start))


def _rows_between(siblings: list[Node], index: int) -> int:
    return siblings[index].start_point.row - _last_row(siblings[index - 1])


def _last_row(node: Node) -> int:
    """Return the row of a node's last character; a Rust comment includes the newline, so it ends at column 0 of the next row."""
    return node.end_point.row - (node.end_point.column == 0)


def _before(source: bytes, node: Node) -> bytes:
    """Return the text before a node on its line."""
    return source[source.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]


def _unmarked(comment: str) -> str:
    if not comment.startswith("/*"):
        return re.sub(r"^(?://+!?|#+) ?", "", comment)
    return cleandoc(re.sub(r"(?m)^[ \t]*\*+[ \t]?", "", re.sub(r"^/\*[*!]*|\**\*/$", "", comment)))


def _plain(text: str) -> str:
    """Return a comment without ruler lines; empty for a license header, which does not document the function."""
    lines = [line.rstrip() for line in text.split("\n") if not _RULER.fullmatch(line.strip())]
    return "" if _LICENSE.search(text) else cleandoc("\n" + "\n".join(lines)).strip()


def _function(source: bytes, declaration: Declaration, docs: _Documentation) -> Iterator[DocumentedFunction]:
    statement, body = declaration.siblings[declaration.position], declaration.function.child_by_field_name("body")
    (owner, name), indent = names_of(declaration), _before(source, docs.first)
    alone = not indent.strip() and _NO_MORE_CODE.match(source, statement.end_byte)
    if name and body and alone and not statement.has_error:
        head = source[_head_start(statement) : _head_end(declaration.function, body)]
        code = source[docs.first.start_byte : docs.cut.start] + source[docs.cut.stop : statement.end_byte]
        lines = docs.top.start_point.row + 1, _last_row(statement) + 1
        yield DocumentedFunction(name, owner, docs.text, _outdented(head, indent), _outdented(code, indent), *lines)


def _head_start(statement: Node) -> int:
    """Return where the signature starts: at the first token after the attributes."""
    stack = [statement]
    while stack:
        node = stack.pop()
        if _ATTRIBUTE.match(node.type) or node.type.endswith("comment"):
            continue
        if not node.children:
            return node.start_byte
        stack.extend(reversed(node.children))
    return statement.start_byte


def _head_end(function: Node, body: Node) -> int:
    """Return where the signature ends: before any comments between it and the body."""
    head = takewhile(lambda part: part != body, function.children)
    return max((part.end_byte for part in head if not part.type.endswith("comment")), default=function.start_byte)


def _outdented(code: bytes, indent: bytes) -> str:
    """Remove the first line's indentation from code. `textwrap.dedent` does nothing if a text block reaches column 0."""
    return code.replace(b"\n" + indent, b"\n").decode(errors="replace").strip()
