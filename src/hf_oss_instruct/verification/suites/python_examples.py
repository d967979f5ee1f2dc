"""Examples of an interactive session, as doctest has them → a script of asserts."""

from __future__ import annotations

import ast
import doctest
import warnings
from collections.abc import Iterator
from contextlib import suppress

from hf_oss_instruct.code.python_syntax import parse_expression


def script_of(text: str) -> str:
    """The examples in a text as statements and asserts, in their order; empty if it holds none.

    An output that is shortened with `...` is not checked.
    """
    if ">>>" not in text:
        return ""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:  # broken examples
        return ""
    return "".join(f"{line}\n" for example in examples for line in _lines(example))


def _lines(example: doctest.Example) -> Iterator[str]:
    source, want = example.source.rstrip("\n"), example.want.rstrip("\n")
    expression = _expression(source)
    if example.exc_msg:
        name = example.exc_msg.partition(":")[0].strip().rpartition(".")[2]
        indented = source.replace("\n", "\n    ")
        yield f"try:\n    {indented}\nexcept {name}:\n    pass\nelse:\n    raise AssertionError('no {name}')"
    elif not want or "..." in want:
        yield source
    elif expression is None or _prints(expression):
        yield from ("import contextlib, io", "with contextlib.redirect_stdout(io.StringIO()) as _printed:")
        yield "    " + source.replace("\n", "\n    ")
        yield f"assert _printed.getvalue().rstrip('\\n') == {want!r}"
    # `1 == True`, but doctest would print 1.
    elif want in ("True", "False"):
        yield f"assert ({ast.unparse(expression)}) is {want}"
    elif _is_literal(want):
        yield f"assert ({ast.unparse(expression)}) == ({want})"
    else:
        yield f"assert repr({ast.unparse(expression)}) == {want!r}"


def _expression(source: str) -> ast.expr | None:
    with warnings.catch_warnings(action="ignore"), suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return parse_expression(source.strip())
    return None


def _prints(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Call) and ast.unparse(expression.func).rpartition(".")[2] in ("print", "pprint")


def _is_literal(text: str) -> bool:
    with warnings.catch_warnings(action="ignore"), suppress(SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        ast.literal_eval(text)
        return True
    return False
