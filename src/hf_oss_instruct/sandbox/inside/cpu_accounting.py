"""Account for the CPU time of a run, including processes that have ended without being waited for.

The kernel adds the time of an ended process to that of the parent that waits for it, and the init process waits for orphans. The
exception is a parent that ignores SIGCHLD: the kernel reaps its children and drops their time. Their time as of the last poll is
kept, and counts unless some parent's time shows that they were waited for after all.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping

from .procfs import Stat


class CpuTime:
    """The CPU time of a run, updated at every poll."""

    def __init__(self) -> None:
        self._at_start_s = _children_cpu_s()
        self._last_stats: dict[tuple[int, int], Stat] = {}
        self._waited_s, self._lost_s, self._alive_s = 0.0, 0.0, 0.0

    def update(self, alive: Mapping[int, Stat], child: int) -> float:
        """Return the CPU time used so far, in seconds.

        Args:
            alive: its current processes, including zombies.
            child: its first process, which is not waited for here.
        """
        _reap_orphans(child)
        # With the start time, because process IDs are used again.
        now = {(pid, stat.start_ticks): stat for pid, stat in alive.items()}
        waited_s = _children_cpu_s() - self._at_start_s
        gone_s = sum(stat.own_cpu_s + stat.children_cpu_s for key, stat in self._last_stats.items() if key not in now)
        # Time that parents, or this process, gained by waiting. What ended processes had beyond that, the kernel dropped.
        collected_s = waited_s - self._waited_s
        for key, stat in now.items():
            collected_s += stat.children_cpu_s - (self._last_stats[key].children_cpu_s if key in self._last_stats else 0.0)
        self._lost_s += max(0.0, gone_s - collected_s)
        self._alive_s = sum(stat.own_cpu_s + stat.children_cpu_s for stat in now.values())
        self._last_stats, self._waited_s = now, waited_s
        return self._alive_s + self._waited_s + self._lost_s

    def close(self) -> float:
        """Return the total in seconds, once every process was killed and waited for."""
        # The first lacks children that the kernel reaped, the second what happened after the last poll.
        return max(_children_cpu_s() - self._at_start_s, self._alive_s + self._waited_s) + self._lost_s


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _reap_orphans(child: int) -> None:
    """Reap the orphans that have ended."""
    # WNOWAIT only looks: the program's own status is still needed.
    while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != child:
        os.waitpid(ended.si_pid, 0)
