"""Java: JUnit's classes, and `main` methods that assert or throw."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.sandbox.prebuilt import java_classes
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile, may_change
from hf_oss_instruct.verification.suites.java_junit import HIDDEN, name_of, test_calls
from hf_oss_instruct.verification.suites.program_state import keeps_state
from hf_oss_instruct.verification.suites.whole_files import alone, combined

if TYPE_CHECKING:
    from tree_sitter import Node

_IMPORT = re.compile(r"^[ \t]*import\s+[^;]+;", re.MULTILINE)
_PACKAGE = re.compile(r"^[ \t]*package\s+[\w.]+;", re.MULTILINE)
# All variants are in one file, of which only one class may be public.
_PUBLIC = re.compile(
    r"^public\s+(?=(?:(?:final|abstract|sealed|strictfp)\s+)*(?:class|interface|enum|record|@interface)\b)", re.MULTILINE
)
# `static` goes here: a nested class then needs no object of the class around it.
_TYPE = re.compile(r"^(?=(?:(?:final|abstract|strictfp)\s+)*class\b)", re.MULTILINE)
_ANNOTATIONS = frozenset(
    """Test ParameterizedTest RepeatedTest TestFactory TestTemplate CsvSource ValueSource MethodSource EnumSource NullSource
    EmptySource NullAndEmptySource ArgumentsSource TestInstance TestMethodOrder FixMethodOrder ExtendWith RunWith BeforeClass
    AfterClass BeforeAll AfterAll BeforeEach Before AfterEach After DisplayName DisplayNameGeneration
    IndicativeSentencesGeneration Disabled Ignore Order Timeout Nested Tag Tags Rule ClassRule TempDir Execution
    Category""".split()
)
"""What JUnit has; the harness does without them."""
_QUALIFIED = re.compile(r"\borg\.junit\.(?:[a-z]\w*\.)*(?=[A-Z])")
_OLDER = re.compile(r"\borg\.junit\.(?:\*|[A-Z])|\bjunit\.framework\b|\bextends\s+TestCase\b")
"""Imports of JUnit 3 and 4, whose assertions take the message first."""
_SUPPLIED = ", java.util.function.Supplier<String> text"
_ELSEWHERE = re.compile(r"\b(org\.assertj|org\.hamcrest|org\.mockito|com\.google\.common)\b")
_ASSERTS = re.compile(r"\b(assert\w*|throw|exit|fail)\b")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, or contains no test.
    """
    text, solution, language = file.text, file.solution, file.language
    imports = [line.strip() for line in _IMPORT.findall(text)]
    if unsupported := _ELSEWHERE.search(text):
        raise SuiteRefusedError("not_verifiable", f"the tests use {unsupported[1]!r}, which is not installed here", "third_party")
    source = _QUALIFIED.sub("", _body(text)).encode(errors="replace")
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
    edits += [(annotation.start_byte, annotation.end_byte, "") for annotation in _annotations(root)]
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new.encode() + source[end:]
    changed = source.decode(errors="replace")
    root = parse(changed.encode(), "java").root_node
    for node in sorted(_asserts(root), key=lambda node: -node.start_byte):
        value = text_of(node.named_children[0])
        changed_bytes = changed.encode()
        changed = (
            changed_bytes[: node.start_byte] + f"{HIDDEN}.check({value});".encode() + changed_bytes[node.end_byte :]
        ).decode()
    return Suite(language, listed, "\n".join(imports), more=(changed, "\n".join(imports), "4" if _OLDER.search(text) else "5"))


def _body(text: str) -> str:
    """A file without package and imports; bare statements become a `main`."""
    body = _PACKAGE.sub("", _IMPORT.sub("", text))
    if re.search(
        r"^[ \t]*(?:[\w@]+[ \t]+)*(class|record|interface|enum)\s+\w+[\w<>, .]*\{", body, re.MULTILINE
    ) and not _has_loose_methods(body):
        return body
    if _has_loose_methods(body):
        return f"class TestsAlone {{\n{body}\n}}"
    return f"class TestsOfMain {{ public static void main(String[] args) throws Exception {{\n{body}\n}} }}"


def _has_loose_methods(body: str) -> bool:
    """Whether a file has methods outside any class."""
    match = re.search(r"^(?:@\w+[^\n]*\n|(?:public|private|protected|static|final)[ \t]+|void[ \t])", body, re.MULTILINE)
    first = re.search(
        r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+[ \t]+)*(?:void|int|boolean|String|double)[ \t]+\w+\s*\(", body, re.MULTILINE
    )
    return (
        match is not None
        and first is not None
        and not re.search(r"^[^\n(]*\b(class|interface|enum|record)\s+\w", body[: first.start()], re.MULTILINE)
    )


