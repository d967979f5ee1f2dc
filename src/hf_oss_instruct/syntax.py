"""Whether a source parses, and which documented functions it holds: one table of tree-sitter grammars, a row a language."""

from __future__ import annotations

import ast
import html
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import cleandoc
from itertools import chain, takewhile
from typing import TYPE_CHECKING, NamedTuple

from hf_oss_instruct.errors import UsageError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree


LARGEST = 1_000_000
"""Bytes of a source that is parsed; The Stack holds no larger file."""
GROSS = 0.1
"""Share of a source in syntax errors from which on it does not parse. C headers full of macros stay below."""
DEFINITION = re.compile(
    r"(?:(?:generator_)?function|method|class|abstract_class|struct|enum|interface|trait|impl|union|record|protocol|type|"
    r"type_alias|constructor|macro)_(?:definition|declaration|item|specifier)|"
    r"arrow_function|function_expression|method|singleton_method|class|module"
)
"""Kinds of nodes that define something, over all grammars."""
READ_AS = {"c": ["cpp"]}
"""Languages whose suffix says too little: a header (`.h`) may be C++."""
SCRIPTS = frozenset({"shell"})
"""Languages whose programs may well define nothing."""
LOOKED_AT = 50_000
"""Nodes looked at for a definition; a larger source without one so far is taken to have one."""


@dataclass(frozen=True, slots=True)
class DocumentedFunction:
    r"""A function or method that has a body, a documentation, and its lines for itself.

    Attributes:
        name: its name as written (`parse`, `operator==`).
        owner: the class, struct, trait or interface it belongs to, without type parameters; None for a free function.
        documentation: text of the docstring or of the comment above, without comment marks and common indentation.
        signature: its head, without decorators and attributes; Python's ends with the colon, others' before the brace.
        code: all of it with what wraps it (decorators, attributes, `export`, `template<…>`), without the documentation.
            Lines end in `\n`; the indentation of the first line is taken from each.
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


@dataclass(frozen=True, slots=True)
class _Row:
    """What one grammar calls things: a row of the table.

    Attributes:
        module: the package of the grammar, after `tree_sitter_`.
        functions: kinds of nodes that are functions.
        owners: kinds whose functions are methods.
        wrappers: kinds around one function that belong to it, as `export` does; the function comes last in them.
        dialects: the module's languages, in the order in which they are tried.
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

_GRAMMARS = {
    "python": _Row("python", ["function_definition"], ["class_definition"], ["decorated_definition"], docstrings=True),
    "javascript": _Row("javascript", *_SCRIPT),
    "typescript": _Row("typescript", *_SCRIPT, dialects=["language_typescript", "language_tsx"]),
    "java": _Row("java", ["method_declaration"], _CLASSES),
    "c": _Row("c", ["function_definition"]),
    "cpp": _Row("cpp", ["function_definition"], _STRUCTS, ["template_declaration"]),
    "go": _Row("go", ["function_declaration", "method_declaration"]),
    "rust": _Row("rust", ["function_item"], ["impl_item", "trait_item"]),
    "csharp": _Row("c_sharp", ["method_declaration", "local_function_statement"], _CLASSES, ["global_statement"], xml=True),
    "php": _Row("php", ["function_definition", "method_declaration"], _CLASSES, dialects=["language_php"]),
    "shell": _Row("bash", []),
    "ruby": _Row("ruby", []),
    "swift": _Row("swift", []),
}

MINED_LANGUAGES = frozenset(lang for lang, row in _GRAMMARS.items() if row.functions)
"""The languages whose functions we can find, by their names in `languages.LANGUAGES`."""

# Nodes whose kind ends so are not entered: values, nameless classes and the insides of functions hold no function that
# stands for itself; an ERROR may be half of a function whose other half is elsewhere. Wrappers still lead through them.
_CLOSED = re.compile(r"(_expression|_declarator|object|class|constructor_declaration|local_function_statement|ERROR)$")
_ATTRIBUTE = re.compile(r"decorator|(marker_)?annotation|attribute_")

