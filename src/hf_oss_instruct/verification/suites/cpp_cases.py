"""The cases of GoogleTest, Catch2 and doctest in a file of tests."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hf_oss_instruct.verification.suites.core import Test

# A macro, its arguments, in which brackets may be nested twice, and the brace of its body.
CASE = re.compile(
    r"\b(TEST|TEST_F|TEST_P|TEST_CASE|TEST_CASE_METHOD|TEST_CASE_FIXTURE|SCENARIO)\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\s*\{"
)
_GROUP = re.compile(r"\bTEST_SUITE\s*\((?:[^()]|\([^()]*\))*\)\s*\{")
_INSTANCE = re.compile(r"\bINSTANTIATE_TEST_(?:SUITE|CASE)_P\s*\(")
_MARK = re.compile(r"\bTEST_SUITE_(?:BEGIN\s*\([^()]*\)|END\s*(?:\(\s*\))?)\s*;")
# Macros that may be a framework's; `unread` names the first that the harness lacks.
_MACRO = re.compile(
    r"\b((?:(?:EXPECT|ASSERT|CHECK|REQUIRE|WARN|STATIC|FAST|CATCH|DOCTEST|GTEST|TYPED_TEST|TEMPLATE|TEST_CASE|SCENARIO|INSTANTIATE|"
    r"REGISTER|MOCK|MATCHER|GENERATE)_\w+|WARN|MATCHER|ON_CALL|TYPED_TEST|BENCHMARK|UNSCOPED_INFO|METHOD_AS_TEST_CASE|"
    r"ADD_FAILURE_AT|FAIL_CHECK|SKIP|MESSAGE|HasFailure|HasFatalFailure|HasNonfatalFailure)) *\("
)
_CASES = {"TEST_CASE_METHOD", "TEST_CASE_FIXTURE", "INSTANTIATE_TEST_SUITE_P", "INSTANTIATE_TEST_CASE_P"}
_NAMES = re.compile(r"\b(testing|Catch|doctest)::(\w+)")
# Names of the frameworks that the harness has.
_READ = frozenset(
    "Test TestWithParam WithParamInterface TestParamInfo PrintToStringParamName Values ValuesIn Range Combine Bool "
    "InitGoogleTest InitGoogleMock Approx Session Context Generators".split()
)
# Catch2's generators that the harness lacks.
_GENERATORS = re.compile(r"\bGENERATE\w*\s*\([^;]*?\b(take|random|filter|map|chunk|repeat|from_range)\s*(?:<[^;()]*>)?\(")
# Catch2's tests that must fail or may fail.
_TAGS = re.compile(r"\[!(?:shouldfail|mayfail)\]")
# Macros and functions that a file defines itself, whatever their name.
_DEFINED = re.compile(r"#[ \t]*define[ \t]+(\w+)|\b(?!return\b|else\b|do\b)\w+[>&*]*\s+(\w+)\s*\(")
# Comments, raw strings, strings and characters; not the quotes that separate digits, as in `1'000`.
_TEXTS = re.compile(
    r"//[^\n]*|/\*.*?\*/|R\"(\w*)\(.*?\)\1\"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL
)


def cases(body: str, tests: list[Test]) -> str:
    """The text without the frameworks' cases, which are added to the tests, except those that GoogleTest skips."""
    body, instances = _instances(_without_groups(body))
    code = code_of(body)
    spans: list[tuple[int, int]] = []
    for match in CASE.finditer(code):
        if spans and match.start() < spans[-1][1]:
            continue
        end = _closed(code, match.end() - 1)
        spans.append((match.start(), end))
        title, inner, text = body[match.start(2) : match.end(2)], body[match.end() - 1 : end], body[match.start() : end]
        name = ".".join(re.findall(r"\w+", title)) or str(len(tests))
        if re.search(r"(?:^|\.)DISABLED_", name) and match[1] in ("TEST", "TEST_F", "TEST_P"):
            continue
        fixture = title.partition(",")[0].strip()
        lists = instances.get(fixture, {}) if match[1] == "TEST_P" else {}
        run = _run(match[1], fixture, inner, ", ".join(lists.values()))
        tests.append(Test(name, "statements", "\n".join([text, *(f"{instance};" for instance in lists)]), run))
    return _cut(body, spans)


