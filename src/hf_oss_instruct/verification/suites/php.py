"""PHP: PHPUnit's classes, Pest's functions, and plain statements that assert or throw."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile
from hf_oss_instruct.verification.suites.whole_files import alone, renamed

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = "TestsOfOurs"
_ASSERTS = re.compile(r"\b(assert|throw|exit|die|trigger_error)\b")
# Lines that cannot stay: the harness loads the files, and all names are global.
_DROPPED = re.compile(
    r"^[ \t]*(?:use\s+PHPUnit\\[^;]*;|(?:require|include)(?:_once)?\b[^;]*;|declare\s*\([^)]*\)\s*;|"
    r"namespace\s+[\w\\]+\s*;|use\s+(?:function\s+|const\s+)?[\w\\]+(?:\{[^}]*\})?;)[ \t]*$",
    re.MULTILINE,
)
_NAMESPACE = re.compile(r"^[ \t]*namespace\s+([\w\\]+)\s*;", re.MULTILINE)
# The function itself, not a method or a longer name.
_ASSERT = re.compile(r"(?<![\w>:$\\])\\?assert\s*\(")
_EXTENDS = re.compile(r"extends\s+\\?(?:PHPUnit\\Framework\\)?TestCase\b")
# `exit($failures > 0);`, with a value that was computed.
_EXIT = re.compile(r"exit\s*\(((?!\s*\d*\s*\)).+)\)\s*;", re.DOTALL)
# How helpers count failures: `$failed++`, `$errors[] = …`, `$ok = false`.
_COUNTS = re.compile(r"\+\+|\+=|\[\]\s*=|=\s*(?:true|false)\b")
# Annotations in comments, and the attributes that replaced them.
_PROVIDER = re.compile(r"@dataProvider\s+(?:\w+::)?(\w+)|#\[\\?(?:[\w\\]*\\)?DataProvider\(\s*['\"](\w+)['\"]")
_WITH = re.compile(r"@testWith\s+((?:[\s*]*\[.*\][ \t]*\n?)+)")
_WITH_ATTRIBUTE = re.compile(r"#\[\\?(?:[\w\\]*\\)?TestWith\((\[.*\])\)\]")
_DEPENDS = re.compile(r"@depends\s+(?:clone\s+|shallowClone\s+)?(\w+)|#\[\\?(?:[\w\\]*\\)?Depends\(\s*['\"](\w+)['\"]")
_PEST = re.compile(r"(?<![\w>:$\\])(it|test|describe|expect|beforeEach|afterEach)\s*\((?=.)")
_TAG = re.compile(r"^\s*<\?php\b|\?>\s*\Z")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, or contains no test.
    """
    text, language = file.text, file.language
    text = _DROPPED.sub("", "<?php\n" + _TAG.sub("", text))
    pest = re.search(r"^(it|test|describe)\s*\(\s*['\"]", text, re.MULTILINE)
    source = text.encode(errors="replace")
    root = parse(source, "php").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are not valid PHP")
    tests: list[Test] = []
    edits: list[tuple[int, int, str]] = []
    spans: list[tuple[int, int]] = []
    helpers = {
        text_of(node.child_by_field_name("name"))
        for node in root.named_children
        if node.type == "function_definition" and _ASSERTS.search(text_of(node))
    }
    statements = [node for node in root.named_children if node.type.endswith("_statement")]
    counted = _EXIT.match(text_of(statements[-1])) if statements else None
    if counted:  # helpers count failures, and the last statement says whether there were any
        edits.append((statements[-1].start_byte, statements[-1].end_byte, ""))
        helpers |= {
            text_of(node.child_by_field_name("name")) for node in root.named_children
            if node.type == "function_definition" and _COUNTS.search(text_of(node))
        }  # fmt: skip
        opened = " ".join(text for text in map(text_of, statements) if re.match(r"\$\w+\s*=\s*(?:0|\[\]|true|false)\s*;", text))
        closed = f"if ((int) ({counted[1]})) throw new \\Exception('failures were counted');"
    for node in root.named_children:
        text = text_of(node)
        if counted and node == statements[-1]:
            continue
        if node.type == "class_declaration" and _EXTENDS.search(text.partition("{")[0]):
            _methods(node, tests, edits, spans)
        elif node.type.endswith("_statement") and (
            _ASSERTS.search(text)
            or text.partition("(")[0].strip() in helpers
            or (pest and re.match(r"(it|test|describe)\s*\(", text))
        ):
            text_run = f"{opened} {text} {closed}" if counted else text
            edits.append(
                (
                    node.start_byte,
                    node.end_byte,
                    f"\\{HIDDEN}\\Ours::now({len(tests)}, function () {{ {_globals(text_run)} {text_run} }});",
                )
            )
            tests.append(Test(str(len(tests)), "statements", text))
            spans.append((node.start_byte, node.end_byte))
    if not tests and counted:  # a class of tests runs itself
        node = statements[-1]
        edits[0] = (node.start_byte, node.end_byte, f"\\{HIDDEN}\\Ours::now(0, function () {{ {_globals(closed)} {closed} }});")
        tests.append(Test("0", "statements", text_of(node)))
        spans.append((node.start_byte, node.end_byte))
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    listed = alone(tests, source, spans)
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new.encode() + source[end:]
    changed = _EXTENDS.sub(lambda match: f"extends \\{HIDDEN}\\Base", source.decode(errors="replace"))
    if pest:
        changed = _PEST.sub(lambda match: f"\\{HIDDEN}\\Pest::{match[0]}", changed)
    return Suite(language, listed, more=(_ASSERT.sub(lambda match: f"\\{HIDDEN}\\Ours::check(", changed),))


