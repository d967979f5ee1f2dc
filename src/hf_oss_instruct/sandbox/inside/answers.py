"""What stands around a function inside the sandbox: it is called with each input, and what it returns goes out as a plain value.

It knows no right answer, so whoever takes it over wins nothing. Answers go into memory that the outside reads when the run is
over: they cost no system call, and what was answered before a program is killed is there.
"""

from __future__ import annotations

import mmap
import os
import sys

from . import modules, values


def answer() -> None:
    """Read the function's name and a question a line from standard input; standard output is the memory for the answers."""
    channel = mmap.mmap(1, os.fstat(1).st_size)
    nothing = os.open(os.devnull, os.O_RDWR)
    entry_point, *questions = sys.stdin.buffer.read().decode().splitlines()
    os.dup2(nothing, 0)  # the program gets neither its questions as input
    os.dup2(nothing, 1)  # nor the channel as output
    at = 0

    def say(nonce: str, kind: str, text: str) -> None:
        nonlocal at
        line = f"{nonce} {kind} {text}".encode()
        end = at + len(line)
        if end >= len(channel):
            raise MemoryError(f"more than {len(channel):,} bytes of answers")
        channel[at:end] = line
        channel[end] = 10  # a line counts when it has its end
        at = end + 1

    try:
        module, code = modules.from_file("candidate", os.path.abspath("candidate.py"))
    except (SyntaxError, ValueError) as error:
        say(questions[0].partition(" ")[0], "compile_error", ascii(error))
        raise
    exec(code, module.__dict__)
    function = module.__dict__[entry_point]
    for question in questions:
        nonce, _, arguments = question.partition(" ")
        try:
            value = function(*values.loads(arguments))
        except BaseException as error:
            say(nonce, "raised", ascii(f"{type(error).__name__}: {error}"[:500]))
            continue
        try:
            answered = values.dumps(values.summary(value))
        except Exception as error:
            say(nonce, "odd", ascii(str(error)[:500]))
        else:
            say(nonce, "returned", answered)
