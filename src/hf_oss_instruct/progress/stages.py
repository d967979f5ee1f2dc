"""The stages of a command that are open, and what a display reads of the innermost one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hf_oss_instruct.progress.counts import Counts
from hf_oss_instruct.progress.layout import View
from hf_oss_instruct.progress.rates import Meter


@dataclass
class _Stage:
    title: str
    unit: str
    counts: Counts
    update: Callable[[Counts], None] | None
    meter: Meter = field(default_factory=Meter)


class Stages:
    """Keeps the open stages of a command. Displays inherit from it and call `view`."""

    def __init__(self) -> None:
        self._open: list[_Stage] = []

    @contextmanager
    def stage(
        self, title: str, unit: str = "", total: int | None = None, update: Callable[[Counts], None] | None = None
    ) -> Iterator[Counts]:
        """Open a stage until the block ends.

        Args:
            title: name of the work.
            unit: the unit that is counted, in the plural.
            total: how many there are.
            update: called with the counts before they are read, in the thread of the display.
        """
        stage = _Stage(title, unit, Counts(total), update)
        self._open.append(stage)
        try:
            yield stage.counts
        finally:
            self._open.remove(stage)

    def view(self) -> View | None:
        """The innermost stage as it is now; None between two stages."""
        # A slice, because the display runs in another thread: the stage may end between a check and an index.
        if not (stage := next(iter(self._open[-1:]), None)):
            return None
        if stage.update:
            stage.update(stage.counts)
        return View(stage.title, stage.unit, stage.counts, stage.meter.read(stage.counts), stage.meter.elapsed_s)
