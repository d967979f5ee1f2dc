"""Progress as single lines of a log, for output that is not a terminal: few, without control characters."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from hf_oss_instruct.progress.layout import View, log_line
from hf_oss_instruct.progress.stages import Stages

POLL_S = 0.5
MIN_INTERVAL_S, MAX_INTERVAL_S = 10.0, 30.0
"""Seconds between lines: a new stage or another tenth is written after the first at the soonest, any state after the second."""


class LogProgress(Stages):
    """Writes a line to standard error now and then.

    Args:
        due: whether it is time for a line.
        poll_s: how often that is asked, in seconds.
    """

    def __init__(self, due: Callable[[View], bool] | None = None, poll_s: float = POLL_S) -> None:
        super().__init__()
        self._due, self._poll_s, self._file = due or LogSchedule(), poll_s, sys.stderr
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="oss-instruct-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """See `Progress.aside`."""
        yield

    def _write(self) -> None:
        # Waits and notices the end at once, unlike a sleep.
        while not self._ended.wait(self._poll_s):
            if (view := self.view()) and self._due(view):
                print(log_line(view), file=self._file, flush=True)


class LogSchedule:
    """Whether it is time for a line.

    Args:
        clock: seconds; tests pass their own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._last = clock, clock()
        self._stage: tuple[str, int] | None = None

    def __call__(self, view: View) -> bool:
        """Whether this state of a stage gets a line.

        Args:
            view: the stage.
        """
        quiet_s = self._clock() - self._last
        # Tenths of the work: a line for each is enough for a log.
        stage = view.title, 10 * view.counts.done // max(view.counts.total or 0, 1) if view.counts.total else 0
        if quiet_s < MIN_INTERVAL_S or (stage == self._stage and quiet_s < MAX_INTERVAL_S):
            return False
        self._last, self._stage = self._clock(), stage
        return True
