"""Rust: `assert_eq!(candidate(…), …);`, whose expected values have the type that the prompt's function returns."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import arguments, listed_calls
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import same, strict

_HEAD = re.compile(r"\s*(\}?)\s*fn main\(\) \{\s*(let candidate = \w+;)\s*")
_FOOT = re.compile(r"\}\s*\Z")
# The prompt ends with the signature of the function to write.
_RETURNS = re.compile(r"\)\s*->\s*([^{\n]+?)\s*\{\s*\Z")
_USED = re.compile(r"^use\s[^;]+;", re.MULTILINE)


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `main`, which a brace that closes the function may precede."""
    pair = arguments("candidate(", r";\s*")
    return listed_calls(Cursor(tests, '"'), _HEAD, r"assert_eq!(?=\()", pair, _FOOT, _before)


def _before(head: re.Match[str]) -> str:
    return f"{head[1]}\nfn main() {{\n    {head[2]}"


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Put the calls into `main`, and the printer after it.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    name = f"calls_{nonce[:16]}"
    lines = numbered(f"    {name}::print(AT, VALUE);", tests.calls)
    return f"{program}\n{tests.before}\n{lines}\n}}\n{printer('rust.rs', nonce)}"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Print the expected values with the return type of the prompt's function, because literals alone have no definite type.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    name, returns = f"calls_{nonce[:16]}", _RETURNS.search(prompt)
    used = "\n".join(match[0] for match in _USED.finditer(prompt))
    lines = numbered(f"    {name}::print::<{returns[1] if returns else '_'}>(AT, VALUE);", tests.expected)
    return f"{used}\nfn main() {{\n{lines}\n}}\n{printer('rust.rs', nonce)}"


LANGUAGE = CallLanguage(read, solution_program, expected_program, lambda answer, expected: same(answer, expected, strict))
