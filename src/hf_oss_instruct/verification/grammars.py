"""What tree-sitter's grammars call functions, blocks, conditions and literals: one row for each language that is mutated here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import text_of

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass(frozen=True, slots=True)
class LanguageNodeTypes:
    """Node types of one language.

    Attributes:
        functions: kinds that have a body to replace; constructors are not among them, since fields may have to be set.
        result: the field, or for some grammars the kind, that holds the type of a function's result.
        block: how a body is written, with `{}` for its statements.
        returns: the statement that returns a value `{}`.
        value: the expression body that gives a value `{}`; also of arrow functions.
        raises: the statement that raises an error.
        raising: the expression that does, for bodies that are expressions.
        nothing: a statement that does nothing.
        integers: kinds of whole numbers.
        negated: a condition `{}` turned around.
        statements: kinds that can be dropped.
        within: kinds of parents in which `statements` are statements; empty for any.
        blocks_return: whether the last expression of a body is its value.
        skipped: kinds that hold no code to change.
    """

    functions: frozenset[str]
    result: str = ""
    block: str = "{{ {} }}"
    returns: str = "return {};"
    value: str = "({})"
    raises: str = "throw new Error('stub');"
    raising: str = ""
    nothing: str = ";"
    integers: frozenset[str] = frozenset({"integer"})
    negated: str = "!({})"
    statements: frozenset[str] = frozenset({"expression_statement"})
    within: frozenset[str] = frozenset()
    blocks_return: bool = False
    skipped: frozenset[str] = field(default_factory=frozenset)


def _kinds(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SCRIPT = {
    "functions": _kinds(
        "function_declaration generator_function_declaration method_definition arrow_function function_expression"
    ),
    "raising": "(() => { throw new Error('stub'); })()",
    "integers": _kinds("number"),
}
CODE: dict[str, LanguageNodeTypes] = {
    "python": LanguageNodeTypes(
        _kinds("function_definition lambda"),
        "return_type",
        "{}",
        "return {}",
        raises="raise NotImplementedError('stub')",
        raising="(_ for _ in ()).throw(NotImplementedError('stub'))",
        nothing="pass",
        negated="not ({})",
        skipped=_kinds("decorator type import_statement import_from_statement future_import_statement"),
    ),
    "javascript": LanguageNodeTypes(**_SCRIPT),  # type: ignore[arg-type]
    "typescript": LanguageNodeTypes(
        **_SCRIPT,  # type: ignore[arg-type]
        result="return_type",
        skipped=_kinds("type_annotation type_alias_declaration interface_declaration type_arguments"),
    ),
    "java": LanguageNodeTypes(
        _kinds("method_declaration lambda_expression"),
        "type",
        raises='throw new RuntimeException("stub");',
        integers=_kinds("decimal_integer_literal"),
        skipped=_kinds("modifiers type_arguments"),
    ),
    "csharp": LanguageNodeTypes(
        _kinds("method_declaration local_function_statement"),
        "returns",
        value="=> {}",
        raises='throw new System.Exception("stub");',
        raising='throw new System.Exception("stub")',
        integers=_kinds("integer_literal"),
        skipped=_kinds("attribute_list type_argument_list"),
    ),
    "c": LanguageNodeTypes(
        _kinds("function_definition"),
        "type",
        # C has no exceptions, and this needs no header.
        raises="__builtin_abort();",
        integers=_kinds("number_literal"),
        skipped=_kinds("preproc_include preproc_def preproc_function_def"),
    ),
    "cpp": LanguageNodeTypes(
        _kinds("function_definition"),
        "type",
        raises="throw 0;",
        integers=_kinds("number_literal"),
        skipped=_kinds("preproc_include preproc_def preproc_function_def template_argument_list"),
    ),
    "go": LanguageNodeTypes(
        _kinds("function_declaration method_declaration"),
        "result",
        raises='panic("stub")',
        nothing="",
        integers=_kinds("int_literal"),
        statements=_kinds("expression_statement assignment_statement inc_statement dec_statement"),
        within=_kinds("statement_list block"),
        returns="return {}",
        skipped=_kinds("import_declaration array_type"),
    ),
    "rust": LanguageNodeTypes(
        _kinds("function_item"),
        "return_type",
        value="{}",
        raises='panic!("stub");',
        integers=_kinds("integer_literal"),
        blocks_return=True,
        skipped=_kinds("attribute_item use_declaration type_arguments array_type"),
    ),
    "php": LanguageNodeTypes(
        _kinds("function_definition method_declaration arrow_function"),
        "return_type",
        raises="throw new \\Exception('stub');",
        raising="throw new \\Exception('stub')",
    ),
    "ruby": LanguageNodeTypes(
        _kinds("method singleton_method"),
        block="{}",
        returns="return {}",
        raises="raise 'stub'",
        raising="raise('stub')",
        nothing="nil",
        statements=_kinds("assignment operator_assignment call"),
        within=_kinds("body_statement then else do do_block block_body"),
        blocks_return=True,
    ),
    "shell": LanguageNodeTypes(
        _kinds("function_definition"),
        raises="return 1;",
        integers=_kinds("number"),
        negated="! {{ {}; }}",
        statements=_kinds("command"),
        within=_kinds("compound_statement if_statement else_clause do_group"),
        nothing=":",
        returns="{};",
    ),
}
"""Language → its row. Languages without one are run, and their tests' quality is not measured."""
GUARD = re.compile(r"__name__|require\.main|__FILE__|\$PROGRAM_NAME|BASH_SOURCE")
"""What asks whether a file is the main program."""
EQUALITY = re.compile(
    r"\bfn\s+(?:eq|ne)\s*\(|\b(?:equals|Equals|__eq__|__ne__)\s*\(|operator\s*[=!]=|\bdef\s+(?:==|eql\?|equal\?)"
)
"""The head of a function that defines equality: tests rely on it, so that stubs and mutants keep it."""
CONSTRUCTORS = frozenset({"__init__", "constructor", "initialize", "__construct", "__post_init__"})


