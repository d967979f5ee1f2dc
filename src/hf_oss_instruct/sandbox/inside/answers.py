"""What stands around a function inside the sandbox: it is called with each input, and what it returns goes out as a plain value.

Run after `values.py`, in one text. It knows no right answer, so whoever takes it over wins nothing.
"""

# ruff: noqa: F821
import os
import sys


def _answer() -> None:
    channel = os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    entry_point, *questions = sys.stdin.buffer.read().decode().splitlines()
    os.dup2(nothing, 0)  # the program gets neither its questions as input
    os.dup2(nothing, 1)  # nor the channel as output

    def say(nonce: str, kind: str, text: str) -> None:
        line = memoryview(f"{nonce} {kind} {text}\n".encode())
        while line:
            line = line[os.write(channel, line) :]

    with open("candidate.py", encoding="utf-8", errors="surrogateescape") as file:
        text = file.read()
    try:
        code = compile(text, "candidate.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        say(questions[0].partition(" ")[0], "compile_error", ascii(error))
        raise
    names = {"__name__": "candidate", "__file__": "candidate.py"}
    exec(code, names)
    function = names[entry_point]
    for question in questions:
        nonce, _, arguments = question.partition(" ")
        try:
            value = function(*loads(arguments))  # type: ignore[name-defined, operator]
        except BaseException as error:
            say(nonce, "raised", ascii(f"{type(error).__name__}: {error}"[:500]))
            continue
        try:
            say(nonce, "returned", dumps(summary(value)))  # type: ignore[name-defined]
        except Exception as error:
            say(nonce, "odd", ascii(str(error)[:500]))


_answer()
