"""Lines of append-only files, each found by a number, so that an index of them takes little memory."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict
from itertools import count
from pathlib import Path

OFFSET_BITS = 44
"""Bits of the offset in a line's 64-bit location: files of up to 16 TiB, a million files."""
READ_BYTES = 8192
"""Bytes read at first for a line; few lines are longer."""
MAX_OPEN_FILES = 128
"""Files that are open at the same time in this process: a merge reads those of a thousand shards in turn."""


class LineFiles:
    """Several files whose lines are read one at a time. A file is opened when a line of it is read."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._numbers: dict[Path, int] = {}
        self._owner = next(_owners)
        weakref.finalize(self, _open.close, self._owner)

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
        number, offset, line = location >> OFFSET_BITS, location & 2**OFFSET_BITS - 1, bytearray()
        key, path = (self._owner, number), self._paths[number]
        while more := _open.read(key, path, offset + len(line), max(READ_BYTES, len(line))):  # as much again: linear time
            if end := more.find(b"\n") + 1:
                return bytes(line + more[:end])
            line += more
        return bytes(line)

    def close(self) -> None:
        """Close the files; reading a line opens its file again."""
        _open.close(self._owner)


class _OpenFiles:
    """The files that were read last, of all `LineFiles`."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[int, int], int] = OrderedDict()
        self.unlock()

    def unlock(self) -> None:
        self._lock = threading.RLock()  # the garbage collector may close files of one while another is read

    def read(self, key: tuple[int, int], path: Path, offset: int, size: int) -> bytes:
        with self._lock:
            if key not in self._files:
                self._files[key] = os.open(path, os.O_RDONLY)
                if len(self._files) > MAX_OPEN_FILES:
                    # The one that was read longest ago.
                    os.close(self._files.popitem(last=False)[1])
            self._files.move_to_end(key)
            # With its own offset, so that the position of a shared descriptor does not matter.
            return os.pread(self._files[key], size, offset)

    def close(self, owner: int) -> None:
        with self._lock:
            for key in list(self._files):  # a copy: the garbage collector may close those of another owner meanwhile
                if key[0] == owner:
                    os.close(self._files.pop(key))


_owners, _open = count(), _OpenFiles()
os.register_at_fork(after_in_child=_open.unlock)  # a thread that held the lock only exists in the parent
