"""Pairs that a teacher writes as JSON: what is read from them, and what is rejected."""

from __future__ import annotations

import json
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.data import Completion, Pair
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.teachers.json_answers import form_of, parse_json, parse_json_with_tests, response_format
from hf_oss_instruct.teachers.parsing import parse, parse_with_tests

PAIR = {"problem": "Double a number.", "solution": "```python\ndef double(x):\n    return {'x': 2 * x}['x']\n```"}
TESTS = "```python\ndef test_double():\n    assert double(2) == 4\n```"


def stop(text: str) -> Completion:
    return Completion(text, "stop")


TEXTS = st.text('aé°「{"\\:,} `\n', min_size=1).filter(str.strip)


@given(TEXTS, TEXTS)
@settings(max_examples=50)
def test_json_and_sections_give_the_same_pair(problem: str, solution: str) -> None:
    sections = f"[Problem Description]\n{problem}\n\n[Solution]\n{solution}\n"
    pair = parse(stop(sections))
    assert parse_json(stop(json.dumps({"problem": problem, "solution": solution}))) == pair
    assert (pair.problem, pair.solution) == (problem.strip(), solution.strip())


def test_tests_are_read_only_where_they_are_asked_for() -> None:
    answer = stop(json.dumps(PAIR | {"tests": f"\n{TESTS}\n"}))
    sections = f"[Problem Description]\n{PAIR['problem']}\n[Solution]\n{PAIR['solution']}\n[Tests]\n{TESTS}"
    assert parse_json_with_tests(answer) == parse_with_tests(stop(sections)) == Pair(**PAIR, tests=TESTS)
    assert parse_json(answer) == Pair(**PAIR)
    assert parse_json_with_tests(stop(json.dumps(PAIR | {"tests": ""}))) == Pair(**PAIR)


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "\n\n  {}  \n",
        "```json\n{}\n```",
        "Here is the object:\n\n{}\n\nI hope that it helps.",
        'An example is {{"a": 1}}, and the answer {}',
        '{{"draft": {{"x"\n{}',
    ],
)
def test_the_object_is_found_wherever_a_model_puts_it(around: str) -> None:
    text = around.format(json.dumps(PAIR))
    assert parse_json(stop(text)) == Pair(**PAIR)
    assert form_of(text) == "json"


def test_bare_line_breaks_inside_a_string_are_read() -> None:
    assert parse_json(stop('{"problem": "one\ntwo", "solution": "x"}')) == Pair("one\ntwo", "x")


def test_half_a_character_that_utf8_cannot_hold_is_replaced() -> None:
    assert parse_json(stop('{"problem": "a \\ud800 b", "solution": "x"}')) == Pair("a ? b", "x")


def test_sections_are_read_where_there_is_no_object() -> None:
    """A server without schemas may still be asked; objects in the program are no answer."""
    text = '[Problem Description]\nA.\n[Solution]\n```python\nx = {"problem": 1}\n```'
    assert parse_json(stop(text)) == Pair("A.", '```python\nx = {"problem": 1}\n```')
    assert form_of(text) == "sections"


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("Sure! What shall I write?", "unparsable", "neither a JSON object with problem and solution nor sections"),
        ('{"problem": "A."}', "unparsable", "neither a JSON object"),
        ('{"problem": "A.", "solution": "x', "unparsable", "neither a JSON object"),
        ('{"problem": "A.", "solution": ["x"]}', "unparsable", "'solution' of the JSON object is list, not text"),
        ('{"problem": null, "solution": "x"}', "unparsable", "'problem' of the JSON object is NoneType, not text"),
        ('{"problem": "A.", "solution": "  "}', "empty", "'solution' of the JSON object has no text"),
        ("", "empty", "no line"),
    ],
)
def test_what_is_no_pair_is_rejected_with_its_reason(text: str, reason: str, said: str) -> None:
    with pytest.raises(RowRejectedError, match=said) as refusal:
        parse_json(stop(text))
    assert refusal.value.reason == reason


def test_a_cut_object_is_truncated() -> None:
    with pytest.raises(RowRejectedError) as refusal:
        parse_json(Completion('{"problem": "A.", "solution": "x', "length"))
    assert refusal.value.reason == "truncated"


@pytest.mark.parametrize("text", ['{"a":' * 50_000, '{"a" {"a" ' * 50_000, '{"a":"' * 50_000, '[{"a":1},' * 50_000])
def test_a_hostile_answer_takes_no_time(text: str) -> None:
    started = process_time()
    assert form_of(text) == "neither"
    assert process_time() - started < 2


def test_the_schema_is_strict() -> None:
    """OpenAI refuses a strict schema in which a field is optional or others are allowed."""
    for tests, names in ((False, ["problem", "solution"]), (True, ["problem", "solution", "tests"])):
        schema = response_format(tests=tests)["json_schema"]["schema"]
        assert list(schema["properties"]) == schema["required"] == names
        assert schema["additionalProperties"] is False
