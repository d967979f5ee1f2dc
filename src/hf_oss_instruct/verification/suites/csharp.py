"""C#: tests as NUnit, xUnit and MSTest have them, and a `Main` or statements that assert or throw."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.suites.core import Suite, SuiteLanguage, SuiteRefusedError, Test, TestFile, may_change
from hf_oss_instruct.verification.suites.program_state import keeps_state
from hf_oss_instruct.verification.suites.whole_files import alone, combined

if TYPE_CHECKING:
    from tree_sitter import Node

HIDDEN = "TestsOfOurs"
# Not `using var file = …;`, which is a statement.
_USING = re.compile(r"^[ \t]*(?:global\s+)?using\s+(?!var\b)(?:static\s+)?[\w.]+(?:\s*=\s*[\w.<>, ]+)?\s*;", re.MULTILINE)
_FRAMEWORK = re.compile(r"\b(NUnit|Xunit|Microsoft\.VisualStudio)\b")
_INSTALLED = re.compile(r"\b(System|Mono|Microsoft\.(CSharp|Win32))\b")
_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|@"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'"""
    r"""|\bnamespace\s+(?P<name>[\w.]+)\s*[{;]|[{}]""",
    re.DOTALL,
)
"""What may hold a brace, and the beginning of a namespace."""
_FILE_SCOPED = re.compile(r"^[ \t]*namespace\s+[\w.]+\s*;", re.MULTILINE)
_TEST_MARKS = frozenset({"Test", "TestCase", "TestCaseSource", "Fact", "Theory", "TestMethod", "DataTestMethod"})
# Attributes that the harness has; all others are removed.
_MARKS = _TEST_MARKS | frozenset(
    "InlineData DataRow SetUp TestInitialize OneTimeSetUp TearDown TestCleanup OneTimeTearDown Ignore ExpectedException "
    "TestCaseSource MemberData DynamicData".split()
)
# At the beginning of an expression only: `x.Assert` is something else.
_CLASSES = re.compile(r"(?<![\w.])(?:ClassicAssert|(Assert|CollectionAssert|StringAssert))\s*\.(?=\s*\w)")
_WORDS = re.compile(r"(?<![\w.])(Is|Has|Does|Contains)\.(?=\w)")
_DATA = re.compile(r"(?<![\w.])(TestCaseData|DynamicDataSourceType)\b")
_NOT_READ = re.compile(
    r"[\[,]\s*(Values|Range|Random|ValueSource|ClassData|TestFixtureSource|Datapoints?|DatapointSource|Repeat|Retry)\b\s*[(\],]"
    r"|\)\s*\.(And|Or|With)\."
)
"""Attributes that give arguments or repeat tests, and words between constraints of NUnit, that the harness lacks."""
_THROWS = re.compile(r"(?<![\w.])Throws\.(?=\w)")
_DEBUG = re.compile(r"(?<![\w.])(?:System\.Diagnostics\.)?(?:Debug|Trace)\.Assert\s*\(")
_ASSERTS = re.compile(r"\b(\w*Assert\w*|throw|Exit|FailFast)\b")


def read(file: TestFile) -> Suite:
    """The single tests of a file.

    Raises:
        SuiteRefusedError: it does not parse, contains no test, or uses what is not installed.
    """
    text, solution, language = file.text, file.solution, file.language
    usings = [using.strip() for using in _USING.findall(text)]
    own = _namespaces(solution)
    for using in usings:
        name = re.sub(r"^(global\s+)?using\s+(static\s+)?", "", using).rstrip(";").rpartition("=")[2].strip()
        if not (
            _FRAMEWORK.search(using) or _INSTALLED.match(name) or name in own or re.search(rf"\b{re.escape(name)}\b", solution)
        ):
            if re.match(r"(Moq|FluentAssertions|Newtonsoft|Shouldly|NSubstitute|AutoFixture|Bogus)\b", name):
                raise SuiteRefusedError("not_verifiable", f"the tests use {name!r}, which is not installed here", "third_party")
    if _FRAMEWORK.search(text) and (name := _not_read(text)):
        raise SuiteRefusedError(
            "not_verifiable", f"the tests use {name!r} of their framework, which is not read here", "third_party"
        )
    body = _body(text)
    root = parse(body.encode(errors="replace"), "csharp").root_node
    if root.has_error:
        raise SuiteRefusedError("tests_missing", "the tests are not valid C#")
    tests: list[Test] = []
    edits: list[tuple[int, int, str]] = []
    spans: list[tuple[int, int]] = []
    for path, node in _classes(root, ""):
        _class(path, node, tests, edits, spans, as_one=keeps_state(solution, language))
    if not tests:
        raise SuiteRefusedError("tests_vacuous", "no test asserts anything that is run")
    source = body.encode(errors="replace")
    for start, end, new in sorted(edits, reverse=True):
        source = source[:start] + new.encode() + source[end:]
    kept = [using for using in usings if not _FRAMEWORK.search(using)]
    listed = alone(tests, body.encode(errors="replace"), spans)
    return Suite(
        language, listed, "\n".join(usings), more=("\n".join(kept), _use_harness_assertions(source.decode(errors="replace")))
    )


