"""Which columns hold the tests of a row: ours, and those of open-r1, SYNTHETIC-1, KodCode, AceCoder, APPS and verl."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from hf_oss_instruct.code.languages import find_language, named
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.structured import any_json

TEST_COLUMNS = (
    "verification_info",  # open-r1, SYNTHETIC-1
    "reward_model",  # verl: {"style": …, "ground_truth": …}
    "ground_truth",
    "tests",  # hf-oss-instruct
    "test_cases",  # AceCoder: assertions; others: [{"input": …, "output": …}]
    "test",  # KodCode: a pytest file
    "input_output",  # APPS, TACO: {"inputs": […], "outputs": […], "fn_name"?: …}
)
"""Columns that may contain tests; the first one that a row has and that is not empty is used. Also `inputs` with `outputs`."""
CODE_COLUMNS = ("tests", "test", "test_cases")
"""Of these, those that may contain plain test code."""
LANGUAGE_COLUMNS = ("lang", "language", "programming_language")
MAX_LITERAL_CHARS = 1 << 20
"""Characters of a text that is read as Python literals, which costs far more than JSON."""


def read_row(row: Mapping[str, Any]) -> RowTests:
    """Read the tests of a row.

    Args:
        row: column → value. Values may be texts with JSON in them.

    Raises:
        UsageError: no column contains tests, the tests cannot be read, or their language is unknown.
    """
    name = next((column for column in TEST_COLUMNS if _has_value(row.get(column))), None)
    value: Any = row[name] if name else None
    if name is None and _has_value(row.get("inputs")) and _has_value(row.get("outputs")):
        name, value = "inputs", {column: row.get(column) for column in ("inputs", "outputs", "fn_name")}
    if name is None:
        here = ", ".join(map(repr, row)) or "none"
        raise UsageError(f"The row has no tests. It needs one of the columns {', '.join(TEST_COLUMNS)}; it has: {here}.")
    return _Reader(row, name).read(value)


def read_ground_truth(ground_truth: Any, extra_info: Mapping[str, Any] | None = None) -> RowTests:
    """Read the tests of a row in verl's format.

    Args:
        ground_truth: `reward_model.ground_truth` of the row.
        extra_info: the row's `extra_info`, which may name the language.

    Raises:
        UsageError: see `read_row`.
    """
    return read_row({**(extra_info or {}), "reward_model": {"ground_truth": ground_truth}})


class _Reader:
    """Reads the value of one column.

    Args:
        row: the row, for its language, solution, entry point and weights.
        column: the column's name, for errors.
    """

    def __init__(self, row: Mapping[str, Any], column: str) -> None:
        self._row, self._column = row, column
        self._language: Any = next((row[name] for name in LANGUAGE_COLUMNS if row.get(name)), None)
        self._function = ""
        self._entry_point = row["entry_point"] if isinstance(row.get("entry_point"), str) else ""
        self._code: list[str] = []
        self._pairs: list[tuple[str, str]] = []
        self._calls: list[tuple[list[Any], Any]] = []

    def read(self, value: Any) -> RowTests:
        self._add(value)
        if sum(map(bool, (self._code, self._pairs, self._calls))) != 1:
            raise self._not_understood(value, "it holds tests of several kinds" if self._code or self._pairs else "it is empty")
        language = self._language or "python"
        if not isinstance(language, str) or find_language(language) is None:
            named(str(language))  # raises, and lists the known ones
        solution, weights = self._row.get("solution"), self._row.get("test_weights")
        row_tests = RowTests(
            language=named(language).name,
            code=tuple(self._code),
            pairs=tuple(self._pairs),
            calls=tuple(self._calls),
            function=self._function,
            entry_point=self._entry_point,
            solution=_program(solution, named(language).name),
            weights=self._weights(weights),
        )
        if row_tests.calls and row_tests.language != "python":
            raise self._not_understood(value, f"calls of a function can be judged in Python only, not in {row_tests.language!r}")
        try:
            # Now, not when the first completion is scored in the middle of a training.
            _ = row_tests.key
        except TypeError as error:
            raise self._not_understood(value, f"it has a value that cannot be stored ({error})") from None
        return row_tests

    def _add(self, value: Any) -> None:
        if isinstance(value, str):
            # Anything else cannot be a JSON list or object, so it is test code.
            if value.lstrip()[:1] not in ("{", "["):
                self._code += [value] if value.strip() else []
            elif (parsed := self._parsed(value)) is not None:
                self._add(parsed)
        elif isinstance(value, Mapping):
            self._add_mapping(value)
        elif isinstance(value, Sequence) or hasattr(value, "tolist"):
            for item in value:
                self._add(item)
        elif value is not None:
            raise self._not_understood(value, "it is neither text, a list nor a mapping")

    def _add_mapping(self, value: Mapping[str, Any]) -> None:
        """Read a case, a set of cases, or what stands around one."""
        self._language = value.get("language") or value.get("lang") or self._language
        self._entry_point = value.get("entry_point") or self._entry_point
        self._function = value.get("fn_name") or self._function
        if "input" in value and "output" in value:
            self._add_case(value["input"], value["output"], value.get("type"))
        elif _has_value(value.get("inputs")) and _has_value(value.get("outputs")):
            inputs, outputs = list(value["inputs"]), list(value["outputs"])
            if len(inputs) != len(outputs):
                raise self._not_understood(value, f"there are {len(inputs)} inputs and {len(outputs)} outputs")
            for given, expected in zip(inputs, outputs, strict=True):
                self._add_case(given, expected)
        else:
            inner = ("test_cases", "ground_truth", "tests", "functional", "assert_case", "test_code")
            column = next((value[name] for name in inner if _has_value(value.get(name))), None)
            if column is None:
                raise self._not_understood(value, f"its keys are {', '.join(map(str, value))}")
            self._add(column)

    def _add_case(self, given: Any, expected: Any, kind: Any = None) -> None:
        if kind == "function_call" or self._function:
            if not self._function:
                raise self._not_understood(given, "a call of a function needs its name in fn_name")
            self._calls.append((_arguments(given), _plain(expected)))
        else:
            self._pairs.append((_lines(given), _lines(expected)))

    def _parsed(self, text: str) -> Any:
        """JSON, or Python literals, which some datasets hold; None if it is test code that starts with a bracket."""
        try:
            return any_json(text)
        except ValueError as error:
            last_error = error
        if len(text) <= MAX_LITERAL_CHARS:
            try:
                # Parsing someone's test code as a literal warns of its invalid escapes.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return ast.literal_eval(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                pass
        if self._column in CODE_COLUMNS:
            self._code.append(text)
            return None
        raise self._not_understood(text, f"it is not JSON ({last_error})")

    def _weights(self, weights: Any) -> tuple[float, ...]:
        if not _has_value(weights):
            return ()
        try:
            numbers = tuple(float(weight) for weight in weights)
        except (TypeError, ValueError):
            raise UsageError(f"test_weights is {weights!r:.80}. It must be a list with a number for each test.") from None
        if not all(0 <= weight < float("inf") for weight in numbers):
            raise UsageError(f"test_weights is {weights!r:.80}. Weights must be 0 or more.")
        return numbers

    def _not_understood(self, value: Any, reason: str) -> UsageError:
        return UsageError(f"The column {self._column!r} contains no readable tests, since {reason}: {value!r:.120}")


def _has_value(value: Any) -> bool:
    """Whether a column has a value: not None, not blank, not empty."""
    if value is None:
        return False
    if isinstance(value, str):
        return bool(value.strip())
    return len(value) > 0 if hasattr(value, "__len__") else True


def _program(solution: Any, language: str) -> str:
    """The program in a solution, which may be Markdown."""
    if not isinstance(solution, str) or not solution.strip():
        return ""
    from hf_oss_instruct.verification.programs import program_in

    return program_in(solution, language).text


def _lines(value: Any) -> str:
    """The text of an input or output; some datasets hold a list of lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence) or hasattr(value, "tolist"):
        return "\n".join(map(str, value))
    return str(value)


def _arguments(given: Any) -> list[Any]:
    """Positional arguments: a list, or a text with a JSON value on each line."""
    if isinstance(given, str):
        try:
            return [any_json(line) for line in given.split("\n") if line.strip()]
        except ValueError:
            return [given]
    given = _plain(given)
    return given if isinstance(given, list) else [given]


def _plain(value: Any) -> Any:
    """Arrays of numpy as lists."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
