"""What `/proc` says of a process. A program chooses its own name, so all of it is read as bytes, and nothing is passed over.

A process that is gone has nothing to say (None). What is there and cannot be read or understood is an error: the watch takes it
for a limit passed, or a program could hide by it.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK = 1 << 16
LISTED = os.path.exists("/proc/thread-self/children")  # not every kernel lists them
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_SIZE = re.compile(rb"^(\w+):\s+(\d+) kB$", re.MULTILINE)
# address permissions offset device inode path
_SHARED_ANONYMOUS = re.compile(rb"^\S+ ...s \S+ \S+ \d+\s+/dev/zero \(deleted\)$", re.MULTILINE)
_REMOVED = re.compile(rb"^(\w+)-(\w+) \S+ (\w+) \S+ (\d+)\s+(/.*) \(deleted\)$", re.MULTILINE)


class UnreadableProcessError(Exception):
    """A process is there, and what it is cannot be read."""


@dataclass(frozen=True)
class Stat:
    """A line of `/proc/PID/stat` (`man 5 proc_pid_stat`).

    Attributes:
        state: one letter; `Z` is dead and not yet waited for.
        parent: number of the process that started or adopted it.
        own_s: processor seconds of its threads, those that ended included.
        waited_s: processor seconds of the children that it waited for, and of theirs.
        threads: how many there are.
        born: when it started, in ticks since the machine did; tells it from a later one of its number.
    """

    state: str
    parent: int
    own_s: float
    waited_s: float
    threads: int
    born: int


def read(path: str) -> bytes | None:
    """A file of `/proc`, or None if its process is gone.

    Raises:
        UnreadableProcessError: this process may not read it.
        OSError: this process is out of descriptors, or the machine of memory.
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
        closed(os.path.dirname(path), error)
        return None


def listed(place: str, folder: str) -> list[str]:
    """The names in a folder of a process's; none if it is gone.

    Raises:
        UnreadableProcessError: this process may not look there.
    """
    try:
        return os.listdir(f"{place}/{folder}")
    except (FileNotFoundError, ProcessLookupError):
        return []
    except PermissionError as error:
        closed(place, error)
        return []


def closed(place: str, error: PermissionError) -> None:
    """Tell a process that may not be looked at from one that is ending, whose files are root's from then on.

    Raises:
        UnreadableProcessError: it has memory, so it is alive.
    """
    with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"{place}/status", "rb") as file:
        if b"\nVmSize:" in file.read():
            raise UnreadableProcessError(str(error)) from None


def stat(pid: int) -> Stat | None:
    """State, parent and times of a process, or None if it is gone.

    Raises:
        UnreadableProcessError: it is there, and not to be understood.
    """
    text = read(f"/proc/{pid}/stat")
    return stat_of(text) if text else None


def stat_of(text: bytes) -> Stat:
    """The meaning of a line of `/proc/PID/stat`: the name between the parentheses may hold any byte, parentheses too."""
    try:
        words = text[text.rindex(b")") + 1 :].split()
        user, system, waited_user, waited_system = map(int, words[11:15])
        times = (user + system) * TICK_S, (waited_user + waited_system) * TICK_S
        return Stat(words[0].decode("ascii"), int(words[1]), *times, int(words[17]), int(words[19]))
    except (ValueError, IndexError) as error:
        raise UnreadableProcessError(f"{text[:200]!r}: {error}") from None


def place_of(pid: int, line: Stat) -> str:
    """The folder in `/proc` that shows a process: that of a living thread, where the first one has ended and left no memory."""
    if line.state != "Z" or line.threads <= 1:
        return f"/proc/{pid}"
    for task in listed(f"/proc/{pid}", "task"):
        other = read(f"/proc/{pid}/task/{task}/stat")
        if other and stat_of(other).state not in "ZX":
            return f"/proc/{pid}/task/{task}"
    return f"/proc/{pid}"


def sizes(text: bytes) -> dict[bytes, int]:
    """Name → KiB of each size in the text of `/proc/PID/status` or `smaps_rollup`, whose first line is left out."""
    return {name: int(kib) for name, kib in _SIZE.findall(text.partition(b"\n")[2])}


def shares_memory(place: str) -> bool:
    """Whether a process has memory that it shares with others without a file."""
    return _SHARED_ANONYMOUS.search(read(f"{place}/maps") or b"") is not None


def removed_and_mapped(place: str, folder: str) -> dict[int, int]:
    """Files of a folder that are mapped and have no name any more: inode → bytes up to the end of what is mapped."""
    found: dict[int, int] = {}
    inside = os.fsencode(folder) + b"/"
    for start, end, offset, inode, path in _REMOVED.findall(read(f"{place}/maps") or b""):
        if path.startswith(inside):
            reach = int(offset, 16) + int(end, 16) - int(start, 16)
            found[int(inode)] = max(reach, found.get(int(inode), 0))
    return found


def everyone() -> list[int]:
    """Every process that can be seen."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(pid: int) -> list[int]:
    """Every process that descends from this one, as far as it can be seen while they come and go."""
    found, line = [], [pid]
    while line:
        children = list(_children(line.pop()))
        found += children
        line += children
    return found


def _children(pid: int) -> Iterator[int]:
    if LISTED:
        for task in listed(f"/proc/{pid}", "task"):
            yield from map(int, (read(f"/proc/{pid}/task/{task}/children") or b"").split())
    else:
        yield from (other for other in everyone() if (line := stat(other)) and line.parent == pid)


def tasks_of(uid: int) -> int:
    """How many threads a user has on this machine."""
    total = 0
    for pid in everyone():
        try:
            line = stat(pid) if os.stat(f"/proc/{pid}").st_uid == uid else None
        except (OSError, UnreadableProcessError):
            continue
        total += line.threads if line else 0
    return total
