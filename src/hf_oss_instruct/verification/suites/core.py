"""Tests and suites of tests in any language."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hf_oss_instruct.errors import OssInstructError

MAX_TEST_CHARS = 1_000_000
"""Maximum characters of tests that are read."""
MAX_TESTS = 1_000
MAX_SOLUTION_CHARS = 256_000
"""Maximum characters of a solution that is run."""


class SuiteRefusedError(OssInstructError):
    """A row cannot be verified.

    Attributes:
        reason: as in `data.REASONS`, or `not_verifiable`.
        detail: why, in a sentence.
        cause: of `not_verifiable`: `third_party`, `network`, `gui`, `introspection`, `toolchain` or `language`.
    """

    def __init__(self, reason: str, detail: str, cause: str = "") -> None:
        super().__init__(detail)
        self.reason, self.detail, self.cause = reason, detail, cause


@dataclass(frozen=True, slots=True)
class Test:
    """A single test.

    Attributes:
        name: its name in the framework, or its number.
        kind: how it is called: `function`, `method`, `statements` or `pair`.
        text: the test alone.
        run: the code to run, if it is not the text.
        output: of a pair, the expected output; `text` is the input.
    """

    name: str
    kind: str
    text: str
    run: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of a problem.

    Attributes:
        language: as in `languages.LANGUAGES`.
        tests: the single tests, in the order of the text.
        preamble: what precedes each: imports, helpers, data.
        run_preamble: the code of it that is run.
        separate: whether the tests have their own namespace instead of the program's.
        aliases: modules by which the tests know the program.
        outside: for each test, its text for grading outside the program's process; empty if it has to run in its process.
        more: what a language wants to keep.
        texts: what `standalone` returns, where the suite came as several texts.
    """

    language: str
    tests: tuple[Test, ...]
    preamble: str = ""
    run_preamble: str = ""
    separate: bool = False
    aliases: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    more: tuple[str, ...] = field(default=())
    texts: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_pairs(self) -> bool:
        """Whether the tests are inputs and outputs of a program."""
        return bool(self.tests) and self.tests[0].kind == "pair"

    def standalone(self) -> list[str]:
        """The column `tests`: each test with the code that all tests share before it; a pair as JSON of input and output."""
        if self.texts:
            return list(self.texts)
        if self.is_pairs:
            return [json.dumps({"input": test.text, "output": test.output}) for test in self.tests]
        return [
            f"{self.preamble.rstrip()}\n\n\n{test.text}".lstrip("\n") if self.preamble.strip() else test.text
            for test in self.tests
        ]


@dataclass(frozen=True, slots=True)
class TestFile:
    """Test code to split into single tests.

    Attributes:
        text: the test file, or one of several self-contained texts.
        solution: the program that is tested, whose names say what the tests import from it.
        language: as in `languages.LANGUAGES`.
        packages: folders of modules that are installed for Python tests.
        as_one: whether a script, such as the statements of a `main`, is one test, in languages whose texts may be scripts.
    """

    text: str
    solution: str
    language: str
    packages: tuple[str, ...] = ()
    as_one: bool = False


@dataclass(frozen=True, slots=True)
class SuiteLanguage:
    """How tests of a language are read and run. Several files are combined either before they are read, or after.

    Attributes:
        read: test code → its single tests. Raises `SuiteRefusedError`.
        sources: suite, programs → the program that runs the suite with each of them, and further files; None for Python, whose
            tests run in forks of one interpreter.
        one_file: test files → one file with the tests of all.
        joined: the suites of several files → one suite.
        together: whether changes of a program can be part of one program; None if they always can.
    """

    read: Callable[[TestFile], Suite]
    sources: Callable[[Suite, Sequence[str]], tuple[str, dict[str, bytes]]] | None = None
    one_file: Callable[[Sequence[str]], str] | None = None
    joined: Callable[[Sequence[Suite]], Suite] | None = None
    together: Callable[[str], bool] | None = None


def may_change(statement: str, before: Sequence[str]) -> bool:
    """Whether a statement that tests something may also change a variable, so that later tests must run after it.

    Args:
        statement: the statement, in a language with C's syntax.
        before: the statements in front of it.
    """
    # Variables that were declared or assigned: `name =`, `name{`, `name(`, `name;`.
    names = {name for earlier in before for name in re.findall(r"(?<![.\w])(\w+)\s*(?:=(?!=)|\{|\(|;)", earlier)}
    # Variables whose methods are called, and those that Rust lends mutably.
    used = re.findall(r"(?<![.\w])(\w+)(?:\.|->)\w+\s*\(|&mut\s+(\w+)", statement)
    return bool(names & {name for pair in used for name in pair})


def pairs_suite(pairs: Sequence[tuple[str, str]], language: str) -> Suite:
    """A suite of inputs and outputs."""
    tests = tuple(Test(str(number), "pair", given, output=output) for number, (given, output) in enumerate(pairs))
    if len(tests) > MAX_TESTS:
        raise SuiteRefusedError("tests_missing", f"there are {len(tests):,} tests; at most {MAX_TESTS:,} are run")
    return Suite(language, tests)
