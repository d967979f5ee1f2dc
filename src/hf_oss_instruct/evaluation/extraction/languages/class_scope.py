"""Languages whose tests continue inside the prompt's class: it is left open, and everything else precedes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.languages.delegation import arguments, signature
from hf_oss_instruct.evaluation.extraction.outline import OutlineItem, ParsedSource, cut_out, walk
from hf_oss_instruct.evaluation.problems import Problem

_LOOSE = re.compile(r"^(?:(?:public|private|protected|internal|final|sealed|static|abstract|partial)\s+)*(?=class\b)")
_MODIFIERS = (
    "public",
    "private",
    "protected",
    "internal",
    "static",
    "final",
    "virtual",
    "override",
    "abstract",
    "sealed",
    "this",
)


class InClass(ExtractionRules):
    """Rules for Java and C#."""

    holder: ClassVar[str] = "Problem"
    """The class that contains the tests."""
    test_method: ClassVar[re.Pattern[str]]
    """Start of a test library's method."""
    reserved: ClassVar[frozenset[str]] = frozenset()
    """Names of classes that the tests define."""

    def join(self, problem: Problem, source: ParsedSource) -> str:
        """Join imports, the answer's other classes, and the holder class, left open, with the entry point."""
        path = self.path_to(problem.entry_point, source.items)
        if not path:
            return source.text
        source, path = self._renamed(problem, source, path)
        removed = {item.node.id for item in self.unneeded(problem, source, path)}
        kept = [item for item in source.items if item.node.id not in removed]
        holds = len(path) == 2 and path[0].names == (self.holder,)
        types = [item for item in kept if item.kind in ("container", "type") and not (holds and item == path[0])]
        parts = [*self._imports(problem, source), *(self._top_level_class(problem, item, path) for item in types)]
        # Last, because the tests continue in this class.
        if holds:
            return "\n".join([*parts, self._open_class(problem, path), ""])
        loose = [self._static(item) for item in kept if item.kind in ("function", "value")]
        own = loose if len(path) == 1 else [self._forwarding_method(problem, path)]
        return "\n".join([*parts, f"class {self.holder} {{", *own, ""])

    def _imports(self, problem: Problem, source: ParsedSource) -> list[str]:
        own = [item.text for item in source.of_kind("import") if not self._is_test_framework(item)]
        prompt = self.prompt_of(problem).of_kind("import")
        return list({"".join(text.split()): text for text in [*(item.text for item in prompt), *own]}.values())

    def _renamed(self, problem: Problem, source: ParsedSource, path: list[OutlineItem]) -> tuple[ParsedSource, list[OutlineItem]]:
        """Rename classes that conflict with those of the tests; one named like the holder stays if its entry point is static."""
        static = len(path) == 2 and "static" in signature(path[-1].inner, ()).split("(")[0].split()
        names = self.reserved | (frozenset() if static else {self.holder})
        clashing = names.intersection(name for item in source.of_kind("container", "type") for name in item.names)
        if not clashing:
            return source, path
        nodes = [node for node in walk(source.root) if not node.children and text_of(node) in clashing]
        source = self.source(cut_out(source, nodes, {node.id: f"{text_of(node)}OfAnswer" for node in nodes}))
        return source, self.path_to(problem.entry_point, source.items)

    def _top_level_class(self, problem: Problem, item: OutlineItem, path: Sequence[OutlineItem]) -> str:
        """Return a class of the answer, not public and without `main`."""
        functions = [member for member in self.members(item) if member.kind == "function"]
        mains = [
            function.node for function in functions if self._is_main(problem, function) or self.test_method.match(function.text)
        ]
        start = item.node.start_byte
        code = item.node.text or b""
        for node in sorted(mains, key=lambda node: -node.start_byte):
            code = code[: node.start_byte - start] + code[node.end_byte - start :]
        text = code.decode(errors="replace")
        if item == path[0] and len(path) > 1:  # the holder cannot call a private method
            text = re.sub(rf"\b(?:private|protected)(?=[^;{{}}()=]*\b{re.escape(problem.entry_point)}\s*[(<])", "", text)
        return re.sub(r"^((?:@\w+(?:\([^)]*\))?\s*)*)public\s+", r"\1", text)

    def _open_class(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Return the answer's holder class without its closing brace and what is not part of the solution."""
        item, members = path[0], self.members(path[0])
        removed = self.unneeded_among(problem, members, path[1:], frozenset(self.main_functions) - {problem.entry_point})
        start = item.node.start_byte
        code = (item.node.text or b"")[: (item.node.text or b"").rfind(b"}")]
        for member in sorted(removed, key=lambda member: -member.node.start_byte):
            code = code[: member.node.start_byte - start] + code[member.node.end_byte - start :]
        return _LOOSE.sub("", code.decode(errors="replace").lstrip())

    def _is_main(self, problem: Problem, item: OutlineItem) -> bool:
        return bool(set(self.main_functions).intersection(item.names)) and problem.entry_point not in item.names

    def _static(self, item: OutlineItem) -> str:
        """Turn a function without a class into a member of the holder."""
        head = signature(item.inner, ()).partition("(")[0].split()
        return item.text if "static" in head else f"static {item.text.lstrip()}"

    def _forwarding_method(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        method = path[-1].inner
        owner = ".".join(name for item in path[:-1] for name in item.names)
        static = "static" in signature(method, ()).partition("(")[0].split()
        head = signature(method, _MODIFIERS).removesuffix("=>")
        void = head.split()[0] == "void"
        # An enum has no constructor to call: its first constant stands for an object.
        constant = next((node for node in walk(path[-2].inner) if node.type == "enum_constant"), None)
        made = f"new {owner}()" if constant is None else f"{owner}.{text_of(constant.child_by_field_name('name'))}"
        call = f"{owner if static else made}.{problem.entry_point}({', '.join(arguments(method))})"
        return f"    public static {head} {{ {'' if void else 'return '}{call}; }}"
