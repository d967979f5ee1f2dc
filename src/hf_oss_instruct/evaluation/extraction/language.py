"""How the programs of a language are read and put together: what all languages share. The rest is a small file a language."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from hf_oss_instruct.evaluation.extraction.outline import Item, Kind, Source, cut_out, name_of, targets_of, tree, walk
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_UNWRITTEN = re.compile(
    r"pass|\.\.\.|;|[{}():]|(?:todo|unimplemented)!\([^)]*\)|"
    r"(?:raise|throw|die|error|panic|stop)\b[^;\n]*(?:[Nn]ot\s?_?[Ii]mplemented|UnsupportedOperation|TODO)[^;\n]*|"
    r"raise\s+NotImplementedError[^\n]*|my\b[^;]*(?:@_|\bshift)\s*;|local \w+=\"?\$\d\"?"
)
_PROMISED = re.compile(
    r"\b(?:TODO|FIXME|your (?:code|implementation|solution)|(?:implement|write|fill|complete|add) )", re.IGNORECASE
)
_PLACEHOLDER = re.compile(r"(?:return)?\s*(?:None|null|nil|undefined|0|0\.0|-1|false|False|true|True|''|\"\"|\[\]|\{\})?\s*;?")


ERRORS = 6
"""Errors up to which it is tried whether an end is missing or too much."""


class Language:
    """A language's grammar in our words, and its rules for joining an answer with a benchmark's prompt and tests."""

    name: ClassVar[str]
    kinds: ClassVar[Mapping[str, Kind]]
    """Kind of node → what it is to us; a statement if it is not here."""
    wrappers: ClassVar[frozenset[str]] = frozenset()
    """Kinds around one definition, which comes last in them: decorators, `export`, templates."""
    transparent: ClassVar[frozenset[str]] = frozenset()
    """Kinds whose children belong to the level above."""
    closers: ClassVar[tuple[str, ...]] = ("}",)
    """What may be missing, or too much, at the end of a text that was cut."""
    body_opener: ClassVar[str] = ""
    """What a body begins with that the prompt leaves out."""
    returns: ClassVar[bool] = True
    """Whether a function's value needs the word `return`."""
    word: ClassVar[re.Pattern[str]] = re.compile(r"[^\W\d]\w*")
    noise: ClassVar[re.Pattern[str] | None] = None
    """Statements that are never part of a solution: leaving the program, running tests, reading input."""
    frameworks: ClassVar[re.Pattern[str] | None] = None
    """Imports of test libraries, which the solution does not need."""
    in_order: ClassVar[bool] = False
    """Whether a definition has to stand before what uses it."""
    reads_prose: ClassVar[bool] = False
    """Whether sentences are code without a syntax error."""
    mains: ClassVar[tuple[str, ...]] = ()
    """Functions with which a program begins, for which the tests have one of their own."""
    beginning: ClassVar[re.Pattern[str]] = re.compile(
        r"(?:import|using|use|package|namespace|class|struct|enum|union|interface|record|type|typedef|template|const|let|var|func|fn|"
        r"pub|impl|mod|function|async|export|declare|abstract|public|private|protected|internal|static|final|object|def|module|macro)\b|"
        r"[@#/*{<(]|[^.!?]*\([^()]*\)?[^.!?]*(?:[{;,()]|=>.*)?\s*$|[\w$]+\s*=[^=]"
    )
    """How a line may begin that is code rather than prose."""

    # Reading

    def source(self, text: str) -> Source:
        """A text with its tree, kept for the next question about it."""
        return _source(self, text)

    def items(self, nodes: Iterable[Node]) -> Iterator[Item]:
        """What stands at one level."""
        for node in nodes:
            if node.type in self.transparent:
                yield from self.items(node.children)
            elif node.is_named or node.is_missing:
                yield self.item(node)

    def item(self, node: Node) -> Item:
        """What one node is."""
        inner = node
        while inner.type in self.wrappers and inner.named_children:
            inner = inner.named_children[-1]
        kind: Kind = "error" if node.type == "ERROR" else "comment" if "comment" in node.type else "statement"
        kind = self.kinds.get(inner.type, kind)
        return Item(kind, self.names(kind, inner), node, inner)

    def names(self, kind: Kind, node: Node) -> tuple[str, ...]:
        """The names that a definition gives."""
        if kind == "value":
            return targets_of(node)
        return (name_of(node),) if kind in ("function", "type", "container") else ()

    def members(self, item: Item) -> list[Item]:
        """What stands inside a container."""
        body = item.inner.child_by_field_name("body") or item.inner
        return list(self.items(body.named_children))

    def path_to(self, name: str, items: Iterable[Item]) -> list[Item]:
        """The definition of a name with the containers around it, outermost first; empty if there is none.

        The last at the top counts, as it does in a script; then those in containers, in order.
        """
        items = list(items)
        found = [item for item in items if item.kind in ("function", "value") and name in item.names]
        if found:
            return [next((item for item in reversed(found) if not self.is_stub(item)), found[-1])]
        for item in items:
            if item.kind in ("function", "value") and any(one.endswith((f".{name}", f":{name}")) for one in item.names):
                return [item]
            if item.kind == "container" and (inside := self.path_to(name, self.members(item))):
                return [item, *inside]
        return []

    def words(self, text: str) -> frozenset[str]:
        """The words in a text that may be names."""
        return frozenset(self.word.findall(text))

    def is_stub(self, item: Item) -> bool:
        """Whether a function has no body yet: nothing, a docstring, `pass`, `throw … not implemented`, a promise."""
        body = _body(item.inner)
        if body is None:
            return item.kind == "function"
        comments = [node for node in walk(body) if "comment" in node.type]
        strings = [one for one in body.named_children[:1] if _is_docstring(one)]
        left = _without(body, [*comments, *strings])
        said = " ".join(map(text_of, comments))
        rest = _UNWRITTEN.sub(" ", left).strip()
        return not rest or bool(_PROMISED.search(said) and _PLACEHOLDER.fullmatch(rest))

    def may_begin(self, line: str) -> bool:
        """Whether a line may be the first of a definition."""
        return self.beginning.match(line) is not None

    # Mending the end of a text

    def closed(self, text: str) -> str:
        """The text with what is missing at its end, or without what is too much there; as it is if that does not help."""
        if not text.strip() or (root := self.source(text).root).has_error is False or not _mendable(root):
            return text
        for closer in self.closers:
            for count in range(1, 7):
                longer = f"{text.rstrip()}\n" + f"{closer}\n" * count
                if self.source(longer).clean:
                    return longer
        shorter = text.rstrip()
        for _ in range(6):
            if not shorter.endswith(self.closers):
                break
            shorter = shorter[: -max(len(closer) for closer in self.closers if shorter.endswith(closer))].rstrip()
            if self.source(shorter).clean:
                return shorter + "\n"
        return text

    # Bodies

    def continued(self, prompt: str, body: str) -> Iterator[str]:
        """Programs that a body under the prompt's signature may be."""
        gap = "" if prompt.endswith(("\n", " ")) else "\n"
        if self.body_opener and not body.lstrip().startswith(self.body_opener):
            yield f"{prompt}{self.body_opener}\n{body}"
        yield f"{prompt}{gap}{body}"
        if body.lstrip().startswith("{") and not self.body_opener:
            yield f"{prompt}{gap}{body.lstrip()[1:]}"

    # Joining

    def join(self, problem: Problem, source: Source) -> str:
        """The program that stands before the tests: what the answer defines, with what the prompt had and it left out."""
        path = self.path_to(problem.entry_point, source.items)
        kept = self.without_unneeded(problem, source, path)
        return self.restored(problem, source, kept) + self.exposed(problem, path)

    def without_unneeded(self, problem: Problem, source: Source, path: Sequence[Item]) -> str:
        """The source without what is no part of the solution; what has to stand before the entry point is put there."""
        gone = [item.node for item in self.unneeded(problem, source, path)]
        if not self.in_order or not path:
            return self.cut(source, gone)
        needed = self.needed_by(source.items, [item for item in source.items if item.node.id == path[0].node.id])
        late = [item for item in needed if item.node.start_byte > path[0].node.end_byte]
        hoisted = "".join(f"{item.text}\n\n" for item in sorted(late, key=lambda item: item.node.start_byte))
        first = path[0].node
        return cut_out(source, [*gone, *(item.node for item in late), first], {first.id: f"{hoisted}{path[0].text}"})

    def cut(self, source: Source, nodes: Collection[Node]) -> str:
        """The source without these nodes."""
        return cut_out(source, nodes)

    def unneeded(self, problem: Problem, source: Source, path: Sequence[Item]) -> list[Item]:
        """Items of the top level that are no part of the solution."""
        return self.beside(problem, source.items, path[:1], self.taken(problem))

    def beside(self, problem: Problem, items: Sequence[Item], path: Sequence[Item], taken: frozenset[str]) -> list[Item]:
        """Items that use the solution without being part of it (`main`, tests, examples), leave it, or clash with the tests.

        Part of the solution is what the entry point uses, and what that uses. Everything else that comes to mention it is
        dropped; what does not mention it stays.
        """
        entry, first = problem.entry_point, {item.node.id for item in path}
        own = [item for item in items if entry in item.names or item.node.id in first]
        kept = {item.node.id for item in own}
        needed = self.needed_by(items, own)
        inside = {item.node.id for item in needed}
        rest = [item for item in items if item.node.id not in inside and item.kind not in ("comment", "import", "package")]
        waiting = {item.node.id: (item, self.words(item.text)) for item in rest}
        callers, dropped = {entry} if own else set(), set[int]()
        while more := [item for item, words in waiting.values() if callers & words]:
            for item in more:
                dropped.add(item.node.id)
                del waiting[item.node.id]
            callers = {name for item in more for name in item.names}
        gone = [item for item in rest if item.node.id in dropped or self._is_noise(item) or taken.intersection(item.names)]
        read = [item for item in needed if item.node.id not in kept and self._is_noise(item) and _body(item.inner) is None]
        return [*gone, *read, *(item for item in items if self._is_framework(item) and item.node.id not in inside)]

    def needed_by(self, items: Sequence[Item], own: Sequence[Item]) -> list[Item]:
        """These items, and what they use, and what that uses."""
        first = {item.node.id for item in own}
        waiting = [item for item in items if item.node.id not in first and item.names]
        needed, used = list(own), set().union(*(self.words(item.text) for item in own))
        while more := [item for item in waiting if used.intersection(_parts(item.names))]:
            needed += more
            found = {item.node.id for item in more}
            waiting = [item for item in waiting if item.node.id not in found]
            used.update(*(self.words(item.text) for item in more))
        return needed

    def taken(self, problem: Problem) -> frozenset[str]:
        """Names that the tests define at their top level."""
        return self.source(problem.tests.lstrip().removeprefix("}")).defined.union(self.mains) - {problem.entry_point}

    def _is_noise(self, item: Item) -> bool:
        return item.kind in ("statement", "value") and self.noise is not None and self.noise.search(item.text) is not None

    def _is_framework(self, item: Item) -> bool:
        return item.kind in ("import", "value") and self.frameworks is not None and self.frameworks.search(item.text) is not None

    def restored(self, problem: Problem, source: Source, kept: str) -> str:
        """A program under the prompt's imports and helpers that it does not have itself."""
        return "\n".join([*self.from_prompt(problem, source), kept])

    def under(self, added: Sequence[str], text: str) -> str:
        """A text with lines before its first statement, after what has to be first."""
        source = self.source(text)
        heads = [item.node.end_byte for item in source.of_kind("package")]
        place = max(heads, default=0)
        head, rest = source.code[:place].decode(errors="replace"), source.code[place:].decode(errors="replace")
        return "\n".join([*([head] if head else []), *added, rest])

    def prompt_of(self, problem: Problem) -> Source:
        """The prompt as a program whose function has no body yet."""
        return self.source(self.closed(problem.prompt + (f"{self.body_opener}\n" if self.body_opener else "")))

    def from_prompt(self, problem: Problem, source: Source) -> list[str]:
        """Imports and definitions of the prompt that a source lacks, the entry point's aside."""
        there = {_squeezed(item.text) for item in source.items}
        prompt = self.prompt_of(problem)
        defined = source.defined | {problem.entry_point}
        return [
            item.text.rstrip("\n")
            for item in prompt.items
            if (item.kind == "import" and _squeezed(item.text) not in there)
            or (item.kind in ("function", "type", "container", "value") and not defined.intersection(item.names))
        ]

    def exposed(self, problem: Problem, path: Sequence[Item]) -> str:
        """Statements that give the entry point its name where the answer has it inside something."""
        return ""


