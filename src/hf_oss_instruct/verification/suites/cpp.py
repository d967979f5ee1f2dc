"""C++: plain asserts in `main`, functions that `main` calls, and the common macros of GoogleTest and Catch."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import name_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteRefusedError, Test

if TYPE_CHECKING:
    from tree_sitter import Node

_ASSERTS = re.compile(r"\b(assert|EXPECT_\w+|ASSERT_\w+|REQUIRE\w*|CHECK|throw|abort|exit)\b")
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(<[\w./+]+>|\"[^\"]+\").*$", re.MULTILINE)
_FRAMEWORK = re.compile(r"gtest|gmock|catch|doctest|cassert|assert\.h")
_CASE = re.compile(r"\b(?:TEST|TEST_CASE)\s*\(([^)]*)\)\s*\{")
_PRINTS = re.compile(r"^(std::)?(cout|cerr|printf|puts)\b")


def read(text: str, solution: str, language: str) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it holds no test.
    """
    includes = _DIRECTIVE.findall(text)
    body = _DIRECTIVE.sub("", text)
    tests: list[Test] = []
    body = _cases(body, tests)
    root = parse(body.encode(errors="replace"), "cpp").root_node
    kept, main = [], None
    functions: dict[str, str] = {}
    for node in root.named_children:
        if node.type == "function_definition" and name_of(node) == "main":
            main = node
        else:
            kept.append(text_of(node))
            if node.type == "function_definition" and _ASSERTS.search(text_of(node)):
                functions[name_of(node)] = text_of(node)
    before: list[str] = []
    inner = main.child_by_field_name("body") if main else None
    for statement in inner.named_children if inner else root.named_children if not tests and main is None else ():
        _statement(statement, functions, before, tests)
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    preamble = "\n".join([*(f"#include {one}" for one in includes if not _FRAMEWORK.search(one)), *kept])
    return Suite(language, tuple(tests), preamble)


def _cases(body: str, tests: list[Test]) -> str:
    """The text without GoogleTest's and Catch's cases, which are added to the tests."""
    while found := _CASE.search(body):
        depth, at = 1, found.end()
        while at < len(body) and depth:
            depth += (body[at] == "{") - (body[at] == "}")
            at += 1
        name = ".".join(re.findall(r"\w+", found[1])) or str(len(tests))
        tests.append(Test(name, "statements", body[found.start() : at], body[found.end() - 1 : at]))
        body = body[: found.start()] + body[at:]
    return body


def _statement(statement: Node, functions: dict[str, str], before: list[str], tests: list[Test]) -> None:
    text = text_of(statement)
    if statement.type in ("comment", "return_statement") or _PRINTS.match(text):
        return
    called = re.match(r"(\w+)\s*\(\s*\)\s*;", text)
    if called and called[1] in functions:
        tests.append(Test(called[1], "function", functions[called[1]], "\n".join([*before, text])))
    elif _ASSERTS.search(text) and statement.type != "function_definition":
        whole = "\n".join([*before, text])
        tests.append(Test(str(len(tests)), "statements", whole, whole))
        if not re.match(r"(assert|EXPECT_\w+|ASSERT_\w+)\b|try\b|\{", text):
            before.append(text)
    elif statement.type not in ("function_definition", "using_declaration") or text.startswith("using"):
        before.append(text)


def together(program: str) -> bool:
    """Whether changes of a program can be run from one executable: not where a global variable calls its functions."""
    own = "|".join(map(re.escape, re.findall(r"^[\w:<>,&*\s]*?\b(\w+)\s*\([^;{]*\)\s*(?:const\s*)?\{", program, re.MULTILINE)))
    return not own or not re.search(
        rf"^(?!\s)(?:static |const |inline |extern )*[\w:<>,& *]+=[^;{{()]*\b(?:{own})\(", program, re.MULTILINE
    )


def joined(suites: Sequence[Suite]) -> Suite:
    """One suite of several texts; what stands before their tests is put together once."""
    tests = [replace(test, text=whole) for suite in suites for test, whole in zip(suite.tests, suite.standalone(), strict=True)]
    return replace(suites[0], tests=tuple(tests), preamble="\n".join(dict.fromkeys(suite.preamble for suite in suites)))


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """One program that holds the tests with each of several solutions, every pair in a namespace of its own."""
    hidden = f"tests_{secrets.token_hex(8)}"
    includes = dict.fromkeys(
        one for text in [*programs, suite.preamble] for one in _DIRECTIVE.findall(text) if one.startswith("<")
    )
    own = [f"#include {one}" for one in includes if not _FRAMEWORK.search(one)]
    parts, table = [], []
    for number, program in enumerate(programs):
        parts += [f"namespace {hidden}_{number} {{", f'#line 1 "v{number}.cpp"', *_variant(suite, program, hidden)]
        for at in range(len(suite.tests)):
            table.append(f"{{{number}, {at}, {hidden}_{number}::run_{at}}},")
        parts.append("}")
    text = harness().replace("HIDDEN", hidden)
    head, _, tail = text.partition("//VARIANTS")
    first, _, last = tail.partition("//TABLE")
    whole = ["#include <bits/stdc++.h>", *own, head, *parts, '#line 1 "harness.cpp"', first, *table, last]
    return "\n".join(whole), {}


def _variant(suite: Suite, program: str, hidden: str) -> Iterator[str]:
    program = re.sub(r"\bint\s+main\s*\(", "int main_of_the_program(", _DIRECTIVE.sub("", program))
    yield re.sub(r"#[ \t]*undef[ \t]+_*(?:constructor|init_priority|section)_*", "", program)
    yield from _macros(hidden)  # the program may have made others of them
    yield _DIRECTIVE.sub("", suite.preamble)
    for at, test in enumerate(suite.tests):
        yield f"static void run_{at}() {{\n{test.run or test.text}\n}}"


def _macros(hidden: str) -> Iterator[str]:
    for line in harness().replace("HIDDEN", hidden).split("\n"):
        if found := re.match(r"#define (\w+)", line):
            yield f"#undef {found[1]}\n{line}"


@cache
def harness() -> str:
    """What runs tests and says what each came to."""
    return Path(__file__).with_name("cpp.cpp").read_text("utf-8")
