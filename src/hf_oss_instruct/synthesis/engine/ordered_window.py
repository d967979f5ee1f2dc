"""Items in work, in their order: new ones enter at the end, outcomes leave at the front.

A slow answer delays the outcomes behind it, not the requests: the window may be much longer than the number of requests in
flight.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

from hf_oss_instruct.data import Outcome, Rejection, Row, Seed, Skipped, is_row
from hf_oss_instruct.synthesis.generation.task import Task

MAX_WAITING_ROWS = 2048
"""Rows that wait in memory for their turn; those of further items are read from the journal again when it comes."""
ENTRIES_PER_ITEM = 16
"""Entries in the window, skipped documents included, as a multiple of its length: they take memory, too."""


class TaskStep(NamedTuple):
    """A step of an item: the task, its item (the source, or the result of an earlier answer), its place in the chain."""

    task: Task
    item: Any
    position: int

    @property
    def seed(self) -> Seed:
        """The seed behind the item."""
        return self.task.seed(self.item)


@dataclass(slots=True, eq=False)
class Entry:
    """An item in work.

    Attributes:
        source: the item as it came.
        step: the next request about it; None once it is settled.
        key: the request's key in the journal, empty before it is known.
        settled: whether the item has an outcome.
        outcome: the outcome, if it is held in memory.
        requesting: whether this entry sends the request, so that equal ones wait for it.
        requested: whether a request was sent for it in this session.
        computing: whether a local task is at work on it.
        computed: whether one was, so that the journal alone does not give the outcome.
        tries: the part of the retry policy's tries that failed attempts have used up.
        attempts, timeouts: attempts that failed, and those of them that ran out of time.
        why: why there is no answer.
    """

    source: Seed | Row | Skipped
    step: TaskStep | None = None
    key: str = ""
    settled: bool = False
    outcome: Outcome | None = None
    requesting: bool = False
    requested: bool = False
    computing: bool = False
    computed: bool = False
    tries: int = 0
    attempts: int = 0
    timeouts: int = 0
    why: str = "the run stopped before it was requested"

    def start_step(self, step: TaskStep) -> None:
        """Turn to the next request about the item."""
        self.step, self.key = step, ""
        self.tries = self.attempts = self.timeouts = 0


class OrderedWindow:
    """The entries between the first that was not yielded and the last that was started.

    Args:
        length: the most items in work. Documents that were skipped are none, so that filters do not make it shorter.
    """

    def __init__(self, length: int) -> None:
        self._length, self._items, self._held = length, 0, 0
        self.entries: deque[Entry] = deque()
        self._head_settled = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether it is as long as it may be."""
        return self._items >= self._length or len(self.entries) >= ENTRIES_PER_ITEM * self._length

    def append(self, entry: Entry) -> None:
        """Put an entry at the end."""
        self.entries.append(entry)
        self._items += not isinstance(entry.source, Skipped)

    def settle(self, entry: Entry, outcome: Outcome) -> None:
        """Record the outcome of an entry. A row far ahead of its turn is dropped, and read from the journal when it is due."""
        entry.settled, entry.step = True, None
        # The journal could not give pending and skipped items again.
        if not _is_large(outcome):
            entry.outcome = outcome
        # The first one leaves at once, and what a local task computed is not in the journal: both are held beyond the limit.
        elif self._held < MAX_WAITING_ROWS or entry is self.entries[0] or entry.computed:
            entry.outcome = outcome
            self._held += 1
        if entry is self.entries[0]:
            self._head_settled.set()

    def pop_head(self) -> None:
        """Take the first entry out."""
        entry = self.entries.popleft()
        self._items -= not isinstance(entry.source, Skipped)
        self._held -= _is_large(entry.outcome)

    async def wait_for_head(self) -> None:
        """Wait until the first entry is settled, or `wake` is called."""
        await self._head_settled.wait()
        self._head_settled.clear()

    def wake(self) -> None:
        """Wake up `wait_for_head`."""
        self._head_settled.set()


def _is_large(outcome: Outcome | None) -> bool:
    """Whether an outcome holds the texts of a row; pending and skipped items are small."""
    return is_row(outcome) or isinstance(outcome, Rejection)
