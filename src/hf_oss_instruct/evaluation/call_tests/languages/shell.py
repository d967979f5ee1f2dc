"""Bash: `[[ $(candidate …) = "…" ]]`: the text on standard output, without trailing newlines.

Values are printed by `%q` of `printf`, in the C locale: quoted for Bash, in ASCII, on one line, equal for equal bytes.
"""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.canonical import NotCanonicalError, Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered

_HEAD = re.compile(r'(\s*\}?\s*candidate\(\) \{\s*\w+ "\$@"\s*\})\s*set -e\s*run_test\(\) \{\s*')
_FOOT = re.compile(r"\}\s*run_test\s*\Z")
# Quoted words without expansions, which could read variables of the solution.
_WORD = r'"(?:[^"\\$`]|\\.)*"'
_CALL = re.compile(rf"\[\[ (?P<call>\$\(candidate(?:\s+{_WORD})*\s*\)) = (?P<value>{_WORD}) \]\]\s*", re.DOTALL)
# `printf %q` writes `\c` for a special character, and `$'\n'` or `$'\303'` for one that cannot be shown.
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|(.))", re.DOTALL)
_CONTROL = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "e": 27, "E": 27}


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `run_test`."""
    cursor = Cursor(tests)
    head = cursor.take(_HEAD)
    matches = []
    while head and (match := cursor.take(_CALL)):
        matches.append(match)
    if not head or not matches or not cursor.take(_FOOT):
        return None
    return CallTests(head[1], tuple(match["call"] for match in matches), tuple(match["value"] for match in matches))


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Run each call in a subshell, as the tests do; they ignore its exit status.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    calls = numbered(f'calls_{nonce[:16]} AT "VALUE"', tests.calls)
    return f"{program}\n{tests.before}\n{printer('shell.sh', nonce)}set +e\n{calls}\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"{printer('shell.sh', nonce)}{numbered(f'calls_{nonce[:16]} AT VALUE', tests.expected)}\n"


def parse(text: str) -> Value:
    """Decode the output of `printf %q` into bytes."""
    if not text.isascii() or not text:
        raise NotCanonicalError("it was not quoted by printf")
    quoted = text.startswith("$'") and text.endswith("'") and len(text) > 2
    return _ESCAPE.sub(_ansi if quoted else r"\2", text[2:-1] if quoted else "" if text == "''" else text).encode("latin-1")


def _ansi(match: re.Match[str]) -> str:
    return chr(int(match[1], 8) & 255 if match[1] else _CONTROL.get(match[2], ord(match[2])))


def equal(answer: Value, expected: Value) -> bool:
    """Compare as text."""
    return bool(answer == expected)


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal, parse)
