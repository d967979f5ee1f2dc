"""Read inputs and expected values from a test program without running it: evalplus' Hub datasets have no other form."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.problems import Calls

_WORDS = {"inf": float("inf"), "nan": float("nan")}


def calls_of(program: str, base: Sequence[Sequence[Any]] | None, oracle: str) -> Calls:
    """Parse `inputs = […]`, `results = […]` and `assertion(…, …, atol)` in a test program.

    Args:
        program: content of the column `test`.
        base: inputs of the base benchmark, if known; the program starts with them.
        oracle: name of the comparison rule.

    Raises:
        EvaluationError: the program has no such list.
    """
    with _any_number_of_digits():
        tree = parse_module(program)
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if "inputs" not in named:
        raise EvaluationError(f"A test program assigns no `inputs`: {program[:80]!r}… This is not evalplus' data; check --data.")
    inputs = _value(named["inputs"])
    results = _value(named["results"]) if "results" in named else None
    # The Hub's data does not mark base inputs; they are first, which is checked here.
    count = None if base is None or list(map(list, inputs[: len(base)])) != list(map(list, base)) else len(base)
    return Calls(inputs, count, _tolerance(tree), results, oracle)


def arguments_in(tests: Sequence[str], function: str) -> list[list[Any]] | None:
    """Return the arguments with which assertions call a function; None if they are not plain values."""
    calls = [node for test in tests for node in ast.walk(parse_module(test)) if isinstance(node, ast.Call)]
    own = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == function]
    try:
        return [[_value(argument) for argument in call.args] for call in own]
    except ValueError:
        return None


def _tolerance(tree: ast.AST) -> float:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "assertion" and len(node.args) == 3:
            return float(_value(node.args[2]))
    for node in ast.walk(tree):  # find_zero: assert _poly(…) <= atol
        if isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], ast.LtE):
            return float(_value(node.test.comparators[0]))
    return 0.0


def _value(node: ast.expr) -> Any:
    return ast.literal_eval(_Words().visit(node))


class _Words(ast.NodeTransformer):
    """Replaces `inf` and `nan` with the numbers."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_WORDS[node.id]) if node.id in _WORDS else node


@contextmanager
def _any_number_of_digits() -> Iterator[None]:
    """Lift Python's limit of 4,300 digits per integer, which some benchmarks exceed."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)
