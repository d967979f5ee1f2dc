"""Read process information from `/proc`. A program chooses its own name, so everything is parsed as bytes.

A process that is gone gives None. One that exists but cannot be read or parsed is an error, which counts as an exceeded limit:
otherwise a program could hide that way.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK = 1 << 16
HAS_CHILDREN_FILES = os.path.exists("/proc/thread-self/children")  # not every kernel lists them
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SIZE = re.compile(rb"^(\w+):\s+(\d+) kB$", re.MULTILINE)
# address permissions offset device inode path
_SHARED_ANONYMOUS = re.compile(rb"^\S+ ...s \S+ \S+ \d+\s+/dev/zero \(deleted\)$", re.MULTILINE)
_DELETED = re.compile(rb"^(\w+)-(\w+) \S+ (\w+) \S+ (\d+)\s+(/.*) \(deleted\)$", re.MULTILINE)


class UnreadableProcessError(Exception):
    """A process exists, but its information cannot be read."""


@dataclass(frozen=True)
class Stat:
    """A line of `/proc/PID/stat` (`man 5 proc_pid_stat`).

    Attributes:
        state: one letter; `Z` is a zombie.
        parent: ID of the process that started or adopted it.
        own_cpu_s: CPU time of its threads in seconds, including those that ended.
        children_cpu_s: CPU time in seconds of the children that it waited for, and of theirs.
        threads: number of threads.
        start_ticks: start time in clock ticks since boot; distinguishes it from a later process with the same ID.
    """

    state: str
    parent: int
    own_cpu_s: float
    children_cpu_s: float
    threads: int
    start_ticks: int


def read(path: str) -> bytes | None:
    """Read a file in `/proc`; None if its process is gone.

    Raises:
        UnreadableProcessError: this process may not read it.
        OSError: this process is out of file descriptors, or the machine is out of memory.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = b""
            while chunk := os.read(fd, CHUNK):
                text += chunk
            return text
        finally:
            os.close(fd)
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError as error:
        ignore_if_exiting(os.path.dirname(path), error)
        return None


def list_folder(process: str, folder: str) -> list[str]:
    """List a folder of a process in `/proc`; empty if the process is gone.

    Raises:
        UnreadableProcessError: this process may not list it.
    """
    try:
        return os.listdir(f"{process}/{folder}")
    except (FileNotFoundError, ProcessLookupError):
        return []
    except PermissionError as error:
        ignore_if_exiting(process, error)
        return []


def ignore_if_exiting(process: str, error: PermissionError) -> None:
    """Ignore a permission error of an exiting process, whose files belong to root from then on.

    Raises:
        UnreadableProcessError: it has memory, so it is alive.
    """
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"{process}/status", "rb") as file:
        if b"\nVmSize:" in file.read():
            raise UnreadableProcessError(str(error)) from None


def stat(pid: int) -> Stat | None:
    """Return state, parent and times of a process; None if it is gone.

    Raises:
        UnreadableProcessError: it exists, but cannot be parsed.
    """
    text = read(f"/proc/{pid}/stat")
    return parse_stat(text) if text else None


def parse_stat(text: bytes) -> Stat:
    """Parse a line of `/proc/PID/stat`: the name in parentheses may contain any byte, including parentheses."""
    try:
        # The last parenthesis ends the name: no later field has one.
        words = text[text.rindex(b")") + 1 :].split()
        user, system, waited_user, waited_system = map(int, words[11:15])
        times = (user + system) * TICK_S, (waited_user + waited_system) * TICK_S
        return Stat(words[0].decode("ascii"), int(words[1]), *times, int(words[17]), int(words[19]))
    except (ValueError, IndexError) as error:
        raise UnreadableProcessError(f"{text[:200]!r}: {error}") from None


def proc_folder(pid: int, info: Stat) -> str:
    """Return the folder in `/proc` that describes a process: that of a live thread if the main thread has ended."""
    # The folder of a main thread that has ended shows no memory and no files, although other threads use both.
    if info.state != "Z" or info.threads <= 1:
        return f"/proc/{pid}"
    for task in list_folder(f"/proc/{pid}", "task"):
        other = read(f"/proc/{pid}/task/{task}/stat")
        if other and parse_stat(other).state not in "ZX":
            return f"/proc/{pid}/task/{task}"
    return f"/proc/{pid}"


def parse_sizes(text: bytes) -> dict[bytes, int]:
    """Parse `/proc/PID/status` or `smaps_rollup`, without its first line, into name → KiB."""
    return {name: int(kib) for name, kib in _SIZE.findall(text.partition(b"\n")[2])}


def shares_memory(process: str) -> bool:
    """Whether a process has anonymous shared memory."""
    return _SHARED_ANONYMOUS.search(read(f"{process}/maps") or b"") is not None


def deleted_mappings(process: str, folder: str) -> dict[int, int]:
    """Find mapped files of a folder that were deleted: inode → bytes up to the end of the mapping."""
    mappings: dict[int, int] = {}
    prefix = os.fsencode(folder) + b"/"
    for start, end, offset, inode, path in _DELETED.findall(read(f"{process}/maps") or b""):
        if path.startswith(prefix):
            end_of_mapping = int(offset, 16) + int(end, 16) - int(start, 16)
            mappings[int(inode)] = max(end_of_mapping, mappings.get(int(inode), 0))
    return mappings


def all_pids() -> list[int]:
    """List every visible process."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(pid: int) -> list[int]:
    """List every descendant of a process, as far as it is visible while processes come and go."""
    pids, pending = [], [pid]
    while pending:
        children = list(_children(pending.pop()))
        pids += children
        pending += children
    return pids


def _children(pid: int) -> Iterator[int]:
    if HAS_CHILDREN_FILES:
        for task in list_folder(f"/proc/{pid}", "task"):
            yield from map(int, (read(f"/proc/{pid}/task/{task}/children") or b"").split())
    else:
        yield from (other for other in all_pids() if (status := stat(other)) and status.parent == pid)


def is_alone(pid: int) -> bool:
    """Whether a process is the last one that was started in this PID namespace, threads included (`man 5 proc_loadavg`)."""
    return (read("/proc/loadavg") or b"").endswith(b" %d\n" % pid)


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process that was not waited for, in seconds (`man clock_getcpuclockid`)."""
    # The clock ID of a process, as libc's clock_getcpuclockid builds it; one call, and no text to parse.
    return time.clock_gettime(~pid << 3 | 2)


def count_threads(uid: int) -> int:
    """Count the threads of a user on this machine."""
    total = 0
    for pid in all_pids():
        try:
            status = stat(pid) if os.stat(f"/proc/{pid}").st_uid == uid else None
        except (OSError, UnreadableProcessError):
            continue
        total += status.threads if status else 0
    return total