def _asserts(root: Node) -> list[Node]:
    return list(_found(root, "assert_statement"))


def _annotations(root: Node) -> Iterator[Node]:
    for node in _found(root, "annotation", "marker_annotation"):
        if name_of(node).rpartition(".")[2] in _ANNOTATIONS:
            yield node


def _found(root: Node, *types: str) -> Iterator[Node]:
    """The nodes of some types, without those inside them."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in types:
            yield node
        else:
            stack.extend(node.children)


def _class(node: Node, tests: list[Test], edits: list[tuple[int, int, str]], spans: list[tuple[int, int]], as_one: bool) -> None:
    """Add the tests of a class; the statements of a `main` as one of them where `as_one`."""
    owner, body = text_of(node.child_by_field_name("name")), node.child_by_field_name("body")
    added = []
    for name, method, called in test_calls(node, "", []):
        added.append(f"void runOurs{len(tests)}() throws Throwable {{ {called} }}")
        tests.append(Test(f"{owner}.{name}", "method", text_of(method)))
        spans.append((method.start_byte, method.end_byte))
    for statement, text in () if added else _main_statements(body, as_one):
        added.append(f"void runOurs{len(tests)}() throws Throwable {{ {text} }}")
        tests.append(Test(f"{owner}.{len(tests)}", "statements", text))
        spans.append((statement.start_byte, statement.end_byte))
    if body and added:
        edits.append((body.end_byte - 1, body.end_byte, "\n" + "\n".join(added) + "\n}"))
    if (above := node.child_by_field_name("superclass")) and re.match(
        r"extends\s+(junit\.framework\.)?TestCase$", text_of(above)
    ):
        edits.append((above.start_byte, above.end_byte, ""))


def _main_statements(body: Node | None, as_one: bool) -> Iterator[tuple[Node, str]]:
    """Statements of `main` that can fail, and the text of each with those before it; all of `main` where `as_one`."""
    methods = [member for member in body.named_children if member.type == "method_declaration"] if body else []
    own = {name_of(method) for method in methods if _ASSERTS.search(text_of(method))}
    main = next((method for method in methods if name_of(method) == "main"), None)
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


def one_file(texts: Sequence[str]) -> str:
    """Combine several files into one, with different names for the classes that each declares."""
    return combined(
        texts, "java", _IMPORT, _body, lambda root: [node for node in root.named_children if node.child_by_field_name("name")]
    )


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """One program with the tests for each of several solutions, every pair in a separate class."""
    hidden = f"Tests{secrets.token_hex(8)}"
    imports = dict.fromkeys(line.strip() for text in [*programs, suite.more[1]] for line in _IMPORT.findall(text))
    kept = [line for line in imports if not re.search(r"org\.(junit|hamcrest|assertj)", line)]
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
        # One `switch` over variant and test; a suite has fewer than 10,000 tests.
        for index, test in enumerate(suite.tests):
            table.append(
                f"case {number * 10000 + index}: new Variant{number}.{test.name.partition('.')[0]}().runOurs{index}(); break;"
            )
    table_class = (
        f"class Table{hidden} extends {hidden}.Table {{ int count() {{ return {len(suite.tests)}; }} "
        f"void run(int v, int t) throws Throwable {{ switch (v * 10000 + t) {{ {' '.join(table)} }} }} }}"
    )
    # Random names: a class of the program with the same name would hide the harness's.
    own = [
        f"class {hidden} extends VerificationHarness {{}}",
        f"class {hidden}Base extends VerificationAssertions{suite.more[2]} {{}}",
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
    text = Path(__file__).with_name("java.java").read_text("utf-8")
    for version in "54":
        text = text.replace(f"//PRIMITIVES OF {version}", "\n".join(_of_primitives(version)))
    return text


def _of_primitives(version: str) -> Iterator[str]:
    """`assertEquals` of each primitive type and its class, as JUnit has it: of `Object`s, an `Integer` equals no `Long`."""
    messages = [("", ""), ("String text, ", "")] if version == "4" else [("", ""), ("", ", String text"), ("", _SUPPLIED)]
    boxed = {
        "byte": "Byte",
        "short": "Short",
        "int": "Integer",
        "long": "Long",
        "float": "Float",
        "double": "Double",
        "char": "Character",
    }
    for primitive, name in boxed.items():
        for first, second in product((primitive, name), (primitive, name)):
            for before, after in messages:
                for kind in ("Equals", "NotEquals"):
                    values = (
                        f"{name}.valueOf(a)" if first == primitive else "a",
                        f"{name}.valueOf(b)" if second == primitive else "b",
                    )
                    yield f"static void assert{kind}({before}{first} a, {second} b{after}) {{ are{kind}({', '.join(values)}); }}"


LANGUAGE = SuiteLanguage(read, sources, one_file=one_file)
