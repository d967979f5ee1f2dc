"""Go: a table of `actual: candidate(…), expected: …`, which compares the `fmt.Sprintf("%v", …)` of both."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import strict
from hf_oss_instruct.sandbox.judging.sentinel import go_main_package

_HEAD = re.compile(
    r"\s*func Test\w*\(t \*testing\.T\) \{\s*(candidate := \w+)\s*"
    r"type test struct \{\s*actual\s+interface\{\}\s*expected\s+interface\{\}\s*\}\s*tests := \[\]test"
)
_FOOT = re.compile(
    r"\s*for i, tc := range tests \{\s*t\.Run\(fmt\.Sprintf\(\"test num % d\", i\), func\(t \*testing\.T\) \{\s*"
    r"if fmt\.Sprintf\(\"%v\", tc\.actual\) != fmt\.Sprintf\(\"%v\", tc\.expected\) \{\s*"
    r"t\.Errorf\([^\n]*\)\s*\}\s*\}\)\s*\}\s*\}\s*\Z"
)
_SAY = r'fmt.Printf("\nNONCE AT s%x;\n", fmt.Sprintf("%v", VALUE))'


def read(tests: str) -> CallTests | None:
    """Parse the calls in the table of MultiPL-E's test function."""
    cursor = Cursor(tests, "\"'`")
    head = cursor.take(_HEAD)
    rows = [row for row in cursor.bracketed() if row] if head else []
    if head is None or not rows or not cursor.take(_FOOT):
        return None
    calls, expected = [], []
    for row in rows:
        fields = Cursor(row, "\"'`").bracketed()
        if len(fields) != 2 or not fields[0].startswith("actual: candidate(") or not fields[1].startswith("expected: "):
            return None
        calls.append(fields[0].removeprefix("actual: "))
        expected.append(fields[1].removeprefix("expected: "))
    return CallTests(head[1], tuple(calls), tuple(expected))


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Turn the solution into package main, with a `main` that prints the calls.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    lines = numbered(f"\t{_SAY.replace('NONCE', nonce)}", tests.calls)
    # The prompt imports testing, and Go rejects unused imports.
    return f"{go_main_package(program)}\nvar _ = testing.Short\n\nfunc main() {{\n\t{tests.before}\n{lines}\n}}\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build a `main` that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    lines = numbered(f"\t{_SAY.replace('NONCE', nonce)}", tests.expected)
    return f'package main\n\nimport "fmt"\n\nfunc main() {{\n{lines}\n}}\n'


LANGUAGE = CallLanguage(read, solution_program, expected_program, strict)
