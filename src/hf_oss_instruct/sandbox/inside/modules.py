"""A program as a real module: what pickling, dataclasses, type hints, inspect and child processes look up by its name."""

from __future__ import annotations

import builtins
import functools
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from . import hash_collisions, value_types, values

PLAINLY = "__plainly__"
"""The tests' name for `plainly`'s result."""


def from_file(name: str, path: str) -> tuple[types.ModuleType, types.CodeType]:
    """An empty module in `sys.modules` for a source file, and the code that fills it.

    The file stays where it is, so that source lines are found, and a child process that is started anew can import the module:
    the file's folder is the first entry of `sys.path`.

    Args:
        name: name of the module, and of the file without its suffix.
        path: absolute path of the file.

    Raises:
        SyntaxError, ValueError: the text is no Python.
    """
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    spec = importlib.util.spec_from_file_location(name, path, loader=SourceFileLoader(name, path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    return module, code


def main_program(program: str, tests: str, nonce: str) -> None:
    """Run a program, then its tests in the same names, then print the nonce.

    A program with tests is imported, as benchmarks do it: what stands under its `if __name__ == "__main__"` does not run. Its
    tests then are `__main__`. A program alone is `__main__` itself.

    The file that held all three is replaced by the program alone, which is what `__file__` names from then on. What is needed
    after the program is taken before it, so that replacing a builtin function does not skip the tests.
    """
    main, path = sys.modules["__main__"], sys.modules["__main__"].__dict__["__file__"]
    os.unlink(path)
    path = os.path.join(os.path.dirname(path), "candidate.py") if tests else path
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(program)
    run, say, stdout, flush, plain = exec, os.write, os.dup(1), sys.stdout.flush, plainly()
    end = f"\n{nonce}\n".encode()
    if tests:
        main, code = from_file("candidate", path)
        sys.modules["__main__"] = sys.modules["__mp_main__"] = main
    else:
        code = compile(program, path, "exec", dont_inherit=True)
    try:
        then: types.CodeType | SyntaxError = compile(tests, "tests.py", "exec", dont_inherit=True)
    except SyntaxError as error:  # told after the program's own errors
        then = error
    names = main.__dict__
    run(code, names)
    if isinstance(then, SyntaxError):
        raise then
    names.update({"__name__": "__main__", PLAINLY: plain})
    run(then, names)
    flush()
    say(stdout, end)


@functools.cache
def plain_code() -> tuple[types.CodeType, ...]:
    """The code of what copies plain values; the fork server reads it before its forks need it."""
    parts = (hash_collisions, value_types, values)
    return tuple(compile(Path(str(part.__file__)).read_text("utf-8"), str(part.__file__), "exec") for part in parts)


def plainly() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator for a function whose answers tests compare: they see plain copies, no object that is equal to everything.

    The copies are made by modules that a program cannot import, and are of classes that it cannot patch: a Fraction becomes the
    nearest number.
    """
    own = types.SimpleNamespace()
    imported = builtins.__import__

    def import_own(name: str, *others: Any, **more: Any) -> Any:
        return own if not name else imported(name, *others, **more)

    for part, code in zip((hash_collisions, value_types, values), plain_code(), strict=True):
        module = types.ModuleType(part.__name__)
        module.__dict__.update(__builtins__={**vars(builtins), "__import__": import_own})
        exec(code, module.__dict__)
        setattr(own, part.__name__.rpartition(".")[2], module)
    dumps, loads, odd = own.values.dumps, own.values.loads, own.value_types.NotPlainValueError
    own.values._MAPPINGS["k"] = dict
    own.values._SIMPLE["q"] = lambda parts: int(parts[0], 16) / int(parts[1], 16)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*arguments: Any) -> Any:
            try:
                return loads(dumps(function(*arguments)))
            except odd:  # equal to nothing
                return object()

        return answer

    return decorate
