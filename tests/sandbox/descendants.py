"""Which processes descend from this one, as /proc has it."""

from __future__ import annotations

import os
from pathlib import Path


def parents() -> dict[int, int]:
    """The parent of each process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found[int(path.name)] = int((path / "stat").read_bytes().rpartition(b")")[2].split()[1])
        except OSError:
            continue
    return found


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [child for child, parent in parents().items() if parent == pid]


def ours() -> set[int]:
    """The processes that descend from this one."""
    found, line = set(), [os.getpid()]
    while line:
        started = children(line.pop())
        found |= set(started)
        line += started
    return found
