"""The queue of the workers: new items, retries and follow-ups, each with the time from which it may be sent."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import deque
from collections.abc import Sequence
from itertools import count

from hf_oss_instruct.data import Row, Seed, Skipped
from hf_oss_instruct.synthesis.engine.ordered_window import Entry

TIMER_SLACK_S = 0.002
"""A timer of the event loop may fire that much early."""


class Schedule:
    """The queues between the source and the workers.

    Args:
        closed: set when no more requests are sent.

    Attributes:
        new_items: items read from the source but not started.
        waiting_elsewhere: entries whose request another stream of this process sends.
        waiting_for_budget: entries that wait for the budget that other requests return.
        in_flight: requests on their way.
        changed: set when the run may be at its end, or needs more items.
    """

    def __init__(self, closed: asyncio.Event) -> None:
        self._loop, self._closed = asyncio.get_running_loop(), closed
        self.new_items: deque[Seed | Row | Skipped] = deque()
        self.waiting_elsewhere: set[Entry] = set()
        self.waiting_for_budget: list[Entry] = []
        self.in_flight = 0
        self.changed = asyncio.Event()
        # To be sent from a moment on: follow-ups, retries, equal requests.
        self._due: list[tuple[float, int, Entry]] = []
        self._numbers = count()
        self._sleeping: deque[asyncio.Future[None]] = deque()

    @property
    def is_due(self) -> bool:
        """Whether the request of a queued entry may be sent now."""
        return bool(self._due) and self._due[0][0] <= time.monotonic() + TIMER_SLACK_S

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is on its way or waits to be sent, except items that were not started."""
        return not (self.in_flight or self._due or self.waiting_elsewhere or self.waiting_for_budget)

    @property
    def has_sleepers(self) -> bool:
        """Whether a worker waits for work."""
        return bool(self._sleeping)

    def extend(self, items: Sequence[Seed | Row | Skipped]) -> None:
        """Add items that were read from the source."""
        self.new_items.extend(items)
        self.wake(len(items))

    def next_new_item(self) -> Seed | Row | Skipped:
        """Take the next item of the source."""
        item = self.new_items.popleft()
        if not self.new_items:
            self.changed.set()
        return item

    def queue(self, entry: Entry, pause_s: float = 0.0) -> None:
        """Send the request of an entry before new items, after a pause."""
        # Without a pause 0, which comes before all retries.
        due = time.monotonic() + pause_s if pause_s else 0.0
        # The number keeps entries of the same moment in order, and the heap from comparing entries.
        heapq.heappush(self._due, (due, next(self._numbers), entry))
        self._wake_at(due)
        self.notify_if_idle()

    def next_due(self) -> Entry:
        """Take the entry that is due first."""
        return heapq.heappop(self._due)[2]

    def take_all_waiting(self) -> list[Entry]:
        """Take all that waits to be sent."""
        waiting = [*self.waiting_elsewhere, *self.waiting_for_budget, *(entry for *_, entry in self._due)]
        self.waiting_elsewhere.clear()
        self.waiting_for_budget.clear()
        self._due.clear()
        return waiting

    def retry_budget(self) -> None:
        """A request returned: those that wait for the budget try again, the longest wait first."""
        waiting, self.waiting_for_budget = self.waiting_for_budget, []
        for entry in waiting:
            self.queue(entry)

    async def sleep(self) -> None:
        """Wait until there may be work."""
        self._sleeping.append(self._loop.create_future())
        await self._sleeping[-1]

    def wake(self, number: int) -> None:
        """Wake this number of sleeping workers."""
        while number and self._sleeping:
            sleeper = self._sleeping.popleft()
            # A worker that was cancelled leaves its future here; it must not use up the signal.
            if not sleeper.done():
                sleeper.set_result(None)
                number -= 1

    def notify_if_idle(self) -> None:
        """Wake the driver if the run may be finished."""
        if self._closed.is_set() or self.is_quiet:
            self.changed.set()

    def _wake_at(self, due: float) -> None:
        if (wait_s := due - time.monotonic()) > TIMER_SLACK_S:
            # Checked again when the timer fires, because it may fire early.
            self._loop.call_later(wait_s, self._wake_at, due)
        else:
            self.wake(1)
