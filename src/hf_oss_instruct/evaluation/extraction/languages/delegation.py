"""Wrapper functions that call the answer's function, to give a method or another signature the prompt's name and types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ParsedSource, cut_out, walk
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node

# Annotations, attributes and comments.
_LABELS = re.compile(r"@\w+(?:\([^)]*\))?|\[[A-Z]\w*(?:\([^\]]*\))?\]|///?[^\n]*\n|/\*.*?\*/", re.DOTALL)


def signature(method: Node, dropped: Sequence[str]) -> str:
    """Return a method's source before its body, without annotations, comments and the given modifiers."""
    body = method.child_by_field_name("body") or _child(method, "function_body")
    size = (body.start_byte if body else method.end_byte) - method.start_byte
    head = (method.text or b"")[:size].decode(errors="replace")
    head = re.sub(rf"\b(?:{'|'.join(dropped)})\b", " ", _LABELS.sub(" ", head))
    return " ".join(head.split())


def arguments(method: Node) -> list[str]:
    """Return the names of a method's parameters, in order."""
    stack, names = [method.child_by_field_name("parameters") or _child(method, "parameters")], []
    declarator = method.child_by_field_name("declarator")
    while stack[0] is None and declarator is not None:  # C++ nests them deeper
        stack, declarator = [declarator.child_by_field_name("parameters")], declarator.child_by_field_name("declarator")
    for parameter in stack[0].named_children if stack[0] else []:
        named = parameter.child_by_field_name("name") or parameter.child_by_field_name("pattern")
        inner = parameter.child_by_field_name("declarator")
        while named is None and inner is not None:
            if not inner.named_children:
                named = inner
            inner = inner.child_by_field_name("declarator") or next(iter(inner.named_children), None)
        if named is None and parameter.type == "parameter":  # in a grammar without fields, the name is last
            named = next((child for child in reversed(parameter.named_children) if child.type == "identifier"), None)
        if named is not None:
            names.append(text_of(named).split()[-1])
    return names


def _child(node: Node, kind: str) -> Node | None:
    return next((child for child in node.named_children if child.type == kind), None)


def renamed(source: ParsedSource, name: str, new: str) -> str:
    """Rename every identifier `name` in a source.

    Args:
        source: the source.
        name: the old name.
        new: the new name.
    """
    nodes = [node for node in walk(source.root) if not node.children and text_of(node) == name]
    return cut_out(source, nodes, {node.id: new for node in nodes})


def with_prompt_signature(language: ExtractionRules, problem: Problem, callee: str) -> str:
    """Build the prompt's function with a body that forwards its arguments; empty if the prompt has no function.

    Args:
        language: rules of the prompt's language.
        problem: the problem.
        callee: expression to call.
    """
    path = language.path_to(problem.entry_point, language.prompt_of(problem).items)
    if not path:
        return ""
    given = ", ".join(arguments(path[-1].inner))
    return f"\n{signature(path[-1].inner, ())} {{ return {callee}({given}); }}\n"


def join_with_wrapper(language: ExtractionRules, problem: Problem, source: ParsedSource) -> str:
    """Build the program with the answer's function under another name, and a wrapper with the prompt's signature that calls it.

    Args:
        language: rules of the prompt's language.
        problem: the problem.
        source: the answer.
    """
    inner = replace(problem, entry_point=f"{problem.entry_point}_of_answer")
    source = language.source(renamed(source, problem.entry_point, inner.entry_point))
    kept = language.without_unneeded(inner, source, language.path_to(inner.entry_point, source.items))
    program = language.with_prompt_definitions(problem, source, kept)
    return program + with_prompt_signature(language, problem, inner.entry_point)
