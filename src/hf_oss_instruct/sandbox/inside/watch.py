"""How much memory, processor time and how many processes a run has: read from /proc, again and again.

A look every 20 ms is a race that a fast program can win for a moment. The hard limits (per process, per file, per mount)
stand behind it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import Any

from . import folders

LISTED = os.path.exists("/proc/thread-self/children")  # not every kernel lists them
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Seen:
    """The most that was seen of a run."""

    memory_kib: int = 0
    cpu_s: float = 0.0
    close: bool = False  # whether the last look found half of a limit used


def passed(step: dict[str, Any], seen: Seen, alone: bool, folder: str) -> str | None:
    """The limit that the run is over now, or None.

    Args:
        step: the limits.
        seen: what was seen before; brought up to date.
        alone: whether every process in /proc but this one belongs to the run.
        folder: the work folder, whose files are counted where it is no mount of its own.
    """
    pids = [pid for pid in _everyone() if pid != os.getpid()] if alone else descendants(os.getpid())
    tasks, cpu_s, memory = 0, 0.0, 0
    for pid in pids:
        fields = _stat(pid)
        if fields and fields[0] != "Z":
            tasks += int(fields[17])
            cpu_s += sum(map(int, fields[11:15])) * TICK_S
            memory += _memory_kib(pid)
    seen.cpu_s = max(seen.cpu_s, cpu_s)
    limit = step["memory_mib"] << 10
    if memory > limit:
        memory = sum(_shared_kib(pid) for pid in pids)  # pages that forks share were counted for each of them
    seen.memory_kib = max(seen.memory_kib, memory)
    if memory > limit:
        return "memory"
    if tasks > step["processes"]:
        return "processes"
    if cpu_s > step["cpu_s"]:
        return "timeout"
    disk = 0 if alone else folders.size(folder) + _removed(pids)
    seen.close = 2 * memory > limit or 2 * disk > step["disk_mib"] << 20
    return None if disk <= step["disk_mib"] << 20 else "disk"


def descendants(pid: int) -> list[int]:
    """Every process that descends from this one, as far as it can be seen while they come and go."""
    found, line = [], [pid]
    while line:
        children = _children(line.pop())
        found += children
        line += children
    return found


def _children(pid: int) -> list[int]:
    if not LISTED:
        return [other for other in _everyone() if (fields := _stat(other)) and int(fields[1]) == pid]
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
    return found


def tasks_of(uid: int) -> int:
    """How many threads a user has on this machine."""
    total = 0
    for pid in _everyone():
        try:
            fields = _stat(pid) if os.stat(f"/proc/{pid}").st_uid == uid else None
        except OSError:
            continue
        total += int(fields[17]) if fields else 0
    return total


def _everyone() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name: state, parent, …, user and system time (11–14), threads (17)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None


def _memory_kib(pid: int) -> int:
    """Memory of a process that is not a file's: its own and shared."""
    return _sum(f"/proc/{pid}/status", ("RssAnon:", "RssShmem:"))


def _removed(pids: list[int]) -> int:
    """Bytes on disk of files that have no name any more but are held open."""
    found = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    state = os.stat(entry.path)
                    if stat.S_ISREG(state.st_mode) and not state.st_nlink:
                        found[state.st_dev, state.st_ino] = state.st_blocks * 512
    return sum(found.values())


def _shared_kib(pid: int) -> int:
    """The same, with pages of several processes divided among them."""
    return _sum(f"/proc/{pid}/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:"))


def _sum(path: str, names: tuple[str, ...]) -> int:
    try:
        with open(path, errors="replace") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith(names))
    except (OSError, ValueError, IndexError):
        return 0
