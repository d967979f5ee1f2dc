"""Load a program as a real module, so that pickle, dataclasses, type hints, inspect and child processes find it by name."""

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
    """Create an empty module in `sys.modules` for a source file, and compile the code that fills it.

    The file stays in place, so that source lines are found and a newly started child process can import the module: the file's
    folder is the first entry of `sys.path`.

    Args:
        name: name of the module, which is the file name without suffix.
        path: absolute path of the file.

    Raises:
        SyntaxError, ValueError: the file is not valid Python.
    """
    with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    spec = importlib.util.spec_from_file_location(name, path, loader=SourceFileLoader(name, path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    return module, code


def main_program(program: str, tests: str, nonce: str) -> None:
    """Run a program, then its tests in the same namespace, then print the nonce.

    A program with tests is imported, as benchmarks do: its `if __name__ == "__main__"` block does not run, and its tests run as
    `__main__`. A program without tests is `__main__` itself.

    The file that held all three is replaced by the program alone, which `__file__` names from then on. Functions needed after the
    program are looked up before it starts, so that replacing a builtin function does not skip the tests.

    Args:
        program: source code of the program.
        tests: statements to run after it; may be empty.
        nonce: text that is printed at the end.
    """
    main, path = sys.modules["__main__"], sys.modules["__main__"].__dict__["__file__"]
    # The text with the tests and the nonce must be gone before the program can open it.
    os.unlink(path)
    path = os.path.join(os.path.dirname(path), "candidate.py") if tests else path
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(program)
    run, os_write, stdout, flush, decorator = exec, os.write, os.dup(1), sys.stdout.flush, plainly()
    sentinel = f"\n{nonce}\n".encode()
    if tests:
        main, code = from_file("candidate", path)
        sys.modules["__main__"] = sys.modules["__mp_main__"] = main
    else:
        code = compile(program, path, "exec", dont_inherit=True)
    try:
        test_code: types.CodeType | SyntaxError = compile(tests, "tests.py", "exec", dont_inherit=True)
    except SyntaxError as error:  # told after the program's own errors
        test_code = error
    names = main.__dict__
    run(code, names)
    if isinstance(test_code, SyntaxError):
        raise test_code
    names.update({"__name__": "__main__", PLAINLY: decorator})
    run(test_code, names)
    # Before the nonce, so that what the tests printed stands in front of it.
    flush()
    os_write(stdout, sentinel)


@functools.cache
def plain_code() -> tuple[types.CodeType, ...]:
    """Compile the modules that copy plain values; the fork server does so before its forks need them."""
    parts = (hash_collisions, value_types, values)
    return tuple(compile(Path(str(part.__file__)).read_text("utf-8"), str(part.__file__), "exec") for part in parts)


def plainly() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that makes a tested function return plain copies, never an object that is equal to everything.

    The copies are made by modules that a program cannot import, and are of classes that it cannot patch: a Fraction becomes the
    nearest number.
    """
    # Relative imports in these modules (`from . import values`) give the copies, not what a program may have patched.
    own = types.SimpleNamespace()
    imported = builtins.__import__

    def import_own(name: str, *others: Any, **more: Any) -> Any:
        return own if not name else imported(name, *others, **more)

    for source, code in zip((hash_collisions, value_types, values), plain_code(), strict=True):
        module = types.ModuleType(source.__name__)
        module.__dict__.update(__builtins__={**vars(builtins), "__import__": import_own})
        exec(code, module.__dict__)
        setattr(own, source.__name__.rpartition(".")[2], module)
    dumps, loads, not_plain = own.values.dumps, own.values.loads, own.value_types.NotPlainValueError
    own.values._MAPPINGS["k"] = dict
    own.values._SIMPLE["q"] = lambda parts: int(parts[0], 16) / int(parts[1], 16)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*arguments: Any) -> Any:
            try:
                return loads(dumps(function(*arguments)))
            except not_plain:  # equal to nothing
                return object()

        return answer

    return decorate
