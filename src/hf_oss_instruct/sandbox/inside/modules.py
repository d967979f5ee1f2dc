"""A program as a real module: what pickling, dataclasses, type hints, inspect and child processes look up by its name."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from importlib.machinery import SourceFileLoader


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
    """Run a program as `__main__`, then its tests in the same names, then print the nonce.

    The file that held all three is replaced by the program alone, which is what `__file__` names from then on. What is needed
    after the program is taken before it, so that replacing a builtin function does not skip the tests.
    """
    main = sys.modules["__main__"].__dict__
    path = main["__file__"]
    os.unlink(path)
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(program)
    run, say, stdout, flush = exec, os.write, os.dup(1), sys.stdout.flush
    end = f"\n{nonce}\n".encode()
    code = compile(program, path, "exec", dont_inherit=True)
    try:
        then: types.CodeType | SyntaxError = compile(tests, "tests.py", "exec", dont_inherit=True)
    except SyntaxError as error:  # told after the program's own errors
        then = error
    run(code, main)
    if isinstance(then, SyntaxError):
        raise then
    run(then, main)
    flush()
    say(stdout, end)
