"""Names and modules of Python programs: definitions and uninstalled imports of a program."""

from __future__ import annotations

import ast
import sys
import warnings
from importlib.machinery import PathFinder
from importlib.util import find_spec

from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.sandbox.job_spec import LIBRARIES

_OURS = frozenset({"pytest", "unittest", "__future__"})


def third_party(solution: str, packages: tuple[str, ...] = ()) -> list[str]:
    """Modules that a program imports and that are not installed for it, sorted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = parse_module(solution)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return []
    # An import inside of `try` has a replacement if it fails.
    guarded = {
        id(node) for guard in ast.walk(tree) if isinstance(guard, ast.Try) for part in guard.body for node in ast.walk(part)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return sorted(name for name in names if not is_installed(name, packages))


def is_installed(name: str, packages: tuple[str, ...] = ()) -> bool:
    """Whether programs in the sandbox have a module, without importing anything."""
    if name in sys.stdlib_module_names or name in _OURS or (name in LIBRARIES and find_spec(name) is not None):
        return True
    return bool(packages) and PathFinder.find_spec(name, list(packages)) is not None


def defined_names(solution: str) -> frozenset[str]:
    """The names that a module defines."""
    try:
        tree = parse_module(solution)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    names: set[str] = set()
    for node in tree.body:
        for inner in ast.walk(node) if isinstance(node, ast.If | ast.Try | ast.Assign | ast.AnnAssign) else [node]:
            if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(inner.name)
            elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                names.add(inner.id)
            elif isinstance(inner, ast.Import | ast.ImportFrom):
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in inner.names}
    return frozenset(names)
