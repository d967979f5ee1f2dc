"""The canonical form: what is read, what is refused, and that hostile text costs little."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.evaluation.call_tests.canonical import Map, NotCanonicalError, Other, Some, loads, show
from hf_oss_instruct.evaluation.call_tests.equality import by_value, same, strict


def dumps(value: Any) -> str:
    """The canonical text of Python's own values, as the printers of other languages write theirs."""
    if value is None or isinstance(value, bool):
        return {None: "n", True: "t", False: "f"}[value]
    if isinstance(value, int):
        return f"i{value};"
    if isinstance(value, float):
        return f"d{value!r};"
    if isinstance(value, str):
        return f"s{value.encode().hex()};"
    if isinstance(value, dict):
        return "{" + "".join(dumps(key) + dumps(item) for key, item in value.items()) + "}"
    brackets = "[]" if isinstance(value, list) else "()"
    return brackets[0] + "".join(map(dumps, value)) + brackets[1]


def python(value: Any) -> Any:
    """A value that was read, as Python's own."""
    if isinstance(value, Map):
        return {python(key): python(item) for key, item in value.pairs.values()}
    if isinstance(value, list | tuple):
        return type(value)(map(python, value))
    return value.decode() if isinstance(value, bytes) else value


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(TEXT, inner), max_leaves=20
)


@given(VALUES)
def test_what_is_printed_is_read_back(value: Any) -> None:
    read = loads(dumps(value))
    assert python(read) == value
    assert same(read, loads(dumps(value)), strict)


@given(st.text(alphabet="ntfi-1;d.eso0a[](){}<>?\n x", max_size=40))
def test_any_other_text_is_refused_in_one_way(text: str) -> None:
    try:
        show(loads(text))
    except NotCanonicalError:
        pass


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "]",
        "nn",
        "i;",
        "i1",
        "s6;",
        "sZZ;",
        "d1_0;",
        "{n}",
        "{ntnf}",
        "<nn>",
        "i" + "9" * 5000 + ";",
        "[" * 100 + "]" * 100,
    ],
)
def test_no_value(text: str) -> None:
    with pytest.raises(NotCanonicalError):
        loads(text)


def test_more_values_than_allowed_are_refused() -> None:
    with pytest.raises(NotCanonicalError):
        loads("[" + "n" * 1_000_001 + "]")


def test_equality_by_type_and_by_value() -> None:
    assert same([1, (2.0,)], [1.0, (2,)], by_value)
    assert not same([1], [1.0], strict)
    assert not same([1], (1,), by_value)
    assert not same(True, 1, by_value)
    assert same(Some(1), Some(1), strict)
    assert not same(Some(1), 1, strict)
    assert same(loads("{s61;i1;s62;i2;}"), loads("{s62;i2;s61;i1;}"), strict)
    assert not same(Other("a"), Other("a"), strict)


def test_values_are_shown_in_one_notation() -> None:
    assert show(loads("[n(td1.5;){s61;[]}?i1;o6162;]")) == "[none, (true, 1.5), {'a': []}, some 1, <ab>]"
