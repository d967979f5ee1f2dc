"""The calls of JUnit's test methods: with arguments, between the methods before and after them, in nested classes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.verification.suites.java_rows import INJECTED, kinds_of, rows_of

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = "TestsOfOurs"
"""The harness in the text of tests; programs get a random name instead."""
_FIRST = re.compile(r"@(BeforeAll|BeforeClass)\b")
_TEST = re.compile(r"@(Test|ParameterizedTest|RepeatedTest|TestFactory)\b")
_BEFORE = re.compile(r"@(BeforeEach|Before)\b")
_AFTER = re.compile(r"@(AfterEach|After)\b")
# JUnit 4's way to expect an exception.
_RULE = re.compile(r"\bExpectedException\s+(\w+)\s*=")
_METHODS = re.compile(r'@MethodSource\b(?:\(\s*"([\w.#]+)"\s*\))?')


def test_calls(node: Node, it: str, before: list[str]) -> Iterator[tuple[str, Node, str]]:
    """Name, method and call of each test of a class, those of nested classes too.

    Args:
        node: the class.
        it: prefix of calls of its methods: the name of an object and a dot, or nothing for `this`.
        before: statements that precede each call, which set up the classes around this one.
    """
    body = node.child_by_field_name("body")
    members = body.named_children if body else []
    marked = {method: _annotations(method) for method in members if method.type == "method_declaration"}
    if re.search(r"\bTestCase$", text_of(node.child_by_field_name("superclass"))):  # JUnit 3, which goes by names
        named = {"setUp": "@Before", "tearDown": "@After"}
        marked = {
            method: [*marks, "@Test" if name_of(method).startswith("test") else named.get(name_of(method), "")]
            for method, marks in marked.items()
        }
    opening = [f"{it}{name_of(method)}();" for method, marks in marked.items() if any(map(_FIRST.match, marks))]
    opening += [f"{it}{name_of(method)}();" for method, marks in marked.items() if any(map(_BEFORE.match, marks))]
    closing = " ".join(f"{it}{name_of(method)}();" for method, marks in marked.items() if any(map(_AFTER.match, marks)))
    rule = next(
        (match[1] for member in members if member.type == "field_declaration" and (match := _RULE.search(text_of(member)))), ""
    )
    for method, marks in marked.items():
        test = next((mark for mark in marks if _TEST.match(mark)), None)
        if test is None:
            continue
        called = " ".join(f"{{ {' '.join([*before, *opening])} {call} {closing} }}" for call in _calls_of(method, marks, it))
        if expected := re.search(r"expected\s*=\s*([\w.]+)\.class", test):
            # `@Test(expected = …)` passes only if the exception is thrown.
            caught = f"catch ({expected[1]} error) {{ raised = true; }}"
            called = f"boolean raised = false; try {{ {called} }} {caught} {HIDDEN}.check(raised);"
        if rule:
            called = f"{it}{rule}.judge(() -> {{ {called} }});"
        if any(re.match(r"@(Disabled|Ignore)\b", mark) for mark in marks):
            called = f'if (true) throw new {HIDDEN}.Skipped("disabled");'
        yield f"{it}{name_of(method)}", method, called
    for inner in members:
        if inner.type == "class_declaration" and any(mark.startswith("@Nested") for mark in _annotations(inner)):
            name = text_of(inner.child_by_field_name("name"))
            # An inner class needs an object of the class around it: `its.new Inner()`.
            made = f"{name} its{name} = {it + 'new' if it else 'new'} {name}();"
            yield from test_calls(inner, f"its{name}.", [*before, *opening, made])


def _calls_of(method: Node, marks: Sequence[str], it: str) -> list[str]:
    """The calls of a test, one for each row of its arguments."""
    name, owner = name_of(method), it.rstrip(".") or "this"
    if any(mark.startswith("@TestFactory") for mark in marks):
        return [f"{HIDDEN}Base.dynamic({it}{name}());"]
    if source := next((match for mark in marks if (match := _METHODS.match(mark))), None):
        provider = source[1] or name
        from_class = provider.partition("#")[0].rpartition(".")[2] + "." if "#" in provider else it
        return [f'{HIDDEN}Base.each({owner}, "{name}", {from_class}{provider.rpartition("#")[2]}());']
    if enum := next((mark for mark in marks if mark.startswith("@EnumSource")), ""):
        kind = re.search(r"([\w.]+)\.class", enum)
        named = ", ".join(re.findall(r'"\w+"', enum.partition("names")[2]))
        excluded = "true" if "EXCLUDE" in enum else "false"
        values = f"{kind[1] if kind else kinds_of(method)[0]}.values()"
        return [f'{HIDDEN}Base.each({owner}, "{name}", {HIDDEN}Base.named({values}, {excluded}, new String[] {{ {named} }}));']
    rows = list(rows_of(method, marks))
    calls = []
    for index, row in enumerate(rows, start=1):
        more = [
            f"new RepetitionInfo({index}, {len(rows)})" if kind == "RepetitionInfo" else f'new {kind}("{name}")'
            for kind in kinds_of(method) if kind in INJECTED
        ]  # fmt: skip
        calls.append(f"{it}{name}({', '.join(filter(None, [row, *more]))});")
    return calls or [f'throw new {HIDDEN}.Failed("no case");']


def _annotations(node: Node) -> list[str]:
    """The annotations of a declaration."""
    modifiers = next((part for part in node.children if part.type == "modifiers"), None)
    return [text_of(modifier) for modifier in modifiers.children if "annotation" in modifier.type] if modifiers else []


def name_of(declaration: Node) -> str:
    """Return the name of a declaration."""
    return text_of(declaration.child_by_field_name("name"))
