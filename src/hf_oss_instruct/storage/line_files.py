"""Lines of append-only files, each found by a number, so that an index of them takes little memory."""

from __future__ import annotations

import os
from pathlib import Path

OFFSET_BITS = 44
"""Bits of the offset in a line's 64-bit location: files of up to 16 TiB, a million files."""
LINE = 8192
"""Bytes read at first for a line; few lines are longer."""


class LineFiles:
    """Several files whose lines are read one at a time. A file is opened when its first line is read."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self._readers: dict[int, int] = {}

    def location(self, path: Path, offset: int) -> int:
        """The location of the line that begins at an offset of a file, in bytes: one number below 2⁶⁴."""
        if path not in self._numbers:
            self._numbers[path] = len(self._paths)
            self._paths.append(path)
        return self._numbers[path] << OFFSET_BITS | offset

    def path(self, location: int) -> Path:
        """The file of a line."""
        return self._paths[location >> OFFSET_BITS]

    def line(self, location: int) -> bytes:
        """A line with its end; if the file ends in the middle of it, what there is.

        Raises:
            OSError: the file cannot be read.
        """
        number, offset, line = location >> OFFSET_BITS, location & 2**OFFSET_BITS - 1, b""
        if number not in self._readers:
            self._readers[number] = os.open(self._paths[number], os.O_RDONLY)
        while b"\n" not in line and (more := os.pread(self._readers[number], LINE, offset + len(line))):
            line += more
        end = line.find(b"\n") + 1
        return line[:end] if end else line

    def close(self) -> None:
        """Close the files; reading a line opens its file again."""
        while self._readers:
            os.close(self._readers.popitem()[1])
