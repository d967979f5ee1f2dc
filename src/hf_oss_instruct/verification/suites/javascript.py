"""JavaScript and TypeScript: plain asserts, `node:test`, and tests as jest, vitest, mocha and chai have them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile, may_change
from hf_oss_instruct.verification.suites.javascript_modules import HIDDEN, as_script, with_bound_imports
from hf_oss_instruct.verification.suites.whole_files import alone

if TYPE_CHECKING:
    from tree_sitter import Node

_CALLED = re.compile(rf"{HIDDEN}\.(test|now)\((\d+)")
_TESTS = frozenset({"test", "it", "specify"})
_ASSERTS = re.compile(r"\b(console\.)?assert\b|\bexpect\s*\(|\bthrow\b|\bt\.(is|equal|deepEqual)\b")
_CONSOLE_ASSERT = re.compile(r"\bconsole\s*\.\s*assert\s*\(")
"""It only prints where it fails, so that a test of it would always pass."""
# Exit codes are not trusted: `_counting_check` makes exceptions of them.
_EXITS = re.compile(r"\bprocess\s*\.\s*exit\s*\([^)]*\)|\bprocess\s*\.\s*exitCode\s*=\s*[^;}\n]+")
# How helpers count: `failed++`, `passed += 1`, `errors.push(…)`.
_WATCHED = re.compile(r"(\w+)\s*(?:\+\+|--|[-+]?=(?!=))|(?:\+\+|--)\s*(\w+)|(\w+)\.push\(")
_GIVEN = "test it specify describe suite context before beforeAll after afterAll beforeEach afterEach expect assert jest vi chai"
"""What frameworks define for every test file."""
# Conditions that are true if the file is the main program.
_MAIN = re.compile(r"require\.main\s*===?\s*module|import\.meta")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, or contains no test.
    """
    text, language = file.text, file.language
    root = parse(text.encode(errors="replace"), language).root_node
    if root.has_error and not re.search(r"\bawait\b", text):
        raise SuiteRefusedError("tests_missing", f"the tests are not valid {language}")
    source = text.encode(errors="replace")
    edits: list[tuple[int, int, str]] = []
    tests: list[Test] = []
    spans: list[tuple[int, int]] = []
    functions = {name: text_of(node) for node in root.named_children if (name := _defined(node))}
    statements = [node for node in _statements(root) if node.type != "comment"]
    tail, watched = _counting_check(statements, functions)
    helpers = {name for name, body in functions.items() if _ASSERTS.search(body) or watched & _changed(body)}
    for node in statements[:-1] if tail else statements:
        _statement(node, helpers, tests, edits, spans, (tail, sorted(watched)))
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    changing: frozenset[int] = frozenset()
    if not tail and {test.kind for test in tests} == {"statements"}:
        declared = [
            declaration
            for declaration in map(text_of, statements)
            if re.match(r"(?:const|let|var)\b(?!.*\brequire\()", declaration)
        ]
        changing = frozenset(index for index, test in enumerate(tests) if may_change(test.text, declared))
        if file.as_one and len(tests) > 1:
            (start, _), (_, end) = spans[0], spans[-1]
            script = source[start:end].decode(errors="replace")
            opening = "async () => {" if re.search(r"\bawait\b", script) else "() => {"
            edits = [*(edit for edit in edits if edit[1] <= start), (start, end, f"{HIDDEN}.now(0, {opening}\n{script}\n}});")]
            tests, spans = [Test("0", "statements", script)], [(start, end)]
    listed = alone(tests, source, spans, changing)
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new.encode() + source[end:]
    changed = _CONSOLE_ASSERT.sub(f"{HIDDEN}.its.assert(", source.decode(errors="replace"))
    return Suite(language, listed, more=(changed,))


def _defined(node: Node) -> str:
    """The name of the function that a statement defines; empty if it defines none."""
    if node.type == "function_declaration":
        return text_of(node.child_by_field_name("name"))
    declared = next((child for child in node.named_children if child.type == "variable_declarator"), None)
    value = declared.child_by_field_name("value") if declared else None
    is_function = value is not None and value.type in ("arrow_function", "function_expression")
    return text_of(declared.child_by_field_name("name")) if declared and is_function else ""


def _statements(root: Node) -> Iterator[Node]:
    """The top-level statements, also those that only run where the file is the program."""
    for node in root.named_children:
        if node.type == "if_statement" and _MAIN.search(text_of(node.child_by_field_name("condition"))):
            body = node.child_by_field_name("consequence")
            yield from body.named_children if body else ()
        else:
            yield node


def _changed(text: str) -> set[str]:
    """The names of variables that a text changes."""
    return {next(filter(None, found)) for found in _WATCHED.findall(text)}


def _counting_check(statements: Sequence[Node], functions: dict[str, str]) -> tuple[str, frozenset[str]]:
    """The last statement if it fails by what helpers counted, as one that throws, and the variables that they count in."""
    text = text_of(statements[-1]) if statements else ""
    counted = {name for body in functions.values() for name in _changed(body)} & set(re.findall(r"\w+", text))
    if not counted or statements[-1].type != "if_statement" or not (_EXITS.search(text) or re.search(r"\bthrow\b", text)):
        return "", frozenset()
    return _EXITS.sub("throw new Error('failures were counted')", text), frozenset(counted)