_RULER = re.compile(r"([-=*~])\1{2}.*|[-=*~#/_+|\s]{3,}")
_LICENCE = re.compile(r"\bcopyright\b|\blicensed under\b|\bspdx-license|\ball rights reserved\b", re.IGNORECASE)
_XML_TAG = re.compile(r'<\w+\s+\w+="([^"]*)"\s*/>|</?[A-Za-z][^<>]*>')
_NO_MORE_CODE = re.compile(rb"[ \t\r;]*(?:(?://|/\*|#).*)?$", re.MULTILINE)


def documented_functions(content: str, lang: str) -> list[DocumentedFunction]:
    """The documented functions of a source, in order of their lines; no line is in two of them.

    Left out are functions without a body, inside another function, with a syntax error, or that share a line with other
    code. No text makes it raise.

    Args:
        content: the source.
        lang: one of `MINED_LANGUAGES`.

    Raises:
        UsageError: there is no grammar for this language; the message lists those that there are.
    """
    if lang not in MINED_LANGUAGES:
        raise UsageError(f"Functions cannot be found in {lang!r}. Use one of: {', '.join(sorted(MINED_LANGUAGES))}.")
    source = content.removeprefix("\ufeff").replace("\r\n", "\n").encode(errors="replace")
    kept: list[DocumentedFunction] = []
    for found in sorted(_search(source, lang), key=lambda function: function.start_line):
        if not kept or found.start_line > kept[-1].end_line:
            kept.append(found)
    return kept


def unfit(content: str, lang: str) -> str | None:
    """Why a source is not worth a seed: `too_large`, `does_not_parse` or `no_definition`.

    None where it is worth one, and for a language without a grammar here.

    Args:
        content: the source.
        lang: a name of `languages.LANGUAGES`.
    """
    if lang not in _GRAMMARS:
        return None
    if len(content) > LARGEST:
        return "too_large"
    source = content.removeprefix("\ufeff").encode(errors="replace")
    roots = (_parse(source, grammar).root_node for grammar in (lang, *READ_AS.get(lang, ())))
    root = next((root for root in roots if not root.has_error or _in_error(root) <= GROSS * len(source)), None)
    if root is None:
        return "does_not_parse"
    return None if lang in SCRIPTS or _defines(root) else "no_definition"


def _in_error(root: Node) -> int:
    """Bytes in syntax errors. The kind ERROR is a leaf here: what stands in it was not understood."""
    stack, found = [root], 0
    while stack:
        node = stack.pop()
        if node.type == "ERROR":
            found += node.end_byte - node.start_byte
        elif node.has_error:
            stack.extend(node.children)
    return found


def _defines(root: Node) -> bool:
    stack, looked = root.named_children[::-1], 0  # without the root: Python's own kind is `module`
    while stack and looked < LOOKED_AT:
        node, looked = stack.pop(), looked + 1
        if node.is_named and DEFINITION.fullmatch(node.type):
            return True
        stack.extend(reversed(node.named_children))
    return bool(stack)


class FunctionSpan(NamedTuple):
    """A function's name, and where its statement begins and ends in the source, in characters."""

    name: str
    start: int
    end: int


def parses(content: str, lang: str) -> bool:
    """Whether a source has no syntax error, in one of the language's dialects.

    Args:
        content: the source.
        lang: one of `MINED_LANGUAGES`.
    """
    return not _parse(content.encode(errors="replace"), lang).root_node.has_error


def functions(content: str, lang: str) -> list[FunctionSpan]:
    """The functions of a source that are in no other function, documented or not, in order.

    Args:
        content: the source.
        lang: one of `MINED_LANGUAGES`.
    """
    source = content.encode(errors="replace")

    def place(byte: int) -> int:
        return len(source[:byte].decode(errors="replace"))

    found = []
    for declaration in _declarations(_parse(source, lang).root_node, _GRAMMARS[lang]):
        statement = declaration.siblings[declaration.place]
        found.append(FunctionSpan(_names(declaration)[1], place(statement.start_byte), place(statement.end_byte)))
    return sorted(found, key=lambda span: span.start)


