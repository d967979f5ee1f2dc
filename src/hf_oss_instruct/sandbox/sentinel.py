"""How a whole program shows that it came to its end: it prints a fresh nonce after its last test.

An exit code says little: `exit(0)` before the first test gives 0 too. What this cannot defend against: a program that looks
for the nonce in its own text or memory and prints it, or that gives the tests objects which claim to be equal to everything.
Only `judge`, which keeps the right answers outside, holds against those.
"""

from __future__ import annotations

import re

from hf_oss_instruct.errors import UsageError

# What prints the nonce out of its halves, so that a program which prints its own text or binary does not print it, and how many
# closing braces it stands before: main's own, and that of the class around main.
_SAYS: dict[str, tuple[str, int]] = {
    "c": ('__builtin_printf("%s%s\\n", "{first}", "{second}");', 1),
    "cpp": ('__builtin_printf("%s%s\\n", "{first}", "{second}");', 1),
    "csharp": ('System.Console.WriteLine("{0}{1}", "{first}", "{second}");', 2),
    "go": ('print("{first}", "{second}", "\\n")', 1),
    "java": ('System.out.println("{first}".concat("{second}"));', 2),
    "javascript": ('console.log("{first}" + "{second}");', 0),
    "lua": ('print("{first}" .. "{second}")', 0),
    "perl": ('print "{first}", "{second}", "\\n";', 0),
    "php": ('echo "{first}", "{second}", "\\n";', 0),
    "r": ('cat("{first}", "{second}", "\\n", sep = "")', 0),
    "racket": ('(displayln (string-append "{first}" "{second}"))', 0),
    "ruby": ('puts "{first}" + "{second}"', 0),
    "rust": ('println!("{}{}", "{first}", "{second}");', 1),
    "shell": ("echo '{first}''{second}'", 0),
    "typescript": ('console.log("{first}" + "{second}");', 0),
}
_LUA_EXIT = re.compile(r"os\.exit\s*\((.+)\)\s*$")


def ending_with(nonce: str, program: str, tests: str, language: str) -> str:
    """A program and its tests as one text that prints the nonce when the last test is through.

    Raises:
        UsageError: nothing is known about how this language prints, or the text has no closing brace to stand before.
    """
    if language == "python":
        return _python(nonce, program, tests)
    if language not in _SAYS:
        raise UsageError(f"Whole programs in {language!r} are not judged here. Use one of: python, {', '.join(_SAYS)}.")
    statement, braces = _SAYS[language]
    half = len(nonce) // 2
    statement = statement.replace("{first}", nonce[:half]).replace("{second}", nonce[half:])
    text = f"{program}\n{tests}".rstrip()
    if language == "php":
        text = text.removesuffix("?>")
    if language == "ruby" and "test/unit" in text:  # whose tests run when the text is through
        statement = f"Test::Unit.at_exit {{ {statement} }}"
    if language == "lua" and (leaving := _LUA_EXIT.search(text)):
        held = f"local ended = {leaving[1]}; if ended == 0 or ended == true then {statement} end os.exit(ended)"
        return f"{text[: leaving.start()]}{held}\n"
    place = len(text)
    for _ in range(braces):
        place = text.rfind("}", 0, place)
        if place < 0:
            raise UsageError(f"A whole program in {language!r} must end with {braces} closing braces; this one does not.")
    return f"{text[:place]}\n{statement}\n{text[place:]}\n"


def _python(nonce: str, program: str, tests: str) -> str:
    """The text is taken from the disk before the program begins, so that the nonce is not simply read from it."""
    return (
        "import os, sys\n"
        f"program, tests, nonce = {program!r}, {tests!r}, {nonce!r}\n"
        "os.unlink(__file__)\n"
        "say, stdout = os.write, os.dup(1)\n"
        "def run(program, tests, say, stdout, nonce, flush=sys.stdout.flush):\n"
        "    names = {'__name__': '__main__'}\n"
        "    exec(compile(program, 'program.py', 'exec', dont_inherit=True), names)\n"
        "    exec(compile(tests, 'tests.py', 'exec', dont_inherit=True), names)\n"
        "    flush()\n"
        "    say(stdout, f'\\n{nonce}\\n'.encode())\n"
        "arguments = program, tests, say, stdout, nonce\n"
        "del program, tests, say, stdout, nonce\n"
        "run(*arguments)\n"
    )
