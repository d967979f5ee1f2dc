"""Ruby: RSpec's and minitest's examples, minitest's and test-unit's classes, and plain statements that raise or assert."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import GUARD
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile
from hf_oss_instruct.verification.suites.whole_files import alone

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = "TestsOfOurs"
_ASSERTS = re.compile(r"\b(assert\w*|refute\w*|raise|abort|fail)\b")
_REQUIRED = re.compile(r"^[ \t]*require(_relative)?[ (]+['\"]([^'\"]+)['\"]\)?.*$", re.MULTILINE)
# `exit(failures > 0 ? 1 : 0)` at the end, with a value that was computed.
_EXIT = re.compile(r"exit!?[ (]\s*((?!\d*\s*\)?$|true|false).+?)\)?$", re.DOTALL)
# How helpers count failures: `$failed += 1`, `errors << …`, `ok = false`.
_COUNTS = re.compile(r"[-+]=|<<|=\s*(?:true|false)\b")
_GROUPS = frozenset("describe context feature shared_examples shared_examples_for shared_context".split())
_EXAMPLES = frozenset({"it", "specify", "example", "xit", "scenario"})
# The numbers by which the harness knows tests: `joined` changes them.
_NUMBER = re.compile(rf"({HIDDEN}\.now\(|\b(?:example_of_ours|skipped_example)[( ])(\d+)")
# Files that do not exist here: frameworks and their helpers, and the program, which is loaded already.
_FRAMEWORK = re.compile(r"minitest|test/unit|test-unit|rspec|^\.|spec_helper|rails_helper|test_helper")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, or contains no test.
    """
    text, language = file.text, file.language
    text = _REQUIRED.sub(lambda match: "" if match[1] or _FRAMEWORK.search(match[2]) else match[0], text)
    source = text.encode(errors="replace")
    root = parse(source, "ruby").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are not valid Ruby")
    reader = _Reader(root)
    for node in root.named_children:
        reader.statement(node)
    if not reader.tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    listed = alone(reader.tests, source, reader.spans)
    for start, end, new in sorted(reader.edits, reverse=True):
        source = source[:start] + new.encode() + source[end:]
    return Suite(language, listed, more=(source.decode(errors="replace"),))


class _Reader:
    """Finds the tests of a file, and the changes of its text by which they are run one at a time."""

    def __init__(self, root: Node) -> None:
        self.tests: list[Test] = []
        self.edits: list[tuple[int, int, str]] = []
        self.spans: list[tuple[int, int]] = []
        last = next((text_of(node) for node in reversed(root.named_children) if node.type != "comment"), "")
        counted = _EXIT.match(last)
        self._last = last if counted else ""
        self._closed = f"; raise 'failures were counted' unless [true, 0, nil].include?(({counted[1]}))" if counted else ""
        texts = [text_of(node) for node in root.named_children if node.type == "assignment"]
        self._opened = (
            "; ".join(text for text in texts if re.match(r"\$?\w+\s*=\s*(?:0|\[\]|true|false)$", text)) if counted else ""
        )
        self._methods = {
            _method(node) for node in root.named_children
            if node.type == "method" and (_ASSERTS.search(text_of(node)) or (counted and _COUNTS.search(text_of(node))))
        }  # fmt: skip
        self._lambdas = {
            match[1] for text in texts if (match := re.match(r"(\w+)\s*=\s*(?:->|lambda\b|proc\b|Proc\.new)", text))
            and (_ASSERTS.search(text) or (counted and _COUNTS.search(text)))
        }  # fmt: skip

    def statement(self, node: Node, module: str = "") -> None:
        text, called = text_of(node), text_of(node.child_by_field_name("method")) if node.type == "call" else ""
        if node.type == "if" and GUARD.search(text_of(node.child_by_field_name("condition"))):
            condition, body = node.child_by_field_name("condition"), node.child_by_field_name("consequence")
            if condition and body:
                # The file is not the main program here, but its tests are in this block.
                self.edits.append((condition.start_byte, condition.end_byte, "true"))
                for child in body.named_children:
                    self.statement(child)
        elif node.type == "module" and (inner := node.child_by_field_name("body")):
            for child in inner.named_children:
                if child.type in ("class", "module"):
                    self.statement(child, f"{module}{text_of(node.child_by_field_name('name'))}::")
        elif node.type == "class":
            self._case(node, module)
        elif called in _GROUPS and node.child_by_field_name("block"):
            self._examples(node)
        elif text == self._last:
            self.edits.append((node.start_byte, node.end_byte, ""))
        elif node.type not in ("method", "module", "comment", "assignment") and (
            _ASSERTS.search(text)
            or re.match(r"\w*[?!]?", text)[0] in self._methods  # type: ignore[index]
            or ((match := re.match(r"(\w+)(?:\.call\b|\.\(|\[)", text)) and match[1] in self._lambdas)
        ):
            whole = f"{self._opened}\n{text}\n{self._closed}" if self._closed else text
            self.edits.append((node.start_byte, node.end_byte, f"{HIDDEN}.now({len(self.tests)}, lambda {{ {whole}\n }})"))
            self.tests.append(Test(str(len(self.tests)), "statements", text))
            self.spans.append((node.start_byte, node.end_byte))

    def _case(self, node: Node, module: str) -> None:
        owner = module + text_of(node.child_by_field_name("name"))
        body = node.child_by_field_name("body")
        if not re.search(r"Test", text_of(node.child_by_field_name("superclass"))) or body is None:
            return
        for method in body.named_children:
            name = _method(method) if method.type == "method" else _test_of_block(method)
            if name.startswith("test"):
                self.tests.append(Test(f"{owner}.{name}", "method", text_of(method)))
                self.spans.append((method.start_byte, method.end_byte))

    def _examples(self, group: Node) -> None:
        """The examples of a group get a number, by which the harness knows them; those of a loop share one."""
        stack = [group]
        while stack:
            node = stack.pop()
            called = node.child_by_field_name("method") if node.type == "call" else None
            if called is not None and text_of(called) in _EXAMPLES and node.child_by_field_name("receiver") is None:
                open_ = (node.text or b"")[called.end_byte - node.start_byte :].lstrip()[:1] == b"("
                end = called.end_byte + (1 if open_ else 0)
                arguments = node.child_by_field_name("arguments")
                separator = ", " if arguments and arguments.named_children else ""
                word = (
                    "skipped_example"
                    if text_of(called).startswith("x") or not node.child_by_field_name("block")
                    else "example_of_ours"
                )
                number = f"{len(self.tests)}{separator}"
                new = f"{word}({number}" if open_ else f"{word} {number}" if arguments else f"{word}({number})"
                self.edits.append((called.start_byte, end, new))
                self.tests.append(Test(str(len(self.tests)), "example", text_of(node)))
                self.spans.append((node.start_byte, node.end_byte))
            else:
                stack.extend(reversed(node.children))


