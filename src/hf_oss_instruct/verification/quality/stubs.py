"""Stubs of a solution: the same signatures, bodies that return a neutral value or raise. Tests that pass on one test nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import CODE, body_of, functions_of, result_of
from hf_oss_instruct.verification.quality.neutral_values import UNTYPED, values

if TYPE_CHECKING:
    from tree_sitter import Node


def stubs(solution: str, language: str) -> tuple[str, ...]:
    """Stubs that can be imported and called as the solution can, no two the same and none the solution.

    Args:
        solution: the program.
        language: as in `languages.LANGUAGES`.

    Returns:
        First those that return a value, by the type of each function's result if it is declared; the last one raises. Empty for a
        language without a row in `grammars.CODE`, and for a program without functions.
    """
    if language not in CODE:
        return ()
    source = solution.encode(errors="replace")
    functions = list(functions_of(parse(source, language).root_node, language))
    if not functions:
        return ()
    typed = [values(language, result_of(function, language)) for function in functions]
    programs = []
    # Stub k returns the k-th value of each function's type, or the last one: as many stubs as the longest list.
    for k in range(max(map(len, typed))):
        programs.append(_replaced(source, functions, language, [candidates[min(k, len(candidates) - 1)] for candidates in typed]))
    if len(UNTYPED.get(language, ())) > len(programs):
        programs += [_replaced(source, functions, language, [value] * len(functions)) for value in UNTYPED[language]]
    programs.append(_replaced(source, functions, language, [None] * len(functions)))
    return tuple(stub for stub in dict.fromkeys(programs) if stub != solution)


def _replaced(source: bytes, functions: list[Node], language: str, new: Sequence[str | None]) -> str:
    """The source with other bodies; from the end, so that places stay right."""
    for index in reversed(range(len(functions))):
        body = body_of(functions[index])
        assert body is not None
        source = source[: body.start_byte] + stub_body(body, language, new[index]).encode() + source[body.end_byte :]
    return source.decode(errors="replace")


def stub_body(body: Node, language: str, value: str | None) -> str:
    """The body of a stub.

    Args:
        body: the body that is replaced: an expression stays an expression.
        language: a language of `grammars.CODE`.
        value: the value to return, empty for nothing; None to raise instead.
    """
    row = CODE[language]
    if is_expression(body, language):
        if value is None and not row.raising:
            return f"{{ {row.raises} }}"
        return row.value.format(row.raising if value is None else value or "null")
    statement = row.raises if value is None else row.returns.format(value) if value else ("pass" if language == "python" else "")
    return row.block.format(statement)


def is_expression(body: Node, language: str) -> bool:
    """Whether a body is an expression instead of statements."""
    if language == "python":
        return body.type != "block"
    if language == "ruby":
        return body.type != "body_statement"
    return not text_of(body).startswith("{")