def _statement(
    node: Node,
    helpers: set[str],
    tests: list[Test],
    edits: list[tuple[int, int, str]],
    spans: list[tuple[int, int]],
    counting: tuple[str, list[str]],
) -> None:
    call = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
    name = text_of(_callee(call))
    if framework := list(_framework_calls(node)):
        for callee, of_test in framework:
            edits.append((callee.start_byte, callee.end_byte, f"{HIDDEN}.test({len(tests)})"))
            tests.append(Test(_name(of_test) or str(len(tests)), "function", text_of(of_test)))
            whole = of_test.parent if of_test.parent and of_test.parent.type == "expression_statement" else of_test
            spans.append((whole.start_byte, whole.end_byte))
    elif node.type in (
        "function_declaration",
        "class_declaration",
        "import_statement",
        "comment",
        "empty_statement",
        "export_statement",
    ):
        return
    elif node.type in ("lexical_declaration", "variable_declaration"):
        return
    elif _ASSERTS.search(text_of(node)) or name in helpers:
        tail, counted = counting
        run = _wait(f"return {text_of(call)};" if call is not None else text_of(node))
        if counted:  # every test has its own count
            names = ", ".join(counted)
            run = f"const before = [{names}]; try {{ {text_of(node)}\n{tail} }} finally {{ [{names}] = before; }}"
        edits.append((node.start_byte, node.end_byte, f"{HIDDEN}.now({len(tests)}, () => {{ {run} }});"))
        tests.append(Test(str(len(tests)), "statements", text_of(node)))
        spans.append((node.start_byte, node.end_byte))


def _framework_calls(node: Node) -> Iterator[tuple[Node, Node]]:
    """The calls of `test` and `it` in a statement, also those in groups and loops: the word, and the whole call."""
    if node.type in ("function_declaration", "class_declaration", "import_statement"):
        return
    stack = [node]
    while stack:
        current = stack.pop()
        callee = _callee(current) if current.type == "call_expression" else None
        if callee is not None and callee.type == "identifier" and text_of(callee) in _TESTS:
            yield callee, current
        else:
            stack.extend(reversed(current.children))


def _wait(text: str) -> str:
    return text.replace("return await ", "return ", 1)


def _callee(call: Node | None) -> Node | None:
    """The first word of the called expression."""
    while call is not None and call.type in ("call_expression", "member_expression", "await_expression"):
        call = call.child_by_field_name("function") or call.child_by_field_name("object") or next(iter(call.named_children), None)
    return call


def _name(call: Node) -> str:
    arguments = call.child_by_field_name("arguments")
    first = next(iter(arguments.named_children), None) if arguments else None
    return text_of(first).strip("'\"`") if first is not None and "string" in first.type else ""


def joined(suites: Sequence[Suite]) -> Suite:
    """Combine several texts into one suite, each in a separate block."""
    tests: list[Test] = []
    parts = []
    for suite in suites:
        moved = len(tests)
        text = _CALLED.sub(functools.partial(_moved, moved), suite.more[0])
        # A block, since several texts may declare the same names.
        parts.append(f"{{\n{text}\n}}")
        tests += suite.tests
    return Suite(suites[0].language, tuple(tests), more=("\n".join(parts),))


def _moved(by: int, match: re.Match[str]) -> str:
    return f"{HIDDEN}.{match[1]}({int(match[2]) + by}"


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """The program that runs tests against each of several solutions, and its files."""
    suffix = "ts" if suite.language == "typescript" else "js"
    files = {f"v{number}.{suffix}": _wrapped(suite, program).encode() for number, program in enumerate(programs)}
    if suffix == "js":
        return harness(), files
    files["harness.js"] = harness().encode()
    # One compilation of all variants: tsc compiles what is referenced.
    referred = "".join(f'/// <reference path="v{number}.ts" />\n' for number in range(len(programs)))
    return f'{referred}declare var require: any;\nrequire("./harness.js");\n', files


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    return Path(__file__).with_name("javascript.js").read_text("utf-8")


def _wrapped(suite: Suite, program: str) -> str:
    typed = ": any" if suite.language == "typescript" else ""
    solution, tests = as_script(program), with_bound_imports(suite.more[0], program)
    names = _GIVEN.split()
    parameters = ", ".join(f"{name}{typed}" for name in [*names, "require"])
    own = ", ".join([*(f"{HIDDEN}.its.{name}" for name in names), f"{HIDDEN}.its.require"])
    head = f"(function (exports{typed}, require{typed}, module{typed}, __names{typed}, {HIDDEN}{typed}) {{"
    return f"{head}\n{solution}\n;(function ({parameters}) {{ {{\n{tests}\n}} }})({own});\n}})\n"


LANGUAGE = SuiteLanguage(read, sources, joined=joined)
