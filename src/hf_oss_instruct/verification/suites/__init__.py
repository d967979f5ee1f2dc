r"""Tests as models write them → single tests, each of which can be run alone.

suite = read_suite("from solution import f\n\ndef test_f():\n    assert f(2) == 4\n", "python", solution)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.verification.suites.core import (
    MAX_SOLUTION_CHARS,
    MAX_TEST_CHARS,
    MAX_TESTS,
    Suite,
    SuiteLanguage,
    SuiteRefusedError,
    Test,
    TestFile,
    pairs_suite,
)

__all__ = ["LANGUAGES", "MAX_TESTS", "MAX_TEST_CHARS", "Suite", "SuiteRefusedError", "Test", "read_suite", "suite_language"]

LANGUAGES: Mapping[str, str] = {
    "java": "java",
    "php": "php",
    "ruby": "ruby",
    "cpp": "cpp",
    "rust": "rust",
    "csharp": "csharp",
    "go": "go",
    "shell": "shell",
    "python": "python",
    "javascript": "javascript",
    "typescript": "javascript",
}
"""The language's name in `languages.LANGUAGES` → the module of this package that reads and runs its tests."""


def suite_language(name: str) -> SuiteLanguage:
    """How the tests of a language are read and run. Its module is imported on first use: all of them take a tenth of a second.

    Args:
        name: one of `LANGUAGES`.
    """
    language = import_module(f"{__name__}.{LANGUAGES[name]}").LANGUAGE
    assert isinstance(language, SuiteLanguage)
    return language


def read_suite(tests: str | Sequence[str], language: str, solution: str, packages: tuple[str, ...] = ()) -> Suite:
    r"""Split the test code that a model wrote into single tests.

    Args:
        tests: a test file, several self-contained texts, or JSON of input and output pairs for a program that reads
            standard input: `[{"input": "2\\n", "output": "4\\n"}, …]`.
        language: as in `languages.LANGUAGES`.
        solution: the program, whose names say what tests import from it.
        packages: folders of modules that Python tests may import.

    Raises:
        SuiteRefusedError: there are no tests, too many, or they cannot be run here; `reason` and `cause` say which.
        UsageError: the language is unknown.
    """
    language = named(language).name
    texts = [tests] if isinstance(tests, str) else list(tests)
    texts = [text for text in map(without_fence, texts) if text.strip()]
    if not texts:
        raise SuiteRefusedError("tests_missing", "there are no tests")
    if (size := sum(map(len, texts))) > MAX_TEST_CHARS:
        raise SuiteRefusedError("tests_missing", f"the tests have {size:,} characters; at most {MAX_TEST_CHARS:,} are read")
    if pairs := _pairs(texts):
        return pairs_suite(pairs, language)
    if language not in LANGUAGES:
        raise SuiteRefusedError("not_verifiable", f"tests in {language!r} are not run here", "language")
    known = solution if len(solution) <= MAX_SOLUTION_CHARS else ""  # code that is not run is not parsed: that takes seconds
    files = [TestFile(text, known, language, packages) for text in texts]
    suite = suite_language(language).read(files[0]) if len(files) == 1 else _combine(files)
    if len(suite.tests) > MAX_TESTS:
        raise SuiteRefusedError("tests_missing", f"there are {len(suite.tests):,} tests; at most {MAX_TESTS:,} are run")
    return suite


def _combine(files: Sequence[TestFile]) -> Suite:
    """Combine several texts into one suite, whose tests keep the text they came from, so that they can be read again."""
    texts, language = [file.text for file in files], suite_language(files[0].language)
    # A script among several texts is one test: asserts in it prepare the last one, as in the column `tests`.
    suites = [language.read(replace(file, as_one=True)) for file in files]
    if language.one_file:
        whole = language.read(replace(files[0], text=language.one_file(texts)))
    else:
        assert language.joined
        whole = language.joined(suites)
    shown = [
        shown_text
        for text, suite in zip(texts, suites, strict=True)
        for shown_text in ([text] if len(suite.tests) == 1 else suite.standalone())
    ]
    # A verified row stores one text for each result.
    if len(whole.tests) != len(shown):
        raise SuiteRefusedError("not_verifiable", "these test files cannot be put together; give one", "language")
    return replace(whole, texts=tuple(shown))


def without_fence(text: str) -> str:
    """The text inside a Markdown fence, if the fence encloses the whole text."""
    lines = text.strip().split("\n")
    if len(lines) > 1 and lines[0].startswith("```") and lines[-1].strip() == "```":
        return "\n".join(lines[1:-1]) + "\n"
    return text


def _pairs(texts: list[str]) -> list[tuple[str, str]]:
    """Input and output of each pair; empty if the texts are not such JSON."""
    pairs: list[tuple[str, str]] = []
    for text in texts:
        if text.lstrip()[:1] not in "[{":
            return []
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return []
        for case in value if isinstance(value, list) else [value]:
            if not isinstance(case, dict) or not {"input", "output"} <= case.keys():
                return []
            pairs.append((str(case["input"]), str(case["output"])))
    return pairs
