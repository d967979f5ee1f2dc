"""A function that calls a method of the same name and parameters: how a method gets its plain name in a typed language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hf_oss_instruct.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_LABELS = re.compile(r"@\w+(?:\([^)]*\))?|\[[A-Z]\w*(?:\([^\]]*\))?\]|///?[^\n]*\n|/\*.*?\*/", re.DOTALL)


def signature(method: Node, dropped: Sequence[str]) -> str:
    """A method's text before its body, without annotations, comments and these modifiers."""
    body = method.child_by_field_name("body")
    size = (body.start_byte if body else method.end_byte) - method.start_byte
    said = (method.text or b"")[:size].decode(errors="replace")
    said = re.sub(rf"\b(?:{'|'.join(dropped)})\b", " ", _LABELS.sub(" ", said))
    return " ".join(said.split())


def arguments(method: Node) -> list[str]:
    """The names of a method's parameters, in order."""
    stack, found = [method.child_by_field_name("parameters")], []
    declarator = method.child_by_field_name("declarator")
    while stack[0] is None and declarator is not None:  # C++ has them further in
        stack, declarator = [declarator.child_by_field_name("parameters")], declarator.child_by_field_name("declarator")
    for parameter in stack[0].named_children if stack[0] else []:
        named = parameter.child_by_field_name("name") or parameter.child_by_field_name("pattern")
        inner = parameter.child_by_field_name("declarator")
        while named is None and inner is not None:
            if not inner.named_children:
                named = inner
            inner = inner.child_by_field_name("declarator") or next(iter(inner.named_children), None)
        if named is not None:
            found.append(text_of(named).split()[-1])
    return found
