"""The cases of GoogleTest, Catch2 and doctest in a file of tests."""

from __future__ import annotations

import re

from hf_oss_instruct.verification.suites.core import Test

CASE = re.compile(
    r"\b(TEST|TEST_F|TEST_CASE|TEST_CASE_METHOD|TEST_CASE_FIXTURE|SCENARIO)\s*\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)\s*\{"
)
_GROUP = re.compile(r"\bTEST_SUITE\s*\([^()]*\)\s*\{")
_MARK = re.compile(r"\bTEST_SUITE_(?:BEGIN\s*\([^()]*\)|END\s*(?:\(\s*\))?)\s*;")
_TEXTS = re.compile(
    r"//[^\n]*|/\*.*?\*/|R\"(\w*)\(.*?\)\1\"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL
)


def cases(body: str, tests: list[Test]) -> str:
    """The text without the frameworks' cases, which are added to the tests."""
    body = _without_groups(body)
    code, kept, at = code_of(body), [], 0
    while found := CASE.search(code, at):
        end = _closed(code, found.end() - 1)
        title, inner = body[found.start(2) : found.end(2)], body[found.end() - 1 : end]
        name = ".".join(re.findall(r"\w+", title)) or str(len(tests))
        tests.append(Test(name, "statements", body[found.start() : end], _run(found[1], title.partition(",")[0].strip(), inner)))
        kept.append(body[at : found.start()])
        at = end
    return "".join([*kept, body[at:]])


def code_of(text: str) -> str:
    """The text with blanks in place of its comments and literals, each character where it was."""
    return _TEXTS.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _run(macro: str, fixture: str, inner: str) -> str:
    """The statements that run a case, which may return."""
    if macro == "TEST_F":
        return (
            f"struct TestOfFixture : {fixture} {{ void TestBody() {inner}\n"
            "static void before() { SetUpTestSuite(); SetUpTestCase(); }\n"
            "void all() { SetUp(); try { TestBody(); } catch (...) { TearDown(); throw; } "
            "TearDown(); } }; TestOfFixture::before(); TestOfFixture one; one.all();"
        )
    if macro in ("TEST_CASE_METHOD", "TEST_CASE_FIXTURE"):
        return f"struct TestOfFixture : {fixture} {{ void TestBody() {inner} }} one; one.TestBody();"
    return f"[&]() -> void {inner}();"


def _without_groups(body: str) -> str:
    """The text with what doctest's groups hold in their place."""
    body = _cut(body, [found.span() for found in _MARK.finditer(code_of(body))])
    code, spans = code_of(body), []
    for found in _GROUP.finditer(code):
        end = _closed(code, found.end() - 1)
        spans += [found.span(), (end - 1, end)]
    return _cut(body, spans)


def _cut(body: str, spans: list[tuple[int, int]]) -> str:
    for start, end in sorted(spans, reverse=True):
        body = body[:start] + body[end:]
    return body


def _closed(code: str, at: int) -> int:
    """The end of what the bracket at a place opens."""
    depth = 0
    for found in re.compile(r"[][(){}]").finditer(code, at):
        depth += 1 if found[0] in "[({" else -1
        if not depth:
            return found.end()
    return len(code)
