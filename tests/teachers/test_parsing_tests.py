"""Answers with a third section, [Tests]: any order, any wrapping, and no section in a program's comment."""

from __future__ import annotations

import pytest

from hf_oss_instruct.data import Completion, Pair
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.teachers.parsing import parse, parse_with_tests
from hf_oss_instruct.teachers.parsing import tests_section as section

PROBLEM, SOLUTION, TESTS = (
    "[Problem Description]\nP\n\n",
    "[Solution]\n```python\nS\n```\n\n",
    "[Tests]\n```python\nassert T\n```\n",
)
WHOLE = Pair("P", "```python\nS\n```", "```python\nassert T\n```")


@pytest.mark.parametrize(
    "text",
    [
        PROBLEM + SOLUTION + TESTS,
        TESTS + "\n" + SOLUTION + PROBLEM,
        SOLUTION + TESTS + "\n" + PROBLEM,
        PROBLEM + SOLUTION + TESTS.replace("[Tests]", "## [Tests]:"),
        (PROBLEM + SOLUTION + TESTS).replace("[Tests]", "【Tests】"),
        "## Problem Description\nP\n\n## Solution\n```python\nS\n```\n\n## Tests\n```python\nassert T\n```\n",
    ],
)
def test_three_sections_are_read_in_any_order(text: str) -> None:
    assert parse_with_tests(Completion(text, "stop")) == WHOLE


def test_a_comment_in_a_program_opens_no_section() -> None:
    text = PROBLEM + "[Solution]\n```python\n# [Tests]\nS\n```\n"
    assert parse_with_tests(Completion(text, "stop")) == Pair("P", "```python\n# [Tests]\nS\n```")
    assert parse_with_tests(Completion(PROBLEM + SOLUTION, "stop")) == parse(Completion(PROBLEM + SOLUTION, "stop"))


def test_a_missing_or_empty_section_is_refused() -> None:
    with pytest.raises(RowRejectedError, match=r"unparsable: no line has \[solution\]"):
        parse_with_tests(Completion(PROBLEM + TESTS, "stop"))
    with pytest.raises(RowRejectedError, match="empty: section"):
        parse_with_tests(Completion("[Problem Description]\n" + SOLUTION + TESTS, "stop"))
    with pytest.raises(RowRejectedError, match="truncated"):
        parse_with_tests(Completion(PROBLEM + SOLUTION + TESTS, "length"))


def test_an_answer_of_tests_alone_needs_no_heading() -> None:
    assert section("Sure!\n\n[Tests]\nassert T\n") == "assert T\n"
    assert section("assert T\n") == "assert T\n"
