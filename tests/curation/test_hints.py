"""One look tells which lines are worth the detectors' while: it must miss nothing that they would find."""

from __future__ import annotations

import re

import pytest
from detect_secrets.plugins.keyword import DENYLIST
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.curation.snippet_filters import HINT, _detectors

FORMS = [form for one in _detectors() for form in getattr(one, "denylist", ()) if isinstance(form, re.Pattern)]


@pytest.mark.parametrize("examples", [20, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.pattern[:40])
def test_what_a_detector_looks_for_has_a_hint_in_it(form: re.Pattern[str], examples: int) -> None:
    """Every form with some lines; the long version looks at ten times as many lines of each."""

    @settings(max_examples=examples)
    @given(st.from_regex(form))
    def every_find(line: str) -> None:
        assert HINT.search(line) or not form.search(line)

    every_find()


@pytest.mark.parametrize("word", DENYLIST)
def test_every_name_of_a_secret_is_a_hint(word: str) -> None:
    for spelled in (word.replace("?", ""), word.replace("_?", ""), word.replace("?", "").upper()):
        assert HINT.search(f"my_{spelled} = 'x'")