def _instances(body: str) -> tuple[str, dict[str, dict[str, str]]]:
    """The text without `INSTANTIATE_TEST_SUITE_P`; of each fixture these, with what gives their parameters."""
    code = code_of(body)
    spans: list[tuple[int, int]] = []
    found_of: dict[str, dict[str, str]] = {}
    for match in _INSTANCE.finditer(code):
        end = _closed(code, match.end() - 1)
        arguments = _arguments(body, code, match.end(), end - 1)
        if len(arguments) > 2:
            found_of.setdefault(arguments[1], {})[body[match.start() : end]] = arguments[2]
            spans.append((match.start(), end + len(re.match(r"\s*;?", code[end:])[0])))  # type: ignore[index]
    return _cut(body, spans), found_of


def _arguments(body: str, code: str, start: int, end: int) -> list[str]:
    """The parts between the commas outside any bracket."""
    depth, starts = 0, [start]
    for index in range(start, end):
        depth += (code[index] in "[({") - (code[index] in "])}")
        if code[index] == "," and not depth:
            starts.append(index + 1)
    return [body[one : other - 1].strip() for one, other in zip(starts, [*starts[1:], end + 1], strict=True)]


def unread(body: str, solution: str, tests: list[Test], macros: Iterable[str]) -> str:
    """The parts of a framework that the tests use and the harness lacks; empty for nothing.

    Args:
        body: the tests' text without their cases.
        solution: the program, which may define such names itself.
        tests: the cases.
        macros: the names that the harness has.
    """
    text = "\n".join([body, *(f"{test.text}\n{test.run}" for test in tests)])
    code = code_of(text)
    own = {name for pair in _DEFINED.findall(f"{code_of(solution)}\n{code_of(body)}") for name in pair} | {*macros} | _CASES
    used = [*(name for name in _MACRO.findall(code) if name not in own)]
    used += [f"{space}::{name}" for space, name in _NAMES.findall(code) if name not in _READ]
    return next(iter([*used, *_GENERATORS.findall(code), *_TAGS.findall(text)]), "")


def code_of(text: str) -> str:
    """The text with blanks in place of its comments and literals, each character where it was."""
    return _TEXTS.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def _run(macro: str, fixture: str, inner: str, lists: str) -> str:
    """The statements that run a case, which may return; with each of the parameters in the lists."""
    if macro in ("TEST_F", "TEST_P"):
        of_one = "TestOfFixture one; one.all();"
        # GoogleTest fails a test with parameters that has none
        of_each = f"RUN_WITH_EACH(TestOfFixture, {lists});" if lists else "FAIL();"
        return (
            f"struct TestOfFixture : {fixture} {{ void TestBody() {inner}\n"
            "static void before() { SetUpTestSuite(); SetUpTestCase(); }\n"
            "void all() { SetUp(); try { TestBody(); } catch (...) { TearDown(); throw; } TearDown(); } }; "
            f"TestOfFixture::before(); {of_each if macro == 'TEST_P' else of_one}"
        )
    if macro in ("TEST_CASE_METHOD", "TEST_CASE_FIXTURE"):
        return f"struct TestOfFixture : {fixture} {{ void TestBody() {inner} }} one; one.TestBody();"
    return f"[&]() -> void {inner}();"


def _without_groups(body: str) -> str:
    """The text with doctest's groups replaced by their contents."""
    body = _cut(body, [match.span() for match in _MARK.finditer(code_of(body))])
    code = code_of(body)
    spans: list[tuple[int, int]] = []
    for match in _GROUP.finditer(code):
        end = _closed(code, match.end() - 1)
        spans += [match.span(), (end - 1, end)]
    return _cut(body, spans)


def _cut(body: str, spans: list[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        body = body[:start] + body[end:]
    return body


def _closed(code: str, opening: int) -> int:
    """The end of the bracket that opens at a position."""
    depth = 0
    for match in re.compile(r"[][(){}]").finditer(code, opening):
        depth += 1 if match[0] in "[({" else -1
        if not depth:
            return match.end()
    return len(code)