class _Declaration(NamedTuple):
    """A statement `siblings[place]` that declares one function, the name that it gives it, and the type around it."""

    siblings: list[Node]
    place: int
    function: Node
    given: Node | None
    owner: str | None


class _Documentation(NamedTuple):
    """A documentation's text, the nodes with which the lines and the code begin, and the bytes to cut from the code."""

    text: str
    top: Node
    first: Node
    cut: slice


def _search(source: bytes, lang: str) -> Iterator[DocumentedFunction]:
    row = _GRAMMARS[lang]
    for declaration in _declarations(_parse(source, lang).root_node, row):
        found = _docstring(source, declaration) if row.docstrings else _comment(source, declaration, row.xml)
        if re.search(r"\w", found.text):
            yield from _function(source, declaration, found)


@cache
def _parsers(lang: str) -> list[Parser]:
    from tree_sitter import Language, Parser

    module = import_module(f"tree_sitter_{_GRAMMARS[lang].module}")
    return [Parser(Language(getattr(module, dialect)())) for dialect in _GRAMMARS[lang].dialects]


def _parse(source: bytes, lang: str) -> Tree:
    """The tree of the first dialect that understands all of the source, else the first dialect's."""
    trees = (parser.parse(source) for parser in _parsers(lang))
    first = next(trees)
    return next((tree for tree in chain([first], trees) if not tree.root_node.has_error), first)


def _declarations(root: Node, row: _Row) -> Iterator[_Declaration]:
    """Every function outside others. The stack is ours: sources nest deeper than Python calls."""
    stack: list[tuple[Node, str | None]] = [(root, None)]
    while stack:
        parent, owner = stack.pop()
        if parent.type in row.owners:
            owner = _type_name(_text(parent.child_by_field_name("name") or parent.child_by_field_name("type")))
        for place, node in enumerate(siblings := parent.children):
            if _CLOSED.search(node.type):
                continue
            if declared := _declared(node, row):
                yield _Declaration(siblings, place, *declared, owner)
            elif node.start_point.row < node.end_point.row:  # a function and its documentation take two lines
                stack.append((node, owner))


def _declared(node: Node, row: _Row) -> tuple[Node, Node | None] | None:
    """The one function that a statement declares, and the name that its wrapper gives it (`const name = …`)."""
    name = None
    while node.type in row.wrappers:
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        kinds = [child.type for child in node.named_children]
        if not kinds or kinds.count(kinds[-1]) > 1:  # `const f = …, g = …` has one comment for two
            return None
        node = node.named_children[-1]
    return (node, name) if node.type in row.functions else None


def _text(node: Node | None) -> str:
    return (node.text or b"").decode(errors="replace") if node else ""


def _type_name(text: str) -> str | None:
    """`Stack` of `Stack<T>`, `fmt::Stack` or `(s *Stack[T])`."""
    words = re.findall(r"\w+", re.sub(r"(?s)(?<=\w)[<\[].*", "", text))
    return words[-1] if words else None


def _docstring(source: bytes, declaration: _Declaration) -> _Documentation:
    """What Python itself takes for the docstring, if it begins a line and the body goes on to do something."""
    statement, body = declaration.siblings[declaration.place], declaration.function.child_by_field_name("body")
    literal, *rest = (body.named_children if body else []) or [statement]
    idle = all(node.type in ("comment", "pass_statement") or node.text == b"..." for node in rest)
    text = "" if idle or _before(source, literal).strip() else _evaluated(literal)
    return _Documentation(text, statement, statement, slice(literal.start_byte, rest[0].start_byte if rest else None))


def _evaluated(statement: Node) -> str:
    """The clean text of a statement that is nothing but a string, else an empty one."""
    if [child.type for child in statement.children] not in (["string"], ["concatenated_string"]):
        return ""
    # Python warns of an invalid escape, and refuses an f-string
    with warnings.catch_warnings(action="ignore"), suppress(SyntaxError, ValueError):
        value = ast.literal_eval(_text(statement))
        return cleandoc(value).strip().encode(errors="replace").decode() if isinstance(value, str) else ""
    return ""


