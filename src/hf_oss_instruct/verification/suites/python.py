"""Python: pytest functions, `unittest.TestCase`, classes `Test…`, plain asserts, the main guard, and doctest's examples."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile
from hf_oss_instruct.verification.suites.program_state import keeps_state
from hf_oss_instruct.verification.suites.python_examples import script_of
from hf_oss_instruct.verification.suites.python_names import defined_names, is_installed
from hf_oss_instruct.verification.suites.python_statements import (
    ComparisonGuard,
    asserts,
    is_data,
    is_main_guard,
    leaves,
    names_assigned,
    names_used,
    test_methods,
    with_one_method,
)

# Names that models give to the module with the solution.
PLACEHOLDERS = frozenset("solution your_module mymodule my_module module main program code script answer your_code".split())
_RUNNERS = frozenset({"main", "run", "exit", "print"})


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it is not valid Python, contains no test, or needs what is not installed.
    """
    text, solution, language = file.text, file.solution, file.language
    # Python's parser warns about escapes such as `"\d"` in code of models.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = _parsed(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise SuiteRefusedError("tests_missing", f"the tests are not valid Python: {error}") from None
        defined = defined_names(solution)
    reader = _Reader(tree, defined, file.packages, as_one=file.as_one or keeps_state(solution, language))
    reader.read()
    if not reader.tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    return reader.suite()


def _parsed(text: str) -> ast.Module:
    """A test file, or the examples of an interactive session as a script."""
    try:
        return parse_module(text)
    except SyntaxError:
        if script := script_of(text):
            return parse_module(script)
        raise


def joined(suites: Sequence[Suite]) -> Suite:
    """Combine several texts into one suite; each test keeps the code before it."""
    tests = [
        replace(test, text=whole, run=f"{suite.run_preamble}\n{test.run or test.text}")
        for suite in suites
        for test, whole in zip(suite.tests, suite.standalone(), strict=True)
    ]
    aliases = tuple(dict.fromkeys(alias for suite in suites for alias in suite.aliases))
    outside = tuple(check for suite in suites for check in suite.outside)
    separate = any(suite.separate for suite in suites)
    if len({suite.run_preamble for suite in suites}) == 1:
        first = suites[0]
        tests = [test for suite in suites for test in suite.tests]
        return replace(first, tests=tuple(tests), outside=outside, separate=separate)
    return Suite("python", tuple(tests), separate=separate, aliases=aliases, outside=outside)


class _Reader:
    def __init__(self, tree: ast.Module, defined: frozenset[str], packages: tuple[str, ...], as_one: bool) -> None:
        self._tree, self._defined, self._packages = tree, defined, packages
        self._imports: list[ast.stmt] = []
        self._preamble: list[ast.stmt] = []
        self._outer: list[ast.stmt] = []  # the preamble without the program's own names
        self._before: list[ast.stmt] = []  # statements between asserts
        self.tests: list[Test] = []
        self._trees: list[list[ast.stmt]] = []
        self._aliases: list[str] = []
        self._separate = False
        self._as_one = as_one  # whether a script is one test
        outside = [
            statement
            for statement in tree.body
            if not (isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name.startswith("test"))
        ]
        self._called = {
            node.func.id
            for statement in outside
            for node in ast.walk(statement)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }

    def read(self) -> None:
        self._statements(self._tree.body)
        if self._as_one and any(map(self._is_checked, self._before)):
            self._add(str(len(self.tests)), "statements", self._before)

    def _statements(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            # Nothing after `sys.exit()` would run.
            if leaves(statement):
                return
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._import(statement)
            elif is_main_guard(statement):
                assert isinstance(statement, ast.If)
                self._statements(statement.body)
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and self._is_test(statement):
                self._add(statement.name, "function", [statement])
            elif isinstance(statement, ast.ClassDef) and (methods := test_methods(statement)):
                for method in methods:
                    self._add(f"{statement.name}.{method.name}", "method", [with_one_method(statement, method)])
            elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._keep(statement)
            elif self._is_runner(statement):
                continue
            elif self._is_checked(statement) and not self._as_one:
                self._add(str(len(self.tests)), "statements", [*self._before, statement])
                prepared = set().union(*map(names_assigned, self._before))
                if names_used(statement) & prepared:  # it may change what the next one looks at
                    self._before.append(ast.Expr(statement.test) if isinstance(statement, ast.Assert) else statement)
            elif not self._before and is_data(statement):
                self._keep(statement)
            else:
                self._before.append(statement)

    def _is_test(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        if function.name.startswith("test"):
            return not any(ast.unparse(decorator).partition("(")[0] == "pytest.fixture" for decorator in function.decorator_list)
        plain = not function.args.args and not function.args.posonlyargs and not function.args.kwonlyargs
        return plain and function.name in self._called and asserts(function)

    def _is_runner(self, statement: ast.stmt) -> bool:
        """Whether a statement only starts tests or prints."""
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

    def _is_checked(self, statement: ast.stmt) -> bool:
        return asserts(statement) or self._calls_check(statement)

    def _calls_check(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Expr(ast.Call(ast.Name(name), arguments)):
                return bool(arguments) and any(
                    isinstance(helper, ast.FunctionDef) and helper.name == name and asserts(helper) for helper in self._preamble
                )
        return False

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        modules = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else [statement.module or ""]
        # A relative import means the program, whatever its name.
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
            # `import a.b.c` imports `a` and `a.b` as well.
            self._aliases += [".".join(parts[: index + 1]) for index in range(len(parts))]
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
        """Whether a module that is not installed means the program."""
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
        taken = {node.module for node in ast.walk(self._tree) if isinstance(node, ast.ImportFrom) and self._imports_program(node)}
        return module in taken or (bool(used) and used <= self._defined)

    def _imports_program(self, statement: ast.ImportFrom) -> bool:
        return any(alias.name in self._defined for alias in statement.names)

    def _keep(self, statement: ast.stmt) -> None:
        self._preamble.append(statement)
        self._outer.append(statement)

    def _add(self, name: str, kind: str, body: list[ast.stmt]) -> None:
        if kind != "statements":  # what a module does before its functions are called
            for statement in self._before:
                self._keep(statement)
            self._before = []
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
            honest = ast.fix_missing_locations(ComparisonGuard().visit(ast.Module(body, [])))
            tests.append(replace(test, run=ast.unparse(honest)))
        preamble = [*self._imports, *self._preamble]
        text = ast.unparse(ast.Module(preamble, []))
        honest = ast.fix_missing_locations(ComparisonGuard().visit(parse_module(text)))
        aliases = tuple(dict.fromkeys(self._aliases))
        return Suite("python", tuple(tests), text, ast.unparse(honest), self._separate, aliases, tuple(outside))


LANGUAGE = SuiteLanguage(read, joined=joined)
