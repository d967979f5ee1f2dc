"""Parse Python tests into checks: every assertion becomes a tree of calls, expected values and our own operations.

`assert f(2) == 4` becomes `__check__(["op", "==", [["call", "f", [2], {}], ["value", 4]]])`, and so do the assertions of unittest
and pytest. Run without the program (`inside/record_checks.py`), the tests record which calls to make; the answers are inserted
into the trees outside. `read` returns None for tests of any other form.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from functools import lru_cache

LARGEST = 1 << 20
"""Maximum length of tests, in characters."""
COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
WRAPPERS = frozenset("abs len list tuple set frozenset sorted sum min max round bool int float str any all".split())
"""Builtin functions of one argument (`round`: two) that may wrap a call."""
PLAIN_TYPES = frozenset("int float complex str bytes bool list tuple set frozenset dict".split())
BY_ASSERTION = {
    "assertEqual": "==", "assertNotEqual": "!=", "assertListEqual": "==", "assertTupleEqual": "==", "assertSetEqual": "==",
    "assertDictEqual": "==", "assertSequenceEqual": "==", "assertMultiLineEqual": "==", "assertEquals": "==", "assertIn": "in",
    "assertNotIn": "not in", "assertIs": "is", "assertIsNot": "is not", "assertGreater": ">", "assertGreaterEqual": ">=",
    "assertLess": "<", "assertLessEqual": "<=", "assertCountEqual": "same count",
}  # fmt: skip
"""`unittest.TestCase` method → the operation on its first two arguments."""


class UnsupportedTestError(Exception):
    """The tests cannot be expressed as checks."""


@lru_cache(maxsize=256)
def read(tests: str, entry_point: str = "") -> str | None:
    """Rewrite tests into statements that call `__check__`; None if any of them is not a check.

    Args:
        tests: Python statements that follow a program. Functions `test…` without arguments and methods of `TestCase` classes are
            called in source order; HumanEval's `check(candidate)` where it is called.
        entry_point: the tested function, if known; it may shadow a builtin function.
    """
    if len(tests) > LARGEST:
        return None
    try:
        tree = ast.parse(tests)
        return ast.unparse(_Reader(tree, entry_point).module())
    except (UnsupportedTestError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _Reader:
    """Rewrites a module.

    Args:
        tree: the tests.
        entry_point: the tested function, if known.
    """

    def __init__(self, tree: ast.Module, entry_point: str) -> None:
        self._tree = tree
        loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        bound = {name for node in ast.walk(tree) for name in _binds(node)}
        self._asked = loaded - (bound | set(dir(builtins)) - {entry_point} | {"__name__"})  # the program's
        self._stand_in: dict[str, str] = {}  # parameter of `check` → name of the function
        self._checks = self._calls = 0

    def module(self) -> ast.Module:
        body: list[ast.stmt] = []
        later: list[ast.stmt] = []
        for statement in self._tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                body += _imports(statement)
            elif isinstance(statement, ast.ClassDef) and _is_test_case(statement):
                body += self._test_case(statement)
            elif isinstance(statement, ast.FunctionDef) and statement.name.startswith("test") and not _parameters(statement):
                if self._is_called(statement.name):
                    raise UnsupportedTestError
                body += self._inlined(statement)
            elif isinstance(statement, ast.FunctionDef) and statement.name == "check" and _has_one_parameter(statement):
                later = [statement]
            elif later and (name := self._checked_name(statement)):
                assert isinstance(later[0], ast.FunctionDef)
                (parameter,) = _parameters(later[0])
                self._stand_in[parameter] = name
                body += self._inlined(later[0])
                later = []
            elif _is_main_guard(statement):
                assert isinstance(statement, ast.If)
                body += [one for own in statement.body if not _runs_tests(own) for one in self._statement(own)]
            else:
                body += self._statement(statement)
        if later or not self._calls:
            raise UnsupportedTestError
        return ast.fix_missing_locations(ast.Module(body, []))

    def _is_called(self, name: str) -> bool:
        return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(self._tree))

    def _checked_name(self, statement: ast.stmt) -> str | None:
        """Return `half` for `check(half)`, even if it is wrapped to return plain copies."""
        match statement:
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Name(name)], [])) if name in self._asked:
                return name
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Call(ast.Name(around), [ast.Name(name)], [])], [])):
                if around.startswith("__") and around in self._asked and name in self._asked:
                    self._asked -= {around}
                    return name
        return None

    def _inlined(self, function: ast.FunctionDef) -> list[ast.stmt]:
        """Wrap the body in a new function and call it immediately."""
        if function.decorator_list or any(isinstance(node, ast.Return | ast.Yield | ast.Await) for node in ast.walk(function)):
            raise UnsupportedTestError
        name = f"__run_{self._checks}_{function.name}__"
        body = [one for statement in function.body for one in self._statement(statement)]
        made = ast.FunctionDef(name, _NO_ARGUMENTS, body or [ast.Pass()], [])
        if hasattr(made, "type_params"):
            made.type_params = []
        return [made, ast.Expr(ast.Call(ast.Name(name, ast.Load()), [], []))]

    def _test_case(self, case: ast.ClassDef) -> list[ast.stmt]:
        methods = [one for one in case.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        found: list[ast.stmt] = []
        for method in methods:
            if not isinstance(method, ast.FunctionDef) or not method.name.startswith("test"):
                raise UnsupportedTestError
            found += self._inlined(method)
        return found

    def _statement(self, statement: ast.stmt) -> list[ast.stmt]:
        match statement:
            case ast.Assert(test):
                return self._check(test)
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("self"), method), arguments, keywords)):
                return self._assertion(method, arguments, keywords)
            case ast.With([ast.withitem(context, None)], [ast.Expr(ast.Call() as called)]) if names := _raised(context):
                self._checks += 1
                return [
                    _checked(_list(_text("raises"), ast.List([_text(name) for name in names], ast.Load()), self._call(called)))
                ]
            case ast.For(body=body, orelse=[]) if not self._asks(statement.iter):
                inner = [one for own in body for one in self._statement(own)]
                return [ast.For(statement.target, statement.iter, inner, [], None)]
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("unittest"), "main"))):
                return []
        if self._asks(statement) or any(isinstance(node, ast.Assert) for node in ast.walk(statement)):
            raise UnsupportedTestError
        return [statement]

    def _assertion(self, method: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> list[ast.stmt]:
        named = {one.arg: one.value for one in keywords}
        if set(named) - {"msg", "places", "delta"} or any(isinstance(one, ast.Starred) for one in arguments):
            raise UnsupportedTestError
        match method, arguments:
            case "assertTrue", [value, *_]:
                return self._check(value)
            case "assertFalse", [value, *_]:
                return self._check(ast.UnaryOp(ast.Not(), value))
            case (("assertIsNone" | "assertIsNotNone"), [value, *_]):
                operation: ast.cmpop = ast.Is() if method == "assertIsNone" else ast.IsNot()
                return self._check(ast.Compare(value, [operation], [ast.Constant(None)]))
            case (("assertIsInstance" | "assertNotIsInstance"), [value, kind, *_]):
                asked: ast.expr = ast.Call(ast.Name("isinstance", ast.Load()), [value, kind], [])
                return self._check(asked if method == "assertIsInstance" else ast.UnaryOp(ast.Not(), asked))
            case (("assertAlmostEqual" | "assertNotAlmostEqual"), [one, other, *rest]):
                places = named.get("places", rest[0] if rest else ast.Constant(7))
                tree = self._op("almost", one, other, places, named.get("delta", ast.Constant(None)))
                self._checks += 1
                return [_checked(tree if method == "assertAlmostEqual" else _list(_text("op"), _text("not"), _list(tree)))]
            case "assertRaises", [ast.Name(name), called, *given]:
                self._checks += 1
                return [_checked(_list(_text("raises"), _list(_text(name)), self._call(ast.Call(called, list(given), []))))]
            case _, [one, other, *_] if method in BY_ASSERTION:
                self._checks += 1
                return [_checked(self._op(BY_ASSERTION[method], one, other))]
        raise UnsupportedTestError

    def _check(self, test: ast.expr) -> list[ast.stmt]:
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            return [one for value in test.values for one in self._check(value)]
        self._checks += 1
        return [_checked(self._value(test))]

    def _op(self, name: str, *values: ast.expr) -> ast.expr:
        return _list(_text("op"), _text(name), _list(*map(self._value, values)))

    def _value(self, node: ast.expr) -> ast.expr:
        """Build an expression that evaluates to the tree of an expression."""
        if not self._asks(node):
            return _list(_text("value"), node)
        match node:
            case ast.Compare(left, [operation], [right]):
                return self._compared(left, COMPARED[type(operation)], right)
            case ast.UnaryOp(ast.Not(), value):
                return self._op("not", value)
            case ast.UnaryOp(ast.USub(), value):
                return self._op("negative", value)
            case ast.BinOp(left, ast.Sub(), right):
                return self._op("-", left, right)
            case ast.BinOp(left, ast.Add(), right):
                return self._op("+", left, right)
            case ast.Subscript(value, ast.Constant() | ast.UnaryOp() as place):
                return self._op("item", value, place)
            case ast.Call(ast.Name("isinstance"), [value, kind], []):
                return _list(_text("op"), _text("isinstance"), _list(self._value(value), _list(_text("value"), _kinds(kind))))
            case ast.Call(ast.Name("round"), [value, digits], []):
                return self._op("round", value, digits)
            case ast.Call(ast.Name(name), [value], []) if name in WRAPPERS:
                return self._op(name, value)
            case ast.Call(ast.Attribute(ast.Name("math"), "isclose" | "fabs" as name), arguments, keywords):
                return self._math(name, arguments, keywords)
            case ast.Call():
                return self._call(node)
        raise UnsupportedTestError

    def _compared(self, left: ast.expr, operation: str, right: ast.expr) -> ast.expr:
        for one, other in ((left, right), (right, left)):
            if operation in ("==", "!=") and (approx := _approx(other)):
                tree = self._op("approx", one, *approx)
                return tree if operation == "==" else _list(_text("op"), _text("not"), _list(tree))
        if operation in ("is", "is not") and not any(isinstance(one, ast.Constant) for one in (left, right)):
            raise UnsupportedTestError  # object identity does not survive the transfer
        return self._op(operation, left, right)

    def _math(self, name: str, arguments: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> ast.expr:
        if name == "fabs" and len(arguments) == 1:
            return self._op("abs", *arguments)
        named = {one.arg: one.value for one in keywords}
        if name != "isclose" or len(arguments) != 2 or set(named) - {"rel_tol", "abs_tol"}:
            raise UnsupportedTestError
        return self._op("isclose", *arguments, named.get("rel_tol", ast.Constant(1e-9)), named.get("abs_tol", ast.Constant(0.0)))

    def _call(self, node: ast.Call) -> ast.expr:
        if not isinstance(node.func, ast.Name) or any(map(self._asks, [*node.args, *node.keywords])):
            raise UnsupportedTestError
        name = self._stand_in.get(node.func.id, node.func.id)
        if name not in self._asked:
            raise UnsupportedTestError
        self._calls += 1
        named = ast.Call(ast.Name("dict", ast.Load()), [], node.keywords)
        return _list(_text("call"), _text(name), ast.List(node.args, ast.Load()), named)

    def _asks(self, node: ast.AST) -> bool:
        names = self._asked | self._stand_in.keys()
        return any(isinstance(one, ast.Name) and one.id in names for one in ast.walk(node))


_NO_ARGUMENTS = ast.arguments([], [], None, [], [], None, [])


def _binds(node: ast.AST) -> Iterable[str]:
    """Yield the names that a node binds."""
    match node:
        case ast.Name(name, ast.Store() | ast.Del()):
            return [name]
        case ast.FunctionDef(name) | ast.ClassDef(name) | ast.AsyncFunctionDef(name):
            return [name]
        case ast.arg(name):
            return [name]
        case ast.Import(names) | ast.ImportFrom(names=names):
            return [(one.asname or one.name).partition(".")[0] for one in names]
        case ast.ExceptHandler(name=str(name)):
            return [name]
    return []


def _imports(statement: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    """Drop imports of test frameworks, which are handled here and need not be installed."""
    if isinstance(statement, ast.ImportFrom):
        if statement.level or "*" in {one.name for one in statement.names}:
            raise UnsupportedTestError
        return [] if statement.module == "pytest" else [statement]
    left = [one for one in statement.names if one.name not in ("pytest", "unittest")]
    return [ast.Import(left)] if left else []


def _is_test_case(case: ast.ClassDef) -> bool:
    return any(ast.unparse(base) in ("unittest.TestCase", "TestCase") for base in case.bases)


def _is_main_guard(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]), _, []):
            return True
    return False


def _runs_tests(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("unittest" | "pytest"), "main"))):
            return True
    return False


def _has_one_parameter(function: ast.FunctionDef) -> bool:
    return len(_parameters(function)) == 1 and not function.decorator_list


def _parameters(function: ast.FunctionDef) -> list[str]:
    given = function.args
    if given.vararg or given.kwarg or given.kwonlyargs or given.posonlyargs or given.defaults:
        return ["", ""]
    return [one.arg for one in given.args]


def _raised(context: ast.expr) -> list[str]:
    """Return the exceptions that a `with` block expects; empty if it is not a `raises` context."""
    match context:
        case ast.Call(ast.Attribute(ast.Name("pytest"), "raises"), [kind], []):
            return _names(kind)
        case ast.Call(ast.Attribute(ast.Name("self"), "assertRaises"), [kind], []):
            return _names(kind)
    return []


def _names(kind: ast.expr) -> list[str]:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return [one.id for one in kinds if isinstance(one, ast.Name)] if all(isinstance(one, ast.Name) for one in kinds) else []


def _kinds(kind: ast.expr) -> ast.expr:
    names = _names(kind)
    if not names or set(names) - PLAIN_TYPES:
        raise UnsupportedTestError
    return _list(*map(_text, names))


def _approx(node: ast.expr) -> list[ast.expr] | None:
    """Return the expected value, relative and absolute tolerance of `pytest.approx`."""
    match node:
        case ast.Call(ast.Attribute(ast.Name("pytest"), "approx") | ast.Name("approx"), [value, *rest], keywords):
            named = {one.arg: one.value for one in keywords}
            if set(named) - {"rel", "abs"} or len(rest) > 2:
                raise UnsupportedTestError
            given = [*rest, None, None]
            return [value, *(named.get(name) or given[at] or ast.Constant(None) for at, name in enumerate(("rel", "abs")))]
    return None


def _checked(tree: ast.expr) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Name("__check__", ast.Load()), [tree], []))


def _list(*items: ast.expr) -> ast.expr:
    return ast.List(list(items), ast.Load())


def _text(text: str) -> ast.expr:
    return ast.Constant(text)
