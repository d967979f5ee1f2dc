"""Deadlines of attempts: fixed, or a multiple of the slowest answers, so that hanging requests are noticed soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from hf_oss_instruct.teachers.resolve import MAX_TIMEOUT_S

T = TypeVar("T")

MAX_DEADLINE_S, MIN_DEADLINE_S = MAX_TIMEOUT_S, 30.0
"""Bounds of a learned deadline, in seconds."""
FACTOR, INITIAL_FACTOR, INITIAL_ANSWERS = 5.0, 20.0, 16
"""The deadline as a multiple of the slowest answer; a larger multiple for the first answers, which are a small sample."""
WINDOW = 256
"""Window of answers: the slowest of the last this many to twice as many counts."""


class Deadline:
    """The deadline of attempts.

    Args:
        fixed_s: seconds; None learns from the answers.
        shortest_s, longest_s: bounds of a learned deadline, in seconds; the longest applies until the first answer.

    Attributes:
        seconds: the current deadline. It also applies to attempts in flight.
    """

    def __init__(
        self, fixed_s: float | None = None, *, shortest_s: float = MIN_DEADLINE_S, longest_s: float = MAX_DEADLINE_S
    ) -> None:
        self._shortest_s, self._longest_s = shortest_s, longest_s
        self.seconds = longest_s if fixed_s is None else fixed_s
        self._learns = fixed_s is None
        self._running: dict[asyncio.Timeout, tuple[float, int]] = {}
        # A single timer for all attempts, at the earliest deadline.
        self._alarm: asyncio.TimerHandle | None = None
        self._seen = 0
        self._slowest = self._slowest_before = 0.0

    async def run(self, work: Awaitable[T], timeouts: int = 0) -> T:
        """Await an attempt within its deadline.

        Args:
            work: the attempt.
            timeouts: how often the same request timed out; each doubles the deadline, because it may only be slow.

        Raises:
            TimeoutError: the deadline passed.
        """
        started = time.monotonic()  # the clock of the loop's timers
        async with asyncio.timeout(None) as timer:
            # `timer` itself has no deadline and so no timer in the loop: one for each attempt took measurable CPU time.
            self._running[timer] = started, timeouts
            self._set_alarm(started + self.timeout_s(timeouts))
            try:
                result = await work
            finally:
                del self._running[timer]
                if not self._running:
                    self._clear_alarm()
        if self._learns:
            self.record_latency(time.monotonic() - started)
        return result

    @property
    def oldest_s(self) -> float:
        """Age of the oldest attempt in flight, in seconds; 0 if there is none."""
        # The first to have started, because a dict keeps the order of insertion.
        oldest = list(self._running.values())[:1]  # a copy: a display reads it in another thread
        return time.monotonic() - oldest[0][0] if oldest else 0.0

    @property
    def in_flight(self) -> int:
        """Number of attempts in flight."""
        return len(self._running)

    def record_latency(self, latency_s: float) -> None:
        """Learn from the latency of an answer."""
        self._seen += 1
        # Two windows stand for the last 256 to 511 answers, without a list of their latencies.
        if self._seen % WINDOW == 0:
            self._slowest_before, self._slowest = self._slowest, 0.0
        if latency_s > self._slowest:
            self._slowest = latency_s
        elif self._seen % WINDOW and self._seen != INITIAL_ANSWERS:
            return  # nothing has changed
        multiple = INITIAL_FACTOR if self._seen < INITIAL_ANSWERS else FACTOR
        seconds = min(max(multiple * max(self._slowest, self._slowest_before), self._shortest_s), self._longest_s)
        if seconds != self.seconds:
            self.seconds = seconds
            self._expire()

    def timeout_s(self, timeouts: int = 0) -> float:
        """The deadline of an attempt in seconds, after a number of timeouts of the same request."""
        # Doubling ends at the longest deadline, except for a fixed one, which may be longer than that from the start.
        return min(self.seconds * 2.0**timeouts, max(self.seconds, self._longest_s))

    def _expire(self) -> None:
        """Cancel attempts that have timed out, and set the timer for the next deadline."""
        self._clear_alarm()
        for timer, (started, timeouts) in self._running.items():
            if timer.expired():
                continue
            due = started + self.timeout_s(timeouts)
            if due <= time.monotonic():
                # A moment in the past: asyncio cancels the attempt at once.
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
