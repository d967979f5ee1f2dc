"""Join an answer with a benchmark's prompt and tests: the rules shared by all languages. Each language adds a small file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from hf_oss_instruct.evaluation.extraction.dependencies import callers_of, used_by
from hf_oss_instruct.evaluation.extraction.grammar_rules import GrammarRules
from hf_oss_instruct.evaluation.extraction.outline import OutlineItem, ParsedSource, cut_out
from hf_oss_instruct.evaluation.extraction.stubs import body_of
from hf_oss_instruct.evaluation.problems import Problem

if TYPE_CHECKING:
    from tree_sitter import Node


class ExtractionRules(GrammarRules):
    """A language's rules for building a program from an answer, after the prompt's definitions and before the tests."""

    def completions(self, prompt: str, body: str) -> Iterator[str]:
        """Yield the possible programs for a body under the prompt's signature."""
        gap = "" if prompt.endswith(("\n", " ")) else "\n"
        # A body may lack the brace that the prompt leaves out, or repeat one that the prompt has.
        if self.body_opener and not body.lstrip().startswith(self.body_opener):
            yield f"{prompt}{self.body_opener}\n{body}"
        yield f"{prompt}{gap}{body}"
        if body.lstrip().startswith("{") and not self.body_opener:
            yield f"{prompt}{gap}{body.lstrip()[1:]}"

    def join(self, problem: Problem, source: ParsedSource) -> str:
        """Build the program that precedes the tests: the answer's definitions, and those of the prompt that it left out."""
        path = self.path_to(problem.entry_point, source.items)
        kept = self.without_unneeded(problem, source, path)
        return self.with_prompt_definitions(problem, source, kept) + self.entry_point_alias(problem, path)

    def without_unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> str:
        """Remove code that is not part of the solution, and move definitions that must precede the entry point before it.

        Args:
            problem: the problem.
            source: the answer's code.
            path: the entry point with the containers around it, outermost first.
        """
        removed = [item.node for item in self.unneeded(problem, source, path)]
        if not self.defined_before_use or not path:
            return self.cut(source, removed)
        needed = used_by(source.items, [item for item in source.items if item.node.id == path[0].node.id], self.words)
        # Definitions behind the entry point that it needs go before it, unless the name is declared there already.
        first = path[0].node
        declared = {name for item in source.items if item.node.start_byte < first.start_byte for name in item.names}
        behind = [item for item in needed if item.node.start_byte > first.end_byte and not declared.intersection(item.names)]
        late = [
            item for item in behind if not any(re.search("[.:]", name) for name in item.names)
        ]  # members must follow their owner
        hoisted = "".join(f"{item.text}\n\n" for item in sorted(late, key=lambda item: item.node.start_byte))
        return cut_out(source, [*removed, *(item.node for item in late), first], {first.id: f"{hoisted}{path[0].text}"})

    def cut(self, source: ParsedSource, nodes: Collection[Node]) -> str:
        """Remove nodes from a source."""
        return cut_out(source, nodes)

    def unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> list[OutlineItem]:
        """Return the top-level items that are not part of the solution.

        Args:
            problem: the problem.
            source: the answer's code.
            path: the entry point with the containers around it, outermost first.
        """
        return self.unneeded_among(problem, source.items, path[:1], self.names_in_tests(problem))

    def unneeded_among(
        self, problem: Problem, items: Sequence[OutlineItem], path: Sequence[OutlineItem], taken: frozenset[str]
    ) -> list[OutlineItem]:
        """Return items that use the solution (`main`, tests, examples), exit the program, or conflict with the tests.

        The solution is everything that the entry point uses, directly or indirectly. Of the rest, items that mention it are
        dropped, and all others stay.

        Args:
            problem: the problem.
            items: one level of the answer's code.
            path: the entry point with the containers around it, outermost first.
            taken: names that the tests define.
        """
        entry, first = problem.entry_point, {item.node.id for item in path}
        own = [item for item in items if entry in item.names or item.node.id in first]
        kept = {item.node.id for item in own}
        needed = used_by(items, own, self.words)
        inside = {item.node.id for item in needed}
        rest = [item for item in items if item.node.id not in inside and item.kind not in ("comment", "import", "package")]
        # Values that only exist while the answer runs as a script, such as parsed arguments: what uses them is not a solution.
        script_values = (
            name for item in items if item.node.id not in kept and self._is_script_statement(item) for name in item.names
        )
        dropped = callers_of({entry, *script_values}, rest, self.words) if own else set()
        removed = [
            item for item in rest if item.node.id in dropped or self._is_script_statement(item) or taken.intersection(item.names)
        ]
        read = [
            item
            for item in needed
            if item.node.id not in kept and self._is_script_statement(item) and body_of(item.inner) is None
        ]
        return [*removed, *read, *(item for item in items if self._is_test_framework(item) and item.node.id not in inside)]

    def names_in_tests(self, problem: Problem) -> frozenset[str]:
        """Return the names that the tests define at top level."""
        return self.source(problem.tests.lstrip().removeprefix("}")).defined.union(self.main_functions) - {problem.entry_point}

    def _is_script_statement(self, item: OutlineItem) -> bool:
        return (
            item.kind in ("statement", "value")
            and self.script_statements is not None
            and self.script_statements.search(item.text) is not None
        )

    def _is_test_framework(self, item: OutlineItem) -> bool:
        return (
            item.kind in ("import", "value")
            and self.test_frameworks is not None
            and self.test_frameworks.search(item.text) is not None
        )

    def with_prompt_definitions(self, problem: Problem, source: ParsedSource, kept: str) -> str:
        """Prepend the prompt's imports and helpers that a program lacks.

        Args:
            problem: the problem.
            source: the answer's code.
            kept: the part of it that is kept.
        """
        return "\n".join([*self.from_prompt(problem, source), kept])

    def with_preamble(self, added: Sequence[str], text: str) -> str:
        """Insert lines before the first statement, but after lines that must come first."""
        source = self.source(text)
        heads = [item.node.end_byte for item in source.of_kind("package")]
        insert_at = max(heads, default=0)
        head, rest = source.code[:insert_at].decode(errors="replace"), source.code[insert_at:].decode(errors="replace")
        return "\n".join([*([head] if head else []), *added, rest])

    def prompt_of(self, problem: Problem) -> ParsedSource:
        """Parse the prompt as a program whose function has no body yet."""
        return self.source(self.closed(problem.prompt + (f"{self.body_opener}\n" if self.body_opener else "")))

    def from_prompt(self, problem: Problem, source: ParsedSource) -> list[str]:
        """Return the prompt's imports and definitions that a source lacks, except for the entry point."""
        # Imports are compared without white space, so that none is there twice.
        present = {_without_whitespace(item.text) for item in source.items}
        prompt = self.prompt_of(problem)
        defined = source.defined | {problem.entry_point}
        return [
            item.text.rstrip("\n")
            for item in prompt.items
            if (item.kind == "import" and _without_whitespace(item.text) not in present)
            or (item.kind in ("function", "type", "container", "value") and not defined.intersection(item.names))
        ]

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Return statements that make the entry point available by its name if the answer nests it in something."""
        return ""


def _without_whitespace(text: str) -> str:
    return "".join(text.split())
