"""Control groups: the kernel enforces one memory limit over all processes of each step of a run.

Requires cgroup v2 with the `memory` controller, and a group that this user may divide: that of this process, or its parent. All
groups are created below one group named after this process, and removed with it.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

PREFIX, REMOVE_TIMEOUT_S = "oss-instruct-", 5.0
_numbers, _lock = itertools.count(), threading.Lock()


class NoControlGroupError(OSError):
    """No control group can be divided on this machine by this user; the message says why."""


class ControlGroup:
    """A control group for one step.

    Args:
        path: where to create it.
        memory_mib: memory limit in MiB for all processes together; beyond it all of them are killed.

    Attributes:
        procs_fd: file descriptor. A process that writes "0" to it joins the group, and so do its children.

    Raises:
        OSError: it cannot be created.
    """

    def __init__(self, path: Path, memory_mib: int) -> None:
        self._path = path
        path.mkdir()
        try:
            (path / "memory.max").write_text(str(memory_mib << 20))
            # Otherwise the kernel kills one process of its choice, and the rest of the program goes on.
            (path / "memory.oom.group").write_text("1")
            # A program over its limit would be swapped out instead of killed, and slow down the whole machine.
            with contextlib.suppress(FileNotFoundError):  # a kernel without swap
                (path / "memory.swap.max").write_text("0")
            self.procs_fd = os.open(path / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            path.rmdir()
            raise

    def number(self, file: str, name: str) -> int:
        """Read a number of the group, such as `oom_kill` in `memory.events`."""
        lines = (self._path / file).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name} "))

    @property
    def was_over(self) -> bool:
        """Whether the limit was exceeded, so that everything in the group was killed."""
        return self.number("memory.events", "oom_kill") > 0

    def close(self) -> None:
        """Remove the group once the last process is gone.

        Raises:
            OSError: a process does not leave.
        """
        os.close(self.procs_fd)
        # The init process has killed its run, unless it was killed itself; a group that holds a process cannot be removed.
        with contextlib.suppress(OSError):  # Linux before 5.14 does not have it
            (self._path / "cgroup.kill").write_text("1")
        _remove(self._path)


@contextlib.contextmanager
def control_groups(memory_mib: Sequence[int]) -> Iterator[list[ControlGroup]]:
    """Create a group for each step, and remove them afterwards.

    Raises:
        NoControlGroupError: no control group can be divided here.
        OSError: a group could not be created or removed.
    """
    # functools.cache lets two threads in at once, and the second would fail to create the folder of the first.
    with _lock:
        parent = _own_group(os.getpid())
    with contextlib.ExitStack() as stack:
        groups = []
        for limit in memory_mib:
            groups.append(ControlGroup(parent / str(next(_numbers)), limit))
            stack.callback(groups[-1].close)
        yield groups


@functools.cache
def _own_group(pid: int) -> Path:
    """Return this process's own group, which holds those of its runs."""
    errors = []
    # "No internal processes": except at the root, a group that holds processes cannot enable controllers for its children.
    # This process is in its own group, so often only the parent can be divided.
    for parent in _candidates():
        try:
            _enable_memory_limits(parent)
            with open(parent / "cgroup.procs", "a"):  # without write access here, no process can be moved
                pass
            # Before mkdir: a killed process that had our ID may have left a group of the same name.
            _remove_forgotten(parent, pid)
            path = parent / f"{PREFIX}{pid}"
            path.mkdir()
            _enable_memory_limits(path)
        except OSError as error:
            errors.append(str(error))
            continue
        atexit.register(_forget, path, pid)
        return path
    raise NoControlGroupError("; ".join(errors) or "no cgroup v2 is mounted")


def _candidates() -> list[Path]:
    """Return the control group that this process is in, and its parent."""
    mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    mounted = [(words[3], Path(words[4])) for words in mounts if words[words.index("-") + 1] == "cgroup2"]
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if not mounted or own is None or not Path(own).is_relative_to(mounted[0][0]):
        return []
    # The mount may show only a part of the hierarchy (containers), whereas /proc/self/cgroup gives the path in all of it.
    root, mount = mounted[0]
    here = mount / Path(own).relative_to(root)
    return [here] if here == mount else [here, here.parent]


def _enable_memory_limits(group: Path) -> None:
    """Enable memory limits for the children of a group.

    Raises:
        OSError: the kernel or the group's permissions do not allow it.
    """
    if "memory" not in (group / "cgroup.controllers").read_text().split():
        raise OSError(f"{group} has no controller 'memory'")
    if "memory" not in (group / "cgroup.subtree_control").read_text().split():
        (group / "cgroup.subtree_control").write_text("+memory")


def _remove_forgotten(parent: Path, pid: int) -> None:
    """Remove groups left behind by killed processes, including one that had our process ID."""
    for path in parent.glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX)
        if owner == str(pid) or not os.path.exists(f"/proc/{owner}"):
            with contextlib.suppress(OSError):
                for inner in path.glob("*/"):
                    inner.rmdir()
                path.rmdir()


def _forget(path: Path, pid: int) -> None:
    # A fork inherits the exit handler, but the group belongs to its parent.
    if os.getpid() == pid:
        with contextlib.suppress(OSError):
            path.rmdir()


def _remove(path: Path) -> None:
    deadline = time.monotonic() + REMOVE_TIMEOUT_S
    while True:
        try:
            return path.rmdir()
        except OSError:  # a killed process is still exiting
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)
