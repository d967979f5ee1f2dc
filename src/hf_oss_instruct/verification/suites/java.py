"""Java: JUnit's classes, and `main` methods that assert or throw."""

from __future__ import annotations

import csv
import re
import secrets
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.sandbox.prebuilt import java_classes
from hf_oss_instruct.syntax import parse, text_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteRefusedError, Test, may_change
from hf_oss_instruct.verification.suites.program_state import keeps_state
from hf_oss_instruct.verification.suites.whole_files import alone, renamed

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = "TestsOfOurs"
_IMPORT = re.compile(r"^[ \t]*import\s+[^;]+;", re.MULTILINE)
_PACKAGE = re.compile(r"^[ \t]*package\s+[\w.]+;", re.MULTILINE)
_PUBLIC = re.compile(
    r"^public\s+(?=(?:(?:final|abstract|sealed|strictfp)\s+)*(?:class|interface|enum|record|@interface)\b)", re.MULTILINE
)
_TYPE = re.compile(r"^(?=(?:(?:final|abstract|strictfp)\s+)*class\b)", re.MULTILINE)
_ANNOTATION = re.compile(
    r"@(?:Test|ParameterizedTest|RepeatedTest|CsvSource|ValueSource|MethodSource|EnumSource|NullSource|EmptySource|NullAndEmptySource|TestInstance|"
    r"TestMethodOrder|ExtendWith|RunWith|BeforeClass|AfterClass|AfterAll|BeforeEach|Before|AfterEach|After|DisplayName|Disabled|Ignore|Order|Timeout|BeforeAll|Nested|Tag)\b(?:\s*\([^)]*\))?"
)
_FIRST = re.compile(r"@(BeforeAll|BeforeClass)\b")
_BEFORE = re.compile(r"@(BeforeEach|Before)\b")
_METHODS = re.compile(r'@MethodSource\b(?:\(\s*"([\w.#]+)"\s*\))?')
_ELSEWHERE = re.compile(r"\b(org\.assertj|org\.hamcrest|org\.mockito|com\.google\.common)\b")
_ASSERTS = re.compile(r"\b(assert\w*|throw|exit|fail)\b")


