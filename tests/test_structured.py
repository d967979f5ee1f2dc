"""Any text from outside is a value or a sentence about it, soon."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.structured import MAX_YAML_CHARS, any_json, load_yaml, loads, read_object

PIECES = """[ { } ] - ? : a &x *x !!int 1: ' " | # 0x 9 e ."""
pieces = st.sampled_from([*PIECES.split(" "), "- ", ": ", "\n", "\t", " "])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(pieces, max_size=60).map("".join) | st.text())
def test_any_yaml_text_is_what_pyyaml_says_or_refused(text: str) -> None:
    try:
        found = load_yaml(text)
    except ValueError:
        return
    assert repr(found) == repr(yaml.safe_load(text))


@given(values)
def test_what_we_write_is_read_again(value: Any) -> None:
    assert load_yaml(yaml.safe_dump(value, allow_unicode=True)) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 10_000, "levels deep"),
        ("- " * 10_000, "levels deep"),
        ("a: &x [1]\nb: *x", "alias"),
        ("a: " + "1" * 5000, "5,000 characters"),
        ("a: 1" + ":1" * 100_000, "characters"),
        ("a: 123456789012345678901234567890", "more than 64 bits"),
        ("a: 2024-99-99", "month"),
        ("- a\n" * 30_000, "tokens"),
        ("a: \t- b", "token"),
        ("x" * (MAX_YAML_CHARS + 1), "at most"),
        ("a: \0", "not allowed"),
        ("!!python/object/apply:os.system [echo]", "constructor"),
    ],
)
def test_hostile_yaml_is_refused_in_words_and_at_once(text: str, said: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match=said):
        load_yaml(text)
    assert time.process_time() - started < 5  # PyYAML alone: minutes


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5000, "1e400", "NaN", "-Infinity", "9" * 25, "{", b"\xff", "'"])
def test_hostile_json_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(text)


def test_numbers_of_benchmarks_may_be_anything() -> None:
    assert any_json("[1e400, " + "9" * 25 + "]") == [float("inf"), int("9" * 25)]
    with pytest.raises(ValueError, match="deeply"):
        any_json("[" * 100_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "should hold a JSON object, not list"),
        ('{"n": "1"}', "'n' is '1', and should be int"),
        ('{"n": true}', "'n' is True, and should be int"),
        ("{}", "'n' is missing"),
        ('{"n": NaN}', "not a number"),
        ("{", "cannot be read"),
    ],
)
def test_a_file_of_another_shape_is_named_with_key_and_value(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        read_object(path, {"n": int})
    assert "run.json" in str(caught.value)
    with pytest.raises(ValueError, match="No such file"):
        read_object(tmp_path / "none.json")
