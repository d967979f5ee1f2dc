"""Deduplicate requests: items with the same request share its answer, also across the streams of this process."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hf_oss_instruct.synthesis.engine.ordered_window import Entry
from hf_oss_instruct.synthesis.engine.schedule import Schedule
from hf_oss_instruct.synthesis.journal.journal import Journal


class Claims:
    """Which entry sends a request; others with the same request wait for its answer, or until it gives up.

    Args:
        journal: where other streams of this process look for answers.
        schedule: where entries that waited are queued.
    """

    def __init__(self, journal: Journal, schedule: Schedule) -> None:
        self._journal, self._schedule = journal, schedule
        self._loop = asyncio.get_running_loop()
        # Key of a request in flight → entries with the same request.
        self._same: dict[str, list[Entry]] = {}

    def take(self, entry: Entry) -> bool:
        """Claim a request, unless it is in flight: then wait for its answer."""
        # A retry: entries keep their claim between attempts.
        if entry.requesting:
            return True
        if entry.key in self._same:
            self._same[entry.key].append(entry)
            return False
        # No entry of this stream sends it; another stream of this process may.
        if not self._journal.claim(entry.key, lambda: self._on_released(entry)):
            self._schedule.waiting_elsewhere.add(entry)
            return False
        self._same[entry.key], entry.requesting = [], True
        return True

    def release(self, entry: Entry) -> None:
        """Release a request: entries that wait for its answer check the journal again."""
        if entry.requesting:
            entry.requesting = False
            self._journal.release(entry.key)
            for same in self._same.pop(entry.key):
                self._schedule.queue(same)

    def _on_released(self, entry: Entry) -> None:
        """The other stream has its answer, or has given up. Called in its thread."""
        with suppress(RuntimeError):  # our loop is closed
            self._loop.call_soon_threadsafe(self._requeue, entry)

    def _requeue(self, entry: Entry) -> None:
        # Unless the run has stopped in the meantime, and settled it.
        if entry in self._schedule.waiting_elsewhere:
            self._schedule.waiting_elsewhere.discard(entry)
            self._schedule.queue(entry)
