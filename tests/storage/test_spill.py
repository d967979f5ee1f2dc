"""Arrays on disk: what was appended is read, and nothing is left of it."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections import Counter
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.storage import spill
from hf_oss_instruct.storage.spill import SortedSpill, Spill, key_ranges, merged, range_of


@pytest.mark.parametrize("portions", [0, 1, 3, 400])
def test_all_numbers_are_read_in_order(portions: int) -> None:
    numbers = Spill(np.int64)
    for portion in range(portions):
        numbers.append(np.arange(portion * 1000, portion * 1000 + 1000))
    assert np.array_equal(numbers.read(), np.arange(portions * 1000))
    numbers.append(np.array([7]))  # it may be read in between
    assert np.array_equal(numbers.read(), [*range(portions * 1000), 7])


def test_a_large_array_is_on_disk_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    numbers = Spill(np.uint64)
    numbers.append(np.arange(spill.MEMORY_BYTES, dtype=np.uint64))
    assert isinstance(found := numbers.read(), np.memmap)
    del numbers
    assert found[-1] == spill.MEMORY_BYTES - 1
    assert list(tmp_path.iterdir()) == []


def test_rows_of_a_wider_array_can_be_appended_without_a_copy() -> None:
    numbers, wide = Spill(np.uint32), np.arange(2 * spill.MEMORY_BYTES, dtype=np.uint32).reshape(-1, 4)
    numbers.append(wide.T[1])
    assert np.array_equal(numbers.read(), wide[:, 1])


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    numbers = Spill(np.uint64)
    with pytest.raises(RunError, match=r"missing' cannot be written: No such file or directory\. Set TMPDIR to a folder"):
        numbers.append(np.arange(spill.MEMORY_BYTES, dtype=np.uint64))


FULL = """
import resource
import numpy as np
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.storage import spill

spill.MEMORY_BYTES, numbers = 512, spill.Spill(np.uint64)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    while True:
        numbers.append(np.zeros(99, np.uint64))
except RunError as error:
    print(error)
"""


def test_a_full_disk_is_said_once() -> None:
    """What is still buffered is not written again when the program ends, which would print a traceback."""
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    assert "cannot be written: File too large. Set TMPDIR to a folder with more space" in done.stdout
    assert done.stderr == ""


def test_without_any_folder_for_temporary_files_the_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere"])
    with pytest.raises(RunError, match=r"No folder for temporary files can be written: .*\. Set TMPDIR to a writable folder\."):
        Spill(np.uint64).append(np.arange(spill.MEMORY_BYTES, dtype=np.uint64))


def test_too_many_open_files_are_not_taken_for_a_full_disk() -> None:
    numbers = np.arange(spill.MEMORY_BYTES, dtype=np.uint64)
    tempfile.gettempdir()  # looks for a folder by writing a file
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(RunError, match=r"Too many open files\. Allow more \(ulimit -n\)"):
            Spill(np.uint64).append(numbers)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@given(st.lists(st.integers(0, 2**64 - 1) | st.sampled_from([0, 2**63, 2**64 - 1])), st.integers(1, 9))
def test_ranges_hold_every_position_once_and_equal_keys_together(numbers: list[int], at_once: int) -> None:
    keys = np.array(numbers, np.uint64)
    ranges = [positions.tolist() for positions in key_ranges(keys, at_once)]
    assert sorted(chain(*ranges)) == list(range(len(keys)))
    assert all(positions == sorted(positions) for positions in ranges)
    assert len(set(numbers)) == sum(len({numbers[at] for at in positions}) for positions in ranges)


def test_ranges_are_of_equal_size() -> None:
    for kind in (np.uint32, np.uint64):
        keys = np.random.default_rng(0).integers(0, np.iinfo(kind).max, 100_000, dtype=kind, endpoint=True)
        counts = np.bincount(range_of(keys, 7).astype(np.int64))
        assert len(counts) == 7
        assert counts.min() > 0.9 * counts.max()


@given(st.lists(st.lists(st.lists(st.tuples(st.integers(0, 30) | st.just(2**32 - 1), st.integers(0, 3)), max_size=9))))
def test_sets_are_read_side_by_side_in_order(portions: list[list[list[tuple[int, int]]]]) -> None:
    """Each number is `(high half, low half)`."""
    sets = [SortedSpill() for _ in portions]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "SORT_NUMBERS", 5)
        patch.setattr(spill, "MERGE_NUMBERS", 7)
        for numbers, added in zip(sets, portions, strict=True):
            for portion in added:
                numbers.add(np.array([(high << 32) | low for high, low in portion], np.uint64))
        ranges = [[part.tolist() for part in parts] for parts in merged(*sets)]
    for number, added in enumerate(portions):
        expected = sorted({(high << 32) | low for high, low in chain(*added)})
        assert list(chain(*(parts[number] for parts in ranges))) == expected
    halves = [{number >> 32 for part in parts for number in part} for parts in ranges]
    assert all(max(before) < min(after) for before, after in pairwise(halves))
    distinct = Counter(number >> 32 for parts in ranges for part in parts for number in part)
    assert all(len(found) == 1 or sum(distinct[half] for half in found) <= 7 for found in halves)
