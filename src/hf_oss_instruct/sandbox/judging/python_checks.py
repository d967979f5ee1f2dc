"""Parse Python tests into checks: every assertion becomes a tree of calls, expected values and our own operations.

`assert f(2) == 4` becomes `__check__(["op", "==", [["call", "f", [2], {}], ["value", 4]]])`, and so do the assertions of unittest
and pytest. Run without the program (`inside/record_checks.py`), the tests record which calls to make; the answers are inserted
into the trees outside. `read` returns None for tests of any other form.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from functools import lru_cache

from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.sandbox.judging.check_trees import TreeBuilder, UnsupportedTestError, class_names, raises
from hf_oss_instruct.sandbox.judging.unittest_assertions import assertion_trees

MAX_TEST_CHARS = 1 << 20
"""Maximum length of tests, in characters."""


@lru_cache(maxsize=256)
def read(tests: str, entry_point: str = "") -> str | None:
    """Rewrite tests into statements that call `__check__`; None if any of them is not a check.

    Args:
        tests: Python statements that follow a program. Functions `test…` without arguments and methods of `TestCase` classes are
            called in source order; HumanEval's `check(candidate)` where it is called.
        entry_point: the tested function, if known; it may shadow a builtin function.
    """
    if len(tests) > MAX_TEST_CHARS:
        return None
    try:
        tree = parse_module(tests)
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
        # names that the tests neither define nor find among the builtins are the program's
        self._builder = TreeBuilder(loaded - (bound | set(dir(builtins)) - {entry_point} | {"__name__"}))
        self._inlined = 0
        self._check: ast.FunctionDef | None = None  # HumanEval's `check`, until it is called

    def module(self) -> ast.Module:
        body = [made for statement in self._tree.body for made in self._top_level(statement)]
        # A `check` that nobody calls, or tests without any call of the program, would pass with every program.
        if self._check or not self._builder.calls:
            raise UnsupportedTestError
        return ast.fix_missing_locations(ast.Module(body, []))

    def _top_level(self, statement: ast.stmt) -> list[ast.stmt]:
        match statement:
            case ast.Import() | ast.ImportFrom():
                return _imports(statement)
            case ast.ClassDef() if _is_test_case(statement):
                return self._test_case(statement)
            case ast.FunctionDef(name) if name.startswith("test") and not _parameters(statement):
                # Where the tests call it themselves, running it once in source order could mean something else.
                if self._is_called(name):
                    raise UnsupportedTestError
                return self._inline(statement)
            case ast.FunctionDef("check") if _has_one_parameter(statement):
                self._check = statement
                return []
        if self._check and (tested := self._checked_name(statement)):
            return self._inline_check(self._check, tested)
        if isinstance(statement, ast.If) and _is_main_guard(statement):
            return [rewritten for own in statement.body if not _runs_tests(own) for rewritten in self._statement(own)]
        return self._statement(statement)

    def _inline_check(self, check: ast.FunctionDef, name: str) -> list[ast.stmt]:
        (parameter,) = _parameters(check)
        self._builder.aliases[parameter] = name
        self._check = None
        return self._inline(check)

    def _is_called(self, name: str) -> bool:
        return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(self._tree))

    def _checked_name(self, statement: ast.stmt) -> str | None:
        """Return `half` for `check(half)`, even if it is wrapped to return plain copies."""
        match statement:
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Name(name)], [])) if name in self._builder.functions:
                return name
            case ast.Expr(ast.Call(ast.Name("check"), [ast.Call(ast.Name(around), [ast.Name(name)], [])], [])):
                if around.startswith("__") and around in self._builder.functions and name in self._builder.functions:
                    self._builder.functions -= {around}
                    return name
        return None

    def _inline(self, function: ast.FunctionDef) -> list[ast.stmt]:
        """Wrap the body in a new function and call it immediately."""
        if function.decorator_list or any(isinstance(node, ast.Return | ast.Yield | ast.Await) for node in ast.walk(function)):
            raise UnsupportedTestError
        self._inlined += 1
        name = f"__run_{self._inlined}_{function.name}__"
        body = [rewritten for statement in function.body for rewritten in self._statement(statement)]
        made = ast.FunctionDef(name, _NO_ARGUMENTS, body or [ast.Pass()], [])
        # Python 3.12 and later require the field, 3.11 does not have it.
        if hasattr(made, "type_params"):
            made.type_params = []
        return [made, ast.Expr(ast.Call(ast.Name(name, ast.Load()), [], []))]

    def _test_case(self, case: ast.ClassDef) -> list[ast.stmt]:
        methods = [
            member for member in case.body if not (isinstance(member, ast.Expr) and isinstance(member.value, ast.Constant))
        ]
        statements: list[ast.stmt] = []
        for method in methods:
            if not isinstance(method, ast.FunctionDef) or not method.name.startswith("test"):
                raise UnsupportedTestError
            statements += self._inline(method)
        return statements

    def _statement(self, statement: ast.stmt) -> list[ast.stmt]:
        match statement:
            case ast.Assert(test):
                return _checked(self._builder.conditions(test))
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("self"), method), arguments, keywords)):
                return _checked(assertion_trees(self._builder, method, arguments, keywords))
            case ast.With([ast.withitem(context, None)], [ast.Expr(ast.Call() as called)]) if names := _raised(context):
                return _checked([raises(names, self._builder.call(called))])
            case ast.For(body=body, orelse=[]) if not self._builder.uses_program(statement.iter):
                inner = [rewritten for own in body for rewritten in self._statement(own)]
                return [ast.For(statement.target, statement.iter, inner, [], None)]
            case ast.Expr(ast.Call(ast.Attribute(ast.Name("unittest"), "main"))):
                return []
        # An assertion inside other code (a loop with a condition, a helper function) is not translated.
        if self._builder.uses_program(statement) or any(isinstance(node, ast.Assert) for node in ast.walk(statement)):
            raise UnsupportedTestError
        return [statement]


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
            return [(alias.asname or alias.name).partition(".")[0] for alias in names]
        case ast.ExceptHandler(name=str(name)):
            return [name]
    return []


def _imports(statement: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    """Drop imports of test frameworks, which are handled here and need not be installed."""
    if isinstance(statement, ast.ImportFrom):
        if statement.level or "*" in {alias.name for alias in statement.names}:
            raise UnsupportedTestError
        return [] if statement.module == "pytest" else [statement]
    left = [alias for alias in statement.names if alias.name not in ("pytest", "unittest")]
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
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs or arguments.defaults:
        return ["", ""]
    return [parameter.arg for parameter in arguments.args]


def _raised(context: ast.expr) -> list[str]:
    """Return the exceptions that a `with` block expects; empty if it is not a `raises` context."""
    match context:
        case ast.Call(ast.Attribute(ast.Name("pytest"), "raises"), [kind], []):
            return class_names(kind)
        case ast.Call(ast.Attribute(ast.Name("self"), "assertRaises"), [kind], []):
            return class_names(kind)
    return []


def _checked(trees: Iterable[ast.expr]) -> list[ast.stmt]:
    return [ast.Expr(ast.Call(ast.Name("__check__", ast.Load()), [tree], [])) for tree in trees]
