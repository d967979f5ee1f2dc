"""Statements of Python tests: their kinds, the names they use, and comparisons that no value passes by equalling everything."""

from __future__ import annotations

import ast
import builtins


class ComparisonGuard(ast.NodeTransformer):
    """Rewrite comparisons so that they first reject a value that claims to equal everything."""

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        """Rewrite the comparisons of an `assert`."""
        self.generic_visit(node)
        return ast.Assert(self._test(node.test), node.msg)

    def _test(self, test: ast.expr) -> ast.expr:
        match test:
            case ast.BoolOp(operation, values):
                return ast.BoolOp(operation, [self._test(operand) for operand in values])
            case ast.UnaryOp(ast.Not(), value):
                return ast.UnaryOp(ast.Not(), self._test(value))
            # `__same__` and `__honest__` are functions of the harness, in the namespace of the tests.
            case ast.Compare(left, [ast.Eq()], [right]):
                return _called("__same__", left, right)
            case ast.Compare(left, operations, rights):
                return ast.Compare(_first(left), operations, [_first(operand) for operand in rights])
        return test

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Rewrite the arguments of a method such as `assertEqual`."""
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(ast.Name("self"), name) if name.startswith("assert") and not name.startswith("assertRaises"):
                # The two values that are compared; what follows is a message or a tolerance.
                if len(node.args) >= 2 and not any(isinstance(argument, ast.Starred) for argument in node.args):
                    honest = ast.Starred(_called("__honest__", *node.args[:2]), ast.Load())
                    return ast.Call(node.func, [honest, *node.args[2:]], node.keywords)
        return node


def _first(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Constant):
        return value
    return ast.Subscript(_called("__honest__", value), ast.Constant(0), ast.Load())


def _called(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def is_main_guard(statement: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    match statement:
        case ast.If(ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]), _, []):
            return True
    return False


def test_methods(case: ast.ClassDef) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The methods of a class that pytest or unittest run as tests."""
    of_tests = case.name.startswith("Test") or any("TestCase" in ast.unparse(base) for base in case.bases)
    functions = [member for member in case.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [function for function in functions if function.name.startswith("test")] if of_tests else []


def with_one_method(case: ast.ClassDef, method: ast.stmt) -> ast.ClassDef:
    """A class with only one of its tests."""
    others = set(map(id, test_methods(case))) - {id(method)}
    made = ast.ClassDef(
        case.name, case.bases, case.keywords, [member for member in case.body if id(member) not in others], case.decorator_list
    )
    if hasattr(made, "type_params"):
        made.type_params = []
    return made


def asserts(statement: ast.stmt) -> bool:
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


def leaves(statement: ast.stmt) -> bool:
    """Whether nothing after a statement runs."""
    match statement:
        case ast.Raise():
            return True
        case ast.Expr(ast.Call(called, arguments)):
            name = ast.unparse(called)
            return name in ("sys.exit", "exit", "quit", "os._exit") and all(
                isinstance(argument, ast.Constant) for argument in arguments
            )
    return False


def is_data(statement: ast.stmt) -> bool:
    """An assignment that calls nothing of the program."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return False
    return names_used(statement) <= set(dir(builtins))


def names_used(statement: ast.stmt) -> set[str]:
    """The names that a statement uses."""
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def names_assigned(statement: ast.stmt) -> set[str]:
    """The names that a statement assigns."""
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
