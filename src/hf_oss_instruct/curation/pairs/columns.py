"""Which columns of a table hold problems, solutions and tests: the spellings of datasets that are in use."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hf_oss_instruct.code.languages import find_language, language_of_path
from hf_oss_instruct.data import storable
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.terminal.values import columns_in

PAIRS = (
    ("problem", "solution"),
    ("instruction", "response"),
    ("instruction", "output"),
    ("input", "output"),
    ("prompt", "completion"),
    ("question", "solution"),
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("prompt", "response"),
    ("prompt", "solution"),
    ("prompt", "code"),
    ("text", "code"),
    ("problem", "answer"),
    ("instruction", "solution"),
    ("description", "solution"),
    ("question", "solutions"),
    ("problem", "solutions"),
    ("prompt", "canonical_solution"),
    ("complete_prompt", "canonical_solution"),
)
"""Names of the two columns, the likelier ones first; `instruction` and `input` may both be there (OpenCodeInstruct)."""
TESTS = ("tests", "test", "unit_tests", "test_list", "test_cases", "test_code", "input_output", "public_tests", "testcases")
LANGUAGES = ("lang", "language", "programming_language", "lang_name")
CHATS = ("messages", "conversations", "conversation")
"""Columns with a problem and its solution as the turns of a chat."""
ENTRY_POINT, TASK_ID = "entry_point", "task_id"
_LANGUAGE_AND_NUMBER = re.compile(r"([^/\s]+)/\d+")
FIELDS = ("problem", "solution", "tests", "language")


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Names of columns; None if a table has none.

    Attributes:
        problem, solution: the pair; the same column where it holds chats.
        tests: a suite, a list of tests, or inputs and outputs.
        language: names of programming languages.
        entry_point: names of the functions that HumanEval's `check(candidate)` is called with.
        task_id: ids of problems, which begin with the language in HumanEval-X (`CPP/0`, `Java/12`).
    """

    problem: str
    solution: str
    tests: str | None = None
    language: str | None = None
    entry_point: str | None = None
    task_id: str | None = None

    @property
    def chat(self) -> bool:
        """Whether problem and solution are turns of the same chat."""
        return self.problem == self.solution

    @property
    def read(self) -> list[str]:
        """Names of the columns that are read, each once."""
        return [name for name in dict.fromkeys((self.problem, self.solution, self.tests, self.language)) if name]

    def renamed(self, names: Mapping[str, str]) -> TableColumns:
        """The columns of problem and solution after some columns of the table got another name (old → new)."""
        return replace(self, problem=names.get(self.problem, self.problem), solution=names.get(self.solution, self.solution))

    @property
    def completes_prompt(self) -> bool:
        """Whether solutions may be bodies of the function that the problem opens, as in HumanEval."""
        return self.entry_point is not None or self.solution == "canonical_solution"


def columns_of(names: Sequence[str], given: Mapping[str, str] | str | None = None) -> TableColumns:
    """The columns of a table by its names, or as the caller names them.

    Args:
        names: the columns that there are.
        given: any of `FIELDS` → column, or the same as a text, `problem=NAME,solution=NAME`.

    Raises:
        UsageError: the problem or the solution is missing, or a named column does not exist.
    """
    given = columns_in(given)
    if unknown := [field for field in given if field not in FIELDS]:
        raise UsageError(f"--columns accepts {', '.join(FIELDS)}, not {unknown[0]!r}. Write problem=NAME,solution=NAME.")
    if missing := [name for name in given.values() if name not in names]:
        raise UsageError(f"The rows have no column {missing[0]!r}. They have: {', '.join(names)}.")
    pairs = [(given.get("problem", problem), given.get("solution", solution)) for problem, solution in PAIRS]
    chosen = next((pair for pair in pairs if pair[0] in names and pair[1] in names and pair[0] != pair[1]), None)
    chat = next((name for name in CHATS if name in names), None)
    both = (given.get("problem", chat), given.get("solution", chat))
    if chosen is None and both[0] is not None and both[0] == both[1]:
        chosen = (both[0], both[0])
    if chosen is None:
        missing_fields = "no solution" if any(problem in names for problem, _ in pairs) else "no problem and no solution"
        raise UsageError(
            f"The rows have {missing_fields} under a usual column name. They have: {', '.join(names)}. "
            "Pass them: --columns problem=NAME,solution=NAME,tests=NAME."
        )
    columns = TableColumns(*chosen, given.get("tests"), given.get("language"))
    taken = set(chosen)
    tests = next((name for name in TESTS if name in names and name not in taken), None)
    language = next((name for name in LANGUAGES if name in names and name not in taken), None)
    entry_point, task_id = (name if name in names and name not in taken else None for name in (ENTRY_POINT, TASK_ID))
    return replace(
        columns,
        tests=columns.tests or tests,
        language=columns.language or language,
        entry_point=entry_point,
        task_id=task_id,
    )


