"""Proof that a whole program ran to its end: it prints a fresh nonce after its last test.

An exit code is not enough: `exit(0)` before the first test gives 0 too. This does not defend against a program that finds the
nonce in its own source or memory and prints it, or that returns objects which claim to be equal to everything. Only `judge`,
which keeps the expected values outside, does.
"""

from __future__ import annotations

import re
import secrets

from hf_oss_instruct.errors import UsageError

# Statement that prints the nonce, and how many closing braces (of main, and of the class around it) follow it. The nonce is
# assembled from two halves, so that a program that prints its own source or binary does not print it.
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
_RETURNS_ZERO = re.compile(r"\breturn\s+(?:0|EXIT_SUCCESS)\s*;\s*\}\s*\Z")
_GO_TEST = re.compile(r"^func (Test\w*)\(\w+ \*testing\.T\)", re.MULTILINE)
_CSHARP_ASSERT = re.compile(r"\b(?:System\.Diagnostics\.)?Debug\.Assert\b")
_CSHARP_TESTS = """static class {hidden} {
    public static void Assert(bool right, string what = "") {
        if (!right) throw new System.Exception("Assertion of a test failed: " + what);
    }
}
"""
# D's runtime exits after the unit tests without running `main`.
_D_RUNS_MAIN = 'extern(C) __gshared string[] rt_options = ["testmode=run-main"];\n'
# rackunit continues after a failed check and exits with 0; its log exits the program here if a check failed.
_RACKUNIT = "(void ((dynamic-require 'rackunit/log 'test-log) #:display? #f #:exit? #t))"


def ending_with(nonce: str, program: str, tests: str, language: str) -> str:
    """Combine a program and its tests into one source text that prints the nonce after the last test.

    Args:
        nonce: random text that the program must print.
        program: source code of the program.
        tests: statements to run after it.
        language: their language, see `languages.LANGUAGES`.

    Raises:
        UsageError: the language is not supported, or the text lacks the closing braces to insert the statement before.
    """
    if language == "python":
        return _python(nonce, program, tests)
    if language not in _SAYS:
        raise UsageError(f"Judging whole programs in {language!r} is not supported. Use one of: python, {', '.join(_SAYS)}.")
    statement, braces = _SAYS[language]
    half = len(nonce) // 2
    statement = statement.replace("{first}", nonce[:half]).replace("{second}", nonce[half:])
    defined = _D_RUNS_MAIN if language == "d" and "unittest" in tests + program else ""
    if language == "csharp":
        # A random name, so that the program cannot define a class of this name itself.
        hidden = f"Tests{secrets.token_hex(8)}"
        defined = _CSHARP_TESTS.replace("{hidden}", hidden)
        program, tests = (program, _ends(tests, hidden)) if tests else (_ends(program, hidden), "")
    text = f"{program}\n{tests}".rstrip()
    if language == "go" and (names := _GO_TEST.findall(text)):
        return _go(text, names, statement)
    if language == "racket" and "rackunit" in text:
        statement = f"{_RACKUNIT}\n{statement}"
    if language in ("c", "cpp"):
        text = _RETURNS_ZERO.sub("}", text)  # the statement would stand behind it
    # The statement after a closing tag would be printed as text.
    if language == "php":
        text = text.removesuffix("?>")
    if language == "ruby" and "test/unit" in text:  # which runs its tests at exit
        statement = f"Test::Unit.at_exit {{ {statement} }}"
    # LuaUnit's suites end with os.exit, after which nothing runs.
    if language == "lua" and (leaving := _LUA_EXIT.search(text)):
        held = f"local ended = {leaving[1]}; if ended == 0 or ended == true then {statement} end os.exit(ended)"
        return f"{text[: leaving.start()]}{held}\n"
    position = len(text)
    for _ in range(braces):
        position = text.rfind("}", 0, position)
        if position < 0:
            raise UsageError(f"A whole program in {language!r} must end with {braces} closing braces; this one does not.")
    return f"{text[:position]}\n{statement}\n{text[position:]}\n{defined}"


def _ends(tests: str, hidden: str) -> str:
    """Make a failed `Debug.Assert` end the tests; Mono continues after it."""
    return _CSHARP_ASSERT.sub(f"{hidden}.Assert", tests)


def _go(text: str, names: list[str], statement: str) -> str:
    """Turn `testing` functions into one program: the last test prints the nonce, and any failure changes the exit code."""
    text = go_main_package(text)
    listed = "".join(f'{{Name: "{name}", F: {name}}}, ' for name in names)
    end = f'{{Name: "end", F: func(*testing.T) {{ {statement} }}}}'
    every = "func(_, _ string) (bool, error) { return true, nil }"
    return f"{text}\nfunc main() {{ testing.Main({every}, []testing.InternalTest{{{listed}{end}}}, nil, nil) }}\n"


def go_main_package(text: str) -> str:
    """Turn a Go program into package `main` and rename its own `main`, so that ours can follow."""
    text = re.sub(r"^package \w+", "package main", text, count=1, flags=re.MULTILINE)
    return re.sub(r"^func main\(", "func mainOfTheProgram(", text, flags=re.MULTILINE)


def _python(nonce: str, program: str, tests: str) -> str:
    """Build a program that removes the source from disk before it starts, so that the nonce cannot simply be read from it."""
    return f"__import__('inside.modules').modules.main_program({program!r}, {tests!r}, {nonce!r})\n"
