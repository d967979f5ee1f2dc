"""Adaptive rate limiting: requests in flight, requests per second, and when a server counts as gone.

Three rules adapt to the server's answers:

- *Busy* (429): the rate stays just below the best rate of answers seen lately, and a burst now and then probes for more. A server
  with a rate limit is thus used up to its limit, and one that sends 429 at random is not slowed down.
- *Overloaded* (5xx, timeouts, lost connections): if there are many, fewer requests may be in flight; then more again, step by
  step.
- *Gone* (nothing but failures): all wait, and one request at a time probes whether the server is back, with growing pauses.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

WINDOW_S = 12
"""Seconds of history from which the rate is computed."""
BEST_RATE_SHARE = 0.97
"""Share of the best rate seen that is used."""
BURST, BURST_EVERY = 1.25, 8
"""A burst of one second at this multiple of the rate, once in this many seconds, finds out when the server's limit has risen."""
UNLIMITED_AFTER = 30
"""Seconds without a 429 after which the rate is no longer limited."""
OVERLOAD_SHARE, OVERLOAD_MIN = 0.25, 4
"""Failures per second that mean overload: share of the answers, and number."""
DECREASE_FACTOR, INCREASE = 0.7, 0.05
"""Factor for the requests in flight after an overloaded second, and increase after a good one (as a share of the maximum)."""
GONE_AFTER = 8
"""Consecutive failures after which the server counts as gone."""
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 60.0


class RateLimiter:
    """Hands out slots, each for one request in flight.

    Args:
        concurrency: maximum number of requests in flight.
        clock: returns seconds; tests pass their own.
        gone_after: consecutive failures after which the server counts as gone.
        changed: set when there may be room again; several servers share one.

    Attributes:
        in_flight: requests in flight now.
        limit: current maximum number of requests in flight.
        rate: current limit of requests per second; None for no limit.
        gone: whether the server counts as gone.
    """

    def __init__(
        self,
        concurrency: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        gone_after: int = GONE_AFTER,
        changed: asyncio.Event | None = None,
    ) -> None:
        self._clock = clock
        self._most, self.limit = concurrency, float(concurrency)
        self.in_flight, self.gone = 0, False
        self.rate: float | None = None
        self._open = True
        self._history: deque[float] = deque(maxlen=WINDOW_S)
        self._answered = self._busy = self._failed = 0
        self._second, self._seconds = self._clock(), 0
        self._last_busy = self._next_start = 0.0
        self._failures_in_a_row, self._pause_s, self._paused_until = 0, FIRST_PAUSE_S, 0.0
        self._gone_after, self._paused_until_s = gone_after, 0.0
        self._changed, self._turn = changed or asyncio.Event(), asyncio.Lock()

    async def acquire(self) -> None:
        """Wait until a request may be sent, and count it as in flight. First come, first served."""
        # Even where there is room, a newcomer queues behind those that wait: the lock hands out turns in order.
        if self._open and (self._turn.locked() or self.delay_s() > 0):
            async with self._turn:
                while self._open and (wait_s := self.delay_s()) > 0:
                    self._changed.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._changed.wait(), None if wait_s == math.inf else wait_s)
        # Nothing is awaited between `delay_s` and this count, so no two requests take the same room.
        self.in_flight += 1

    def close(self) -> None:
        """Wake everything that waits for a slot, because nothing will be sent any more."""
        self._open = False
        self._changed.set()

    def answered(self) -> None:
        """Report that a request was answered, whatever the answer."""
        self._finished()
        self._answered += 1
        self._failures_in_a_row = 0
        if self.gone:
            self.gone, self._pause_s, self._paused_until = False, FIRST_PAUSE_S, 0.0

    def busy(self) -> None:
        """Report that a request got a 429."""
        self._finished()
        self._busy += 1
        # A 429 is not a failure: it shows that the server is up.
        self._last_busy = self._clock()
        self._failures_in_a_row = 0

    def failed(self) -> None:
        """Report that a request got a server error, timed out, or lost its connection."""
        self._finished()
        self._failed += 1
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= self._gone_after:
            self.pause()

    def pause(self) -> None:
        """Count the server as gone: nothing is sent for a while, then one request probes."""
        # Requests that were in flight together fail together: only the first of them makes the pause longer.
        if self._clock() >= self._paused_until:
            self.gone, self._paused_until = True, self._clock() + self._pause_s
            self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)

    def pause_for(self, seconds: float) -> None:
        """Send nothing for this many seconds, as the server asked."""
        self._paused_until_s = max(self._paused_until_s, self._clock() + seconds)

    @property
    def paused_s(self) -> float:
        """Seconds for which the server still asked to be left alone."""
        return max(self._paused_until_s - self._clock(), 0.0)

    @property
    def load(self) -> float:
        """Share of the slots that is taken. Of a server that is gone, -1: its probe comes before all else when it is due."""
        return -1.0 if self.gone else self.in_flight / max(self.limit, 1.0)

    def cancelled(self) -> None:
        """Report that a request was cancelled."""
        self._finished()

    @property
    def note(self) -> str:
        """A message for the progress line, or an empty text."""
        if self.gone:
            return f"the teacher does not answer, next try in {max(0, self._paused_until - self._clock()):.0f} s"
        return f"held at {self.rate:.1f} requests/s" if self.rate else ""

    def _finished(self) -> None:
        self.in_flight -= 1
        self._changed.set()
        self._roll(self._clock())

    def delay_s(self) -> float:
        """Seconds until a request may be sent, infinite until another returns. 0 uses up the start: the next one must wait."""
        now = self._clock()
        self._roll(now)
        if now < self._paused_until_s:
            return self._paused_until_s - now
        # One of the requests in flight may be the probe, whose result decides.
        if self.gone and (self.in_flight or now < self._paused_until):
            return math.inf if self.in_flight else max(self._paused_until - now, 0.01)
        if self.in_flight >= int(self.limit):
            return math.inf
        if self.rate is None:
            return 0.0
        # Up to 20 ms of unused starts are caught up on, because sleeping is not more precise.
        self._next_start = max(self._next_start, now - 0.02)
        if now < self._next_start:
            return self._next_start - now
        burst = BURST if self._seconds % BURST_EVERY == 0 else 1.0
        self._next_start += 1 / (self.rate * burst)
        return 0.0

    def _roll(self, now: float) -> None:
        """Adapt the limits at the end of each second."""
        # Called with every request, not by a timer: nothing happens while nothing is sent, so a "second" may be longer.
        elapsed = now - self._second
        if elapsed < 1:
            return
        self._history.append(self._answered / elapsed)
        # Without a 429 there is no limit to find, and the number in flight alone holds requests back.
        if self._busy or self.rate:
            best = max(self._history)
            calm = now - self._last_busy > UNLIMITED_AFTER
            self.rate = None if calm or not best else BEST_RATE_SHARE * best
        if self._failed >= OVERLOAD_MIN and self._failed >= OVERLOAD_SHARE * (self._answered + self._failed):
            self.limit = max(1.0, DECREASE_FACTOR * self.limit)
        elif self._answered:
            self.limit = min(self._most, self.limit + max(1.0, INCREASE * self._most))
        self._answered = self._busy = self._failed = 0
        self._second, self._seconds = now, self._seconds + 1
