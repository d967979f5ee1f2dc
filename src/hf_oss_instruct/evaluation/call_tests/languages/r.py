"""R: `stopifnot(isTRUE(all.equal(candidate(…), …)))`, where the answer is `target` and the expected value is `current`.

The rules are those of R 4.2 (`all.equal.numeric`, `all.equal.list`, `all.equal.character`, `attr.all.equal`) for NULL, lists and
vectors without attributes but names. A vector or list is printed as `(mode names [items])`, NA as `n`.
"""

from __future__ import annotations

import math
import re

from hf_oss_instruct.evaluation.call_tests.call_lists import arguments, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered

TOLERANCE = math.sqrt(2.0**-52)
"""`sqrt(.Machine$double.eps)`, of the mean difference relative to the mean of the answers that differ."""
_HEAD = re.compile(r"\s*test_humaneval <- function\(\) \{\s*(candidate <- [\w.]+)\s+")
_FOOT = re.compile(r"\}\s*test_humaneval\(\)\s*\Z")


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `test_humaneval`."""
    pair = arguments("candidate(", r"\)\)\s*")
    return listed_calls(Cursor(tests), _HEAD, r"stopifnot\(isTRUE\(all\.equal(?=\()", pair, _FOOT)


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Define the printer before the solution, in an environment that only sees the base package.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    name = f"calls_{nonce[:16]}"
    calls = numbered(f"  {name}(AT, VALUE)", tests.calls)
    return f"{printer('r.r', nonce)}{program}\n{name}_run <- function() {{\n  {tests.before}\n{calls}\n}}\n{name}_run()\n"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Build the program that prints the expected values.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"{printer('r.r', nonce)}{numbered(f'calls_{nonce[:16]}(AT, VALUE)', tests.expected)}\n"


def equal(answer: Value, expected: Value) -> bool:
    """Compare like `isTRUE(all.equal(answer, expected))`."""
    if not isinstance(answer, tuple) or not isinstance(expected, tuple):
        return answer is None and expected is None
    try:
        (mode, names, items), (other_mode, other_names, others) = answer, expected
        if mode != other_mode or names != other_names or len(items) != len(others):
            return False
        if mode == b"list":
            return all(map(equal, items, others))
        return _close(items, others) if mode == b"numeric" else bool(items == others)
    except (TypeError, ValueError):  # a forged answer with another structure
        return False


def _close(target: list[float | None], current: list[float | None]) -> bool:
    """Compare like `all.equal.numeric`: equal, or the mean difference of the differing elements is within the tolerance."""
    missing = [_is_na(value) for value in target]
    if missing != [_is_na(value) for value in current]:
        return False
    unequal = [(a, b) for a, b, na in zip(target, current, missing, strict=True) if not na and a != b]
    pairs = [(float(a), float(b)) for a, b in unequal if a is not None and b is not None]
    if not pairs:
        return True
    scale = sum(abs(a) / len(pairs) for a, _ in pairs)
    # `all.equal` compares absolute differences where the mean is too small to divide by.
    scale = scale if math.isfinite(scale) and scale > TOLERANCE else 1.0
    return sum(abs(a - b) / (len(pairs) * scale) for a, b in pairs) <= TOLERANCE


def _is_na(value: float | None) -> bool:
    return value is None or value != value


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
