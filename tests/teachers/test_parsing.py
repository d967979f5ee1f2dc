"""Which answers become a pair, and what is said of the others."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hf_oss_instruct.data import REASONS, Completion, Pair
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.teachers.parsing import Parser, parse, parse_magicoder

BOTH = pytest.mark.parametrize("parser", [parse, parse_magicoder])
PLAIN = "[Problem Description]\nAdd two numbers.\n\n[Solution]\nreturn a + b\n"


def read(parser: Parser, text: str, finish_reason: str | None = "stop") -> Pair | RowRejectedError:
    try:
        return parser(Completion(text, finish_reason))
    except RowRejectedError as refusal:
        return refusal


def refused(parser: Parser, text: str, finish_reason: str | None = "stop") -> RowRejectedError:
    refusal = read(parser, text, finish_reason)
    assert isinstance(refusal, RowRejectedError)
    return refusal


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.upper().replace("ADD TWO NUMBERS.", "Add two numbers.").replace("RETURN A + B", "return a + b"),
        "Sure, here you are!\n\n" + PLAIN,
        PLAIN.replace("[Problem Description]", "## 1. [Problem Description]").replace("[Solution]", "Now the [sOLUTION]"),
        PLAIN.replace("[Problem Description]", "**[Problem Description]**:").replace("[Solution]", "**[Solution]**"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("Description]\n", "Description]\n\n\n \t").rstrip(),
    ],
    ids=["plain", "capitals", "preamble", "inside the line", "decorated", "crlf", "white space"],
)
def test_the_two_sections_are_found_however_the_markers_are_dressed(parser: Parser, text: str) -> None:
    assert parser(Completion(text, "stop")) == Pair("Add two numbers.", "return a + b")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("[", "\\[").replace("]", "\\]"),
        PLAIN.replace("[", "【").replace("]", "】"),
        PLAIN.replace("[", "## ［").replace("]", "］"),
        PLAIN.replace("[Problem Description]", "## Problem Description").replace("[Solution]", "## Solution:"),
        PLAIN.replace("[Problem Description]", "**Problem Description**").replace("[Solution]", "**Solution:**"),
        PLAIN.replace("[Problem Description]", "### 1. problem description").replace("[Solution]", "### **2) Solution**"),
    ],
)
def test_markers_in_other_dress_are_read_where_the_plain_ones_are_missing_but_not_by_magicoder(text: str) -> None:
    assert parse(Completion(text, "stop")) == Pair("Add two numbers.", "return a + b")
    assert refused(parse_magicoder, text).reason == "unparsable"


def test_where_the_plain_markers_are_there_others_are_text() -> None:
    text = PLAIN.replace("Add two numbers.", "Add two numbers.\n\n## Solution\n\nis below.")
    assert parse(Completion(text, "stop")) == Pair("Add two numbers.\n\n## Solution\n\nis below.", "return a + b")
    assert refused(parse, "A solution\nto the problem description\nsolution: none").reason == "unparsable"


@pytest.mark.parametrize("fence", ["````markdown", "~~~~", "`````"])
def test_chat_around_a_fence_that_holds_both_sections_is_no_part_of_them(fence: str) -> None:
    inside = PLAIN.replace("return a + b", "```python\nreturn a + b\n```")
    marks = fence.removesuffix("markdown")
    text = f"Sure! Here it is:\n\n{fence}\n{inside}{marks}\n\nLet me know if you need more!"
    assert parse(Completion(text, "stop")) == Pair("Add two numbers.", "```python\nreturn a + b\n```")
    unclosed = text.partition(f"{marks}\n\nLet")[0]
    assert parse(Completion(unclosed, "stop")) == Pair("Add two numbers.", "```python\nreturn a + b\n```")


@BOTH
def test_the_first_marker_of_each_kind_wins(parser: Parser) -> None:
    text = PLAIN + "[Problem Description]\nanother\n[Solution]\nanother one\n"
    assert parser(Completion(text, "stop")) == Pair("Add two numbers.", text.partition("[Solution]\n")[2].strip())


def test_a_marker_inside_a_line_gives_way_to_one_that_opens_a_line_but_not_for_magicoder() -> None:
    preamble = Completion("Here are [Problem Description] and [Solution]:\n\n" + PLAIN, "stop")
    assert parse(preamble) == Pair("Add two numbers.", "return a + b")
    assert refused(parse_magicoder, preamble.text).reason == "unparsable"
    typed = Completion(PLAIN.replace("numbers.", "numbers.\nWrite `add() -> list[Solution]`."), "stop")
    assert parse(typed) == Pair("Add two numbers.\nWrite `add() -> list[Solution]`.", "return a + b")
    assert parse_magicoder(typed) == Pair("Add two numbers.", "[Solution]\nreturn a + b")


@BOTH
def test_a_solution_before_its_problem_is_unparsable(parser: Parser) -> None:
    assert refused(parser, "[Solution]\nreturn\n[Problem Description]\nAdd.\n[Solution]\nreturn a").reason == "unparsable"
    assert refused(parser, "[Problem Description] Add. [Solution] return a").reason == "unparsable"


@BOTH
@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ("", "empty", "[problem description]"),
        (" \n\t\n", "empty", "[problem description]"),
        ("I cannot help with that.", "unparsable", "[problem description]"),
        ("[Problem Description]\nAdd.\n", "unparsable", "[solution]"),
        ("[Problem Description]\n \n[Solution]\nreturn", "empty", "[problem description]"),
        ("[Problem Description]\nAdd.\n[Solution]\n\n", "empty", "[solution]"),
    ],
)
def test_the_reason_says_what_is_missing(parser: Parser, text: str, reason: str, detail: str) -> None:
    refusal = refused(parser, text)
    assert (refusal.reason, detail in refusal.detail) == (reason, True)


@BOTH
@pytest.mark.parametrize(
    ("finish_reason", "reason"),
    [
        *((word, "truncated") for word in ("length", "max_tokens", "MAX_TOKENS", "FinishReason.MAX_TOKENS", "model_length")),
        *((word, "refused") for word in ("content_filter", "SAFETY", "FINISH_REASON_SAFETY", "content-filter", "refusal")),
    ],
)
def test_an_answer_that_was_cut_is_none(parser: Parser, finish_reason: str, reason: str) -> None:
    refusal = refused(parser, PLAIN, finish_reason)
    assert (refusal.reason, finish_reason in refusal.detail) == (reason, True)


@BOTH
@pytest.mark.parametrize(
    "finish_reason", ["stop", "eos", "eos_token", "end", "end_turn", "STOP", "COMPLETE", "stop_sequence", "", None, "whatever"]
)
def test_every_other_end_is_one(parser: Parser, finish_reason: str | None) -> None:
    assert read(parser, PLAIN, finish_reason) == Pair("Add two numbers.", "return a + b")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("[Solution] return a + b", "return a + b"),
        ("**[Solution]**: return a + b", "return a + b"),
        ("### [Solution]: return a + b", "return a + b"),
        ("`[Solution]` - return a + b", "return a + b"),
        ("[Solution]```python", "```python"),
        ("**[Solution]** ```python", "```python"),
    ],
)
def test_text_on_the_markers_own_line_is_kept_but_not_by_magicoder(line: str, kept: str) -> None:
    answer = Completion(f"[Problem Description] Add.\nBoth are whole.\n{line}\nas asked", "stop")
    assert parse(answer) == Pair("Add.\nBoth are whole.", f"{kept}\nas asked")
    assert parse_magicoder(answer) == Pair("Both are whole.", "as asked")


@pytest.mark.parametrize("text", ["-1", "`a + b` is returned", "**Always** return a + b", "__init__ does it", "*args go in"])
def test_text_behind_a_marker_keeps_its_own_first_characters(text: str) -> None:
    assert parse(Completion(f"[Problem Description]\nAdd.\n[Solution] {text}", "stop")).solution == text
    assert parse(Completion(f"[Problem Description]\nAdd.\n**[Solution]**: {text}", "stop")).solution == text


def test_a_pair_on_its_markers_lines_alone_is_too_little_for_magicoder() -> None:
    answer = "[Problem Description] Add.\n[Solution] return a + b"
    assert parse(Completion(answer, "stop")) == Pair("Add.", "return a + b")
    assert refused(parse_magicoder, answer).reason == "empty"


PIECES = st.one_of(
    st.sampled_from(["[Problem Description]", "[problem DESCRIPTION]", "[Solution]", "[SOLUTION]", "**", "```", ": ", "[", "]"]),
    st.sampled_from(["\n", "\r\n", "\x0b", "\u2028", " ", "İ", "ı", "ſ", "[\u017folution]", "[solut\u0130on]", "K"]),
    st.text(max_size=8),
)
ANSWERS = st.lists(PIECES, max_size=14).map("".join)


@given(ANSWERS, st.sampled_from(["stop", "length", "content_filter", "", None]))
@example("[\u017folution] [solution] x\n", "stop")
def test_any_answer_is_a_pair_or_has_a_known_reason(text: str, finish_reason: str | None) -> None:
    for parser in (parse, parse_magicoder):
        outcome = read(parser, text, finish_reason)
        if isinstance(outcome, RowRejectedError):
            assert outcome.reason in REASONS
            assert outcome.detail
            assert "\n" not in outcome.detail
        else:
            assert finish_reason not in ("length", "content_filter")
            assert outcome.problem == outcome.problem.strip() != ""
            assert outcome.solution == outcome.solution.strip() != ""


def as_the_paper_describes(text: str) -> tuple[str, str] | None:
    """The first line that holds each marker, in any case, in that order; the bodies stripped, neither empty."""
    lines = text.splitlines(keepends=True)
    with_problem = [number for number, line in enumerate(lines) if "[problem description]" in line.lower()]
    with_solution = [number for number, line in enumerate(lines) if "[solution]" in line.lower()]
    if not with_problem or not with_solution or min(with_problem) >= min(with_solution):
        return None
    problem = "".join(lines[min(with_problem) + 1 : min(with_solution)]).strip()
    solution = "".join(lines[min(with_solution) + 1 :]).strip()
    return (problem, solution) if problem and solution else None


@given(ANSWERS)
@example(PLAIN)
def test_the_magicoder_parser_accepts_what_the_paper_accepts(text: str) -> None:
    outcome, expected = read(parse_magicoder, text), as_the_paper_describes(text)
    assert (None if isinstance(outcome, RowRejectedError) else (outcome.problem, outcome.solution)) == expected


@given(ANSWERS)
@example("The [Problem Description]\nAdd.\n[Solution]\nreturn a + b\n[Problem Description]\nwas to add.")
@example("[Problem Description]\nAdd.\nThe [Solution]\nreturn a + b\n[Solution]\n")
def test_whatever_the_paper_accepts_is_accepted_by_default(text: str) -> None:
    if not isinstance(read(parse_magicoder, text), RowRejectedError):
        assert isinstance(read(parse, text), Pair)


SECTION = st.text(min_size=1).map(str.strip).filter(bool)


@BOTH
@given(problem=SECTION.filter(lambda text: "[solution]" not in text.lower()), solution=SECTION)
def test_a_rendered_pair_is_read_back_as_it_was(parser: Parser, problem: str, solution: str) -> None:
    rendered = f"[Problem Description]\n{problem}\n\n[Solution]\n{solution}\n"
    assert parser(Completion(rendered, "stop")) == Pair(problem, solution)
