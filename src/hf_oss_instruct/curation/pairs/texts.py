"""The problem, solution and tests of a table's row, as programs run them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from hf_oss_instruct.curation.pairs import chats
from hf_oss_instruct.curation.pairs.columns import TableColumns, read_tests, text_of
from hf_oss_instruct.data import storable

_DEFINES_CHECK = re.compile(r"^def check\(", re.MULTILINE)
# At the top level, or under the main guard.
_CALLS_CHECK = re.compile(r"^(?:if __name__.*\n\s+)?check\(", re.MULTILINE)


def pair_rows(table: pa.Table, names: TableColumns, also: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """The rows of a table with their texts in the columns `problem` and `solution`.

    Args:
        table: the rows.
        names: its columns.
        also: further columns, which are passed on as they are.
    """
    for row in table.select(list(dict.fromkeys((names.problem, names.solution, *also)))).to_pylist():
        problem, solution = row[names.problem], row[names.solution]
        texts = {"problem": problem_of(problem, names), "solution": solution_of(problem, solution, names)}
        yield {name: row[name] for name in also} | {name: storable(text) for name, text in texts.items()}


def problem_of(value: Any, names: TableColumns) -> str:
    """The text of a row's problem: of a chat the first turn of the user."""
    return chats.first_user_text(chats.turns_of(value)) if names.chat else text_of(value)


def solution_of(problem: Any, solution: Any, names: TableColumns) -> str:
    """The text of a row's solution: of a chat the last turn of the assistant.

    In HumanEval and its relatives the prompt opens a function and the solution is its body: a solution that starts with an
    indented line is appended to the prompt.

    Args:
        problem: value of the problem's column.
        solution: value of the solution's column.
        names: the columns of the table.
    """
    if names.chat:
        return chats.last_assistant_text(chats.turns_of(solution))
    text = text_of(solution)
    return text_of(problem) + text if names.completes_prompt and _starts_indented(text) else text


def with_solution(value: Any, text: str, names: TableColumns) -> Any:
    """The value of the solution's column with another solution.

    Args:
        value: the present value; a chat keeps its other turns.
        text: the other solution.
        names: the columns of the table.
    """
    return chats.with_last_assistant_text(value, text) if names.chat else text


def tests_of(tests: Any, entry_point: Any) -> str | list[str] | None:
    """The tests of a row, see `read_tests`. HumanEval's `check(candidate)`, which nothing calls, is called.

    Args:
        tests: value of the column of tests.
        entry_point: name of the function under test, if the table has one.
    """
    texts = read_tests(tests)
    called = isinstance(entry_point, str) and entry_point.isidentifier()
    if not called or not isinstance(texts, str) or not _DEFINES_CHECK.search(texts) or _CALLS_CHECK.search(texts):
        return texts
    return f"{texts.rstrip()}\n\ncheck({entry_point})\n"


def _starts_indented(text: str) -> bool:
    line = next((line for line in text.split("\n") if line.strip()), "")
    return line[:1] in (" ", "\t")
