"""Parse source code with tree-sitter: syntax errors, whether it defines anything, and its functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

MAX_SOURCE_CHARS = 1_000_000
"""Maximum size in characters of a source that is parsed; The Stack has no larger file."""
MAX_ERROR_SHARE = 0.1
"""Maximum share of a source's bytes in syntax errors. C headers full of macros stay below it."""
DEFINITION = re.compile(
    r"(?:(?:generator_)?function|method|class|abstract_class|struct|enum|interface|trait|impl|union|record|protocol|type|"
    r"type_alias|constructor|macro)_(?:definition|declaration|item|specifier)|"
    r"arrow_function|function_expression|method|singleton_method|class|module"
)
"""Node types that define something, in all grammars."""
FALLBACK_GRAMMARS = {"c": ["cpp"]}
"""Language → other grammars to try, since the suffix is ambiguous: a header (`.h`) may be C++."""
SCRIPTS = frozenset({"shell"})
"""Languages in which useful programs may define nothing."""
MAX_NODES = 50_000
"""Maximum number of nodes searched for a definition; if the source has more, it is assumed to have one."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Node types of one grammar: a row of `GRAMMARS`.

    Attributes:
        module: the package of the grammar, after `tree_sitter_`.
        functions: node types of functions.
        owners: node types whose functions are methods.
        wrappers: node types around one function that belong to it, such as `export`; the function is their last child.
        dialects: the module's languages, in the order they are tried.
        docstrings: whether the documentation is the body's first statement rather than a comment above.
        xml: whether `///` comments hold XML.
    """

    module: str
    functions: Sequence[str]
    owners: Sequence[str] = ()
    wrappers: Sequence[str] = ()
    dialects: Sequence[str] = ("language",)
    docstrings: bool = False
    xml: bool = False


_CLASSES = [f"{kind}_declaration" for kind in "class abstract_class interface struct record enum trait".split()]
_STRUCTS = ["class_specifier", "struct_specifier", "union_specifier"]
_FIELDS = ["field_definition", "public_field_definition"]
_SCRIPT = (
    "function_declaration generator_function_declaration method_definition arrow_function function_expression".split(),
    _CLASSES,
    ["export_statement", "lexical_declaration", "variable_declaration", "variable_declarator", *_FIELDS],
)

GRAMMARS = {
    "python": Grammar("python", ["function_definition"], ["class_definition"], ["decorated_definition"], docstrings=True),
    "javascript": Grammar("javascript", *_SCRIPT),
    "typescript": Grammar("typescript", *_SCRIPT, dialects=["language_typescript", "language_tsx"]),
    "java": Grammar("java", ["method_declaration"], _CLASSES),
    "c": Grammar("c", ["function_definition"]),
    "cpp": Grammar("cpp", ["function_definition"], _STRUCTS, ["template_declaration"]),
    "go": Grammar("go", ["function_declaration", "method_declaration"]),
    "rust": Grammar("rust", ["function_item"], ["impl_item", "trait_item"]),
    "csharp": Grammar("c_sharp", ["method_declaration", "local_function_statement"], _CLASSES, ["global_statement"], xml=True),
    "php": Grammar("php", ["function_definition", "method_declaration"], _CLASSES, dialects=["language_php"]),
    "shell": Grammar("bash", []),
    "ruby": Grammar("ruby", []),
    "swift": Grammar("swift", []),
}

MINED_LANGUAGES = frozenset(lang for lang, row in GRAMMARS.items() if row.functions)
"""Languages whose functions can be extracted, by their names in `languages.LANGUAGES`."""

# Node types that are not searched: values, anonymous classes and function bodies contain no independent function, and an ERROR
# may be half of one. Wrappers are still followed through them.
_CLOSED = re.compile(r"(_expression|_declarator|object|class|constructor_declaration|local_function_statement|ERROR)$")


def why_unsuitable(content: str, lang: str) -> str | None:
    """Return why a source is unsuitable as a seed: `too_large`, `does_not_parse` or `no_definition`.

    None if it is suitable, or if its language has no grammar here.

    Args:
        content: the source.
        lang: a name of `languages.LANGUAGES`.
    """
    if lang not in GRAMMARS:
        return None
    if len(content) > MAX_SOURCE_CHARS:
        return "too_large"
    source = content.removeprefix("\ufeff").encode(errors="replace")
    # Lazily, because most sources need only the first grammar.
    roots = (parse(source, grammar).root_node for grammar in (lang, *FALLBACK_GRAMMARS.get(lang, ())))
    root = next((root for root in roots if not root.has_error or _in_error(root) <= MAX_ERROR_SHARE * len(source)), None)
    if root is None:
        return "does_not_parse"
    return None if lang in SCRIPTS or _defines(root) else "no_definition"


def _in_error(root: Node) -> int:
    """Count the bytes in syntax errors. An ERROR counts whole: its children were not parsed either."""
    stack, error_bytes = [root], 0
    while stack:
        node = stack.pop()
        if node.type == "ERROR":
            error_bytes += node.end_byte - node.start_byte
        elif node.has_error:
            stack.extend(node.children)
    return error_bytes


