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
class PollState:
    """What polling has found so far.

    Attributes:
        memory_kib: peak memory of all processes together, in KiB.
        cpu_s: CPU time in seconds, including ended processes.
        near_limit: whether half of a limit was used at the last poll.
        shared_kib: the least shared memory of the whole machine since the start of the run, in KiB.
        files: inode → size in bytes of each file that was seen.
        unknown_inodes: inodes of files that are only mapped and whose size is unknown.
        mapped: whether the last poll found a deleted file; `mapped_ns`: when mappings were last checked.
    """

    memory_kib: int = 0
    cpu_s: float = 0.0
    near_limit: bool = False
    shared_kib: int = field(default_factory=lambda: _shared_kib())
    cpu_time: cpu_accounting.CpuTime = field(default_factory=cpu_accounting.CpuTime)
    files: dict[int, int] = field(default_factory=dict)
    unknown_inodes: set[int] = field(default_factory=set)
    mapped: bool = False
    mapped_ns: int = 0


@dataclass(frozen=True)
class RunScope:
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


def exceeded_limit(step: dict[str, Any], state: PollState, scope: RunScope, child: int) -> str | None:
    """Return the limit that the run exceeds now, or None.

    Args:
        step: the limits of the step.
        state: earlier findings; updated in place.
        scope: where to look.
        child: the first process of the run.
    """
    try:
        return _exceeded_limit(step, state, scope, child)
    except procfs.UnreadableProcessError:
        return "memory"


def _exceeded_limit(step: dict[str, Any], state: PollState, scope: RunScope, child: int) -> str | None:
    # With a PID namespace of its own, /proc shows exactly the run; elsewhere orphans are ours too (SET_CHILD_SUBREAPER).
    pids = [pid for pid in procfs.all_pids() if pid != os.getpid()] if scope.alone else procfs.descendants(os.getpid())
    stats = {pid: stat for pid in pids if (stat := procfs.stat(pid))}
    state.cpu_s = max(state.cpu_s, state.cpu_time.update(stats, child))
    # Zombies hold nothing, but a process whose main thread has ended looks like one.
    processes = {pid: procfs.proc_folder(pid, stat) for pid, stat in stats.items() if stat.state not in "ZX" or stat.threads > 1}
    files = _FileUsage(state, processes.values(), scope) if not scope.alone else None
    sockets = files.sockets if files else _open_sockets(scope.sockets)
    memory, limit = _memory_kib(processes, state, step["memory_mib"] << 10, sockets * SOCKET_KIB), step["memory_mib"] << 10
    state.memory_kib = max(state.memory_kib, memory)
    if memory > limit:
        return "memory"
    if sum(stats[pid].threads for pid in processes) > step["processes"]:
        return "processes"
    if state.cpu_s > step["cpu_s"]:
        return "timeout"
    disk = files.bytes if files else 0
    state.near_limit = 2 * memory > limit or 2 * disk > step["disk_mib"] * MIB or bool(state.unknown_inodes)
    return None if disk <= step["disk_mib"] * MIB else "disk"


def _memory_kib(processes: dict[int, str], state: PollState, limit: int, sockets_kib: int) -> int:
    """Return the memory of all processes together, and the visible kernel memory held for them, in KiB."""
    sizes_of = {pid: procfs.parse_sizes(text) for pid, process in processes.items() if (text := procfs.read(f"{process}/status"))}
    own = sum(sizes.get(name, 0) for sizes in sizes_of.values() for name in _OWN)
    shared = sum(sizes.get(b"RssShmem", 0) for sizes in sizes_of.values())
    # Summing counts a shared page once per process. Dividing it exactly is slow, so only if the limit seems to be exceeded.
    if own + shared + sockets_kib > limit:
        own, shared = _memory_by_process(processes, sizes_of)
    # Unmapped shared pages stay allocated until the last mapping is gone; only the machine's total shows them.
    machine = _shared_kib()
    state.shared_kib = min(state.shared_kib, machine)  # it falls where other processes free some
    more = machine - state.shared_kib
    if own + max(shared, more) + sockets_kib > limit and more > shared:
        # Other programs on the machine use shared memory as well: it is only this run's if one of its processes has some.
        shared = more if any(map(procfs.shares_memory, processes.values())) else shared
    return own + shared + sockets_kib


