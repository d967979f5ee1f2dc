"""Account for the CPU time of a run, including processes that are gone and that nobody waited for.

The kernel adds the time of an ended process to that of the parent that waits for it, and the init process waits for orphans. The
exception is a parent that ignores SIGCHLD: the kernel reaps its children and drops their time. Their time as of the last poll is
kept, and counts unless some parent's time shows that they were waited for after all.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping

from .procfs import Stat


class Ledger:
    """The CPU time of a run, updated at every poll."""

    def __init__(self) -> None:
        self._before = _of_the_dead()
        self._known: dict[tuple[int, int], Stat] = {}
        self._waited_s, self._lost_s, self._alive_s = 0.0, 0.0, 0.0

    def look(self, alive: Mapping[int, Stat], child: int) -> float:
        """Return the CPU time used so far, in seconds.

        Args:
            alive: its current processes, including zombies.
            child: its first process, which is not waited for here.
        """
        _bury(child)
        now = {(pid, line.born): line for pid, line in alive.items()}
        waited_s = _of_the_dead() - self._before
        gone_s = sum(line.own_s + line.waited_s for key, line in self._known.items() if key not in now)
        passed_on_s = waited_s - self._waited_s
        for key, line in now.items():
            passed_on_s += line.waited_s - (self._known[key].waited_s if key in self._known else 0.0)
        self._lost_s += max(0.0, gone_s - passed_on_s)
        self._alive_s = sum(line.own_s + line.waited_s for line in now.values())
        self._known, self._waited_s = now, waited_s
        return self._alive_s + self._waited_s + self._lost_s

    def close(self) -> float:
        """Return the total in seconds, once every process was killed and waited for."""
        return max(_of_the_dead() - self._before, self._alive_s + self._waited_s) + self._lost_s


def _of_the_dead() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bury(child: int) -> None:
    """Reap the orphans that have ended."""
    while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and dead.si_pid != child:
        os.waitpid(dead.si_pid, 0)
