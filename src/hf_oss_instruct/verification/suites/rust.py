"""Rust: functions marked `#[test]`, and a `main` or statements that assert or panic."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import name_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile, may_change
from hf_oss_instruct.verification.suites.program_state import keeps_state

if TYPE_CHECKING:
    from tree_sitter import Node

_CRATES = frozenset({"std", "core", "alloc", "crate", "super", "self"})
_ASSERTS = re.compile(r"\b(assert\w*|panic|unreachable|expect|unwrap|exit)\b")
_MACROS = re.compile(r"(?<![\w:])(assert|assert_eq|assert_ne|debug_assert\w*|panic|unreachable|todo|matches|vec|format)!")
# Inner attributes are allowed at the beginning of a file only.
_INNER = re.compile(r"^[ \t]*#!\[[^\]]*\]", re.MULTILINE)
_EXTERN = re.compile(r"^[ \t]*extern\s+crate\s+\w+\s*;", re.MULTILINE)
_MACRO = re.compile(r"^[ \t]*macro_rules!\s*(\w+)\s*[{(](.*?)^[ \t]*[})];?[ \t]*$", re.MULTILINE | re.DOTALL)
_USE = re.compile(r"\buse\s+(?:::)?(\w+)\s*(?:::|;)([^;]*);?")
# Attributes by which code could run before the tests, or replace the functions that report results.
_EXPORTED = re.compile(r"#\s*\[\s*(?:unsafe\s*\(\s*)?no_mangle\s*\)?\s*\]")
_LINKED = re.compile(r"\b(no_mangle|link_section|export_name|global_asm)\b")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, contains no test, or uses a crate that is not installed.
    """
    text, solution, language = file.text, file.solution, file.language
    text = _EXTERN.sub("", _INNER.sub("", text))
    root = parse(text.encode(errors="replace"), "rust").root_node
    if root.has_error or any(node.type in ("expression_statement", "let_declaration") for node in root.named_children):
        uses = re.findall(r"^use [^;]*;", text, re.MULTILINE)
        text = "\n".join([*uses, "fn main() {", re.sub(r"^use [^;]*;", "", text, flags=re.MULTILINE), "}"])
        root = parse(text.encode(errors="replace"), "rust").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are not valid Rust")
    body = _of_crate(text, frozenset(re.findall(r"\b(?:fn|struct|enum|trait|type|const|static|mod)\s+(\w+)", solution)))
    making = frozenset(name for name, macro in _MACRO.findall(body) if "#[test]" in macro)
    if making and re.search(r"#\[\s*(?:should_panic|ignore)", " ".join(macro for _, macro in _MACRO.findall(body))):
        raise SuiteRefusedError("not_verifiable", "a macro makes tests that have to panic, or are ignored", "language")
    root = parse(body.encode(errors="replace"), "rust").root_node
    kept: list[str] = []
    tests = list(_tests(root.named_children, "", kept, making))
    main = next((node for node in root.named_children if node.type == "function_item" and name_of(node) == "main"), None)
    if not tests and main:
        kept = [item for item in kept if item != text_of(main)]
        tests = list(_statements(main, "\n".join(kept)))
        if len(tests) > 1 and (file.as_one or keeps_state(solution, language)):
            tests = [_main_test(main)]
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    return Suite(language, tuple(tests), "\n".join(kept))


def _of_crate(text: str, names: frozenset[str]) -> str:
    """The text with the solution's crate, whatever its name, as `crate`."""
    modules = set(re.findall(r"\bmod\s+(\w+)", text))

    def crate(match: re.Match[str]) -> str:
        name = match[1]
        if name in _CRATES or name in modules or name in names:
            return match[0]
        used = set(re.findall(r"\w+", match[2])) - {"self", "as"}
        if not used & names and "*" not in match[2]:
            raise SuiteRefusedError(
                "not_verifiable", f"the tests use the crate {name!r}, which is not installed here", "third_party"
            )
        return re.sub(rf"(use\s+(?:::)?){name}\b", r"\1crate", match[0])

    return _USE.sub(crate, text)


def _tests(nodes: Sequence[Node], module: str, kept: list[str], making: frozenset[str]) -> Iterator[Test]:
    """The tests among the items of a module, those that a macro of the tests makes too; all else is kept for each of them."""
    marks: list[str] = []
    for node in nodes:
        text = text_of(node)
        if node.type == "attribute_item":
            marks.append(text)
            continue
        attributes = " ".join(marks)
        if node.type == "function_item" and re.search(r"#\[\s*test\s*\]", attributes):
            others = [mark for mark in marks if re.search(r"should_panic|ignore", mark)]
            yield Test(name_of(node), "function", "\n".join([*others, "#[test]", text]))
        elif node.type == "mod_item" and (body := node.child_by_field_name("body")) and "#[test]" in text:
            yield from _tests(body.named_children, name_of(node), kept, making)
        elif (called := _invoked(node)) is not None and text_of(called.child_by_field_name("macro")) in making:
            kept.append(text)
            for name in _functions_of_macro(called):
                yield Test(f"made_{name}", "statements", f"{name}();", f"{name}();")
        elif node.type == "macro_definition":
            kept.append(re.sub(r"#\[\s*test\s*\]", "", text))
        elif node.type not in ("line_comment", "block_comment") and not re.match(r"use\s+super::\*\s*;", text):
            kept.append("\n".join([*(mark for mark in marks if "cfg(test)" not in mark), text]))
        marks = []


