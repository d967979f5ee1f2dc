"""The assertions of `unittest.TestCase` as checks."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from hf_oss_instruct.sandbox.judging.check_trees import TreeBuilder, UnsupportedTestError, negated, raises

OPERATIONS = {
    "assertEqual": "==", "assertNotEqual": "!=", "assertListEqual": "==", "assertTupleEqual": "==", "assertSetEqual": "==",
    "assertDictEqual": "==", "assertSequenceEqual": "==", "assertMultiLineEqual": "==", "assertEquals": "==", "assertIn": "in",
    "assertNotIn": "not in", "assertIs": "is", "assertIsNot": "is not", "assertGreater": ">", "assertGreaterEqual": ">=",
    "assertLess": "<", "assertLessEqual": "<=", "assertCountEqual": "same count",
}  # fmt: skip
"""`unittest.TestCase` method → the operation on its first two arguments."""


def assertion_trees(
    builder: TreeBuilder, method: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]
) -> list[ast.expr]:
    """Return the trees of an assertion: several if its condition is joined by `and`.

    Args:
        builder: builds the trees of the arguments.
        method: name of the method, such as `assertEqual`.
        arguments: its positional arguments.
        keywords: its keyword arguments.

    Raises:
        UnsupportedTestError: the assertion cannot be expressed as a check.
    """
    named = {keyword.arg: keyword.value for keyword in keywords}
    if set(named) - {"msg", "places", "delta"} or any(isinstance(argument, ast.Starred) for argument in arguments):
        raise UnsupportedTestError
    match method, arguments:
        case "assertTrue", [value, *_]:
            return builder.conditions(value)
        case "assertFalse", [value, *_]:
            return [builder.tree(ast.UnaryOp(ast.Not(), value))]
        case (("assertIsNone" | "assertIsNotNone"), [value, *_]):
            operator: ast.cmpop = ast.Is() if method == "assertIsNone" else ast.IsNot()
            return [builder.tree(ast.Compare(value, [operator], [ast.Constant(None)]))]
        case (("assertIsInstance" | "assertNotIsInstance"), [value, kind, *_]):
            tree = builder.tree(ast.Call(ast.Name("isinstance", ast.Load()), [value, kind], []))
            return [tree if method == "assertIsInstance" else negated(tree)]
        case (("assertAlmostEqual" | "assertNotAlmostEqual"), [one, other, *rest]):
            places = named.get("places", rest[0] if rest else ast.Constant(7))
            tree = builder.operation("almost", one, other, places, named.get("delta", ast.Constant(None)))
            return [tree if method == "assertAlmostEqual" else negated(tree)]
        case "assertRaises", [ast.Name(name), called, *given]:
            return [raises([name], builder.call(ast.Call(called, list(given), [])))]
        case _, [one, other, *_] if method in OPERATIONS:
            return [builder.operation(OPERATIONS[method], one, other)]
    raise UnsupportedTestError