def _not_read(text: str) -> str:
    """What tests use of their framework and the harness lacks; empty for nothing."""
    if match := _NOT_READ.search(text):
        return str(match[1] or match[2])
    has = set(re.findall(r"\bpublic (?:static )?[\w<>]+ (\w+)(?:<T>)?[ (]", harness()))
    used = re.findall(r"(?<![\w.])(?:Assert|CollectionAssert|StringAssert|Is|Has|Does|Throws)\.(\w+)", text)
    return next((name for name in used if name not in has), "")


def _body(text: str) -> str:
    """A file without its usings; bare statements become a `Main`."""
    body = _FILE_SCOPED.sub("", _USING.sub("", text))
    if re.search(r"\b(class|struct|record)\s+\w+", body):
        return body
    return f"class TestsOfMain {{ static void Main() {{\n{body}\n}} }}"


def _use_harness_assertions(text: str) -> str:
    """Replace assertions by the harness's, by full names that no class of the program can take."""
    text = _DATA.sub(rf"global::{HIDDEN}.\1", text)
    text = _DEBUG.sub(f"global::{HIDDEN}.Check.That(", text)
    text = _CLASSES.sub(lambda match: f"global::{HIDDEN}.{match[1] or 'Assert'}.", text)
    return _THROWS.sub(f"global::{HIDDEN}.Throws.", _WORDS.sub(rf"global::{HIDDEN}.NUnitWords.\1.", text))


def _classes(node: Node, path: str) -> Iterator[tuple[str, Node]]:
    for child in node.named_children:
        name = text_of(child.child_by_field_name("name"))
        if child.type == "namespace_declaration" and (body := child.child_by_field_name("body")):
            yield from _classes(body, f"{path}{name}.")
        elif child.type == "class_declaration":
            yield f"{path}{name}", child
            if body := child.child_by_field_name("body"):
                yield from _classes(body, f"{path}{name}+")


def _class(
    path: str, node: Node, tests: list[Test], edits: list[tuple[int, int, str]], spans: list[tuple[int, int]], as_one: bool
) -> None:
    """Add the tests of a class; the statements of a `Main` as one of them where `as_one`."""
    for child in node.children:
        if child.type == "attribute_list":  # `[TestFixture]` and the like
            edits.append((child.start_byte, child.end_byte, ""))
    body = node.child_by_field_name("body")
    methods = [member for member in body.named_children if member.type == "method_declaration"] if body else []
    count = len(tests)
    for method in methods:
        marks = [mark for child in method.children if child.type == "attribute_list" for mark in child.named_children]
        names = {_attribute_name(mark) for mark in marks}
        for child in method.children:
            if child.type == "attribute_list":
                kept = [f"global::{HIDDEN}.{text_of(mark)}" for mark in child.named_children if _attribute_name(mark) in _MARKS]
                edits.append((child.start_byte, child.end_byte, f"[{', '.join(kept)}]" if kept else ""))
        if names & _TEST_MARKS:
            tests.append(Test(f"{path} {_name(method)}", "method", text_of(method)))
            spans.append((method.start_byte, method.end_byte))
    if len(tests) == count and body:
        _main(path, body, methods, tests, edits, spans, as_one)


