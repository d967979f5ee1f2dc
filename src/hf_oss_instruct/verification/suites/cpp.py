"""C++: asserts and failures counted in `main`, functions that `main` calls, the cases of GoogleTest, Catch2 and doctest."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import name_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile, may_change
from hf_oss_instruct.verification.suites.cpp_cases import CASE, cases, unread
from hf_oss_instruct.verification.suites.program_state import keeps_state

if TYPE_CHECKING:
    from tree_sitter import Node

# What may fail a test; a `main` also does by returning anything but 0.
_ASSERTS = re.compile(r"\b(assert|(?:EXPECT|ASSERT|REQUIRE|CHECK)\w*|throw|abort|exit|EXIT_FAILURE)\b|\breturn\s+(?!0\s*;)[^;]")
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(<[\w./+]+>|\"[^\"]+\").*$", re.MULTILINE)
# It asks a framework for a `main`, which the harness has.
_CONFIG = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(CATCH_CONFIG|DOCTEST_CONFIG)\w*.*$", re.MULTILINE)
_FRAMEWORK = re.compile(r"gtest|gmock|catch|doctest|cassert|assert\.h")
# Statements of a `main` that test nothing: output, GoogleTest's setup, the final `return`.
_PRINTS = re.compile(r"^(std::)?(cout|cerr|printf|puts)\b|^(::)?testing::|^return\s+0\s*;|^return\s+RUN_ALL_TESTS")
# How helpers count failures: `failures++`, `failed += 1`, `ok = false`.
_COUNTS = re.compile(r"\w\s*(?:\+\+|--|[-+]=)|(?:\+\+|--)\s*\w|=\s*(?:false|true|1)\b")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it contains no test, or uses a part of a framework that the harness lacks.
    """
    text, solution, language = file.text, file.solution, file.language
    includes = _DIRECTIVE.findall(text)
    tests: list[Test] = []
    body = cases(_CONFIG.sub("", _DIRECTIVE.sub("", text)), tests)
    if unsupported := unread(body, solution, tests, macros()):
        raise SuiteRefusedError("not_verifiable", f"the tests use {unsupported!r}, which is not read here", "third_party")
    if not tests and not re.search(r"\bmain\s*\(", body):
        body = _as_main(body)
    root = parse(body.encode(errors="replace"), "cpp").root_node
    kept, main = [], None
    functions: dict[str, str] = {}
    for node in root.named_children:
        if node.type == "function_definition" and name_of(node) == "main":
            main = node
            continue
        kept.append(text_of(node) + (";" if node.next_sibling and node.next_sibling.type == ";" else ""))
        if node.type == "function_definition":
            functions[name_of(node)] = text_of(node)
    inner = main.child_by_field_name("body") if main else None
    statements = inner.named_children if inner else root.named_children if not tests and main is None else []
    as_one = file.as_one or keeps_state(solution, language)
    _Statements(functions, _macros_of(body), tests, as_one).read(statements)
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    if re.search(r"(?<![:\w])Approx\s*\(", body + "".join(test.run for test in tests)) and "Approx" not in solution:
        if not re.search(r"using\s+(?:namespace\s+)?:*(?:Catch|doctest)\b", body):
            kept.insert(0, f"using ::{'doctest' if 'doctest' in text else 'Catch'}::Approx;")
    preamble = "\n".join([*(f"#include {include}" for include in includes if not _FRAMEWORK.search(include)), *kept])
    return Suite(language, tuple(tests), preamble)


def _as_main(body: str) -> str:
    """Put statements that stand outside any function into a `main`, after the definitions."""
    root = parse(body.encode(errors="replace"), "cpp").root_node
    defined = [
        node for node in root.named_children
        if re.match(r"preproc|using|namespace|template|struct|class|enum|alias|type_def", node.type)
        or (node.type == "function_definition" and node.child_by_field_name("type"))
    ]  # fmt: skip
    if any(name_of(node) for node in defined if node.type == "function_definition" and CASE.search(text_of(node))):
        return body
    source = body.encode(errors="replace")
    for node in sorted(defined, key=lambda node: -node.start_byte):
        source = source[: node.start_byte] + source[node.end_byte :].lstrip(b";")
    rest = source.decode(errors="replace")
    whole = "\n".join(
        [*(text_of(node) + (";" if "specifier" in node.type else "") for node in defined), "int main() {", rest, "}"]
    )
    return body if parse(whole.encode(errors="replace"), "cpp").root_node.has_error or not rest.strip() else whole