def _memory_by_process(processes: dict[int, str], sizes_of: dict[int, dict[bytes, int]]) -> tuple[int, int]:
    """Return the same with shared pages divided among their processes, and a shared address space counted once."""
    own, shared = 0, 0
    by_size: dict[tuple[int, ...], list[int]] = {}
    for pid, sizes in sizes_of.items():
        same_size = by_size.setdefault(tuple(sizes.get(name, 0) for name in (b"VmSize", b"VmData", *_OWN)), [])
        # kcmp is asked only about processes with equal sizes: comparing each with each would be quadratic in system calls.
        if any(_same_memory(pid, other) for other in same_size):
            continue  # between a vfork and its exec
        same_size.append(pid)
        rollup = procfs.parse_sizes(procfs.read(f"{processes[pid]}/smaps_rollup") or b"")
        own += rollup.get(b"Pss_Anon", 0) + sum(sizes.get(name, 0) for name in _OWN[1:])
        shared += rollup.get(b"Pss_Shmem", 0)
    return own, shared


def _same_memory(pid: int, other: int) -> bool:
    """Whether two processes share an address space (`man kcmp`)."""
    # kcmp on x86-64 and aarch64; 1 is KCMP_VM.
    number = 312 if os.uname().machine == "x86_64" else 272
    with contextlib.suppress(OSError):
        return kernel.syscall("kcmp", number, pid, other, 1, 0, 0) == 0
    return False


def _shared_kib() -> int:
    """Return the machine's shared memory in KiB, including in-memory files (`man sysinfo`)."""
    buffer = ctypes.create_string_buffer(256)
    _libc.sysinfo(buffer)
    # struct sysinfo: uptime, three loads, total, free and shared RAM.
    return int(struct.unpack_from("l3L3L", buffer)[6]) >> 10


def _open_sockets(sockstat: int | None) -> int:
    """Count the sockets of a network namespace, including those in transit through another socket."""
    # "sockets: used N" is the first line.
    return 0 if sockstat is None else int(os.pread(sockstat, 64, 0).split()[2])


class _FileUsage:
    """Files on disk and sockets of a run without its own mounts and network.

    Attributes:
        bytes: size on disk of all files that have a name, are open or are only mapped.
        sockets: number of open sockets.
    """

    def __init__(self, state: PollState, processes: Iterable[str], scope: RunScope) -> None:
        sockets: set[int] = set()
        removed: dict[int, int] = {}
        mapped: dict[int, int] = {}
        # If no name has disappeared since the last poll, nothing was deleted. File timestamps have a resolution of 10 ms.
        now = time.time_ns()
        check_mappings = state.mapped or folders.last_change_ns(scope.folder) > state.mapped_ns - 50_000_000
        state.mapped_ns = now if check_mappings else state.mapped_ns
        for process in processes:
            for info in _open_files(process):
                if modes.S_ISSOCK(info.st_mode):
                    sockets.add(info.st_ino)
                elif modes.S_ISREG(info.st_mode) and not info.st_nlink:
                    removed[info.st_ino] = info.st_blocks * 512
            mapped |= procfs.deleted_mappings(process, scope.folder) if check_mappings else {}
        named = folders.file_sizes(scope.folder)
        state.files |= removed | named
        # The size of a file that is only mapped is unknown. One whose size was never seen counts as exceeding the limit, but only
        # at the second poll: it may have just been closed, or its process may have just ended.
        state.unknown_inodes, before = mapped.keys() - state.files.keys(), state.unknown_inodes
        state.mapped = bool(mapped or removed)
        for inode in mapped.keys() - removed.keys() - named.keys():
            size = folders.TOO_LARGE if scope.inodes and inode in before else mapped[inode]
            removed[inode] = state.files.get(inode, size)
        self.bytes = sum(removed.values()) + sum(named.values())
        self.sockets = len(sockets)


def _open_files(process: str) -> Iterator[os.stat_result]:
    for entry in procfs.list_folder(process, "fd"):
        with contextlib.suppress(OSError):  # it was just closed
            yield os.stat(f"{process}/fd/{entry}")
