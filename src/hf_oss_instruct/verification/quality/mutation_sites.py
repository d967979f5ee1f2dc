"""Where a program can be changed so that it means something else: an operator, a constant, a condition, a statement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.verification.grammars import CODE, GUARD, body_of, defines_equality, name_of, result_of
from hf_oss_instruct.verification.quality.neutral_values import values
from hf_oss_instruct.verification.quality.stubs import is_expression

if TYPE_CHECKING:
    from tree_sitter import Node

_SWAPS = {
    "relational": {
        "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "===",
        "-lt": "-le", "-le": "-lt", "-gt": "-ge", "-ge": "-gt", "-eq": "-ne", "-ne": "-eq", "=": "!=", "=~": "!=",
        "in": "not in", "not in": "in", "is": "is not", "is not": "is",
    },
    "arithmetic": {
        "+": "-", "-": "+", "*": "+", "/": "*", "//": "*", "%": "*", "**": "*", "&": "|", "|": "&", "^": "&",
        "+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "//=": "*=", "%=": "*=", "++": "--", "--": "++", "<<": ">>", ">>": "<<",
    },
    "logical": {"&&": "||", "||": "&&", "and": "or", "or": "and"},
}  # fmt: skip
# Node types of all grammars at once, since their names differ little.
_OPERATIONS = re.compile(
    r"(binary|comparison|boolean|augmented_assignment|compound_assignment|update|unary_update|infix|logical|assignment|operator_assignment)"
    r".*(operator|expression|expr|statement)?|binary|update_expression|inc_statement|dec_statement|assignment_statement"
)
_PLAIN_ASSIGNMENT = re.compile(r"assignment|assignment_expression|assignment_statement|variable_assignment")
_CONDITIONS = re.compile(
    r"(if|elif|while|unless|do)(_statement|_expression|_clause|_modifier)?|elsif|conditional(_expression)?|ternary_expression"
)
_RETURNS = re.compile(r"return(_statement|_expression)?")
_ARGUMENTS = re.compile(r"argument_list|arguments")
_CALLS = re.compile(
    r"call(_expression)?|method_invocation|(function|member|scoped|object|new|invocation|object_creation).*call.*|invocation_expression|.*creation_expression|function_call_expression"
)
_BOOLEANS = {"true": "false", "false": "true", "True": "False", "False": "True"}
_TEXTS = re.compile(r"comment|.*string.*|char.*_literal|regex|heredoc.*|template_string")
MAX_SITES = 4_000


@dataclass(frozen=True, slots=True)
class MutationSite:
    """One change.

    Attributes:
        operator: see `mutants.Mutant`.
        start, end: the bytes that are replaced.
        new: the text after the change.
    """

    operator: str
    start: int
    end: int
    new: str


def sites_of(root: Node, language: str, program: bool) -> Iterator[MutationSite]:
    """Changes of a program, in arbitrary order; those of at most about `MAX_SITES` places.

    Args:
        root: its syntax tree.
        language: one with a row in `grammars.CODE`.
        program: whether `main` and what stands outside functions count.
    """
    row = CODE[language]
    stack: list[tuple[Node, Node | None]] = [(root, None)]
    seen = 0
    while stack and seen < MAX_SITES:
        node, function = stack.pop()
        if _TEXTS.fullmatch(node.type) or node.type in row.skipped:
            continue
        # Tests import the program, so that the block of the main guard never runs: its mutants would all survive.
        if "if" in node.type and GUARD.search(text_of(node.child_by_field_name("condition"))):
            continue
        if node.type in row.functions:
            if (name_of(node) == "main" and not program) or defines_equality(node):
                continue
            if _is_named(node):
                function = node
            yield from _last_value(node, language)
        if function or program or not row.functions:
            for site in _of_node(node, function, language):
                seen += 1
                yield site
        stack.extend((child, function) for child in reversed(node.children))


def _is_named(function: Node) -> bool:
    return function.type not in ("lambda", "lambda_expression")


def _of_node(node: Node, function: Node | None, language: str) -> Iterator[MutationSite]:
    row, kind = CODE[language], node.type
    if not node.is_named:
        if _OPERATIONS.fullmatch(node.parent.type if node.parent else ""):
            yield from _operators(node, language)
        return
    if kind == "test_operator" or kind == "update_expression":
        yield from _operators(node, language)
    if kind in row.integers and (text := text_of(node)).isdecimal():
        yield MutationSite("constant", node.start_byte, node.end_byte, str(int(text) + 1))
        if int(text) > 1:
            yield MutationSite("constant", node.start_byte, node.end_byte, str(int(text) - 1))
    elif (text := text_of(node)) in _BOOLEANS and not node.named_children:
        yield MutationSite("constant", node.start_byte, node.end_byte, _BOOLEANS[text])
    if _CONDITIONS.fullmatch(kind) and (condition := node.child_by_field_name("condition")):
        yield from _negated(condition, language)
    if kind in row.statements and _is_removable(node, language):
        yield MutationSite("statement", node.start_byte, node.end_byte, row.nothing)
    if _RETURNS.fullmatch(kind) and function:
        yield from _returned(node, function, language)
    if _ARGUMENTS.fullmatch(kind):
        yield from _swapped(node)
    if kind in ("break_statement", "continue_statement") and language != "rust":
        word = "continue" if kind.startswith("break") else "break"
        yield MutationSite("jump", node.start_byte, node.end_byte, word + (";" if text_of(node).endswith(";") else ""))


def _operators(node: Node, language: str) -> Iterator[MutationSite]:
    text, parent = text_of(node), node.parent
    # In C++ these are mostly output and input.
    if parent is None or (text in ("<<", ">>") and language == "cpp"):
        return
    # Only in the shell, `=` compares.
    if text == "=" and language != "shell":
        return
    if language != "shell" and _PLAIN_ASSIGNMENT.fullmatch(parent.type) and not text.endswith("="):
        return
    for operator, swaps in _SWAPS.items():
        if text in swaps:
            yield MutationSite(operator, node.start_byte, node.end_byte, swaps[text])


def _negated(condition: Node, language: str) -> Iterator[MutationSite]:
    text = text_of(condition)
    if "let " in text or (language == "shell" and "\n" in text):  # Rust's `if let` binds names
        return
    inner = text[1:-1] if text.startswith("(") and condition.type in ("parenthesized_expression", "condition_clause") else text
    new = CODE[language].negated.format(inner.strip().rstrip(";"))
    if language == "shell":
        new += ";" if text.endswith(";") else ""
    yield MutationSite("condition", condition.start_byte, condition.end_byte, f"({new})" if inner != text else new)


def _is_removable(node: Node, language: str) -> bool:
    row, parent = CODE[language], node.parent
    if row.within and (parent is None or parent.type not in row.within):
        return False
    first = node.named_children[0] if node.named_children else None
    if first is None or _TEXTS.fullmatch(first.type) or _RETURNS.fullmatch(first.type):  # a docstring
        return False
    if language == "shell" and text_of(first) in ("return", "exit", "local", "declare", "shift"):
        return False
    return not (language == "rust" and not text_of(node).endswith(";"))


def _returned(node: Node, function: Node, language: str) -> Iterator[MutationSite]:
    """Another value than the one returned; of the type that the function says."""
    value = next((child for child in node.named_children if "comment" not in child.type), None)
    if value is None:
        return
    result = result_of(function, language)
    for new in values(language, result):
        if new.strip() and new != text_of(value):
            yield MutationSite("return", value.start_byte, value.end_byte, f" {new}" if language == "python" else new)
            return


def _last_value(function: Node, language: str) -> Iterator[MutationSite]:
    """The value of a body without `return`: an expression, or where the last one counts."""
    body = body_of(function)
    if body is None:
        return
    neutral = next((value for value in values(language, result_of(function, language)) if value.strip()), None)
    if neutral is None or (language in ("java", "csharp") and is_expression(body, language)):
        return
    if is_expression(body, language) and language != "rust":
        yield MutationSite("return", body.start_byte, body.end_byte, CODE[language].value.format(neutral))
    elif CODE[language].blocks_return and body.named_children:
        last = body.named_children[-1]
        ends = text_of(last).endswith(";") or _RETURNS.fullmatch(last.type) or last.type.startswith("let")
        if not ends and "comment" not in last.type:
            yield MutationSite("return", last.start_byte, last.end_byte, neutral)


def _swapped(node: Node) -> Iterator[MutationSite]:
    """The first two arguments of a call, swapped."""
    if node.parent is None or not _CALLS.fullmatch(node.parent.type):
        return
    arguments = [child for child in node.named_children if "comment" not in child.type]
    if len(arguments) < 2 or any(
        "keyword" in child.type or "splat" in child.type or "pair" in child.type for child in arguments[:2]
    ):
        return
    one, other = arguments[:2]
    if text_of(one) != text_of(other):
        between = (node.text or b"")[one.end_byte - node.start_byte : other.start_byte - node.start_byte].decode(errors="replace")
        yield MutationSite("arguments", one.start_byte, other.end_byte, f"{text_of(other)}{between}{text_of(one)}")
