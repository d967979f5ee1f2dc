"""How a whole program shows that it came to its end: it prints a fresh nonce after its last test.

An exit code says little: `exit(0)` before the first test gives 0 too. What this cannot defend against: a program that looks
for the nonce in its own text or memory and prints it, or that gives the tests objects which claim to be equal to everything.
Only `judge`, which keeps the right answers outside, holds against those.
"""

from __future__ import annotations

import re
import secrets

from hf_oss_instruct.errors import UsageError

# What prints the nonce out of its halves, so that a program which prints its own text or binary does not print it, and how many
# closing braces it stands before: main's own, and that of the class around main.
_SAYS: dict[str, tuple[str, int]] = {
    "c": ('__builtin_printf("%s%s\\n", "{first}", "{second}");', 1),
    "cpp": ('__builtin_printf("%s%s\\n", "{first}", "{second}");', 1),
    "d": ('import core.stdc.stdio : printf; printf("%s%s\\n", "{first}".ptr, "{second}".ptr);', 1),
    "csharp": ('System.Console.WriteLine("{0}{1}", "{first}", "{second}");', 2),
    "go": ('print("{first}", "{second}", "\\n")', 1),
    "java": ('System.out.println("{first}".concat("{second}"));', 2),
    "javascript": (';globalThis.process.once("beforeExit", () => console.log("{first}" + "{second}"));', 0),
    "lua": ('print("{first}" .. "{second}")', 0),
    "perl": ('print "{first}", "{second}", "\\n";', 0),
    "php": ('echo "{first}", "{second}", "\\n";', 0),
    "r": ('cat("{first}", "{second}", "\\n", sep = "")', 0),
    "racket": ('(displayln (string-append "{first}" "{second}"))', 0),
    "ruby": ('puts "{first}" + "{second}"', 0),
    "rust": ('println!("{}{}", "{first}", "{second}");', 1),
    "shell": ("echo '{first}''{second}'", 0),
    "typescript": (';(globalThis as any).process.once("beforeExit", () => console.log("{first}" + "{second}"));', 0),
}
_LUA_EXIT = re.compile(r"os\.exit\s*\((.+)\)\s*$")
_GO_TEST = re.compile(r"^func (Test\w*)\(\w+ \*testing\.T\)", re.MULTILINE)
_CSHARP_ASSERT = re.compile(r"\b(?:System\.Diagnostics\.)?Debug\.Assert\b")
_CSHARP_TESTS = """static class {hidden} {
    public static void Assert(bool right, string what = "") {
        if (!right) throw new System.Exception("Assertion of a test failed: " + what);
    }
}
"""
# D's runtime leaves after the unit tests, without `main`.
_D_RUNS_MAIN = 'extern(C) __gshared string[] rt_options = ["testmode=run-main"];\n'
# rackunit goes on after a failed check and leaves with 0; its log ends the program here if there was one.
_RACKUNIT = "(void ((dynamic-require 'rackunit/log 'test-log) #:display? #f #:exit? #t))"


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
    defined = _D_RUNS_MAIN if language == "d" and "unittest" in tests + program else ""
    if language == "csharp":
        hidden = f"Tests{secrets.token_hex(8)}"
        defined = _CSHARP_TESTS.replace("{hidden}", hidden)
        program, tests = (program, _ends(tests, hidden)) if tests else (_ends(program, hidden), "")
    text = f"{program}\n{tests}".rstrip()
    if language == "go" and (names := _GO_TEST.findall(text)):
        return _go(text, names, statement)
    if language == "racket" and "rackunit" in text:
        statement = f"{_RACKUNIT}\n{statement}"
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
    return f"{text[:place]}\n{statement}\n{text[place:]}\n{defined}"


def _ends(tests: str, hidden: str) -> str:
    """Tests whose `Debug.Assert` ends them when it fails; Mono's goes on."""
    return _CSHARP_ASSERT.sub(f"{hidden}.Assert", tests)


def _go(text: str, names: list[str], statement: str) -> str:
    """Tests of Go's own kind, as one program: the last of them prints the nonce, and any that fails changes the exit code."""
    text = go_main_package(text)
    listed = "".join(f'{{Name: "{name}", F: {name}}}, ' for name in names)
    end = f'{{Name: "end", F: func(*testing.T) {{ {statement} }}}}'
    every = "func(_, _ string) (bool, error) { return true, nil }"
    return f"{text}\nfunc main() {{ testing.Main({every}, []testing.InternalTest{{{listed}{end}}}, nil, nil) }}\n"


def go_main_package(text: str) -> str:
    """A Go program as package `main`, its own `main` under another name, so that one of ours can follow."""
    text = re.sub(r"^package \w+", "package main", text, count=1, flags=re.MULTILINE)
    return re.sub(r"^func main\(", "func mainOfTheProgram(", text, flags=re.MULTILINE)


def _python(nonce: str, program: str, tests: str) -> str:
    """The text is taken from the disk before the program begins, so that the nonce is not simply read from it."""
    return f"__import__('inside.modules').modules.main_program({program!r}, {tests!r}, {nonce!r})\n"
