"""Tests of rows in every format that people have become the same thing, and what is no test is refused by name."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards.columns import read_ground_truth, read_row
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.rewards.row_reader import RowTestsReader

PAIRS = (("1\n", "2\n"), ("5\n", "10\n"))
CASES = [{"input": "1\n", "output": "2\n"}, {"input": "5\n", "output": "10\n"}]
COLUMNAR = {"inputs": ["1\n", "5\n"], "outputs": ["2\n", "10\n"]}
ASSERTION = "assert double(1) == 2"


@pytest.mark.parametrize(
    "row",
    [
        {"verification_info": {"language": "python", "test_cases": CASES}},
        {"verification_info": json.dumps({"language": "Python", "test_cases": CASES})},
        {"verification_info": str({"language": "python", "test_cases": CASES})},
        {"verification_info": {"language": "python", "test_cases": np.array(CASES, dtype=object)}},
        {"verification_info": {"test_cases": [case | {"type": "stdin_stdout", "fn_name": None} for case in CASES]}},
        {"reward_model": {"style": "rule", "ground_truth": json.dumps(COLUMNAR)}},
        {"reward_model": {"style": "rule", "ground_truth": json.dumps(CASES)}},
        {"ground_truth": json.dumps(COLUMNAR)},
        {"tests": json.dumps(CASES), "lang": "python"},
        {"test_cases": CASES},
        {"input_output": json.dumps(COLUMNAR)},
        {**COLUMNAR, "language": "python"},
        {"tests": None, "test": "", "test_cases": CASES},
    ],
)
def test_pairs_of_input_and_output_are_read_from_every_column(row: dict[str, Any]) -> None:
    assert read_row(row) == RowTests(pairs=PAIRS)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"tests": f"def test_it():\n    {ASSERTION}\n"}, (f"def test_it():\n    {ASSERTION}\n",)),
        ({"test": f"from solution import double\n\ndef test_it():\n    {ASSERTION}\n"}, None),
        ({"test_cases": [ASSERTION, "assert double(5) == 10"]}, (ASSERTION, "assert double(5) == 10")),
        ({"reward_model": {"ground_truth": ASSERTION}}, (ASSERTION,)),
        ({"reward_model": {"ground_truth": json.dumps({"functional": ASSERTION})}}, (ASSERTION,)),
    ],
)
def test_code_is_read_as_it_stands(row: dict[str, Any], code: tuple[str, ...] | None) -> None:
    assert read_row(row).code == (code or (row["test"],))


@pytest.mark.parametrize(
    "value",
    [
        {"inputs": [[[1, 2]], [[3, 4]]], "outputs": [3, 7], "fn_name": "total"},
        {"inputs": ["[1, 2]", "[3, 4]"], "outputs": [3, 7], "fn_name": "total"},
        [
            {"type": "function_call", "fn_name": "total", "input": [[1, 2]], "output": 3},
            {"type": "function_call", "fn_name": "total", "input": [[3, 4]], "output": 7},
        ],
    ],
)
def test_calls_of_a_function_keep_their_values_plain(value: Any) -> None:
    found = read_row({"input_output": json.dumps(value)})
    assert (found.function, found.calls) == ("total", (([[1, 2]], 3), ([[3, 4]], 7)))


def test_what_verl_hands_over_is_read_with_the_language_of_its_extra_info() -> None:
    found = read_ground_truth(json.dumps(CASES), {"language": "C++", "index": 3})
    assert (found.language, found.pairs) == ("cpp", PAIRS)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({}, "it has: none"),
        ({"problem": "x", "tests": None}, "'problem', 'tests'"),
        ({"tests": []}, "no tests"),
        ({"tests": "assert True", "lang": "klingon"}, "klingon"),
        ({"tests": "assert True", "lang": 3}, "Unknown language '3'"),
        ({"verification_info": {"language": "python"}}, "its keys are language"),
        ({"verification_info": "{'language': open('/etc/passwd')}"}, "it is not JSON"),
        ({"test_cases": [{"input": "1"}]}, "its keys are input"),
        ({"input_output": {"inputs": ["1", "2"], "outputs": ["1"]}}, "2 inputs and 1 outputs"),
        ({"input_output": {"inputs": [1], "outputs": [1], "fn_name": "f"}, "lang": "java"}, "in Python only"),
        (
            {"verification_info": {"test_cases": [{"type": "function_call", "input": 1, "output": 1}]}},
            "needs its name in fn_name",
        ),
        ({"test_cases": [ASSERTION, CASES[0]]}, "tests of several kinds"),
        ({"tests": 7}, "neither text, a list nor a mapping"),
        ({"tests": ASSERTION, "test_weights": ["a"]}, "a number for each test"),
        ({"tests": ASSERTION, "test_weights": [-1]}, "0 or more"),
    ],
)
def test_a_row_that_cannot_be_read_says_which_value_is_wrong(row: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_row(row)


def test_rows_survive_the_wire_and_equal_rows_are_read_once() -> None:
    row = {"input_output": {"inputs": [[1], ["a"]], "outputs": [{"k": [1.5]}, None], "fn_name": "f"}, "solution": "x"}
    reader = RowTestsReader()
    found = reader.read(row)
    assert reader.read(json.loads(json.dumps(row)) | {"another": "column"}) is found
    assert RowTests.from_json(json.loads(json.dumps(found.to_json()))) == found
    with pytest.raises(UsageError, match=r"cannot be read: .+ Write them with `RowTests.to_json`"):
        RowTests.from_json({"pairs": [["only one"]]})
