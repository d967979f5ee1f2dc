"""Lines of files, each found by one number."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from hf_oss_instruct.storage.line_files import MAX_OPEN_FILES, READ_BYTES, LineFiles


def test_every_line_is_found_again(tmp_path: Path) -> None:
    texts = {
        tmp_path / "a.jsonl": [b"first\n", b"x" * (3 * READ_BYTES) + b"\n", b"\n", b"torn"],
        tmp_path / "b.jsonl": [b"other\n"],
    }
    files, found = LineFiles(), {}
    for path, lines in texts.items():
        path.write_bytes(b"".join(lines))
        offset = 0
        for line in lines:
            found[files.location(path, offset)] = path, line
            offset += len(line)
    for _ in range(2):
        assert {location: (files.path(location), files.line(location)) for location in found} == found
        files.close()  # and read again
    assert all(0 <= location < 2**64 for location in found)


def test_a_long_line_is_read_in_few_portions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line, sizes, pread = b"x" * (1000 * READ_BYTES) + b"\n", list[int](), os.pread
    (path := tmp_path / "a.jsonl").write_bytes(line + b"next\n")

    def counted(file: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return pread(file, size, offset)

    monkeypatch.setattr(os, "pread", counted)
    files = LineFiles()
    assert files.line(files.location(path, 0)) == line
    assert len(sizes) <= 12


def test_a_line_that_was_written_later_is_found(tmp_path: Path) -> None:
    path, files = tmp_path / "a.jsonl", LineFiles()
    path.write_bytes(b"first\n")
    assert files.line(files.location(path, 0)) == b"first\n"
    with path.open("ab") as file:
        file.write(b"second\n")
    assert files.line(files.location(path, 6)) == b"second\n"
    files.close()


def test_few_files_are_open_however_many_there_are(tmp_path: Path) -> None:
    kept = [LineFiles() for _ in range(3 * MAX_OPEN_FILES)]
    found = []
    before = len(os.listdir("/proc/self/fd"))
    for number, files in enumerate(kept):
        (path := tmp_path / str(number)).write_text(f"line {number}\n")
        found.append(files.location(path, 0))
    for _ in range(2):
        lines = [files.line(location) for files, location in zip(kept, found, strict=True)]
        assert lines == [b"line %d\n" % number for number in range(len(kept))]
    assert len(os.listdir("/proc/self/fd")) <= before + MAX_OPEN_FILES
    del files, kept
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before
