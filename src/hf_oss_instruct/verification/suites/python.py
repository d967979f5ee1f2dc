"""Python: pytest functions, `unittest.TestCase`, classes `Test…`, plain asserts, and what stands under the main guard."""

from __future__ import annotations

import ast
import builtins
import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.machinery import PathFinder
from importlib.util import find_spec

from hf_oss_instruct.sandbox.job_spec import LIBRARIES
from hf_oss_instruct.verification.suites.core import Suite, SuiteRefusedError, Test

PLACEHOLDERS = frozenset("solution your_module mymodule my_module module main program code script answer your_code".split())
_OURS = frozenset({"pytest", "unittest", "__future__"})
_RUNNERS = frozenset({"main", "run", "exit", "print"})


def read(text: str, solution: str, language: str = "python", packages: tuple[str, ...] = ()) -> Suite:
    """The single tests of a test file; `packages` are folders of modules that are installed for them.

    Raises:
        SuiteRefusedError: it is no Python, holds no test, or needs what is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SuiteRefusedError("tests_missing", f"the tests are no Python: {error}") from None
        defined = defined_names(solution)
    reader = _Reader(tree, defined, packages)
    reader.read()
    if not reader.tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    return reader.suite()


def joined(suites: Sequence[Suite]) -> Suite:
    """One suite of several texts; each test brings what stands before it."""
    tests = [
        replace(test, text=whole, run=f"{suite.run_preamble}\n{test.run or test.text}")
        for suite in suites
        for test, whole in zip(suite.tests, suite.standalone(), strict=True)
    ]
    aliases = tuple(dict.fromkeys(alias for suite in suites for alias in suite.aliases))
    outside = tuple(one for suite in suites for one in suite.outside)
    separate = any(suite.separate for suite in suites)
    if len({suite.run_preamble for suite in suites}) == 1:
        one = suites[0]
        tests = [test for suite in suites for test in suite.tests]
        return replace(one, tests=tuple(tests), outside=outside, separate=separate)
    return Suite("python", tuple(tests), separate=separate, aliases=aliases, outside=outside)


def third_party(solution: str, packages: tuple[str, ...] = ()) -> list[str]:
    """Modules that a program imports and that are not installed for it, sorted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(solution)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []
    guarded = {id(node) for one in ast.walk(tree) if isinstance(one, ast.Try) for part in one.body for node in ast.walk(part)}
    found = set()
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return sorted(name for name in found if not is_installed(name, packages))


def is_installed(name: str, packages: tuple[str, ...] = ()) -> bool:
    """Whether programs in the sandbox have a module, without importing anything."""
    if name in sys.stdlib_module_names or name in _OURS or (name in LIBRARIES and find_spec(name) is not None):
        return True
    return bool(packages) and PathFinder.find_spec(name, list(packages)) is not None


def defined_names(solution: str) -> frozenset[str]:
    """The names that a module gives."""
    try:
        tree = ast.parse(solution)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    for node in tree.body:
        for one in ast.walk(node) if isinstance(node, ast.If | ast.Try | ast.Assign | ast.AnnAssign) else [node]:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(one.name)
            elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
                found.add(one.id)
            elif isinstance(one, ast.Import | ast.ImportFrom):
                found |= {(alias.asname or alias.name).partition(".")[0] for alias in one.names}
    return frozenset(found)


