"""Java: `assert(f(…) == (…));` of primitives, `assert(f(…).equals(…));` of objects, whose types matter: Integer is not Long."""

from __future__ import annotations

import re

from hf_oss_instruct.evaluation.call_tests.call_lists import equation, listed_calls
from hf_oss_instruct.evaluation.call_tests.canonical import Value
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, numbered
from hf_oss_instruct.evaluation.call_tests.equality import by_value, same
from hf_oss_instruct.evaluation.tamper_protection import java_tuples

_HEAD = re.compile(r"\s*(\}?)\s*public static void main\(String\[\] args\) \{\s*")
_FOOT = re.compile(r"\}\s*\}\s*\Z")
_IMPORTS = (
    "import java.util.*;\nimport java.lang.reflect.*;\nimport java.security.*;\nimport java.math.*;\nimport java.util.stream.*;\n"
)
_JAVATUPLES = re.compile(r"^[ \t]*import[ \t]+org\.javatuples\.[\w*]+[ \t]*;", re.MULTILINE)
_MAIN = "class Main {\n    public static void main(String[] args) throws Exception { Problem.main(args); }\n}\n"
_OPENS = "public static void main(String[] args) throws Exception {"


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `main`, which a brace that closes the function may precede."""
    return listed_calls(Cursor(tests), _HEAD, r"assert(?=\()", equation("equals"), _FOOT)


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Put the calls into the solution's class, where its names are in scope, and the printer after it.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    lines = numbered(f"        calls_{nonce[:16]}.print(AT, VALUE);", tests.calls)
    rest = f"{java_tuples()}{_MAIN}{printer('java.java', nonce)}"
    return f"{_JAVATUPLES.sub('', program)}\n{tests.before}\n    {_OPENS}\n{lines}\n    }}\n}}\n{rest}"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Put the expected values into a separate class.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    lines = numbered(f"        calls_{nonce[:16]}.print(AT, VALUE);", tests.expected)
    rest = f"{java_tuples()}{_MAIN}{printer('java.java', nonce)}"
    return f"{_IMPORTS}class Problem {{\n    {_OPENS}\n{lines}\n    }}\n}}\n{rest}"


def equal(answer: Value, expected: Value) -> bool:
    """Compare objects like `equals`; a primitive is compared by value, also with a box of any type."""
    # The printer writes an object as its type and value, a primitive as the value alone.
    if not isinstance(expected, tuple) and isinstance(answer, tuple) and len(answer) == 2:
        answer = answer[1]
    if not isinstance(answer, tuple) and isinstance(expected, tuple) and len(expected) == 2:
        expected = expected[1]
    return same(answer, expected, by_value)


LANGUAGE = CallLanguage(read, solution_program, expected_program, equal)
