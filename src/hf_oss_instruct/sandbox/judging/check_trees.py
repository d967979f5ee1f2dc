"""Turn Python expressions into trees of calls, expected values and operations, which are evaluated outside the program's process.

`f(2) == 4` becomes `["op", "==", [["call", "f", [2], {}], ["value", 4]]]`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
WRAPPERS = frozenset("abs len list tuple set frozenset sorted sum min max round bool int float str any all".split())
"""Builtin functions of one argument (`round`: two) that may wrap a call."""
PLAIN_TYPES = frozenset("int float complex str bytes bool list tuple set frozenset dict".split())


class UnsupportedTestError(Exception):
    """The tests cannot be expressed as checks."""


class TreeBuilder:
    """Builds expressions that evaluate to trees.

    Args:
        functions: names of the program's functions, which tests may only call.

    Attributes:
        calls: the number of calls in the trees.
    """

    def __init__(self, functions: set[str]) -> None:
        self.functions = functions
        self.aliases: dict[str, str] = {}  # parameter of HumanEval's `check` → name of the function
        self.calls = 0

    def uses_program(self, node: ast.AST) -> bool:
        """Whether a node names a function of the program."""
        names = self.functions | self.aliases.keys()
        return any(isinstance(inner, ast.Name) and inner.id in names for inner in ast.walk(node))

    def operation(self, name: str, *values: ast.expr) -> ast.expr:
        """Build the tree of an operation on expressions."""
        return _list(_text("op"), _text(name), _list(*map(self.tree, values)))

    def conditions(self, test: ast.expr) -> list[ast.expr]:
        """Build the trees of a condition: one for each operand of `and`."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return [condition for value in test.values for condition in self.conditions(value)]
        return [self.tree(test)]

    def tree(self, node: ast.expr) -> ast.expr:
        """Build an expression that evaluates to the tree of an expression."""
        if not self.uses_program(node):
            return _list(_text("value"), node)
        match node:
            case ast.Compare(left, [operation], [right]):
                return self._compared(left, COMPARED[type(operation)], right)
            case ast.UnaryOp(ast.Not(), value):
                return self.operation("not", value)
            case ast.UnaryOp(ast.USub(), value):
                return self.operation("negative", value)
            case ast.BinOp(left, ast.Sub(), right):
                return self.operation("-", left, right)
            case ast.BinOp(left, ast.Add(), right):
                return self.operation("+", left, right)
            case ast.Subscript(value, ast.Constant() | ast.UnaryOp() as place):
                return self.operation("item", value, place)
            case ast.Call(ast.Name("isinstance"), [value, kind], []):
                return _list(_text("op"), _text("isinstance"), _list(self.tree(value), _list(_text("value"), _kinds(kind))))
            case ast.Call(ast.Name("round"), [value, digits], []):
                return self.operation("round", value, digits)
            case ast.Call(ast.Name(name), [value], []) if name in WRAPPERS:
                return self.operation(name, value)
            case ast.Call(ast.Attribute(ast.Name("math"), "isclose" | "fabs" as name), arguments, keywords):
                return self._math(name, arguments, keywords)
            case ast.Call():
                return self.call(node)
        raise UnsupportedTestError

    def _compared(self, left: ast.expr, operation: str, right: ast.expr) -> ast.expr:
        for one, other in ((left, right), (right, left)):
            if operation in ("==", "!=") and (approx := _approx(other)):
                tree = self.operation("approx", one, *approx)
                return tree if operation == "==" else negated(tree)
        if operation in ("is", "is not") and not any(isinstance(side, ast.Constant) for side in (left, right)):
            raise UnsupportedTestError  # object identity does not survive the transfer
        return self.operation(operation, left, right)

    def _math(self, name: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> ast.expr:
        if name == "fabs" and len(arguments) == 1:
            return self.operation("abs", *arguments)
        named = {keyword.arg: keyword.value for keyword in keywords}
        if name != "isclose" or len(arguments) != 2 or set(named) - {"rel_tol", "abs_tol"}:
            raise UnsupportedTestError
        tolerances = (named.get("rel_tol", ast.Constant(1e-9)), named.get("abs_tol", ast.Constant(0.0)))
        return self.operation("isclose", *arguments, *tolerances)

    def call(self, node: ast.Call) -> ast.expr:
        """Build the tree of a call of the program."""
        if not isinstance(node.func, ast.Name) or any(map(self.uses_program, [*node.args, *node.keywords])):
            raise UnsupportedTestError
        name = self.aliases.get(node.func.id, node.func.id)
        if name not in self.functions:
            raise UnsupportedTestError
        self.calls += 1
        named = ast.Call(ast.Name("dict", ast.Load()), [], node.keywords)
        return _list(_text("call"), _text(name), ast.List(node.args, ast.Load()), named)


def negated(tree: ast.expr) -> ast.expr:
    """Build the tree of `not`."""
    return _list(_text("op"), _text("not"), _list(tree))


def raises(names: Sequence[str], call: ast.expr) -> ast.expr:
    """Build the tree of a call that must raise one of the named exceptions."""
    return _list(_text("raises"), _list(*map(_text, names)), call)


def class_names(node: ast.expr) -> list[str]:
    """Return the names in a class or tuple of classes; empty if it is anything else."""
    kinds = node.elts if isinstance(node, ast.Tuple) else [node]
    return [kind.id for kind in kinds if isinstance(kind, ast.Name)] if all(isinstance(kind, ast.Name) for kind in kinds) else []


def _kinds(kind: ast.expr) -> ast.expr:
    names = class_names(kind)
    if not names or set(names) - PLAIN_TYPES:
        raise UnsupportedTestError
    return _list(*map(_text, names))


def _approx(node: ast.expr) -> list[ast.expr] | None:
    """Return the expected value, relative and absolute tolerance of `pytest.approx`."""
    match node:
        case ast.Call(ast.Attribute(ast.Name("pytest"), "approx") | ast.Name("approx"), [value, *rest], keywords):
            named = {keyword.arg: keyword.value for keyword in keywords}
            if set(named) - {"rel", "abs"} or len(rest) > 2:
                raise UnsupportedTestError
            given = [*rest, None, None]
            return [value, *(named.get(name) or given[index] or ast.Constant(None) for index, name in enumerate(("rel", "abs")))]
    return None


def _list(*items: ast.expr) -> ast.expr:
    return ast.List(list(items), ast.Load())


def _text(text: str) -> ast.expr:
    return ast.Constant(text)