def _mendable(root: Node) -> bool:
    """Whether a tree has few enough errors to come from the end of the text alone."""
    stack, errors = [root], 0
    while stack and errors <= ERRORS:
        node = stack.pop()
        if node.type == "ERROR" or node.is_missing:
            errors += 1
        elif node.has_error:
            stack.extend(node.children)
    return errors <= ERRORS


def _parts(names: Iterable[str]) -> set[str]:
    """The names, and those within `module.name`."""
    return {part for name in names for part in (name, *re.split(r"[.:]+", name))}


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _body(node: Node) -> Node | None:
    for one in walk(node):
        if (found := one.child_by_field_name("body")) is not None:
            return found
        if one.type == "function_body":
            return one
    return None


def _is_docstring(node: Node) -> bool:
    return "string" in node.type or (len(node.named_children) == 1 and "string" in node.named_children[0].type)


def _without(node: Node, parts: Sequence[Node]) -> str:
    code, start = node.text or b"", node.start_byte
    for part in sorted(parts, key=lambda part: -part.start_byte):
        code = code[: part.start_byte - start] + code[part.end_byte - start :]
    return code.decode(errors="replace")


@lru_cache(maxsize=512)
def _source(language: Language, text: str) -> Source:
    root = tree(text, language.name)
    return Source(text, root, tuple(language.items(root.children)))
