"""Check whether a run exceeds its limits on processes, memory, CPU time and files, by polling `/proc`.

Polling every 20 ms is a race that a fast program can win for a moment; hard limits (per process, file and mount) back it up.
Whatever cannot be read counts as exceeding the limit, so that a program cannot hide that way.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat as modes
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import cpu_accounting, folders, kernel, procfs

MIB = 1 << 20
# Memory of a process that no file backs, including page tables. Shared memory is counted separately where pages were unmapped.
_OWN = (b"RssAnon", b"VmPTE", b"VmSwap", b"HugetlbPages")
SOCKET_KIB = 416  # both buffers of a socket; seccomp keeps programs from enlarging them
_libc = ctypes.CDLL(None)


@dataclass
class Seen:
    """What polling has found so far.

    Attributes:
        memory_kib: peak memory of all processes together, in KiB.
        cpu_s: CPU time in seconds, including ended processes.
        close: whether half of a limit was used at the last poll.
        shared_kib: the least shared memory of the whole machine since the start of the run, in KiB.
        files: inode → size in bytes of each file that was seen.
        unknown: inodes of files that are only mapped and whose size is unknown.
        mapped: whether the last poll found a deleted file; `mapped_ns`: when mappings were last checked.
    """

    memory_kib: int = 0
    cpu_s: float = 0.0
    close: bool = False
    shared_kib: int = field(default_factory=lambda: _shared_kib())
    ledger: cpu_accounting.Ledger = field(default_factory=cpu_accounting.Ledger)
    files: dict[int, int] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    mapped: bool = False
    mapped_ns: int = 0


@dataclass(frozen=True)
class Where:
    """Where to look for the processes and files of a run.

    Attributes:
        folder: the working folder.
        alone: whether every process in `/proc` except this one belongs to the run, and the working folder is its own mount.
        sockets: file descriptor of `/proc/net/sockstat` in the run's network namespace, or None without one.
        inodes: whether `/proc/PID/maps` and `stat` report the same inodes for the folder.
    """

    folder: str
    alone: bool
    sockets: int | None
    inodes: bool


def passed(step: dict[str, Any], seen: Seen, where: Where, child: int) -> str | None:
    """Return the limit that the run exceeds now, or None.

    Args:
        step: the limits of the step.
        seen: earlier findings; updated in place.
        where: where to look.
        child: the first process of the run.
    """
    try:
        return _passed(step, seen, where, child)
    except procfs.UnreadableProcessError:
        return "memory"


def _passed(step: dict[str, Any], seen: Seen, where: Where, child: int) -> str | None:
    pids = [pid for pid in procfs.everyone() if pid != os.getpid()] if where.alone else procfs.descendants(os.getpid())
    lines = {pid: line for pid in pids if (line := procfs.stat(pid))}
    seen.cpu_s = max(seen.cpu_s, seen.ledger.look(lines, child))
    places = {pid: procfs.place_of(pid, line) for pid, line in lines.items() if line.state not in "ZX" or line.threads > 1}
    files = _Files(seen, places.values(), where) if not where.alone else None
    sockets = files.sockets if files else _in_use(where.sockets)
    memory, limit = _memory_kib(places, seen, step["memory_mib"] << 10, sockets * SOCKET_KIB), step["memory_mib"] << 10
    seen.memory_kib = max(seen.memory_kib, memory)
    if memory > limit:
        return "memory"
    if sum(lines[pid].threads for pid in places) > step["processes"]:
        return "processes"
    if seen.cpu_s > step["cpu_s"]:
        return "timeout"
    disk = files.bytes if files else 0
    seen.close = 2 * memory > limit or 2 * disk > step["disk_mib"] * MIB or bool(seen.unknown)
    return None if disk <= step["disk_mib"] * MIB else "disk"


def _memory_kib(places: dict[int, str], seen: Seen, limit: int, sockets_kib: int) -> int:
    """Return the memory of all processes together, and the visible kernel memory held for them, in KiB."""
    found = {pid: procfs.sizes(text) for pid, place in places.items() if (text := procfs.read(f"{place}/status"))}
    own = sum(sizes.get(name, 0) for sizes in found.values() for name in _OWN)
    shared = sum(sizes.get(b"RssShmem", 0) for sizes in found.values())
    if own + shared + sockets_kib > limit:
        own, shared = _divided(places, found)
    # Unmapped shared pages stay allocated until the last mapping is gone; only the machine's total shows them.
    machine = _shared_kib()
    seen.shared_kib = min(seen.shared_kib, machine)  # it falls where other processes free some
    more = machine - seen.shared_kib
    if own + max(shared, more) + sockets_kib > limit and more > shared:
        shared = more if any(map(procfs.shares_memory, places.values())) else shared
    return own + shared + sockets_kib


def _divided(places: dict[int, str], found: dict[int, dict[bytes, int]]) -> tuple[int, int]:
    """Return the same with shared pages divided among their processes, and a shared address space counted once."""
    own, shared = 0, 0
    twins: dict[tuple[int, ...], list[int]] = {}
    for pid, sizes in found.items():
        alike = twins.setdefault(tuple(sizes.get(name, 0) for name in (b"VmSize", b"VmData", *_OWN)), [])
        if any(_same_memory(pid, other) for other in alike):
            continue  # between a vfork and its exec
        alike.append(pid)
        rollup = procfs.sizes(procfs.read(f"{places[pid]}/smaps_rollup") or b"")
        own += rollup.get(b"Pss_Anon", 0) + sum(sizes.get(name, 0) for name in _OWN[1:])
        shared += rollup.get(b"Pss_Shmem", 0)
    return own, shared


def _same_memory(pid: int, other: int) -> bool:
    """Whether two processes share an address space (`man kcmp`)."""
    number = 312 if os.uname().machine == "x86_64" else 272
    with contextlib.suppress(OSError):
        return kernel.syscall("kcmp", number, pid, other, 1, 0, 0) == 0
    return False


def _shared_kib() -> int:
    """Return the machine's shared memory in KiB, including in-memory files (`man sysinfo`)."""
    room = ctypes.create_string_buffer(256)
    _libc.sysinfo(room)
    return int(struct.unpack_from("l3L3L", room)[6]) >> 10