def _main(
    path: str,
    body: Node,
    methods: Sequence[Node],
    tests: list[Test],
    edits: list[tuple[int, int, str]],
    spans: list[tuple[int, int]],
    as_one: bool,
) -> None:
    """Statements of `Main` that can fail, each with those before it, in a separate method; all of `Main` if `as_one`."""
    own = {_name(method) for method in methods if _ASSERTS.search(text_of(method))}
    main = next((method for method in methods if _name(method) == "Main"), None)
    statements = main.child_by_field_name("body") if main else None
    before: list[str] = []
    added = []
    if main and statements and as_one and _ASSERTS.search(" ".join(map(text_of, methods))):
        whole = text_of(statements)
        edits.append((body.end_byte - 1, body.end_byte, f"\nstatic void RunOurs{len(tests)}() {whole}\n}}"))
        tests.append(Test(f"{path} RunOurs{len(tests)}", "statements", whole))
        spans.append((main.start_byte, main.end_byte))
        return
    for statement in statements.named_children if statements else ():
        text = text_of(statement)
        called = re.match(r"(?:\w+\.)?(\w+)\s*\(", text)
        if statement.type == "comment" or text.startswith("Console.Write"):
            continue
        if statement.type != "local_declaration_statement" and (_ASSERTS.search(text) or (called and called[1] in own)):
            whole = "\n".join([*before, text])
            added.append(f"static void RunOurs{len(tests)}() {{\n{whole}\n}}")
            tests.append(Test(f"{path} RunOurs{len(tests)}", "statements", whole))
            spans.append((statement.start_byte, statement.end_byte))
            # A plain assertion changes nothing, so that later tests need not come after it.
            if not (re.match(r"[\w.]*Assert\w*\.|Debug|Trace", text) or called) or may_change(text, before):
                before.append(text)
        else:
            before.append(text)
    if added:
        edits.append((body.end_byte - 1, body.end_byte, "\n" + "\n".join(added) + "\n}"))


def _attribute_name(attribute: Node) -> str:
    name = text_of(attribute.child_by_field_name("name")) or re.split(r"\W", text_of(attribute), maxsplit=1)[0]
    return name.rpartition(".")[2].removesuffix("Attribute")


def _name(method: Node) -> str:
    return text_of(method.child_by_field_name("name"))


def one_file(texts: Sequence[str]) -> str:
    """Combine several files into one, with different names for the classes that each declares."""
    return combined(texts, "csharp", _USING, _body, lambda root: [node for _, node in _classes(root, "")])


def sources(suite: Suite, programs: Sequence[str]) -> tuple[str, dict[str, bytes]]:
    """One program with the tests for each of several solutions, every pair in a separate namespace."""
    # A random name, so that no program can call the harness and report results itself.
    hidden = f"Tests{secrets.token_hex(8)}"
    usings, tests = suite.more[0], suite.more[1].replace(HIDDEN, hidden)
    parts = []
    for number, program in enumerate(programs):
        own = [using.strip() for using in _USING.findall(program)]
        names = _namespaces(program) | _namespaces(tests)
        resolved = [using for using in usings.split("\n") if _resolves(using, names, program)]
        listed = dict.fromkeys(["using System;", *own, *resolved])
        text = _FILE_SCOPED.sub("", _USING.sub("", program))
        parts += [f"//variant {number}", f"namespace V{number} {{", *listed, _without_main(text), _without_main(tests), "}"]
    table = ",\n".join(
        f'new[] {{ "{owner}", "{method}" }}' for owner, _, method in (test.name.partition(" ") for test in suite.tests)
    )
    counts = "true" if "NUnit" in suite.preamble else "false"
    ours = harness().replace("HIDDEN", hidden).replace("COUNTS", counts).replace("//TABLE", table)
    return "\n".join([*parts, "//variant -1", ours]), {}


def _namespaces(text: str) -> set[str]:
    """The namespaces that a file declares, those inside others by their whole names.

    Without a parser, which the container of a Harbor task does not have.
    """
    names: set[str] = set()
    opened: list[str] = []
    for token in _TOKEN.finditer(text):
        if name := token["name"]:
            names.add("".join(opened) + name)
            opened += [f"{name}."] if token[0].endswith("{") else []
        elif token[0] == "{":
            opened.append("")
        elif token[0] == "}" and opened:
            opened.pop()
    return names


def _resolves(using: str, namespaces: set[str], program: str) -> bool:
    """Whether a `using` names something that exists; tests may name a namespace that the solution does not declare."""
    name = using.partition("using ")[2].rstrip(";").removeprefix("static ").rpartition("=")[2].strip()
    return (
        bool(_INSTALLED.match(name))
        or name in namespaces
        or bool(re.search(rf"\bclass\s+{re.escape(name.rpartition('.')[2])}\b", program))
    )


def _without_main(program: str) -> str:
    """Rename the entry point: the harness has the only one."""
    return re.sub(r"\bstatic\s+(async\s+)?(void|int|Task)\s+Main\s*\(", r"static \1\2 MainOfTheProgram(", program)


@cache
def harness() -> str:
    """The harness, which runs the tests and reports the result of each."""
    return Path(__file__).with_name("csharp.cs").read_text("utf-8")


LANGUAGE = SuiteLanguage(read, sources, one_file=one_file)
