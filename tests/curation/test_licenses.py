"""Which licenses are permissive, and what free text means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.curation.licenses import ALIASES, PERMISSIVE, allowed_names, is_permissive, spdx
from hf_oss_instruct.errors import UsageError


@pytest.mark.parametrize(
    ("licenses", "permissive"),
    [
        (["MIT"], True),
        (["(MIT AND BSD-3-Clause) OR GPL-3.0-only"], True),
        (["MIT AND GPL-3.0-only"], False),
        (["MIT", "Apache-2.0"], True),
        (["MIT", "GPL-3.0-only"], False),
        (["PSF-2.0"], True),
        (["Apache-2.0 WITH LLVM-exception"], True),
        (["GPL-2.0-or-later WITH Classpath-exception-2.0"], False),
        (["MIT", "something of our own"], False),
        (["GPL-2.0-or-later OR MIT"], True),
        ([], False),
        (None, False),
    ],
)
def test_or_needs_one_and_needs_all_and_unknown_is_not_permissive(licenses: list[str] | None, permissive: bool) -> None:
    assert is_permissive(licenses) is permissive


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License,\n  Version 2.0", "Apache-2.0"),
        ("mit", "MIT"),
        ("GPL-2+ or Expat", "GPL-2.0-or-later OR MIT"),
        ("GPL-3.0-or-later", "GPL-3.0-or-later"),
        ("MIT License, see LICENSE", None),
        ("((", None),
        ("MIT OR", None),
        ("", None),
        (None, None),
    ],
)
def test_free_text_means_an_spdx_expression_or_nothing(text: str | None, name: str | None) -> None:
    assert spdx(text) == name


def test_the_tables_hold_spdx_names_only() -> None:
    assert {name for name in PERMISSIVE if spdx(name) != name} == set()
    assert {name for name in ALIASES.values() if spdx(name) != name} == set()


@given(st.text(max_size=80) | st.lists(st.sampled_from("MIT AND OR WITH ( ) GPL-2.0-only Apache 2.0 +".split())).map(" ".join))
def test_no_text_of_a_stranger_makes_it_raise(text: str) -> None:
    expression = spdx(text)
    assert expression is None or spdx(expression) == expression
    assert is_permissive([text]) in (True, False)


def test_names_that_a_user_lists_must_be_spdx() -> None:
    assert allowed_names(["mit", "Apache 2.0"]) == {"MIT", "Apache-2.0"}
    with pytest.raises(UsageError, match="Not SPDX license names: whatever"):
        allowed_names(["MIT", "whatever"])
