"""Which rows are duplicates of earlier ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.curation.duplicates.exact import ExactDuplicates
from hf_oss_instruct.data import REASONS, Row


def row(seed: str, problem: str, solution: str) -> Row:
    return {"seed": seed, "problem": problem, "solution": solution}


@pytest.mark.parametrize("column", ["seed", "problem", "solution"])
def test_one_equal_column_is_enough_white_space_aside(column: str) -> None:
    duplicate = ExactDuplicates()
    first, second = row("x = 1", "Add two.", "a + b"), row("y = 2", "Take one.", "a - 1")
    second[column] = "\n\t" + first[column].replace(" ", "\u2003\r\n  ") + " "  # type: ignore[literal-required]
    assert duplicate(first).reason is None
    verdict = duplicate(second)
    assert verdict.reason == "duplicate"
    assert verdict.reason in REASONS
    assert column in verdict.detail


def test_the_same_text_in_another_column_is_no_duplicate() -> None:
    duplicate = ExactDuplicates()
    assert duplicate(row("one", "two", "three")).reason is None
    assert duplicate(row("two", "three", "one")).reason is None


def test_case_and_punctuation_make_a_difference() -> None:
    duplicate = ExactDuplicates()
    kept = [duplicate(row(text, f"p{text}", f"s{text}")).reason is None for text in ("abc", "Abc", "abc.", "ab", "")]
    assert all(kept)


def test_the_first_stays_and_a_dropped_row_leaves_no_marks() -> None:
    duplicate = ExactDuplicates()
    assert duplicate(row("a", "b", "c")).reason is None
    assert duplicate(row("new", "new", "c")).reason == "duplicate"
    assert duplicate(row("new", "new too", "other")).reason is None  # its seed stood only in the row that was dropped


FEW = st.text(alphabet="ab \n", max_size=3)


@given(st.lists(st.tuples(FEW, FEW, FEW), max_size=12))
def test_a_row_is_kept_exactly_if_it_shares_no_column_with_a_kept_one(texts: list[tuple[str, str, str]]) -> None:
    duplicate = ExactDuplicates()
    kept: list[tuple[str, ...]] = []
    for text in texts:
        squeezed = tuple("".join(part.split()) for part in text)
        shared = any(mine and mine == theirs for other in kept for mine, theirs in zip(squeezed, other, strict=True))
        assert (duplicate(row(*text)).reason == "duplicate") == shared
        if not shared:
            kept.append(squeezed)
