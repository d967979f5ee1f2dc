"""Which processes descend from this one, as /proc has it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from hf_oss_instruct.sandbox.inside import procfs


def parents() -> dict[int, int]:
    """The parent of each process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found[int(path.name)] = int((path / "stat").read_bytes().rpartition(b")")[2].split()[1])
        except OSError:
            continue
    return found


def parents_of(mark: str) -> dict[int, int]:
    """The processes that have these words as their last argument, and the parent of each.

    The parent is read after the argument: until a program runs in its sandbox, its process has others, such as the fork server.
    """
    found = []
    for pid in parents():
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().endswith(f"\0{mark}\0".encode()):
                found.append(pid)
    now = parents() if found else {}
    return {pid: now[pid] for pid in found if pid in now}


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [child for child, parent in parents().items() if parent == pid]


def descendants(pid: int) -> set[int]:
    """The processes that a process started, and those that they started."""
    found, line = set(), [pid]
    while line:
        started = children(line.pop())
        found |= set(started)
        line += started
    return found


def ours() -> set[int]:
    """The processes that descend from this one."""
    return descendants(os.getpid())


def all_ended(pids: set[int], wait_s: float = 10.0) -> bool:
    """Whether these processes have ended within so many seconds."""
    deadline = time.monotonic() + wait_s
    while alive := [pid for pid in pids if (left := procfs.stat(pid)) is not None and left.state not in "ZX"]:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return not alive