def _invoked(node: Node) -> Node | None:
    """The use of a macro that an item is."""
    if node.type == "expression_statement" and node.named_children:
        node = node.named_children[0]
    return node if node.type == "macro_invocation" else None


def _functions_of_macro(called: Node) -> list[str]:
    """The functions that a macro makes by the names it is given: those before a colon or an arrow, or else the first."""
    tokens = [token for part in called.children if part.type == "token_tree" for token in part.children]
    named = [text_of(token) for token, after in pairwise(tokens) if token.type == "identifier" and text_of(after) in (":", "=>")]
    if names := named or [text_of(token) for token in tokens if token.type == "identifier"][:1]:
        return names
    raise SuiteRefusedError("not_verifiable", "the names of the tests that a macro makes are not known", "language")


def _statements(main: Node, preamble: str) -> Iterator[Test]:
    """Statements of `main` that can fail, each with those before it."""
    own = {
        name
        for name, text in re.findall(r"fn (\w+)\(\)[^{]*(\{.*?^\})", preamble, re.MULTILINE | re.DOTALL)
        if _ASSERTS.search(text)
    }
    before: list[str] = []
    body = main.child_by_field_name("body")
    for number, statement in enumerate(body.named_children if body else ()):
        text = text_of(statement)
        called = re.match(r"(\w+)\(\)\s*;?$", text)
        if statement.type in ("line_comment", "block_comment") or re.match(r"e?print(ln)?!", text):
            continue
        if statement.type != "let_declaration" and (_ASSERTS.search(text) or (called and called[1] in own)):
            whole = "\n".join([*before, text])
            yield Test(f"main_{number}", "statements", f"fn main() {{\n{whole}\n}}", whole)
            # A plain assertion changes nothing, so that later tests need not come after it.
            plain = re.match(r"(assert\w*!|for\b|if\b|match\b|\{)", text)
            if not (plain or called) or may_change(text, before):
                before.append(text)
        else:
            before.append(text)


def _main_test(main: Node) -> Test:
    """All of `main` as one test."""
    body = text_of(main.child_by_field_name("body"))
    return Test("main_0", "statements", f"fn main() {body}", body)


def joined(suites: Sequence[Suite]) -> Suite:
    """Combine several texts into one suite: helpers once, tests of the same name with a number."""
    tests: list[Test] = []
    for test in (test for suite in suites for test in suite.tests):
        same = any(earlier.name == test.name for earlier in tests)
        name = f"{test.name}_{len(tests)}" if same else test.name
        tests.append(
            replace(test, name=name, text=re.sub(rf"\bfn {test.name}\b", f"fn {name}", test.text) if same else test.text)
        )
    preamble = "\n".join(dict.fromkeys(line for suite in suites for line in suite.preamble.split("\n\n")))
    return replace(suites[0], tests=tuple(tests), preamble=preamble)


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """One program with the tests for each of several solutions, every pair in a separate module."""
    # A random name, so that no program can call the harness and report results itself.
    hidden = f"tests_{secrets.token_hex(8)}"
    parts = ["#![allow(warnings)]"]
    table = []
    for number, program in enumerate(programs):
        parts += [f"//variant {number}", f"mod v{number} {{", _as_module(_without_unsafe_attributes(program), number)]
        parts += [f"pub mod {hidden} {{", "use super::*;", _as_module(_qualify_macros(suite.preamble), number)]
        for index, test in enumerate(suite.tests):
            text = _qualify_macros(_as_module(test.run or test.text, number))
            if test.kind == "statements":
                text = f"fn {test.name}() {{\n{text}\n}}"
            kind = _kind(test.text) if test.kind == "function" else "Plain"
            text = re.sub(r"#\[(?:test|should_panic[^\]]*|ignore[^\]]*)\]\n?", "", text)
            result = "::std::result::Result<(), String>"
            parts.append(f"{text}\npub fn run_{index}() -> {result} {{ use crate::{hidden}::Finish; {test.name}().finish() }}")
            table.append(
                f"({number}, {index}, {hidden}::Kind::{kind}, v{number}::{hidden}::run_{index} as fn() -> Result<(), String>),"
            )
        parts += ["}", "}"]
    head, _, tail = harness().replace("HIDDEN", hidden).partition("//TABLE")
    return "\n".join([*parts, "//variant -1", head, *table, tail]), {}


def _kind(text: str) -> str:
    head = text.partition("fn ")[0]
    if "#[ignore" in head:
        return "Ignored"
    panics = re.search(
        r'#\[should_panic(?:\s*\(\s*expected\s*=\s*("(?:[^"\\]|\\.)*")\s*\)|\s*=\s*("(?:[^"\\]|\\.)*"))?\s*\]', head
    )
    return f"Panics({panics[1] or panics[2] or chr(34) * 2})" if panics else "Plain"


def _without_unsafe_attributes(program: str) -> str:
    text = _LINKED.sub(r"\1_is_not_allowed_here", _EXPORTED.sub("", _INNER.sub("", program)))
    return re.sub(r"\bfn\s+main\s*\(", "fn main_of_the_program(", text)


def _as_module(text: str, number: int) -> str:
    """The text as part of a module: its crate is the module."""
    return re.sub(r"\bcrate::", f"crate::v{number}::", text)


def _qualify_macros(text: str) -> str:
    """Macros of the standard library, whatever the program defines."""
    return _MACROS.sub(r"::std::\1!", text)


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    return Path(__file__).with_name("rust.rs").read_text("utf-8")


LANGUAGE = SuiteLanguage(read, sources, joined=joined)