class _Reader:
    def __init__(self, tree: ast.Module, defined: frozenset[str], packages: tuple[str, ...]) -> None:
        self._tree, self._defined, self._packages = tree, defined, packages
        self._imports: list[ast.stmt] = []
        self._preamble: list[ast.stmt] = []
        self._outer: list[ast.stmt] = []  # the preamble without the program's own names
        self._before: list[ast.stmt] = []  # statements between asserts
        self.tests: list[Test] = []
        self._trees: list[list[ast.stmt]] = []
        self._aliases: list[str] = []
        self._separate = False
        outside = [
            one
            for one in tree.body
            if not (isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test"))
        ]
        self._called = {
            node.func.id
            for one in outside
            for node in ast.walk(one)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }

    def read(self) -> None:
        self._statements(self._tree.body)

    def _statements(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            if _leaves(statement):
                return
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement)
            elif _is_main_guard(statement):
                assert isinstance(statement, ast.If)
                self._statements(statement.body)
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and self._is_test(statement):
                self._add(statement.name, "function", [statement])
            elif isinstance(statement, ast.ClassDef) and (methods := _test_methods(statement)):
                for method in methods:
                    self._add(f"{statement.name}.{method.name}", "method", [_with_one_method(statement, method)])
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._keep(statement)
            elif self._is_runner(statement):
                continue
            elif _asserts(statement) or self._calls_check(statement):
                self._add(str(len(self.tests)), "statements", [*self._before, statement])
            elif not self._before and _is_data(statement):
                self._keep(statement)
            else:
                self._before.append(statement)

    def _is_test(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        if function.name.startswith("test"):
            return not any(ast.unparse(one).partition("(")[0] == "pytest.fixture" for one in function.decorator_list)
        plain = not function.args.args and not function.args.posonlyargs and not function.args.kwonlyargs
        return plain and function.name in self._called and _asserts(function)

    def _is_runner(self, statement: ast.stmt) -> bool:
        """What starts tests, or only prints."""
        if not (isinstance(statement, ast.Expr) and isinstance(called := statement.value, ast.Call)):
            return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        name = ast.unparse(called.func)
        if name in ("sys.exit", "exit") and called.args and isinstance(called.args[0], ast.Call):
            return True
        return (
            name in ("unittest.main", "pytest.main", "print")
            or name in {test.name for test in self.tests}
            or (name.endswith(".run") and "unittest" in ast.unparse(called))
        )

    def _calls_check(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Expr(ast.Call(ast.Name(name), arguments)):
                return bool(arguments) and any(
                    isinstance(one, ast.FunctionDef) and one.name == name and _asserts(one) for one in self._preamble
                )
        return False

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        modules = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else [statement.module or ""]
        own = isinstance(statement, ast.ImportFrom) and statement.level > 0
        for module in modules:
            if is_installed(module.partition(".")[0], self._packages) and not own:
                continue
            if not (own or self._is_the_program(statement, module)):
                root = module.partition(".")[0]
                raise SuiteRefusedError(
                    "not_verifiable", f"the tests import {root!r}, which is not installed here", "third_party"
                )
            own = True
            parts = (module or "solution").split(".")
            self._aliases += [".".join(parts[: at + 1]) for at in range(len(parts))]
        if own:
            self._separate = True
            if isinstance(statement, ast.ImportFrom):
                statement = ast.ImportFrom(statement.module or "solution", statement.names, 0)
            self._imports.append(statement)
            renamed = isinstance(statement, ast.Import) or any(alias.asname for alias in statement.names)
            self._outer += [statement] if renamed else []
        else:
            self._imports.append(statement)
            self._outer.append(statement)

    def _is_the_program(self, statement: ast.Import | ast.ImportFrom, module: str) -> bool:
        """Whether a module that is not installed stands for the program."""
        if module in PLACEHOLDERS or module.partition(".")[0] in PLACEHOLDERS:
            return True
        if isinstance(statement, ast.ImportFrom):
            return any(alias.name == "*" or alias.name in self._defined for alias in statement.names)
        used = {
            node.attr
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in {(alias.asname or alias.name) for alias in statement.names}
        }
        taken = {node.module for node in ast.walk(self._tree) if isinstance(node, ast.ImportFrom) and self._takes_ours(node)}
        return module in taken or (bool(used) and used <= self._defined)

    def _takes_ours(self, statement: ast.ImportFrom) -> bool:
        return any(alias.name in self._defined for alias in statement.names)

    def _keep(self, statement: ast.stmt) -> None:
        self._preamble.append(statement)
        self._outer.append(statement)

    def _add(self, name: str, kind: str, body: list[ast.stmt]) -> None:
        text = ast.unparse(ast.Module(body, []))
        self.tests.append(Test(name, kind, text))
        self._trees.append(body)

    def suite(self) -> Suite:
        outer = ast.unparse(ast.Module(self._outer, []))
        tests, outside = [], []
        for test, body in zip(self.tests, self._trees, strict=True):
            outside.append(f"{outer}\n{test.text}")
            if test.kind == "function" and not test.name.startswith("test"):  # its text calls it, so that it is read again
                test = replace(test, text=f"{test.text}\n\n{test.name}()")
            honest = ast.fix_missing_locations(_Honest().visit(ast.Module(body, [])))
            tests.append(replace(test, run=ast.unparse(honest)))
        preamble = [*self._imports, *self._preamble]
        text = ast.unparse(ast.Module(preamble, []))
        honest = ast.fix_missing_locations(_Honest().visit(ast.parse(text)))
        aliases = tuple(dict.fromkeys(self._aliases))
        return Suite("python", tuple(tests), text, ast.unparse(honest), self._separate, aliases, tuple(outside))


class _Honest(ast.NodeTransformer):
    """Comparisons of tests ask first whether a value claims to be equal to everything."""

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        self.generic_visit(node)
        return ast.Assert(self._test(node.test), node.msg)

    def _test(self, test: ast.expr) -> ast.expr:
        match test:
            case ast.BoolOp(operation, values):
                return ast.BoolOp(operation, [self._test(one) for one in values])
            case ast.UnaryOp(ast.Not(), value):
                return ast.UnaryOp(ast.Not(), self._test(value))
            case ast.Compare(left, [ast.Eq()], [right]):
                return _called("__same__", left, right)
            case ast.Compare(left, operations, rights):
                return ast.Compare(_first(left), operations, [_first(one) for one in rights])
        return test

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(ast.Name("self"), name) if name.startswith("assert") and not name.startswith("assertRaises"):
                if len(node.args) >= 2 and not any(isinstance(one, ast.Starred) for one in node.args):
                    honest = ast.Starred(_called("__honest__", *node.args[:2]), ast.Load())
                    return ast.Call(node.func, [honest, *node.args[2:]], node.keywords)
        return node


def _first(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Constant):
        return value
    return ast.Subscript(_called("__honest__", value), ast.Constant(0), ast.Load())


def _called(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _is_main_guard(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]), _, []):
            return True
    return False


def _test_methods(case: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    of_tests = case.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in case.bases)
    functions = [one for one in case.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [one for one in functions if one.name.startswith("test")] if of_tests else []


def _with_one_method(case: ast.ClassDef, method: ast.stmt) -> ast.ClassDef:
    others = set(map(id, _test_methods(case))) - {id(method)}
    made = ast.ClassDef(
        case.name, case.bases, case.keywords, [one for one in case.body if id(one) not in others], case.decorator_list
    )
    if hasattr(made, "type_params"):
        made.type_params = []
    return made


def _asserts(statement: ast.stmt) -> bool:
    """Whether something in a statement can fail a test."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Assert | ast.Raise):
            return True
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (node.func.attr.startswith("assert") or ast.unparse(node.func) in ("pytest.raises", "pytest.fail"))
        ):
            return True
    return False


def _leaves(statement: ast.stmt) -> bool:
    """Whether nothing after a statement runs."""
    match statement:
        case ast.Raise():
            return True
        case ast.Expr(ast.Call(called, arguments)):
            name = ast.unparse(called)
            return name in ("sys.exit", "exit", "quit", "os._exit") and all(isinstance(one, ast.Constant) for one in arguments)
    return False


def _is_data(statement: ast.stmt) -> bool:
    """An assignment that calls nothing of the program."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return names <= set(dir(builtins))
