"""Racket: one `#lang` line (the prompt's, unless the answer is typed); remove `test` and `main` submodules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource, cut_out
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node


class Racket(ExtractionRules):
    """Rules for Racket."""

    name = "racket"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {"extension": "package"}
    block_ends = (")", "]")
    needs_return = False
    prose_parses = True
    identifier = re.compile(r"[^\s()\[\]{}\"';`,|]+")
    script_statements = re.compile(r"^\((?:module[+*]?|provide|exit|test-case|test-suite|run-tests|check-)")
    code_line_start = re.compile(r"#lang|\(|;|#")

    def items(self, nodes: Iterable[Node]) -> Iterator[OutlineItem]:
        """Treat the contents of `begin` as top-level."""
        for node in nodes:
            head = next(iter(node.named_children), None) if node.type == "list" else None
            if head is not None and text_of(head) == "begin":
                yield from self.items(node.named_children[1:])
            else:
                yield from super().items([node])

    def item(self, node: Node) -> OutlineItem:
        """Classify a list by its first word."""
        if node.type != "list":
            return super().item(node)
        head, *rest = [child for child in node.named_children if "comment" not in child.type] or [node]
        word = text_of(head)
        if word == "require":
            return OutlineItem("import", (), node, node)
        if word == "module" and len(rest) > 1 and text_of(rest[0]) not in ("main", "test"):
            return OutlineItem("container", (text_of(rest[0]),), node, node)
        if word == ":" and rest:  # a type, in Typed Racket
            return OutlineItem("type", (text_of(rest[0]),), node, node)
        if not word.startswith(("define", "struct")) or not rest:
            return OutlineItem("statement", (), node, node)
        named = rest[0]
        while named.type == "list" and named.named_children and word != "define-values":  # (define ((curried a) b) …)
            named = named.named_children[0]
        names = tuple(text_of(named).strip("()").split())
        if word.startswith("struct") or word.startswith("define-s"):
            return OutlineItem("type", names, node, node)
        return OutlineItem("function" if rest[0].type == "list" else "value", names, node, node)

    def is_stub(self, item: OutlineItem) -> bool:
        """Whether the signature has no body."""
        rest = [child for child in item.node.named_children[2:] if "comment" not in child.type]
        # A string before the last form is a docstring.
        written = [child for child in rest if child.type != "string" or child is rest[-1]]
        return not written or bool(re.fullmatch(r"'?\(?(?:\.\.\.|void|error\b.*[Nn]ot.*)\)?", text_of(written[-1]), re.DOTALL))

    def with_prompt_definitions(self, problem: Problem, source: ParsedSource, kept: str) -> str:
        """Join the `#lang` line, the prompt's requires, and the answer, in a module if it is typed, because tests are untyped."""
        typed = [match[0] for item in source.of_kind("package") if (match := re.search(r"typed/racket\S*", item.text))]
        head = [*(item.text for item in self.prompt_of(problem).of_kind("package")), "#lang racket"][0]
        program = "\n".join([*self.from_prompt(problem, source), kept])
        if typed:
            program = f"(module answer {typed[0]}\n{program}\n(provide {problem.entry_point}))\n(require 'answer)\n"
        return f"{head}\n{program}"

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a function of a module callable by its plain name."""
        return f"\n(require (only-in '{path[0].names[0]} {problem.entry_point}))\n" if len(path) > 1 else ""

    def without_unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> str:
        """Also remove the `#lang` line and words outside any list."""
        words = [item for item in source.of_kind("statement") if item.node.type in ("symbol", "quote")]
        removed = [*self.unneeded(problem, source, path), *source.of_kind("package"), *words]
        return cut_out(source, [item.node for item in removed])
