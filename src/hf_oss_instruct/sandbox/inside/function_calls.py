"""Call a function inside the sandbox with each input, and write its return values as plain values.

This code does not know the expected values, so taking it over gains nothing. Answers are written to memory that is read from
outside when the run is over: this needs no system call, and answers given before a program is killed are kept.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections import deque
from collections.abc import Iterable
from itertools import islice
from types import GeneratorType
from typing import Any

from . import modules, values

ITERATED: tuple[type[Iterable[object]], ...] = (
    *(GeneratorType, map, filter, zip, range, enumerate, reversed, deque),
    *(type({}.keys()), type({}.values()), type({}.items()), type(iter([])), type(iter(())), type(iter({}))),
)


def answer() -> None:
    """Read the function's name and one question per line from standard input; standard output is the memory for the answers.

    A question is a list of positional arguments. Without a function's name, it is a name, positional and keyword arguments.
    """
    channel = mmap.mmap(1, os.fstat(1).st_size)
    devnull = os.open(os.devnull, os.O_RDWR)
    # All of standard input, before the program exists that could read it.
    entry_point, *questions = sys.stdin.buffer.read().decode().splitlines()
    os.dup2(devnull, 0)  # the program can neither read its questions
    os.dup2(devnull, 1)  # nor write to the channel
    offset = 0

    def write_answer(nonce: str, kind: str, text: str) -> None:
        nonlocal offset
        line = f"{nonce} {kind} {text}".encode()
        end = offset + len(line)
        if end >= len(channel):
            raise MemoryError(f"more than {len(channel):,} bytes of answers")
        channel[offset:end] = line
        channel[end] = 10  # a line counts once it is complete
        offset = end + 1

    try:
        module, code = modules.from_file("candidate", os.path.abspath("candidate.py"))
    except (SyntaxError, ValueError) as error:
        write_answer(questions[0].partition(" ")[0], "compile_error", ascii(error))
        raise
    exec(code, module.__dict__)
    function = module.__dict__[entry_point] if entry_point else lambda name, args, kwargs: module.__dict__[name](*args, **kwargs)
    for question in questions:
        nonce, _, arguments = question.partition(" ")
        try:
            value = function(*values.loads(arguments))
        # SystemExit too: a call that exits must not take the answers to the remaining calls with it.
        except BaseException as error:
            # With base classes, because `pytest.raises(LookupError)` accepts a KeyError.
            kinds = type(error).__name__ if entry_point else "|".join(kind.__name__ for kind in type(error).__mro__)
            # ascii: the text of an exception must not begin a new line, which could look like another answer.
            write_answer(nonce, "raised", ascii(f"{kinds}: {error}"[:500]))
            continue
        try:
            if not entry_point:
                write_answer(nonce, *encode_value(value))
                continue
            encoded = values.dumps(values.summary(value))
        except Exception as error:
            write_answer(nonce, "odd", ascii(str(error)[:500]))
        else:
            write_answer(nonce, "returned", encoded)


def encode_value(value: Any) -> tuple[str, str]:
    """Return the kind and text of a value: `iterated` is an iterable that is not equal to a list, such as a generator."""
    if isinstance(value, ITERATED):
        return "iterated", values.dumps(list(islice(value, values.MAX_VALUES)))
    if getattr(value, "ndim", 0):
        raise ValueError("an array of numpy is not compared as a whole")
    return "returned", values.dumps(value)
