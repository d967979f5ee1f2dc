"""Throughput of a stage and the time left, computed from recently finished work, in whichever order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from hf_oss_instruct.progress.counts import Counts

RECENT_S = 60.0
"""Rates are those of at least this many last seconds."""
RECENT_ITEMS = 16
"""Rates are those of at least this many last finished items, so that slow ones are averaged over a longer time."""
FIRST_S = 1.0
"""Seconds before a speed is shown."""
MAX_READINGS = 600
"""Readings that are remembered, one a second."""


class Rates(NamedTuple):
    """Speeds per second, and the seconds left; None if they are unknown."""

    done: float = 0.0
    requests: float = 0.0
    tokens: float = 0.0
    left_s: float | None = None


class _Point(NamedTuple):
    at: float
    done: int
    requests: int
    tokens: int


class Meter:
    """Measures a stage from the moment on when it is made.

    Args:
        clock: seconds; tests pass their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._points = deque([_Point(self._started, 0, 0, 0)], MAX_READINGS)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the stage began."""
        return self._clock() - self._started

    def read(self, counts: Counts) -> Rates:
        """The current rates.

        Args:
            counts: of the stage.
        """
        now = _Point(self._clock(), counts.done - counts.recalled, counts.requests, counts.tokens)
        before = self._baseline(now)
        # At most one reading a second, however often a display asks, so that MAX_READINGS cover ten minutes.
        if now.at - self._points[-1].at >= 1.0:
            self._points.append(now)
        if (seconds := now.at - before.at) < FIRST_S:
            return Rates()
        done, requests, tokens = ((new - old) / seconds for new, old in zip(now[1:], before[1:], strict=True))
        left = None if counts.total is None or not done else max(counts.total - counts.done, 0) / done
        return Rates(done, requests, tokens, left)

    def _baseline(self, now: _Point) -> _Point:
        """The latest reading from which on enough has happened."""
        enough = (
            point for point in reversed(self._points) if now.at - point.at >= RECENT_S and now.done - point.done >= RECENT_ITEMS
        )
        return next(enough, self._points[0])