def _macros_of(text: str) -> frozenset[str]:
    """Macros that the tests define and that can fail a test."""
    macros = re.findall(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\(((?:[^\n]*\\\n)*[^\n]*)", text, re.MULTILINE)
    return frozenset(name for name, body in macros if _ASSERTS.search(body) or _COUNTS.search(body))


class _Statements:
    """Reads the statements of `main`.

    Args:
        functions: the tests' own functions by name.
        macros: the tests' own macros that can fail a test.
        tests: where tests are added.
        as_one: whether all statements are one test.
    """

    def __init__(self, functions: dict[str, str], macros: frozenset[str], tests: list[Test], as_one: bool) -> None:
        self._functions, self._macros, self._tests = functions, macros, tests
        self._before: list[str] = []
        self._as_one, self._failing = as_one, False

    def read(self, statements: Sequence[Node]) -> None:
        last = text_of(statements[-1]) if statements else ""
        counted = re.match(r"return\s+(?!0\s*;|RUN_ALL_TESTS)[^;]*\w", last) is not None
        for statement in statements[:-1] if counted else statements:
            if statement.type == "return_statement":
                break
            self._one(statement, last if counted else "")
        if self._failing or (counted and not self._tests):
            self._add("main", "\n".join([*self._before, *([last] if counted else [])]))

    def _one(self, statement: Node, tail: str) -> None:
        text = text_of(statement)
        if statement.type == "comment" or _PRINTS.match(text) or statement.type.startswith("preproc"):
            return
        word = (re.match(r"(\w+)\s*\(", text) or [""])[0].rstrip(" (")
        body = self._functions.get(word, "")
        asserts = _ASSERTS.search(body) or (tail and _COUNTS.search(body))
        fails = asserts or word in self._macros or _ASSERTS.search(text)
        if self._as_one and fails:
            self._before.append(text)
            self._failing = True
        elif asserts and re.match(r"\w+\s*\(\s*\)\s*;", text) and not tail:
            self._add(word, "\n".join([*self._before, text]))
        elif fails and statement.type not in ("function_definition", "declaration"):
            self._add(str(len(self._tests)), "\n".join([*self._before, text, *([tail] if tail else [])]))
            # A plain assertion changes nothing, so that later tests need not come after it.
            plain = re.match(r"(assert|EXPECT_\w+|ASSERT_\w+|try|if|for)\b|\{", text)
            if not (asserts or word in self._macros or plain) or (not tail and may_change(text, self._before)):
                self._before.append(text)
        elif statement.type not in ("function_definition", "using_declaration") or text.startswith("using"):
            self._before.append(text)

    def _add(self, name: str, text: str) -> None:
        self._tests.append(Test(name, "statements", f"int main() {{\n{text}\n}}", text))


def together(program: str) -> bool:
    """Whether changes of a program can be run from one executable: not where a global variable calls its functions."""
    own = "|".join(map(re.escape, re.findall(r"^[\w:<>,&*\s]*?\b(\w+)\s*\([^;{]*\)\s*(?:const\s*)?\{", program, re.MULTILINE)))
    return not own or not re.search(
        rf"^(?!\s)(?:static |const |inline |extern )*[\w:<>,& *]+=[^;{{()]*\b(?:{own})\(", program, re.MULTILINE
    )


def joined(suites: Sequence[Suite]) -> Suite:
    """Combine several texts into one suite, with the code before their tests once. A bare statement has none before it."""
    suites = [
        replace(suite, preamble="") if suite.preamble.strip() in {test.text.strip() for test in suite.tests} else suite
        for suite in suites
    ]
    tests = [replace(test, text=whole) for suite in suites for test, whole in zip(suite.tests, suite.standalone(), strict=True)]
    return replace(suites[0], tests=tuple(tests), preamble="\n".join(dict.fromkeys(suite.preamble for suite in suites)))


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """One program with the tests for each of several solutions, every pair in a separate namespace."""
    # A random name, so that no program can call the harness and report results itself.
    hidden = f"tests_{secrets.token_hex(8)}"
    includes = dict.fromkeys(
        include for text in [*programs, suite.preamble] for include in _DIRECTIVE.findall(text) if include.startswith("<")
    )
    own = [f"#include {include}" for include in includes if not _FRAMEWORK.search(include)]
    parts, table = [], []
    for number, program in enumerate(programs):
        # `#line` makes the compiler name the variant in its errors.
        parts += [f"namespace {hidden}_{number} {{", f'#line 1 "v{number}.cpp"', *_variant(suite, program, hidden)]
        for index in range(len(suite.tests)):
            table.append(f"{{{number}, {index}, {hidden}_{number}::run_{index}}},")
        parts.append("}")
    text = harness().replace("HIDDEN", hidden)
    head, _, tail = text.partition("//VARIANTS")
    first, _, last = tail.partition("//TABLE")
    whole = ["#include <bits/stdc++.h>", *own, head, *parts, '#line 1 "harness.cpp"', first, *table, last]
    return "\n".join(whole), {}


def _variant(suite: Suite, program: str, hidden: str) -> Iterator[str]:
    program = re.sub(r"\bint\s+main\s*\(", "int main_of_the_program(", _DIRECTIVE.sub("", program))
    yield from (f"#undef {name}" for name in macros() if name.isupper())  # words that the program may use itself
    # The harness replaces these attributes, by which code would run before its own.
    yield re.sub(r"#[ \t]*undef[ \t]+_*(?:constructor|init_priority|section)_*", "", program)
    yield from _macros(hidden)  # the program may have made others of them
    yield _DIRECTIVE.sub("", suite.preamble)
    for index, test in enumerate(suite.tests):
        yield f"static int run_{index}() {{ return ::{hidden}::passes([&]() -> int {{\n{test.run or test.text}\nreturn 0; }}); }}"


def _macros(hidden: str) -> Iterator[str]:
    for line in harness().replace("HIDDEN", hidden).split("\n"):
        if match := re.match(r"#define (\w+)", line):
            yield f"#undef {match[1]}\n{line}"


@cache
def macros() -> tuple[str, ...]:
    """The names of the frameworks' macros that the harness has."""
    return tuple(re.findall(r"^#define (\w+)", harness(), re.MULTILINE))


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    return Path(__file__).with_name("cpp.cpp").read_text("utf-8")


LANGUAGE = SuiteLanguage(read, sources, joined=joined, together=together)