def text_of(value: Any) -> str:
    """A problem or solution as text: of several solutions the first, of chat messages the last one's content."""
    if isinstance(value, str):
        # Lists in CSV and some Parquet files are JSON text; a program may begin with a bracket, too.
        listed = _json(value) if value.lstrip()[:2] in ('["', "['", "[{") else None
        return text_of(listed) if isinstance(listed, list) else value
    if isinstance(value, list) and value:
        last = value[-1]
        if isinstance(last, dict) and "content" in last:
            return str(last["content"] or "")
        return text_of(value[0])
    return "" if value is None or value == [] else str(value)


def read_tests(value: Any) -> str | list[str] | None:
    """Tests as suites are read: a text, several texts, or JSON of inputs and outputs; None without any.

    Lists and objects may come as JSON text. `{"inputs": […], "outputs": […]}` (APPS, TACO) becomes pairs or, with `fn_name`,
    asserts.
    """
    if isinstance(value, str):
        parsed = _json(value) if value.lstrip()[:1] in ("[", "{") else None
        if not isinstance(parsed, list | dict):
            return value if value.strip() else None
        value = parsed
    if isinstance(value, Mapping):
        return _inputs_and_outputs(value)
    if not isinstance(value, Sequence) or not value:
        return None
    if all(isinstance(test, Mapping) and {"input", "output"} <= test.keys() for test in value):
        return json.dumps([{"input": str(test["input"]), "output": str(test["output"])} for test in value])
    texts = [storable(test) for test in value if isinstance(test, str) and test.strip()]
    return texts or None


def language_of(value: Any, default: str, task_id: Any = None) -> str:
    """The name of a row's language in `languages.LANGUAGES`.

    Args:
        value: what the row says: a name, or the suffix of its files, as MultiPL-E does (`rs`).
        default: the language where neither that nor the id names one that is known.
        task_id: the id of its problem, such as HumanEval-X's `CPP/0`.
    """
    of_id = _LANGUAGE_AND_NUMBER.fullmatch(task_id) if isinstance(task_id, str) else None
    names = [str(value)] if value else []
    names += [of_id[1]] if of_id else []
    known = next((language for name in names if (language := find_language(name) or language_of_path(f"file.{name}"))), None)
    return known.name if known else default


def _inputs_and_outputs(value: Mapping[str, Any]) -> str | None:
    inputs, outputs = value.get("inputs") or value.get("input"), value.get("outputs") or value.get("output")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs) or not inputs:
        return None
    if name := value.get("fn_name"):
        lines = [f"assert {name}(*{given!r}) == {wanted!r}" for given, wanted in zip(inputs, outputs, strict=True)]
        return storable("\n".join(lines) + "\n")
    return json.dumps([{"input": _lines(i), "output": _lines(o)} for i, o in zip(inputs, outputs, strict=True)])


def _lines(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    # Deep nesting, which untrusted text may have, is a RecursionError.
    except (ValueError, RecursionError):
        return None