def _comment(source: bytes, declaration: _Declaration, xml: bool) -> _Documentation:
    """The comments that end on the line above a function or above its attributes."""
    siblings, first = declaration.siblings, declaration.place
    while first and _ATTRIBUTE.match(siblings[first - 1].type) and _rows_between(siblings, first) <= 1:
        first -= 1
    top = first
    while top and siblings[top - 1].type.endswith("comment") and _rows_between(siblings, top) == 1:
        if _before(source, siblings[top - 1]).strip():  # it ends the line of something else
            break
        top -= 1
    text = "\n".join(_unmarked(_text(comment).rstrip()) for comment in siblings[top:first])
    if xml and _text(siblings[top]).startswith("///"):
        text = html.unescape(_XML_TAG.sub(r"\1", text))
    start = siblings[first].start_byte
    return _Documentation(_plain(text), siblings[top], siblings[first], slice(start, start))


def _rows_between(siblings: list[Node], index: int) -> int:
    return siblings[index].start_point.row - _last_row(siblings[index - 1])


def _last_row(node: Node) -> int:
    """The row of a node's last character; a Rust comment ends with its line's end, at column 0 of the next row."""
    return node.end_point.row - (node.end_point.column == 0)


def _before(source: bytes, node: Node) -> bytes:
    """What stands before a node on its line."""
    return source[source.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte]


def _unmarked(comment: str) -> str:
    if not comment.startswith("/*"):
        return re.sub(r"^(?://+!?|#+) ?", "", comment)
    return cleandoc(re.sub(r"(?m)^[ \t]*\*+[ \t]?", "", re.sub(r"^/\*[*!]*|\**\*/$", "", comment)))


def _plain(text: str) -> str:
    """A comment without its rulers; empty for a licence, which documents no function."""
    lines = [line.rstrip() for line in text.split("\n") if not _RULER.fullmatch(line.strip())]
    return "" if _LICENCE.search(text) else cleandoc("\n" + "\n".join(lines)).strip()


def _function(source: bytes, declaration: _Declaration, found: _Documentation) -> Iterator[DocumentedFunction]:
    statement, body = declaration.siblings[declaration.place], declaration.function.child_by_field_name("body")
    (owner, name), indent = _names(declaration), _before(source, found.first)
    alone = not indent.strip() and _NO_MORE_CODE.match(source, statement.end_byte)
    if name and body and alone and not statement.has_error:
        head = source[_head_start(statement) : _head_end(declaration.function, body)]
        code = source[found.first.start_byte : found.cut.start] + source[found.cut.stop : statement.end_byte]
        lines = found.top.start_point.row + 1, _last_row(statement) + 1
        yield DocumentedFunction(name, owner, found.text, _outdented(head, indent), _outdented(code, indent), *lines)


def _names(declaration: _Declaration) -> tuple[str | None, str]:
    """Owner and name; C++ (`Stack::push`) and Go (`func (s *Stack) Push`) say the owner themselves."""
    function = declaration.function
    name = _text(declaration.given or function.child_by_field_name("name") or _declarator(function))
    scope, _, name = name.rpartition("::")
    owner = _type_name(scope or _text(function.child_by_field_name("receiver")))
    return owner or declaration.owner, name.strip()


def _declarator(function: Node) -> Node | None:
    """The name within `type **name(…)` of C. Constructors, and macros that look like functions, have no type."""
    node = function if function.child_by_field_name("type") else None
    while node and node.type.endswith(("function_definition", "_declarator")):
        node = node.child_by_field_name("declarator") or next(iter(node.named_children), None)
    return node


def _head_start(statement: Node) -> int:
    """Where the head begins: with the first token that belongs to no attribute."""
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
    """Where the head ends: before the comments that stand between it and the body."""
    head = takewhile(lambda part: part != body, function.children)
    return max((part.end_byte for part in head if not part.type.endswith("comment")), default=function.start_byte)


def _outdented(code: bytes, indent: bytes) -> str:
    """Code without the indentation of its first line. `textwrap.dedent` gives up at text blocks that reach column 0."""
    return code.replace(b"\n" + indent, b"\n").decode(errors="replace").strip()