def read(text: str, solution: str, language: str) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, or holds no test.
    """
    imports = [one.strip() for one in _IMPORT.findall(text)]
    if lacking := _ELSEWHERE.search(text):
        raise SuiteRefusedError("not_verifiable", f"the tests use {lacking[1]!r}, which is not installed here", "third_party")
    source = _body(text).encode(errors="replace")
    root = parse(source, "java").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are not valid Java")
    tests: list[Test] = []
    edits: list[tuple[int, int, str]] = []
    spans: list[tuple[int, int]] = []
    for node in root.named_children:
        if node.type == "class_declaration":
            _class(node, tests, edits, spans, as_one=keeps_state(solution, language))
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    listed = alone(tests, source, spans)
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new.encode() + source[end:]
    changed = source.decode(errors="replace")
    root = parse(changed.encode(), "java").root_node
    for node in sorted(_asserts(root), key=lambda one: -one.start_byte):
        value = text_of(node.named_children[0])
        changed_bytes = changed.encode()
        changed = (
            changed_bytes[: node.start_byte] + f"{HIDDEN}.check({value});".encode() + changed_bytes[node.end_byte :]
        ).decode()
    return Suite(language, listed, "\n".join(imports), more=(_ANNOTATION.sub("", changed), "\n".join(imports)))


def _body(text: str) -> str:
    """A file without package and imports; bare statements become a `main`."""
    body = _PACKAGE.sub("", _IMPORT.sub("", text))
    if re.search(r"^[ \t]*(?:[\w@]+[ \t]+)*(class|record|interface|enum)\s+\w+[\w<>, .]*\{", body, re.MULTILINE) and not _loose(
        body
    ):
        return body
    if _loose(body):
        return f"class TestsAlone {{\n{body}\n}}"
    return f"class TestsOfMain {{ public static void main(String[] args) throws Exception {{\n{body}\n}} }}"


def _loose(body: str) -> bool:
    """Whether methods stand in a file without a class around them."""
    found = re.search(r"^(?:@\w+[^\n]*\n|(?:public|private|protected|static|final)[ \t]+|void[ \t])", body, re.MULTILINE)
    first = re.search(
        r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+[ \t]+)*(?:void|int|boolean|String|double)[ \t]+\w+\s*\(", body, re.MULTILINE
    )
    return (
        found is not None
        and first is not None
        and not re.search(r"^[^\n(]*\b(class|interface|enum|record)\s+\w", body[: first.start()], re.MULTILINE)
    )


def _asserts(root: Node) -> list[Node]:
    stack, found = [root], []
    while stack:
        node = stack.pop()
        if node.type == "assert_statement":
            found.append(node)
        else:
            stack.extend(node.children)
    return found


def _class(node: Node, tests: list[Test], edits: list[tuple[int, int, str]], spans: list[tuple[int, int]], as_one: bool) -> None:
    """Add the tests of a class; the statements of a `main` as one of them where `as_one`."""
    owner, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("body")
    added = []
    for name, method, called in _calls(node, "", []):
        added.append(f"void runOurs{len(tests)}() throws Throwable {{ {called} }}")
        tests.append(Test(f"{owner}.{name}", "method", text_of(method)))
        spans.append((method.start_byte, method.end_byte))
    for statement, text in () if added else _of_main(body, as_one):
        added.append(f"void runOurs{len(tests)}() throws Throwable {{ {text} }}")
        tests.append(Test(f"{owner}.{len(tests)}", "statements", text))
        spans.append((statement.start_byte, statement.end_byte))
    if body and added:
        edits.append((body.end_byte - 1, body.end_byte, "\n" + "\n".join(added) + "\n}"))
    if (above := node.child_by_field_name("superclass")) and re.match(
        r"extends\s+(junit\.framework\.)?TestCase$", text_of(above)
    ):
        edits.append((above.start_byte, above.end_byte, ""))


def _calls(node: Node, it: str, before: list[str]) -> Iterator[tuple[str, Node, str]]:
    """Name, method and call of each test of a class, those of nested classes too; `it` is the object that has the methods."""
    body = node.child_by_field_name("body")
    members = body.named_children if body else []
    marked = {one: _marks(one) for one in members if one.type == "method_declaration"}
    if re.search(r"\bTestCase$", text_of(node.child_by_field_name("superclass"))):  # JUnit 3, which goes by names
        named = {"setUp": "@Before", "tearDown": "@After"}
        marked = {
            one: [*marks, "@Test" if _name(one).startswith("test") else named.get(_name(one), "")]
            for one, marks in marked.items()
        }
    opening = [f"{it}{_name(one)}();" for one, marks in marked.items() if any(map(_FIRST.match, marks))]
    opening += [f"{it}{_name(one)}();" for one, marks in marked.items() if any(map(_BEFORE.match, marks))]
    for method, marks in marked.items():
        test = next((mark for mark in marks if re.match(r"@(Test|ParameterizedTest|RepeatedTest)\b", mark)), None)
        if test is None:
            continue
        calls = [f"{it}{_name(method)}({row});" for row in _rows(method, marks)] or [f'throw new {HIDDEN}.Failed("no case");']
        if source := next((found for mark in marks if (found := _METHODS.match(mark))), None):
            given = source[1] or _name(method)
            owner = it.rstrip(".") or "this"
            calls = [f'{HIDDEN}Base.each({owner}, "{_name(method)}", {it}{given.rpartition("#")[2]}());']
        if values := next(
            (found[1] for mark in marks if (found := re.match(r"@EnumSource\(\s*(?:value\s*=\s*)?([\w.]+)\.class", mark))), None
        ):
            calls = [f'{HIDDEN}Base.each({it.rstrip(".") or "this"}, "{_name(method)}", {values}.values());']
        called = " ".join(
            f"{' '.join([*before, *opening])} {call}" if len(calls) == 1 else f"{{ {' '.join([*before, *opening])} {call} }}"
            for call in calls
        )
        if expected := re.search(r"expected\s*=\s*([\w.]+)\.class", test):
            caught = f"catch ({expected[1]} error) {{ raised = true; }}"
            called = f"boolean raised = false; try {{ {called} }} {caught} {HIDDEN}.check(raised);"
        if any(re.match(r"@(Disabled|Ignore)\b", mark) for mark in marks):
            called = f'if (true) throw new {HIDDEN}.Skipped("disabled");'
        yield f"{it}{_name(method)}", method, called
    for inner in members:
        if inner.type == "class_declaration" and any(mark.startswith("@Nested") for mark in _marks(inner)):
            name = text_of(inner.child_by_field_name("name"))
            made = f"{name} its{name} = {it + 'new' if it else 'new'} {name}();"
            yield from _calls(inner, f"its{name}.", [*before, *opening, made])


def _marks(node: Node) -> list[str]:
    """The annotations of a declaration."""
    modifiers = next((part for part in node.children if part.type == "modifiers"), None)
    return [text_of(one) for one in modifiers.children if "annotation" in one.type] if modifiers else []


def _rows(method: Node, marks: Sequence[str]) -> list[str]:
    """The arguments of each call of a test; one call without arguments where it takes none."""
    kinds = [text_of(one.child_by_field_name("type")) for one in method.child_by_field_name("parameters").named_children]  # type: ignore[union-attr]
    rows: list[str] = []
    for mark in marks:
        listed = re.findall(r'"((?:[^"\\]|\\.)*)"', mark)
        if mark.startswith("@CsvSource"):
            rows += [
                ", ".join(map(_literal, next(csv.reader([row], quotechar="'", skipinitialspace=True)), kinds)) for row in listed
            ]
        elif mark.startswith("@ValueSource"):
            values = mark.partition("{")[2].rpartition("}")[0] or mark.partition("=")[2].rpartition(")")[0]
            rows += (
                [f'"{one}"' for one in listed] if "strings" in mark else [one.strip() for one in values.split(",") if one.strip()]
            )
        elif re.match(r"@(NullSource|NullAndEmptySource)", mark):
            rows.append(f"({kinds[0]}) null")
        if re.match(r"@(EmptySource|NullAndEmptySource)", mark):
            rows.append('""' if kinds[0] == "String" else _literal("", kinds[0]))
    return rows if kinds else [""]


def _literal(text: str, kind: str) -> str:
    """A value of a row of text as Java writes it."""
    text = text.strip()
    if kind in ("String", "CharSequence"):
        return '"' + text.replace('"', '\\"') + '"'
    if kind in ("char", "Character"):
        return f"'{text}'"
    return {"long": f"{text}L", "Long": f"{text}L", "float": f"{text}f", "double": f"(double) ({text})"}.get(kind, text)


def _of_main(body: Node | None, as_one: bool) -> Iterator[tuple[Node, str]]:
    """Statements of `main` that can fail, and the text of each with those before it; all of `main` where `as_one`."""
    methods = [one for one in body.named_children if one.type == "method_declaration"] if body else []
    own = {_name(one) for one in methods if _ASSERTS.search(text_of(one))}
    main = next((one for one in methods if _name(one) == "main"), None)
    statements = main.child_by_field_name("body") if main else None
    if main and statements and as_one and _ASSERTS.search(" ".join(map(text_of, methods))):
        yield main, text_of(statements)
        return
    prefix: list[str] = []
    for statement in statements.named_children if statements else ():
        text = text_of(statement)
        called_name = re.match(r"(?:\w+\.)?(\w+)\s*\(", text)
        if "comment" in statement.type or text.startswith("System.out.print"):
            continue
        if _ASSERTS.search(text) or (called_name and called_name[1] in own):
            yield statement, "\n".join([*prefix, text])
            if may_change(text, prefix):
                prefix.append(text)
        else:
            prefix.append(text)


def _name(method: Node) -> str:
    return text_of(method.child_by_field_name("name"))


def one_file(texts: Sequence[str]) -> str:
    """Combine several files into one, with different names for the classes that each declares."""
    imports = dict.fromkeys(one.strip() for text in texts for one in _IMPORT.findall(text))
    parts = []
    for number, text in enumerate(texts):
        body = _body(text)
        root = parse(body.encode(errors="replace"), "java").root_node
        parts.append(renamed(body, [_name(node) for node in root.named_children if node.child_by_field_name("name")], number))
    return "\n".join([*imports, *parts])


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """One program that holds the tests with each of several solutions, every pair in a class of its own."""
    hidden = f"Tests{secrets.token_hex(8)}"
    imports = dict.fromkeys(one.strip() for text in [*programs, suite.more[1]] for one in _IMPORT.findall(text))
    kept = [one for one in imports if not re.search(r"org\.(junit|hamcrest|assertj)", one)]
    parts, table = [], []
    tests = (
        _nested(suite.more[0].replace(HIDDEN, hidden))
        .replace("Assertions.", f"{hidden}Base.")
        .replace("Assert.assert", f"{hidden}Base.assert")
        .replace("Assert.fail", f"{hidden}Base.fail")
    )
    tests = re.sub(r"\b(?:Assumptions|Assume)\.", f"{hidden}Base.", tests)
    tests = re.sub(r"@TempDir\s+((?:\w+\s+)*)Path\s+(\w+)\s*;", rf"\1java.nio.file.Path \2 = {hidden}Base.folder();", tests)
    for number, program in enumerate(programs):
        parts.append(f"//variant {number}\nclass Variant{number} extends {hidden}Base {{\n{_nested(program)}\n{tests}\n}}")
        for at, test in enumerate(suite.tests):
            table.append(f"case {number * 10000 + at}: new Variant{number}.{test.name.partition('.')[0]}().runOurs{at}(); break;")
    table_class = (
        f"class Table{hidden} extends {hidden}.Table {{ int count() {{ return {len(suite.tests)}; }} "
        f"void run(int v, int t) throws Throwable {{ switch (v * 10000 + t) {{ {' '.join(table)} }} }} }}"
    )
    # Random names: a class of the program with the same name would hide the harness's.
    own = [
        f"class {hidden} extends VerificationHarness {{}}",
        f"class {hidden}Base extends VerificationAssertions {{}}",
        f"public class Main {{ public static void main(String[] a) throws Exception {{ {hidden}.main(new Table{hidden}()); }} }}",
    ]
    classes = java_classes(harness())
    shared = [] if classes else [harness()]
    return "\n".join(["import java.util.*;", *kept, *parts, "//variant -1", table_class, *own, *shared]), dict(classes)


def _nested(text: str) -> str:
    """Types of a file as types of a class."""
    return _TYPE.sub("static ", _PUBLIC.sub("", _PACKAGE.sub("", _IMPORT.sub("", text))))


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    return Path(__file__).with_name("java.java").read_text("utf-8")