def _in_use(sockstat: int | None) -> int:
    """Count the sockets of a network namespace, including those in transit through another socket."""
    return 0 if sockstat is None else int(os.pread(sockstat, 64, 0).split()[2])


class _Files:
    """Files on disk and sockets of a run without its own mounts and network.

    Attributes:
        bytes: size on disk of all files that have a name, are open or are only mapped.
        sockets: number of open sockets.
    """

    def __init__(self, seen: Seen, places: Iterable[str], where: Where) -> None:
        sockets: set[int] = set()
        removed: dict[int, int] = {}
        mapped: dict[int, int] = {}
        # If no name has disappeared since the last poll, nothing was deleted. File timestamps have a resolution of 10 ms.
        now, look = time.time_ns(), seen.mapped or folders.changed_ns(where.folder) > seen.mapped_ns - 50_000_000
        seen.mapped_ns = now if look else seen.mapped_ns
        for place in places:
            for state in _open_files(place):
                if modes.S_ISSOCK(state.st_mode):
                    sockets.add(state.st_ino)
                elif modes.S_ISREG(state.st_mode) and not state.st_nlink:
                    removed[state.st_ino] = state.st_blocks * 512
            mapped |= procfs.removed_and_mapped(place, where.folder) if look else {}
        named = folders.sizes(where.folder)
        seen.files |= removed | named
        # The size of a file that is only mapped is unknown. One whose size was never seen counts as exceeding the limit, but only
        # at the second poll: it may have just been closed, or its process may have just ended.
        seen.unknown, before = mapped.keys() - seen.files.keys(), seen.unknown
        seen.mapped = bool(mapped or removed)
        for inode in mapped.keys() - removed.keys() - named.keys():
            twice = folders.TOO_LARGE if where.inodes and inode in before else mapped[inode]
            removed[inode] = seen.files.get(inode, twice)
        self.bytes = sum(removed.values()) + sum(named.values())
        self.sockets = len(sockets)


def _open_files(place: str) -> Iterator[os.stat_result]:
    for entry in procfs.listed(place, "fd"):
        with contextlib.suppress(OSError):  # it was just closed
            yield os.stat(f"{place}/fd/{entry}")
