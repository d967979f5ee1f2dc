"""Processor seconds of this process and all that it starts, also where the kernel reaps children unasked, as in the sandbox."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup/cpuacct")


class Meter:
    """A clock of processor seconds.

    As root with the controller cpuacct of cgroup v1 it counts a control group of our own; else the whole machine, which must then
    be idle beside it.
    """

    def __init__(self) -> None:
        self._group: Path | None = GROUPS / f"benchmark-{uuid.uuid4().hex[:8]}"
        try:
            self._group.mkdir()
            (self._group / "cgroup.procs").write_text(str(os.getpid()))
        except OSError:
            self._group = None

    @property
    def of(self) -> str:
        """Whose seconds they are."""
        return "this benchmark" if self._group else "the whole machine"

    def seconds(self) -> float:
        """Processor seconds so far."""
        if self._group:
            return int((self._group / "cpuacct.usage").read_text()) / 1e9
        user, nice, system, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        return (int(user) + int(nice) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Leave the control group, and remove it if it is empty."""
        if self._group:
            (GROUPS / "cgroup.procs").write_text(str(os.getpid()))
            for pid in (self._group / "cgroup.procs").read_text().split():
                (GROUPS / "cgroup.procs").write_text(pid)
            self._group.rmdir()