def functions_of(root: Node, language: str) -> Iterator[Node]:
    """The outermost functions with a body, in order; constructors and equality are left out."""
    kinds = CODE[language].functions
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in kinds and body_of(node):
            if not is_constructor(node) and not defines_equality(node):
                yield node
            continue
        stack.extend(reversed(node.children))


def body_of(function: Node) -> Node | None:
    """The body of a function; an expression for arrow functions."""
    return function.child_by_field_name("body")


def name_of(function: Node) -> str:
    """The name of a function, also where a declaration around it gives it; an empty one for none."""
    node: Node | None = function
    for name in ("name", "declarator"):
        while node and (inner := node.child_by_field_name(name)):
            node = inner
            if node.type.endswith("identifier") or node.type in ("name", "word", "constant"):
                return text_of(node).rpartition("::")[2]
    # JavaScript: `const name = () => …`.
    parent = function.parent
    return text_of(parent.child_by_field_name("name")) if parent and parent.type == "variable_declarator" else ""


def is_constructor(function: Node) -> bool:
    """Whether a function sets up an object: C++'s has no type of a result."""
    if function.type == "function_definition" and function.child_by_field_name("declarator"):
        return function.child_by_field_name("type") is None
    return name_of(function) in CONSTRUCTORS


def defines_equality(function: Node) -> bool:
    """Whether a function decides which values are equal."""
    body = body_of(function)
    head = (function.text or b"")[: body.start_byte - function.start_byte] if body else b""
    return EQUALITY.search(head.decode(errors="replace")) is not None


def result_of(function: Node, language: str) -> str:
    """The text of the type of a function's result; empty if it is not declared."""
    field_name = CODE[language].result
    type_node = function.child_by_field_name(field_name) if field_name else None
    # Some grammars count the colon before a type as part of it.
    text = text_of(type_node).strip().removeprefix(":").strip()
    if language in ("c", "cpp") and type_node:
        return _of_declarator(function, text)
    return text


def _of_declarator(function: Node, text: str) -> str:
    """C's `*` and `&` belong to the name; a type after the arrow is the one that counts."""
    node = function.child_by_field_name("declarator")
    while node and node.type in ("pointer_declarator", "reference_declarator"):
        text += "*" if node.type == "pointer_declarator" else "&"
        node = node.child_by_field_name("declarator") or next(iter(node.named_children), None)
    for child in node.children if node else ():
        if child.type == "trailing_return_type":
            return text_of(child).removeprefix("->").strip()
    return text
