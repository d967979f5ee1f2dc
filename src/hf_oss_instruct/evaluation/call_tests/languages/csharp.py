"""C#: `Debug.Assert(F(…) == (…));`, `.Equals(…)` and, for lists, `.SequenceEqual(…)`."""

from __future__ import annotations

import re
from functools import partial

from hf_oss_instruct.evaluation.call_tests.call_lists import ExpectedCall, listed_calls
from hf_oss_instruct.evaluation.call_tests.core import CallLanguage, CallTests, printer
from hf_oss_instruct.evaluation.call_tests.cursor import Cursor, compared
from hf_oss_instruct.evaluation.call_tests.equality import by_value, same

_HEAD = re.compile(r"\s*(\}?)\s*public static void Main\(string\[\] args\) \{\s*")
_FOOT = re.compile(r"\}\s*\}\s*\Z")
_OPENS = "public static void Main(string[] args) {"
_USING = "".join(
    f"using {name};\n"
    for name in (
        "System",
        "System.Numerics",
        "System.Diagnostics",
        "System.Collections.Generic",
        "System.Linq",
        "System.Text",
        "System.Security.Cryptography",
    )
)
# `SequenceEqual` compares only the items, whatever the type of the sequence.
_PRINTS = {"==": "Print", "Equals": "Print", "SequenceEqual": "PrintItems"}


def read(tests: str) -> CallTests | None:
    """Parse the calls in MultiPL-E's `Main`, each with the function that prints it in the form that is compared."""
    return listed_calls(Cursor(tests), _HEAD, r"Debug\.Assert(?=\()", _pair, _FOOT)


def _pair(cursor: Cursor) -> ExpectedCall | None:
    sides = compared(cursor.whole(), "Equals|SequenceEqual")
    if sides is None or not cursor.take(r";\s*"):
        return None
    call, how, expected = sides
    return f"{_PRINTS[how]}(AT, {call});", f"{_PRINTS[how]}(AT, {expected});"


def solution_program(program: str, tests: CallTests, nonce: str) -> str:
    """Put the calls into the solution's class, where its names are in scope, and the printer after it.

    Args:
        program: the solution.
        tests: the parsed tests.
        nonce: marks the printed lines.
    """
    return f"{program}\n{tests.before}\n{_main(tests.calls, nonce)}"


def expected_program(tests: CallTests, prompt: str, nonce: str) -> str:
    """Put the expected values into a separate class.

    Args:
        tests: the parsed tests.
        prompt: the problem's prompt.
        nonce: marks the printed lines.
    """
    return f"{_USING}class Problem {{\n{_main(tests.expected, nonce)}"


def _main(printed: tuple[str, ...], nonce: str) -> str:
    lines = "\n".join(f"        calls_{nonce[:16]}.{line.replace('AT', str(index), 1)}" for index, line in enumerate(printed))
    return f"    {_OPENS}\n{lines}\n    }}\n}}\n{printer('csharp.cs', nonce)}"


LANGUAGE = CallLanguage(read, solution_program, expected_program, partial(same, leaves=by_value))
