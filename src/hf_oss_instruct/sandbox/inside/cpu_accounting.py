"""How much processor time a run has used: also that of processes which are gone and for which nobody waited.

The kernel adds the time of a dead process to that of the parent which waits for it. The init process waits for orphans. What is
left
are the children of a parent that ignores SIGCHLD: the kernel removes them, and their time with them. It is known as it was when
they were last looked at, and counts from then on unless some parent's time shows that they were waited for.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping

from .procfs import Stat


class Ledger:
    """The processor time of a run, brought up to date with every look at it."""

    def __init__(self) -> None:
        self._before = _of_the_dead()
        self._known: dict[tuple[int, int], Stat] = {}
        self._waited_s, self._lost_s, self._alive_s = 0.0, 0.0, 0.0

    def look(self, alive: Mapping[int, Stat], child: int) -> float:
        """Seconds that the run has used.

        Args:
            alive: its processes now, those that are dead and not waited for included.
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
        """Seconds in all, once every process was killed and waited for."""
        return max(_of_the_dead() - self._before, self._alive_s + self._waited_s) + self._lost_s


def _of_the_dead() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _bury(child: int) -> None:
    """Wait for the orphans that have ended."""
    while (dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and dead.si_pid != child:
        os.waitpid(dead.si_pid, 0)
