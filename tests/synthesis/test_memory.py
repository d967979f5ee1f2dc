"""What a run sets in its process, it sets back."""

from __future__ import annotations

import gc

import pyarrow as pa
import pytest

from hf_oss_instruct.synthesis.memory import NEW_OBJECTS, tuned_memory


def test_the_callers_settings_come_back_also_after_an_error() -> None:
    before = gc.get_threshold(), pa.default_memory_pool().backend_name

    def fail() -> None:
        with tuned_memory():
            assert gc.get_threshold()[0] == NEW_OBJECTS
            assert pa.default_memory_pool().backend_name == "system"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (gc.get_threshold(), pa.default_memory_pool().backend_name) == before


def test_who_collects_more_rarely_still_does() -> None:
    before = gc.get_threshold()
    gc.set_threshold(10**6, 5, 5)
    try:
        with tuned_memory():
            assert gc.get_threshold() == (10**6, 5, 5)
    finally:
        gc.set_threshold(*before)
