"""A folder has one writer and one job, and its files are whole."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.storage.workdir import JOB, JsonlAppender, Setting, differences, locked, locked_for_job, write_atomically

JOBS = {"command": "curate", "steps": ["a"], "deny": None}


def test_a_second_writer_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with locked(out):
        with pytest.raises(RunError, match=f"in use by process {os.getpid()}"), locked(out):
            pass
        program = "from pathlib import Path\nfrom hf_oss_instruct.storage.workdir import locked\nwith locked(Path('out')): pass"
        second = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
        assert second.returncode == 1
        assert "RunError" in second.stderr
        assert f"is in use by process {os.getpid()}" in second.stderr
    with locked(out):
        pass
    assert not (out / ".running").exists()


def test_a_lock_goes_with_a_killed_process(tmp_path: Path) -> None:
    program = "import os, signal\nfrom pathlib import Path\nfrom hf_oss_instruct.storage.workdir import locked\n"
    program += "with locked(Path('out')): os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([sys.executable, "-c", program], cwd=tmp_path).returncode == -signal.SIGKILL
    with locked(tmp_path / "out"):
        pass


def test_a_folder_belongs_to_one_job(tmp_path: Path) -> None:
    with locked_for_job(tmp_path / "out", JOBS):
        write_atomically(tmp_path / "out/rows", "1")
    with locked_for_job(tmp_path / "out", JOBS):
        assert (tmp_path / "out/rows").read_text() == "1"
    with (
        pytest.raises(RunError, match="steps: a in the folder, b now"),
        locked_for_job(tmp_path / "out", JOBS | {"steps": ["b"]}),
    ):
        pass
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/README.md").write_text("# Mine")
    with pytest.raises(RunError, match=r"not empty: it contains README\.md"), locked_for_job(tmp_path / "mine", JOBS):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is a file"), locked_for_job(tmp_path / "file", JOBS):
        pass
    (tmp_path / "out" / JOB).write_text("[" * 100_000)
    with pytest.raises(RunError, match="cannot be read"), locked_for_job(tmp_path / "out", JOBS):
        pass


def test_differences_are_named_by_dotted_keys() -> None:
    found = differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}, "d": 4})
    assert found == ["a.c: 2 in the folder, 3 now", "d: none in the folder, 4 now"]


def test_differences_of_known_settings_have_their_labels_defaults_and_texts() -> None:
    names = {"a.keep": Setting("--keep", "passing"), "b": Setting("--languages", text=lambda value: ",".join(value))}
    found = differences({"b": {"go": 1}}, {"a": {"keep": "all"}, "b": {"rust": 2}}, names, ("in A", "in B"))
    assert found == ["--languages: go in A, rust in B", "--keep: passing in A, all in B"]
    long = differences({"text": "You write\nprograms."}, {"text": ["x", "y"], "on": True})
    assert long == ["text: You… (19 characters) in the folder, x, y now", "on: none in the folder, yes now"]


@settings(max_examples=25)
@given(st.lists(st.dictionaries(st.text(), st.integers() | st.text(), max_size=3), max_size=5), st.data())
def test_a_torn_file_of_lines_keeps_every_whole_line(rows: list[dict[str, object]], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        with JsonlAppender(path) as lines:
            for row in rows:
                lines.append(row)
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        with JsonlAppender(path) as lines:
            lines.append({"last": True})
        found = [json.loads(line) for line in path.read_text().splitlines()]
    assert found == [*rows[: whole[:cut].count(b"\n")], {"last": True}]


def test_a_full_disk_leaves_the_old_file_whole_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    path, lines = tmp_path / "out" / "run.json", JsonlAppender(tmp_path / "out" / "rows.jsonl")
    write_atomically(path, "old")
    lines.append({"a": 1})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
        with pytest.raises(RunError, match="Free disk space"):
            write_atomically(path, "x" * 1000)
        with pytest.raises(RunError, match="Free disk space"):
            lines.append({"a": "x" * 1000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    lines.append({"a": 2})
    assert path.read_text() == "old"
    assert (path.parent / "rows.jsonl").read_text() == '{"a": 1}\n{"a": 2}\n'
    assert sorted(os.listdir(path.parent)) == ["rows.jsonl", "run.json"]


def test_a_file_in_the_path_is_not_called_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be written: a part of this path is a file\. Use another folder\."):
        write_atomically(tmp_path / "file" / "out" / "run.json", "{}")
