"""A map of numbers behaves as a dict does, whatever is packed when."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hf_oss_instruct.storage import packed, spill
from hf_oss_instruct.storage.packed import NumberMap

NUMBERS = st.integers(0, 2**64 - 1) | st.integers(0, 5)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.booleans())))
def test_it_is_a_dict(changes: list[tuple[int, int, bool]]) -> None:
    plain, numbers = {}, NumberMap()
    for key, value, look in changes:
        plain[key] = value
        numbers.set(key, value)
        if look:
            assert sorted(numbers.values()) == sorted(plain.values())  # packs
        assert len(numbers) == len(plain)
    for key in [*plain, 7, 2**63]:
        assert numbers.get(key) == plain.get(key)
        assert (key in numbers) == (key in plain)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 60) | NUMBERS, NUMBERS), max_size=200))
def test_many_runs_on_disk_are_a_dict(changes: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes at which entries are packed, merged and written are made small, so that a few entries need all of it."""
    for module, name, size in ((packed, "BUFFER_ENTRIES", 4), (packed, "MERGE_ENTRIES", 3), (spill, "MEMORY_BYTES", 16)):
        monkeypatch.setattr(module, name, size)
    plain, numbers = {}, NumberMap()
    for key, value in changes:
        plain[key] = value
        numbers.set(key, value)
        assert numbers.get(key) == value
    assert {key: numbers.get(key) for key in plain} == plain
    assert numbers.get(61) == plain.get(61)
    assert list(numbers.values()) == [plain[key] for key in sorted(plain)]
    assert len(numbers) == len(plain)


def test_it_finds_keys_at_both_ends_of_what_is_packed() -> None:
    numbers = NumberMap()
    for key in (0, 7, 2**64 - 1):
        numbers.set(key, key)
    assert sorted(numbers.values()) == [0, 7, 2**64 - 1]
    assert [numbers.get(key) for key in (0, 6, 7, 8, 2**64 - 1)] == [0, None, 7, None, 2**64 - 1]


def test_it_packs_by_itself() -> None:
    numbers = NumberMap()
    for key in range(3 * packed.BUFFER_ENTRIES + 5):
        numbers.set(key % (2 * packed.BUFFER_ENTRIES), key)
    assert len(numbers) == 2 * packed.BUFFER_ENTRIES
    assert numbers.get(0) == 2 * packed.BUFFER_ENTRIES
    assert numbers.get(packed.BUFFER_ENTRIES + 5) == packed.BUFFER_ENTRIES + 5
