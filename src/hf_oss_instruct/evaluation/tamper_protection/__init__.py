"""Protect tests that share a process with the program.

The functions that tests call (assertions, and equality of plain values) are saved or reimplemented under a name that the program
does not know; the files in this folder are inserted into the program, in its language. This does not protect against a program
that finds that name or the nonce in its own source or memory, or that returns an object which claims to be equal. Tests that are
calls are safe from all of these, because they are graded outside (`call_tests/`, `problems.Calls`); only other tests come here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path

# The forms in which MultiPL-E writes tests; any other is left unchanged.
_REQUIRED = re.compile(r"require\((['\"])(?:node:)?assert\1\)")
_CPP_MAIN = re.compile(r"^[ \t]*int[ \t]+main[ \t]*\([^)]*\)[ \t\n]*\{", re.MULTILINE)
_CPP_EQUAL = re.compile(r"^([ \t]*assert\()(.+) == (.+)(\);[ \t]*)$", re.MULTILINE)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
# Words that <assert.h> and the nonce's line expand to, and keywords that statements need.
_CPP_WORDS = "assert NDEBUG __assert_fail __ASSERT_FUNCTION __extension__ __builtin_printf static_cast bool void if while return"
# Alternative operators: no macro can have their name, and `#undef` of one is an error.
_CPP_OPERATORS = frozenset("and and_eq bitand bitor compl not not_eq or or_eq xor xor_eq defined".split())
_PROBLEM = re.compile(r"^[ \t]*class[ \t]+Problem\b", re.MULTILINE)
_JAVA_EQUAL = re.compile(r"^([ \t]*assert\()(.+)\.equals\((.+)\)(\);[ \t]*)$", re.MULTILINE)
_JAVATUPLES = re.compile(r"^[ \t]*import[ \t]+org\.javatuples\.[\w*]+[ \t]*;", re.MULTILINE)
_LUA_TEST = re.compile(r"^function (test_?\w*)\(\)", re.MULTILINE)
_LUA_RUN = re.compile(r"^os\.exit\(lu\.LuaUnit\.run\(\)\)\s*\Z", re.MULTILINE)
_RUBY_CLASS = re.compile(r"^class \w+ < Test::Unit::TestCase$", re.MULTILINE)
_RUBY_TEST = re.compile(r"^  def (test_\w+)$", re.MULTILINE)
_PERL_TEST = re.compile(r"^sub (test\w*) \{(.*)^\}\s*^\1\(\);\s*\Z", re.MULTILINE | re.DOTALL)
_R_TEST = re.compile(r"^(test_\w+) <- function\(\) \{$(.*)^\1\(\)\s*\Z", re.MULTILINE | re.DOTALL)


def guarded(program: str, tests: str, language: str) -> tuple[str, str]:
    """Protect tests against the program they run with. Tests of an unknown form are left unchanged.

    Args:
        program: source code before the tests.
        tests: source code after it.
        language: their language, see `languages.LANGUAGES`.
    """
    # The name is random, so that no program can contain it.
    guard = _GUARDS.get(language)
    return guard(program, tests, f"tests_{secrets.token_hex(8)}") if guard else (program, tests)


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def java_tuples() -> str:
    """Load replacements of the org.javatuples classes that MultiPL-E's tests use."""
    return _file("tuples.java")


