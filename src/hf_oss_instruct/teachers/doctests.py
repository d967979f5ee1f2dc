"""Which documented functions are self-contained, and what the doctests of Python functions check."""

from __future__ import annotations

import ast
import builtins
import doctest
import re
import symtable
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from hf_oss_instruct.code.documented import DocumentedFunction
from hf_oss_instruct.code.python_syntax import parse_expression
from hf_oss_instruct.data import Provenance
from hf_oss_instruct.errors import RowRejectedError

STDLIB = "python-stdlib"
"""Name of the seeds of the standard library (`seeds.resolve.STDLIB_NAME`)."""
_THIS_OR_SUPER = re.compile(r"\b(?:this|super)\b")
_OBJECT = {
    "cpp": re.compile(r"\bthis\b"),
    "csharp": re.compile(r"\b(?:this|base)\b"),
    "java": _THIS_OR_SUPER,
    "javascript": _THIS_OR_SUPER,
    "typescript": _THIS_OR_SUPER,
    "php": re.compile(r"\$this\b|\b(?:self|static|parent)::"),
    "rust": re.compile(r"\bself\b"),
}
"""Language → how a method names its object or class."""
_NAMES_ITS_TYPE = ("cpp", "go")
"""Languages in which a method outside a class names its type: `int Text::size()`, `func (t Text) Size()`."""
_BUILTIN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}


def standalone(function: DocumentedFunction, module: str | None = None) -> str:
    """The code of a Python function with the imports that it needs.

    Args:
        function: the function.
        module: the module of the standard library that it comes from, whose other names it may import.

    Raises:
        RowRejectedError: `not_verifiable`: it is a method, or uses other names of its module.
    """
    first = function.signature.partition("(")[2].lstrip()
    # A method that was cut out of its class has no owner, but its first parameter shows what it is.
    if function.owner or first.startswith(("self", "cls")):
        raise RowRejectedError("not_verifiable", f"{function.name!r} is a method and needs its class")
    missing = sorted(_free_names(function.code) - {function.name})
    others = [name for name in missing if name not in sys.stdlib_module_names]
    if others and not module:
        raise RowRejectedError("not_verifiable", f"{function.name!r} needs other names of its module: {', '.join(others[:5])}")
    imports = "".join(f"import {name}\n" for name in missing if name not in others)
    imports += f"from {module} import {', '.join(others)}\n" if others else ""
    return f"{imports}\n\n{function.code}" if imports else function.code


def needs_its_class(function: DocumentedFunction, lang: str) -> bool:
    """Whether a function of another language than Python is a method that uses its object, and thus no solution by itself."""
    if lang in _NAMES_ITS_TYPE and function.owner:
        return True
    return lang in _OBJECT and _OBJECT[lang].search(function.code) is not None


def module_of(origin: Provenance) -> str | None:
    """The module of this Python's standard library that a document is; None for any other document."""
    if origin.dataset != STDLIB or not origin.file_path:
        return None
    path = PurePosixPath(origin.file_path)
    parts = path.with_suffix("").parts[1:]
    parts = parts[:-1] if parts and parts[-1] == "__init__" else parts
    known = parts and parts[0] in sys.stdlib_module_names and all(part.isidentifier() for part in parts)
    return ".".join(parts) if known else None


def doctests(function: DocumentedFunction) -> str:
    """The examples in a function's documentation as test functions; an empty text without any that can be checked."""
    try:
        examples = doctest.DocTestParser().get_examples(function.documentation)
    except ValueError:  # examples that are broken
        return ""
    before: list[str] = []
    tests: list[str] = []
    for example in examples:
        lines = list(_assertions(example))
        if lines:
            body = "\n".join(f"    {line}" for line in [*before, *lines])
            tests.append(f"def test_example_{len(tests) + 1}():\n{body}\n")
        # An example without output prepares those after it.
        elif not example.want and not example.exc_msg:
            before += example.source.rstrip("\n").split("\n")
    return "\n\n".join(tests)


def _assertions(example: doctest.Example) -> Iterator[str]:
    """The lines that check one example; none if its output is printed, shortened, or not an expression's."""
    expression = _expression(example.source)
    if expression is None or ("..." in example.want and not example.exc_msg):
        return
    if example.exc_msg:
        name = example.exc_msg.partition(":")[0].strip().rpartition(".")[2]
        if name.isidentifier() and name in _BUILTIN:
            yield from ("try:", f"    {expression}", f"except {name}:", "    return", f"raise AssertionError('no {name}')")
    elif want := example.want.strip():
        # Literals are compared as values, so that the order of a set or the kind of quotes makes no difference.
        value = f"({want})" if _is_literal(want) else repr(want)
        yield f"assert ({expression}) == {value}" if _is_literal(want) else f"assert repr({expression}) == {value}"


def _expression(source: str) -> str | None:
    """The source of an example on one line, if it is an expression other than a call of `print`."""
    with warnings.catch_warnings(action="ignore"), suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        expression = parse_expression(source.strip())
        called = expression.func if isinstance(expression, ast.Call) else None
        if not (isinstance(called, ast.Name) and called.id in ("print", "pprint")):
            return ast.unparse(expression)
    return None


def _is_literal(text: str) -> bool:
    with warnings.catch_warnings(action="ignore"), suppress(SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        ast.literal_eval(text)
        return True
    return False


def _free_names(code: str) -> set[str]:
    """Names that code uses, does not define, and Python does not know."""
    with warnings.catch_warnings(action="ignore"):
        try:
            tables = [symtable.symtable(code, "function", "exec")]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise RowRejectedError("not_verifiable", "the function does not compile without what stands around it") from None
    top = tables[0]
    names: set[str] = set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        used = (symbol for symbol in table.get_symbols() if symbol.is_referenced())
        names |= {symbol.get_name() for symbol in used if symbol.is_global() or table is top}
    return names - _BUILTIN - {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
