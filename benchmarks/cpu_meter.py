"""Processor seconds of this process and all that it starts, also of sandboxed processes that no parent waits for."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import resource
from collections.abc import Callable
from pathlib import Path

ROOTS = (Path("/sys/fs/cgroup/cpuacct"), Path("/sys/fs/cgroup"))


def meter() -> tuple[Callable[[], float], str]:
    """A function that reads processor seconds, and how it does.

    Moves this process into a control group of its own where that is allowed; otherwise the children of fork servers are not seen.
    """
    for root in ROOTS:
        group = root / f"benchmark-{os.getpid()}"
        with contextlib.suppress(OSError):
            if not (root / "cgroup.procs").exists():
                continue
            group.mkdir()
            (group / "cgroup.procs").write_text(str(os.getpid()))
            atexit.register(_leave, root, group)
            usage = group / "cpuacct.usage"
            if usage.exists():
                return functools.partial(_usage, usage, 1e9), "control group"
            stat = group / "cpu.stat"
            if stat.exists():
                return functools.partial(_usage, stat, 1e6), "control group"
    return _rusage, "getrusage, without sandboxed processes"


def _usage(file: Path, per_second: float) -> float:
    return int(file.read_text().split()[-1 if per_second == 1e9 else 1]) / per_second


def _leave(root: Path, group: Path) -> None:
    with contextlib.suppress(OSError):
        (root / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


def _rusage() -> float:
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
