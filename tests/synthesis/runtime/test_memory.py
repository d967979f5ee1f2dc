"""What a run sets in its process, it sets back."""

from __future__ import annotations

import gc

import pytest

from hf_oss_instruct.synthesis.runtime.memory import NEW_OBJECTS, rare_garbage_collection


@pytest.mark.parametrize(("own", "during"), [(700, NEW_OBJECTS), (10**6, 10**6)])
def test_the_callers_thresholds_come_back_also_after_an_error(own: int, during: int) -> None:
    def fail() -> None:
        with rare_garbage_collection():
            assert gc.get_threshold() == (during, 5, 6)
            raise ZeroDivisionError

    before = gc.get_threshold()
    gc.set_threshold(own, 5, 6)
    try:
        with pytest.raises(ZeroDivisionError):
            fail()
        assert gc.get_threshold() == (own, 5, 6)
    finally:
        gc.set_threshold(*before)
