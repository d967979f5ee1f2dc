"""A display for tests that remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hf_oss_instruct.progress.counts import Counts, Silent


class Noted(Silent):
    """Remembers the counts of every stage as they are at its end.

    Attributes:
        stages: title → counts.
    """

    def __init__(self) -> None:
        self.stages: dict[str, Counts] = {}

    @contextmanager
    def stage(
        self, title: str, unit: str = "", total: int | None = None, update: Callable[[Counts], None] | None = None
    ) -> Iterator[Counts]:
        """See `Progress.stage`."""
        self.stages[title] = counts = Counts(total)
        yield counts
        if update:
            update(counts)