def _defines(root: Node) -> bool:
    stack, visited = root.named_children[::-1], 0  # without the root: Python's own kind is `module`
    while stack and visited < MAX_NODES:
        node, visited = stack.pop(), visited + 1
        if node.is_named and DEFINITION.fullmatch(node.type):
            return True
        stack.extend(reversed(node.named_children))
    return bool(stack)


class FunctionSpan(NamedTuple):
    """A function's name, and the character offsets where its statement begins and ends."""

    name: str
    start: int
    end: int


def parses(content: str, lang: str) -> bool:
    """Whether a source has no syntax error, in one of the language's dialects.

    Args:
        content: the source.
        lang: one of `MINED_LANGUAGES`.
    """
    return not parse(content.encode(errors="replace"), lang).root_node.has_error


def functions(content: str, lang: str) -> list[FunctionSpan]:
    """List the functions of a source in order, documented or not, without nested ones.

    Args:
        content: the source.
        lang: one of `MINED_LANGUAGES`.
    """
    source = content.encode(errors="replace")

    def line_of(byte: int) -> int:
        return len(source[:byte].decode(errors="replace"))

    spans = []
    for declaration in declarations(parse(source, lang).root_node, GRAMMARS[lang]):
        statement = declaration.siblings[declaration.position]
        spans.append(FunctionSpan(names_of(declaration)[1], line_of(statement.start_byte), line_of(statement.end_byte)))
    return sorted(spans, key=lambda span: span.start)


class Declaration(NamedTuple):
    """A statement `siblings[position]` that declares one function, with the name it binds and the enclosing type."""

    siblings: list[Node]
    position: int
    function: Node
    given: Node | None
    owner: str | None


@cache
def _parsers(lang: str) -> list[Parser]:
    from tree_sitter import Language, Parser

    module = import_module(f"tree_sitter_{GRAMMARS[lang].module}")
    return [Parser(Language(getattr(module, dialect)())) for dialect in GRAMMARS[lang].dialects]


def parse(source: bytes, lang: str) -> Tree:
    """Parse with the first dialect that finds no syntax error, or else the first dialect."""
    # Lazily: most sources parse in the first dialect.
    trees = (parser.parse(source) for parser in _parsers(lang))
    first = next(trees)
    return next((tree for tree in chain([first], trees) if not tree.root_node.has_error), first)


def declarations(root: Node, row: Grammar) -> Iterator[Declaration]:
    """Yield every function that is not nested in another. Not recursive: sources nest deeper than Python's stack allows."""
    stack: list[tuple[Node, str | None]] = [(root, None)]
    while stack:
        parent, owner = stack.pop()
        if parent.type in row.owners:
            owner = _type_name(text_of(parent.child_by_field_name("name") or parent.child_by_field_name("type")))
        for position, node in enumerate(siblings := parent.children):
            if _CLOSED.search(node.type):
                continue
            if declared := _declared(node, row):
                yield Declaration(siblings, position, *declared, owner)
            elif node.start_point.row < node.end_point.row:  # a function and its documentation take two lines
                stack.append((node, owner))


def _declared(node: Node, row: Grammar) -> tuple[Node, Node | None] | None:
    """Return the only function that a statement declares, and the name its wrapper binds (`const name = …`)."""
    name = None
    while node.type in row.wrappers:
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        kinds = [child.type for child in node.named_children]
        if not kinds or kinds.count(kinds[-1]) > 1:  # `const f = …, g = …`: one comment for two functions
            return None
        node = node.named_children[-1]
    return (node, name) if node.type in row.functions else None


def text_of(node: Node | None) -> str:
    """Return the source of a node, or an empty string for None."""
    return (node.text or b"").decode(errors="replace") if node else ""


def _type_name(text: str) -> str | None:
    """Return `Stack` for `Stack<T>`, `fmt::Stack` or `(s *Stack[T])`."""
    words = re.findall(r"\w+", re.sub(r"(?s)(?<=\w)[<\[].*", "", text))
    return words[-1] if words else None


def names_of(declaration: Declaration) -> tuple[str | None, str]:
    """Return owner and name; in C++ (`Stack::push`) and Go (`func (s *Stack) Push`) the declaration names the owner."""
    function = declaration.function
    name = text_of(declaration.given or function.child_by_field_name("name") or _declarator(function))
    scope, _, name = name.rpartition("::")
    owner = _type_name(scope or text_of(function.child_by_field_name("receiver")))
    return owner or declaration.owner, name.strip()


def _declarator(function: Node) -> Node | None:
    """Return the name in C's `type **name(…)`. Constructors and function-like macros have no type."""
    node = function if function.child_by_field_name("type") else None
    while node and node.type.endswith(("function_definition", "_declarator")):
        node = node.child_by_field_name("declarator") or next(iter(node.named_children), None)
    return node