def _globals(text: str) -> str:
    return " ".join(f"global {name};" for name in sorted(set(re.findall(r"\$\w+", text)) - {"$this"}))


def _methods(node: Node, tests: list[Test], edits: list[tuple[int, int, str]], spans: list[tuple[int, int]]) -> None:
    owner, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("body")
    for method in body.named_children if body else ():
        name = text_of(method.child_by_field_name("name"))
        before = method.prev_named_sibling
        comment = text_of(before) if before and before.type == "comment" else ""
        marks = comment + text_of(method).partition("function")[0]
        if method.type == "method_declaration" and (
            name.startswith("test") or re.search(r"@test\b|#\[\\?(?:[\w\\]*\\)?Test\b", marks)
        ):
            match = _PROVIDER.search(marks)
            provider = match[1] or match[2] if match else ""
            if body and (rows := _rows(marks)):
                provider = f"rowsOf{HIDDEN}{len(tests)}"
                made = f"\npublic static function {provider}(): array {{ return [{', '.join(rows)}]; }}\n"
                edits.append((method.end_byte, method.end_byte, made))
            producers = ",".join(one or other for one, other in _DEPENDS.findall(marks))
            tests.append(Test(f"{owner}.{name}.{provider}.{producers}", "method", text_of(method)))
            spans.append((before.start_byte if before and comment else method.start_byte, method.end_byte))


def _rows(marks: str) -> list[str]:
    """The rows of `@testWith`, which are JSON, and of `#[TestWith]`, as PHP writes them."""
    match = _WITH.search(marks)
    listed = re.findall(r"^[\s*]*(\[.*\])[ \t]*$", match[1], re.MULTILINE) if match else []
    return [*(f"json_decode({_quoted(row)}, true)" for row in listed), *_WITH_ATTRIBUTE.findall(marks)]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def one_file(texts: Sequence[str]) -> str:
    """Combine several files into one, with different names for the functions and classes that each declares."""
    parts = []
    for number, text in enumerate(texts):
        body = _TAG.sub("", text)
        root = parse(f"<?php\n{body}".encode(errors="replace"), "php").root_node
        names = [text_of(name) for node in root.named_children if (name := node.child_by_field_name("name"))]
        last = text_of(root.named_children[-1]) if root.named_children else ""
        if number < len(texts) - 1 and _EXIT.match(last):  # the last text says what was counted
            body = body.rstrip().removesuffix(last)
        parts.append(renamed(body, names, number))
    return "\n".join(parts)


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """The program that runs tests against each of several solutions, and its files."""
    # A random name, so that no program can call the harness and report results itself.
    hidden = f"Tests{secrets.token_hex(8)}"
    listed = [
        [index, *test.name.replace(HIDDEN, hidden).split(".", 3)]
        for index, test in enumerate(suite.tests)
        if test.kind == "method"
    ]
    files = {f"v{number}.php": _global(program, programs[0]).encode() for number, program in enumerate(programs)}
    files["t.php"] = _global(suite.more[0].replace(HIDDEN, hidden), programs[0]).encode()
    return harness().replace("HIDDEN", hidden).replace("JSON_OF_TESTS", json.dumps(listed)), files


def _global(text: str, program: str) -> str:
    """A file whose names are all global: tests and program may name the program's namespace, or leave it out."""
    text = _DROPPED.sub("", text)
    if match := _NAMESPACE.search(program):
        text = re.sub(rf"(?<![\w\\])\\?{re.escape(match[1])}\\(?=\w)", r"\\", text)
    return text


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    mocks = Path(__file__).with_name("php_mocks.php").read_text("utf-8")
    return Path(__file__).with_name("php.php").read_text("utf-8").replace("    //MOCKS\n", mocks)


LANGUAGE = SuiteLanguage(read, sources, one_file=one_file)