def _test_of_block(node: Node) -> str:
    """The method that the harness defines for `test "name" do …`; empty for other statements."""
    called, arguments = text_of(node.child_by_field_name("method")), node.child_by_field_name("arguments")
    if node.type != "call" or called != "test" or arguments is None or node.child_by_field_name("block") is None:
        return ""
    return f"test: {text_of(arguments.named_children[0])[1:-1]}" if arguments.named_children else ""


def _method(node: Node) -> str:
    return text_of(node.child_by_field_name("name"))


def joined(suites: Sequence[Suite]) -> Suite:
    """Combine several texts into one suite, one after the other; a class in several of them is reopened."""
    tests: list[Test] = []
    parts = []
    for suite in suites:
        moved = len(tests)
        text = _NUMBER.sub(lambda match: f"{match[1]}{int(match[2]) + moved}", suite.more[0])  # noqa: B023
        for test in suite.tests:
            if test.kind == "method" and any(earlier.name == test.name for earlier in tests):
                method = test.name.rpartition(".")[2]
                text = re.sub(rf"\bdef {re.escape(method)}(?!\w)", f"def {method}_{len(tests)}", text)
                test = replace(test, name=f"{test.name}_{len(tests)}")
            tests.append(test)
        parts.append(text)
    return replace(suites[0], tests=tuple(tests), more=("\n".join(parts),))


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """The program that runs tests against each of several solutions, and its files."""
    # A random name, so that no program can call the harness and report results itself.
    hidden = f"Tests{secrets.token_hex(8)}"
    listed = [
        [index, *(test.name.split(".", 1) if test.kind == "method" else ())]
        for index, test in enumerate(suite.tests)
        if test.kind != "statements"
    ]
    files = {f"v{number}.rb": program.encode() for number, program in enumerate(programs)}
    files["t.rb"] = suite.more[0].replace(HIDDEN, hidden).encode()
    return harness().replace("HIDDEN", hidden).replace("JSON_OF_TESTS", json.dumps(listed)), files


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    text = Path(__file__).with_name("ruby.rb").read_text("utf-8")
    for part in ("rspec", "doubles"):
        text = text.replace(f"#{part.upper()}\n", Path(__file__).with_name(f"ruby_{part}.rb").read_text("utf-8"))
    return text


LANGUAGE = SuiteLanguage(read, sources, joined=joined)
