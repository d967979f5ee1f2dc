"""Ruby: minitest's and test-unit's classes, and plain statements that raise or assert."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import GUARD
from hf_oss_instruct.verification.suites.core import Suite, SuiteRefusedError, Test

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = "TestsOfOurs"
_ASSERTS = re.compile(r"\b(assert\w*|refute\w*|raise|abort|fail)\b")
_REQUIRED = re.compile(r"^[ \t]*require(_relative)?[ (]+['\"]([^'\"]+)['\"]\)?.*$", re.MULTILINE)
_FRAMEWORK = re.compile(r"minitest|test/unit|test-unit|rspec|^\.")


def read(text: str, solution: str, language: str) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, or holds no test.
    """
    text = _REQUIRED.sub(lambda found: "" if found[1] or _FRAMEWORK.search(found[2]) else found[0], text)
    source = text.encode(errors="replace")
    root = parse(source, "ruby").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are no ruby")
    tests: list[Test] = []
    edits: list[tuple[int, int, str]] = []
    methods = {
        text_of(node.child_by_field_name("name"))
        for node in root.named_children
        if node.type == "method" and _ASSERTS.search(text_of(node))
    }
    for node in _statements(root):
        _statement(node, methods, tests, edits)
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new.encode() + source[end:]
    return Suite(language, tuple(tests), more=(source.decode(errors="replace"),))


def _statements(root: Node) -> list[Node]:
    found: list[Node] = []
    for node in root.named_children:
        if node.type == "if" and GUARD.search(text_of(node.child_by_field_name("condition"))):
            body = node.child_by_field_name("consequence")
            found += body.named_children if body else []
        else:
            found.append(node)
    return found


def _statement(node: Node, methods: set[str], tests: list[Test], edits: list[tuple[int, int, str]]) -> None:
    text = text_of(node)
    if node.type == "class":
        owner = text_of(node.child_by_field_name("name"))
        body = node.child_by_field_name("body")
        if not re.search(r"Test", text_of(node.child_by_field_name("superclass"))) or body is None:
            return
        others = [one for one in body.named_children if one.type != "method" or not _method(one).startswith("test")]
        for method in body.named_children:
            if method.type == "method" and _method(method).startswith("test"):
                inner = "\n\n  ".join(map(text_of, [*others, method]))
                head = text_of(node)[: body.start_byte - node.start_byte].rstrip()
                tests.append(Test(f"{owner}.{_method(method)}", "method", f"{head}\n  {inner}\nend\n"))
    elif node.type not in ("method", "module", "comment", "assignment") and (
        _ASSERTS.search(text) or text.partition("(")[0].strip() in methods
    ):
        edits.append((node.start_byte, node.end_byte, f"{HIDDEN}.now({len(tests)}, lambda {{ {text}\n }})"))
        tests.append(Test(str(len(tests)), "statements", text))


def _method(node: Node) -> str:
    return text_of(node.child_by_field_name("name"))


def joined(suites: Sequence[Suite]) -> Suite:
    """One suite of several texts."""
    tests: list[Test] = []
    parts = []
    for suite in suites:
        text = suite.more[0]
        for at in reversed(range(len(suite.tests))):
            text = text.replace(f"{HIDDEN}.now({at},", f"{HIDDEN}.now({at + len(tests)},")
        parts.append(text)
        tests += suite.tests
    return replace(suites[0], tests=tuple(tests), more=("\n".join(parts),))


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """The program that runs tests against each of several solutions, and its files."""
    hidden = f"Tests{secrets.token_hex(8)}"
    listed = [[at, *test.name.split(".", 1)] for at, test in enumerate(suite.tests) if test.kind == "method"]
    files = {f"v{number}.rb": program.encode() for number, program in enumerate(programs)}
    files["t.rb"] = suite.more[0].replace(HIDDEN, hidden).encode()
    return harness().replace("HIDDEN", hidden).replace("JSON_OF_TESTS", json.dumps(listed)), files


@cache
def harness() -> str:
    """What runs tests and says what each came to."""
    return Path(__file__).with_name("ruby.rb").read_text("utf-8")
