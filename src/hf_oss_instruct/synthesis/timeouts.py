"""How long an attempt may take: a fixed time, or a multiple of the slowest answers, so that one that hangs is noticed soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from hf_oss_instruct.teachers.resolve import LONGEST_TIMEOUT_S

T = TypeVar("T")

LONGEST_S, SHORTEST_S = LONGEST_TIMEOUT_S, 30.0
"""Bounds of a learned deadline, in seconds."""
MULTIPLE, MULTIPLE_AT_FIRST, AT_FIRST = 5.0, 20.0, 16
"""The deadline as a multiple of the slowest answer seen; a larger one for the first answers, which say little."""
WINDOW = 256
"""Answers after which an older slowest one is forgotten: between so many and twice as many count."""


class Deadline:
    """The deadline of attempts.

    Args:
        fixed_s: seconds; None learns from the answers.
        shortest_s, longest_s: bounds of a learned one, in seconds; the longest holds until the first answer.

    Attributes:
        seconds: what an attempt may take now. Attempts in flight follow it.
    """

    def __init__(self, fixed_s: float | None = None, *, shortest_s: float = SHORTEST_S, longest_s: float = LONGEST_S) -> None:
        self._shortest_s, self._longest_s = shortest_s, longest_s
        self.seconds = longest_s if fixed_s is None else fixed_s
        self._learns = fixed_s is None
        self._running: dict[asyncio.Timeout, tuple[float, int]] = {}
        self._alarm: asyncio.TimerHandle | None = None  # one timer for all attempts, at the first deadline
        self._seen = 0
        self._slowest = self._slowest_before = 0.0

    async def keep(self, work: Awaitable[T], timeouts: int = 0) -> T:
        """Await something that has to come in time.

        Args:
            work: the attempt.
            timeouts: how often the same question ran out of time; each doubles what is allowed, since it may only be slow.

        Raises:
            TimeoutError: it did not come in time.
        """
        started = time.monotonic()  # the clock of the loop's timers
        async with asyncio.timeout(None) as timer:
            self._running[timer] = started, timeouts
            self._set_alarm(started + self.allowed(timeouts))
            try:
                result = await work
            finally:
                del self._running[timer]
                if not self._running:
                    self._clear_alarm()
        if self._learns:
            self.learn(time.monotonic() - started)
        return result

    @property
    def oldest_s(self) -> float:
        """Seconds that the oldest attempt in flight has taken so far; 0 if there is none."""
        oldest = next(iter(self._running.values()), None)
        return time.monotonic() - oldest[0] if oldest else 0.0

    def learn(self, latency_s: float) -> None:
        """Take an answer into account."""
        self._seen += 1
        if self._seen % WINDOW == 0:
            self._slowest_before, self._slowest = self._slowest, 0.0
        if latency_s > self._slowest:
            self._slowest = latency_s
        elif self._seen % WINDOW and self._seen != AT_FIRST:
            return  # nothing has changed
        multiple = MULTIPLE_AT_FIRST if self._seen < AT_FIRST else MULTIPLE
        seconds = min(max(multiple * max(self._slowest, self._slowest_before), self._shortest_s), self._longest_s)
        if seconds != self.seconds:
            self.seconds = seconds
            self._expire()

    def allowed(self, timeouts: int = 0) -> float:
        """Seconds that an attempt may take now, after so many that ran out of time."""
        return min(self.seconds * 2.0**timeouts, max(self.seconds, self._longest_s))

    def _expire(self) -> None:
        """End the attempts whose time is over, and look again at the next deadline."""
        self._clear_alarm()
        for timer, (started, timeouts) in self._running.items():
            if timer.expired():
                continue
            due = started + self.allowed(timeouts)
            if due <= time.monotonic():
                timer.reschedule(due)
            else:
                self._set_alarm(due)

    def _set_alarm(self, due: float) -> None:
        if self._alarm is None or due < self._alarm.when():
            self._clear_alarm()
            self._alarm = asyncio.get_running_loop().call_at(due, self._expire)

    def _clear_alarm(self) -> None:
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
