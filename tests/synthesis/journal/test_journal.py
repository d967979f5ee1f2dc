"""What was answered once is never lost and never asked again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getsource
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.data import Completion
from hf_oss_instruct.errors import RowRejectedError, RunError
from hf_oss_instruct.synthesis.journal.journal import Journal


def key(number: int) -> str:
    return f"{number:032x}"


def answer(number: int) -> Completion:
    return Completion(f"answer {number}", "stop", "m", "fp", number, 2 * number)


def filled(folder: Path, numbers: Iterator[int] | range) -> Path:
    """Write one answer for each number, and give the file they are in."""
    before = set(folder.glob("*.jsonl"))
    with Journal(folder) as journal:
        for number in numbers:
            journal.append(key(number), answer(number))
    [path] = set(folder.glob("*.jsonl")) - before
    return path


def as_values(found: Completion | RowRejectedError | None) -> object:
    return (found.reason, found.detail) if isinstance(found, RowRejectedError) else found


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


PREAMBLE = f"""
import sys
from itertools import count
from pathlib import Path
from hf_oss_instruct.data import Completion
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.synthesis.journal.journal import Journal
{getsource(key)}
{getsource(answer)}
"""


def start(body: str, *words: str | Path) -> subprocess.Popen[str]:
    """A process of its own."""
    return subprocess.Popen([sys.executable, "-c", PREAMBLE + dedent(body), *words], stdout=subprocess.PIPE, text=True)


KEYS = st.integers(0, 2**64 - 1).map(key)
WORDS = st.none() | st.text()
COUNTS = st.none() | st.integers(0, 2**53)
ANSWERS = st.builds(Completion, st.text() | st.just("\ud800 half"), WORDS, WORDS, WORDS, COUNTS, COUNTS) | st.builds(
    RowRejectedError, st.sampled_from(["refused", "unparsable"]), st.text()
)


@given(st.lists(st.tuples(KEYS, ANSWERS), max_size=8))
@settings(max_examples=60)
def test_what_was_answered_is_recalled_now_and_after_opening_again(
    answers: list[tuple[str, Completion | RowRejectedError]],
) -> None:
    latest = {name: as_values(found) for name, found in answers}
    with folder() as place:
        with Journal(place) as journal:
            for name, found in answers:
                journal.append(name, found)
            assert {name: as_values(journal.recall(name)) for name in latest} == latest
        with Journal(place) as journal:
            assert {name: as_values(journal.recall(name)) for name in latest} == latest
            assert (len(journal), journal.dropped) == (len(latest), 0)


def test_a_question_never_asked_has_no_answer(tmp_path: Path) -> None:
    filled(tmp_path, range(3))
    assert Journal(tmp_path).recall(key(99)) is None
    assert Journal(tmp_path / "nowhere").recall(key(0)) is None
    assert not (tmp_path / "nowhere").exists()  # looking makes no folder


def test_each_line_is_json_with_the_crc_of_its_record(tmp_path: Path) -> None:
    lines = filled(tmp_path, range(3)).read_bytes().splitlines()
    assert len(lines) == 3
    for number, line in enumerate(lines):
        parsed = json.loads(line)
        record = line[line.index(b'"record":') + len(b'"record":') : -1]
        assert json.loads(record) == parsed["record"]
        assert int(parsed["crc"], 16) == zlib.crc32(record)
        assert (parsed["record"]["key"], parsed["record"]["text"]) == (key(number), f"answer {number}")


def test_two_equal_runs_write_equal_bytes(tmp_path: Path) -> None:
    assert filled(tmp_path / "a", range(5)).read_bytes() == filled(tmp_path / "b", range(5)).read_bytes()


@given(st.data())
@settings(max_examples=100)
def test_a_damaged_byte_costs_its_own_line_and_no_other(data: st.DataObject) -> None:
    with folder() as place:
        path = filled(place, range(4))
        whole = path.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1))
        flipped = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
        path.write_bytes(whole[:at] + bytes([flipped]) + whole[at + 1 :])
        hit = {whole[:at].count(b"\n")}
        if whole[at : at + 1] == b"\n":  # the next line hangs on it
            hit.add(min(hit) + 1)
        with Journal(place) as journal:
            assert journal.dropped >= 1
            assert [journal.recall(key(n)) for n in range(4)] == [None if n in hit else answer(n) for n in range(4)]


@given(st.data())
@settings(max_examples=60)
def test_a_file_torn_anywhere_keeps_its_whole_lines(data: st.DataObject) -> None:
    with folder() as place:
        path = filled(place, range(4))
        whole = path.read_bytes()
        torn = whole[: data.draw(st.integers(0, len(whole)))]
        path.write_bytes(torn)
        lines = torn.count(b"\n")
        with Journal(place) as journal:
            assert journal.dropped == (not torn.endswith(b"\n") and torn != b"")
            assert [journal.recall(key(n)) for n in range(4)] == [answer(n) if n < lines else None for n in range(4)]
            journal.append(key(3), answer(3))  # asked again
        with Journal(place) as journal:
            assert journal.recall(key(3)) == answer(3)


def test_a_line_that_changes_after_it_was_read_is_not_believed(tmp_path: Path) -> None:
    path = filled(tmp_path, range(2))
    journal = Journal(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"answer 0", b"answer 7"))
    assert journal.recall(key(0)) is None
    assert journal.dropped == 1
    assert journal.recall(key(1)) == answer(1)


def test_an_answer_given_again_replaces_the_first(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.append(key(1), answer(1))
        journal.append(key(1), answer(2))
        assert journal.recall(key(1)) == answer(2)
    assert Journal(tmp_path).recall(key(1)) == answer(2)


def test_what_another_run_was_answered_is_copied_when_it_is_used(tmp_path: Path) -> None:
    filled(tmp_path / "preview", range(3))
    with Journal(tmp_path / "run", also=[tmp_path / "preview", tmp_path / "missing"]) as journal:
        assert [journal.recall(key(1)), journal.recall(key(1))] == [answer(1), answer(1)]
    with Journal(tmp_path / "run") as journal:
        assert [journal.recall(key(n)) for n in range(3)] == [None, answer(1), None]
    [path] = (tmp_path / "run").iterdir()
    assert path.read_bytes().count(b"\n") == 1


def test_our_own_answer_wins_over_another_runs(tmp_path: Path) -> None:
    filled(tmp_path / "preview", range(1))
    with Journal(tmp_path / "run") as journal:
        journal.append(key(0), answer(7))
    assert Journal(tmp_path / "run", also=[tmp_path / "preview"]).recall(key(0)) == answer(7)


def test_two_processes_write_into_one_folder_and_both_are_read(tmp_path: Path) -> None:
    body = """
        with Journal(Path(sys.argv[1])) as journal:
            for number in range(int(sys.argv[2]), int(sys.argv[2]) + 200):
                journal.append(key(number), answer(number))
    """
    writers = [start(body, tmp_path, first) for first in ("0", "200")]
    assert [(writer.communicate(timeout=60), writer.returncode)[1] for writer in writers] == [0, 0]
    assert len(list(tmp_path.iterdir())) == 2
    with Journal(tmp_path) as journal:
        assert [journal.recall(key(n)) for n in range(400)] == [answer(n) for n in range(400)]
        assert journal.dropped == 0


def test_two_journals_of_one_process_do_not_share_a_file(tmp_path: Path) -> None:
    with Journal(tmp_path) as one, Journal(tmp_path) as other:
        one.append(key(1), answer(1))
        other.append(key(2), answer(2))
        assert (one.recall(key(1)), other.recall(key(2))) == (answer(1), answer(2))
    assert len(list(tmp_path.iterdir())) == 2
    assert len(Journal(tmp_path)) == 2


def test_a_killed_writer_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    body = """
        journal = Journal(Path(sys.argv[1]))
        for number in count():
            journal.append(key(number), answer(number))
            print(number, flush=True)
    """
    writer = start(body, tmp_path)
    assert writer.stdout
    for line in writer.stdout:
        if line == "100\n":
            break
    os.kill(writer.pid, signal.SIGKILL)
    last = max([100, *map(int, writer.communicate()[0].split("\n")[:-1])])
    with Journal(tmp_path) as journal:
        assert [journal.recall(key(n)) for n in range(last + 1)] == [answer(n) for n in range(last + 1)]


FULL = """
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))  # as a disk that is full after 4 KiB
    journal = Journal(Path(sys.argv[1]))
    try:
        for number in count():
            journal.append(key(number), answer(number))
            print("kept", number, flush=True)
    except RunError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for number in range(1000, 1000 + int(sys.argv[2])):
        journal.append(key(number), answer(number))
        print("kept", number, flush=True)
"""


@pytest.mark.parametrize("after_room_was_made", [0, 2])
def test_a_full_disk_is_one_clear_error_and_loses_nothing_that_was_kept(tmp_path: Path, after_room_was_made: int) -> None:
    writer = start(FULL, tmp_path, str(after_room_was_made))
    said = writer.communicate(timeout=60)[0].splitlines()
    kept = [int(line.split()[1]) for line in said if line.startswith("kept")]
    [message] = [line for line in said if not line.startswith("kept")]
    assert str(tmp_path) in message
    assert "free disk space and repeat the command or call" in message
    assert len(kept) > 10
    with Journal(tmp_path) as journal:
        assert [journal.recall(key(n)) for n in kept] == [answer(n) for n in kept]


def test_a_file_where_the_folder_should_be_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("not a folder")
    with Journal(tmp_path / "journal") as journal, pytest.raises(RunError, match="journal"):
        journal.append(key(0), answer(0))
