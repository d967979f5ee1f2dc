"""Run tests without the tested program, to record which calls each check makes and which values it expects.

`python_checks.read` has turned every assertion into a call of `__check__` with a tree: what the program will be asked, and the
expected values, which are computed here. No code of the program runs in this process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from . import values

IMMUTABLE = (int, float, complex, str, bytes, bool, type(None), frozenset, range)


class SharedArgumentError(Exception):
    """A mutable value is passed to two calls: what the first call does to it is unknown here."""


def record(nonce: str) -> None:
    """Run each text of `tests.json` in its own namespace and write its checks, then the nonce; `other` first if it failed."""
    # Looked up before the tests run, which could replace them.
    os_write, channel, dumps = os.write, os.dup(1), values.dumps
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(devnull, 1)
    with open("tests.json", encoding="utf-8") as file:
        texts = json.load(file)

    def write(text: bytes) -> None:
        while text:
            text = text[os_write(channel, text) :]

    def make_check(seen: list[Any]) -> Callable[[list[Any]], None]:
        def check(tree: list[Any]) -> None:
            for value in _arguments(tree):
                if not _immutable(value):
                    if any(value is other for other in seen):
                        raise SharedArgumentError
                    seen.append(value)
            write(dumps(tree, exact=True).encode() + b"\n")

        return check

    for text in texts:
        try:
            code = compile(text, "tests.py", "exec", dont_inherit=True)
            exec(code, {"__name__": "__main__", "__check__": make_check([])})
        # SystemExit too: the remaining texts are still to be recorded.
        except BaseException:
            write(b"other\n")
        write(nonce.encode() + b"\n")


def _arguments(tree: list[Any]) -> list[Any]:
    """Return the arguments of every call in a tree, and the values that it compares with."""
    kind, *rest = tree
    if kind == "call":
        return [*rest[1], *rest[2].values()]
    if kind == "value":
        return [rest[0]]
    if kind == "raises":
        return _arguments(rest[1])
    return [value for child in rest[1] for value in _arguments(child)]


def _immutable(value: Any) -> bool:
    return isinstance(value, IMMUTABLE) or (isinstance(value, tuple) and all(map(_immutable, value)))