def _script(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Save and freeze `assert` before the program starts."""
    return f"const {hidden} = Object.freeze(require('node:assert'));\n{program}", _REQUIRED.sub(hidden, tests)


def _typescript(program: str, tests: str, hidden: str) -> tuple[str, str]:
    program, tests = _script(program, tests, hidden)
    return f"declare var require: any;\n{program}", tests


def _cpp(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Undefine macros that the tests mention, hide the program's operators, and use our own equality."""
    main = _CPP_MAIN.search(tests)
    # The statements become those of another function, where a `return 0;` would not compile.
    if main is None or re.search(r"\breturn\b", tests[main.end() :]):
        return program, tests
    ours = _file("tests.cpp").replace("HIDDEN", hidden)
    asserted = _CPP_EQUAL.sub(
        lambda match: _replace_if_complete(match, f"{match[1]}same({match[2]}, {match[3]}){match[4]}"), tests[main.end() :]
    )
    words = dict.fromkeys([*_CPP_WORDS.split(), *_WORD.findall(_STRING.sub("", ours + tests))])
    undefined = [f"#undef {word}" for word in words if word not in _CPP_OPERATORS and (not word.isupper() or word == "NDEBUG")]
    lines = [
        *undefined,
        "#include <assert.h>",
        # An operator in the nearest scope hides those further out; the library's are found by argument-dependent lookup.
        f"namespace {hidden} {{ struct none {{}}; bool operator==(none, none); void run(); }}",
        ours,
        f"int main() {{ {hidden}::run(); }}",
        f"void {hidden}::run() {{",
    ]
    return program, tests[: main.start()] + "\n" + "\n".join(lines) + asserted


def _java(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Enable assertions regardless of the command line, call `equals` on the expected value, and provide tuples."""
    if not _PROBLEM.search(program):
        return program, tests
    # The expected value's `equals`, since an object of the program could claim to equal everything.
    rewritten = _JAVA_EQUAL.sub(
        lambda match: _replace_if_complete(match, f"{match[1]}({match[3]}).equals({match[2]}){match[4]}"), tests
    )
    return _JAVATUPLES.sub("", program), f"{rewritten}\n{java_tuples()}{_file('main.java')}"


def _replace_if_complete(match: re.Match[str], replacement: str) -> str:
    """Return the replacement if both sides of an equality are whole expressions; else the original text."""
    sides = (_STRING.sub("", side) for side in (match[2], match[3]))
    return replacement if all(side.count("(") == side.count(")") for side in sides) else match[0]


def _lua(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Call the tests one by one with our own equality, instead of searching the program's globals for them."""
    names = _LUA_TEST.findall(tests)
    if not names or not _LUA_RUN.search(tests):
        return program, tests
    tests = re.sub(r"^lu = require\((['\"])luaunit\1\)", f"local lu = {hidden}", tests, flags=re.MULTILINE)
    tests = _LUA_TEST.sub(rf"local function {hidden}_\1()", tests)
    return _file("tests.lua").replace("HIDDEN", hidden) + program, _LUA_RUN.sub(
        " ".join(f"{hidden}_{name}()" for name in names), tests
    )


def _ruby(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Run the tests in our own class, with the methods of plain values as they were before the program."""
    names = _RUBY_TEST.findall(tests)
    if not names or not _RUBY_CLASS.search(tests):
        return program, tests
    base = hidden.capitalize()
    tests = re.sub(r"^require 'test/unit'$", "", tests, flags=re.MULTILINE)
    tests = _RUBY_CLASS.sub(f"class {base}Own < {base}", tests)
    calls = "\n".join(f"{base}Own.new.{name}" for name in names)
    return _file("tests.rb").replace("HIDDEN", base) + program, f"{tests.rstrip()}\n{calls}\n"


def _perl(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Make equality and the tests lexical, and use the language's original `exit`."""
    if not _PERL_TEST.search(tests):
        return program, tests
    tests = _PERL_TEST.sub(rf"my ${hidden}_run = sub {{\2}};\n${hidden}_run->();\n", tests)
    tests = tests.replace("eq_deeply(", f"${hidden}->(").replace("exit 1;", 'print STDERR "Assertion failed"; CORE::exit(1);')
    return _file("tests.pl").replace("HIDDEN", hidden) + program, tests.replace("use Test::Deep;", "")


def _r(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Give the test function local copies of the functions that it calls."""
    if not _R_TEST.search(tests):
        return program, tests
    own = "; ".join(f"{name} <- {hidden}${name}" for name in ("stopifnot", "isTRUE", "all.equal"))
    tests = _R_TEST.sub(lambda match: f"{hidden}_run <- function() {{ {own}{match[2]}{hidden}_run()", tests)
    return _file("tests.r").replace("HIDDEN", hidden) + program, tests


def _racket(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Require the tests' modules under a separate prefix."""
    required = f"(require (prefix-in {hidden}: racket/base) (prefix-in {hidden}: rackunit))"
    tests = tests.replace("(require rackunit)", required).replace("(test-", f"({hidden}-")
    return program, re.sub(r"\((define|let|check-within)(?=[\s(])", rf"({hidden}:\1", tests)


def _rust(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Call the library's macros by path, so that the program's macros of the same name do not apply."""
    return program, re.sub(r"(?<![\w:])(assert(?:_eq|_ne)?)!", r"::std::\1!", tests)


_GUARDS: dict[str, Callable[[str, str, str], tuple[str, str]]] = {
    "cpp": _cpp,
    "java": _java,
    "javascript": _script,
    "lua": _lua,
    "perl": _perl,
    "r": _r,
    "racket": _racket,
    "ruby": _ruby,
    "rust": _rust,
    "typescript": _typescript,
}
