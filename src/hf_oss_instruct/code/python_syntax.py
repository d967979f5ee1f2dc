"""Parse Python with its own parser, from any thread."""

from __future__ import annotations

import ast
import threading

_lock = threading.Lock()


def parse_module(source: str) -> ast.Module:
    """Parse a module, one thread at a time.

    CPython counts the depth of a tree for all threads together (seen in 3.11.7): when they alternate, `ast.parse` fails with
    "SystemError: AST constructor recursion depth mismatch". Only one thread at a time runs in the interpreter anyway, so that
    waiting costs nothing.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse`.
    """
    with _lock:
        return ast.parse(source)


def parse_expression(source: str) -> ast.expr:
    """Parse an expression, see `parse_module`."""
    with _lock:
        return ast.parse(source, mode="eval").body
