"""Detect stubs: functions whose body is still to be written."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.outline import OutlineItem, walk

if TYPE_CHECKING:
    from tree_sitter import Node

# Also the lines by which Perl and Bash read their arguments: they alone are not an implementation.
_PLACEHOLDER_STATEMENTS = re.compile(
    r"pass|\.\.\.|;|[{}():]|(?:todo|unimplemented)!\([^)]*\)|"
    r"(?:raise|throw|die|error|panic|stop)\b[^;\n]*(?:[Nn]ot\s?_?[Ii]mplemented|UnsupportedOperation|TODO)[^;\n]*|"
    r"raise\s+NotImplementedError[^\n]*|my\b[^;]*(?:@_|\bshift)\s*;|local \w+=\"?\$\d\"?"
)
_TODO_COMMENT = re.compile(
    r"\b(?:TODO|FIXME|your (?:code|implementation|solution)|(?:implement|write|fill|complete|add) )", re.IGNORECASE
)
# Only a stub beside a TODO comment: `return 0` alone may be right.
_DEFAULT_RETURN = re.compile(r"(?:return)?\s*(?:None|null|nil|undefined|0|0\.0|-1|false|False|true|True|''|\"\"|\[\]|\{\})?\s*;?")


@functools.lru_cache(maxsize=512)  # one function is asked about several times while its answer is read
def is_stub(item: OutlineItem) -> bool:
    """Whether a function has no code yet.

    Its body is empty, or holds only a docstring, `pass`, `throw … not implemented`, or a default value under a TODO comment.
    """
    body = body_of(item.inner)
    if body is None:
        return item.kind == "function"
    comments = [node for node in walk(body) if "comment" in node.type]
    docstrings = [child for child in body.named_children[:1] if _is_docstring(child)]
    code = _text_without(body, [*comments, *docstrings])
    comment_text = " ".join(map(text_of, comments))
    rest = _PLACEHOLDER_STATEMENTS.sub(" ", code).strip()
    return not rest or bool(_TODO_COMMENT.search(comment_text) and _DEFAULT_RETURN.fullmatch(rest))


def body_of(node: Node) -> Node | None:
    """Return the body of the first function at or below a node."""
    for inner in walk(node):
        if (body := inner.child_by_field_name("body")) is not None:
            return body
        if inner.type == "function_body":
            return inner
    return None


def _is_docstring(node: Node) -> bool:
    return "string" in node.type or (len(node.named_children) == 1 and "string" in node.named_children[0].type)


def _text_without(node: Node, parts: Sequence[Node]) -> str:
    code, start = node.text or b"", node.start_byte
    for part in sorted(parts, key=lambda part: -part.start_byte):
        code = code[: part.start_byte - start] + code[part.end_byte - start :]
    return code.decode(errors="replace")
