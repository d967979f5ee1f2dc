"""How tests that share a process with the program keep their meaning.

What they call is taken or written anew under a name that the program does not know: assertions, and equality of plain values. The
files beside this one are what is put into a program's text, in its language. Not held: a program that looks for that name, or for
the nonce, in its own text or memory; one that returns an object of its own which claims to be equal. Tests that are calls hold
against all of these: they are graded outside (`call_tests/`, `problems.Calls`), and only tests of another shape come here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import cache
from pathlib import Path

_REQUIRED = re.compile(r"require\((['\"])(?:node:)?assert\1\)")
_CPP_MAIN = re.compile(r"^[ \t]*int[ \t]+main[ \t]*\([^)]*\)[ \t\n]*\{", re.MULTILINE)
_CPP_EQUAL = re.compile(r"^([ \t]*assert\()(.+) == (.+)(\);[ \t]*)$", re.MULTILINE)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"')
# What <assert.h> and the nonce's line expand to, and what makes a statement one.
_CPP_WORDS = "assert NDEBUG __assert_fail __ASSERT_FUNCTION __extension__ __builtin_printf static_cast bool void if while return"
# Operators that are words: no macro can have their name, and `#undef` of one is an error.
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
    """A program and its tests, so that the tests mean what they say. Tests of a shape that is not known stay as they are.

    Args:
        program: the text before the tests.
        tests: the text after it.
        language: as in `languages.LANGUAGES`.
    """
    guard = _GUARDS.get(language)
    return guard(program, tests, f"tests_{secrets.token_hex(8)}") if guard else (program, tests)


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def java_tuples() -> str:
    """Classes that stand in for those of org.javatuples, which MultiPL-E's tests use."""
    return _file("tuples.java")


def _script(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """`assert` is taken, frozen, before the program begins."""
    return f"const {hidden} = Object.freeze(require('node:assert'));\n{program}", _REQUIRED.sub(hidden, tests)


def _typescript(program: str, tests: str, hidden: str) -> tuple[str, str]:
    program, tests = _script(program, tests, hidden)
    return f"declare var require: any;\n{program}", tests


def _cpp(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Every word of the tests is no macro; operators of the program are out of their sight; equality is ours."""
    main = _CPP_MAIN.search(tests)
    if main is None or re.search(r"\breturn\b", tests[main.end() :]):
        return program, tests
    ours = _file("tests.cpp").replace("HIDDEN", hidden)
    asserted = _CPP_EQUAL.sub(
        lambda found: _if_whole(found, f"{found[1]}same({found[2]}, {found[3]}){found[4]}"), tests[main.end() :]
    )
    words = dict.fromkeys([*_CPP_WORDS.split(), *_WORD.findall(_STRING.sub("", ours + tests))])
    undefined = [f"#undef {word}" for word in words if word not in _CPP_OPERATORS and (not word.isupper() or word == "NDEBUG")]
    lines = [
        *undefined,
        "#include <assert.h>",
        # The nearest scope with an operator of this name hides those further out; the library's are found by their arguments.
        f"namespace {hidden} {{ struct none {{}}; bool operator==(none, none); void run(); }}",
        ours,
        f"int main() {{ {hidden}::run(); }}",
        f"void {hidden}::run() {{",
    ]
    return program, tests[: main.start()] + "\n" + "\n".join(lines) + asserted


def _java(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Assertions are on whatever the command line says, the expected value is asked whether it is equal, and there are tuples."""
    if not _PROBLEM.search(program):
        return program, tests
    asked = _JAVA_EQUAL.sub(lambda found: _if_whole(found, f"{found[1]}({found[3]}).equals({found[2]}){found[4]}"), tests)
    return _JAVATUPLES.sub("", program), f"{asked}\n{java_tuples()}{_file('main.java')}"


def _if_whole(found: re.Match[str], replacement: str) -> str:
    """The replacement, if both sides of an equality are whole expressions; else what stands there."""
    sides = (_STRING.sub("", side) for side in (found[2], found[3]))
    return replacement if all(side.count("(") == side.count(")") for side in sides) else found[0]


def _lua(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """The tests are called one by one, with an equality of our own, instead of being looked for among the program's globals."""
    names = _LUA_TEST.findall(tests)
    if not names or not _LUA_RUN.search(tests):
        return program, tests
    tests = re.sub(r"^lu = require\((['\"])luaunit\1\)", f"local lu = {hidden}", tests, flags=re.MULTILINE)
    tests = _LUA_TEST.sub(rf"local function {hidden}_\1()", tests)
    return _file("tests.lua").replace("HIDDEN", hidden) + program, _LUA_RUN.sub(
        " ".join(f"{hidden}_{name}()" for name in names), tests
    )


def _ruby(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """The tests are a class of our own, with the methods of the plain values as they were before the program."""
    names = _RUBY_TEST.findall(tests)
    if not names or not _RUBY_CLASS.search(tests):
        return program, tests
    base = hidden.capitalize()
    tests = re.sub(r"^require 'test/unit'$", "", tests, flags=re.MULTILINE)
    tests = _RUBY_CLASS.sub(f"class {base}Own < {base}", tests)
    calls = "\n".join(f"{base}Own.new.{name}" for name in names)
    return _file("tests.rb").replace("HIDDEN", base) + program, f"{tests.rstrip()}\n{calls}\n"


def _perl(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """Equality and the tests are lexical, and leaving is the language's own."""
    if not _PERL_TEST.search(tests):
        return program, tests
    tests = _PERL_TEST.sub(rf"my ${hidden}_run = sub {{\2}};\n${hidden}_run->();\n", tests)
    tests = tests.replace("eq_deeply(", f"${hidden}->(").replace("exit 1;", 'print STDERR "Assertion failed"; CORE::exit(1);')
    return _file("tests.pl").replace("HIDDEN", hidden) + program, tests.replace("use Test::Deep;", "")


def _r(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """The tests' function has what it calls as variables of its own."""
    if not _R_TEST.search(tests):
        return program, tests
    own = "; ".join(f"{name} <- {hidden}${name}" for name in ("stopifnot", "isTRUE", "all.equal"))
    tests = _R_TEST.sub(lambda found: f"{hidden}_run <- function() {{ {own}{found[2]}{hidden}_run()", tests)
    return _file("tests.r").replace("HIDDEN", hidden) + program, tests


def _racket(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """What the tests are written with is required under a name of its own."""
    required = f"(require (prefix-in {hidden}: racket/base) (prefix-in {hidden}: rackunit))"
    tests = tests.replace("(require rackunit)", required).replace("(test-", f"({hidden}-")
    return program, re.sub(r"\((define|let|check-within)(?=[\s(])", rf"({hidden}:\1", tests)


def _rust(program: str, tests: str, hidden: str) -> tuple[str, str]:
    """A macro of the program has the name alone; the library's is called by its path."""
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
