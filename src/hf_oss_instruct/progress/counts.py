"""The interface through which a long operation reports its progress: stages and their counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Counts:
    """Numbers of a stage. The command updates them as it works, a display reads them a few times a second.

    Attributes:
        total: how many there are; None if that is not known.
        done: how many are finished, with any outcome and in any order.
        recalled: those of `done` that an earlier session did; they say nothing about the speed of this one.
        waiting: those of `done` that wait for a slower one before them.
        outcomes: outcome → how many, such as `kept`, `verified` or `passed`.
        reasons: why others were not kept → how many.
        reasons_are: what those are called, such as `rejected` or `failed`.
        requests: requests that were answered in this session.
        tokens: tokens in the answers of this session, prompts included.
        spent: `cost`, `requests` or `tokens` → how much is spent, and the limit, if there is one.
        values: other figures, such as a loss, as text.
        remark: notes for the user, such as a request that takes long.
        stopping: work to wait for after an interruption; empty unless there was one.
    """

    total: int | None = None
    done: int = 0
    recalled: int = 0
    waiting: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    reasons_are: str = "rejected"
    requests: int = 0
    tokens: int = 0
    spent: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    stopping: str = ""


class Progress(Protocol):
    """Shows the progress of a command. Commands and functions take one as their argument `progress`."""

    def stage(
        self, title: str, unit: str = "", total: int | None = None, update: Callable[[Counts], None] | None = None
    ) -> AbstractContextManager[Counts]:
        """Announce the work that lasts until the block ends. A stage inside another one is shown in its place.

        Args:
            title: name of the work, such as `Judging samples`. It may be untrusted text.
            unit: the unit that is counted, in the plural.
            total: how many there are.
            update: called with the counts before they are read, in the thread of the display, by commands that count
                elsewhere. It must not block.

        Returns:
            The counts, for the command to update.
        """

    def aside(self) -> AbstractContextManager[None]:
        """Make room for other output until the block ends."""


class Silent:
    """Shows nothing."""

    def __repr__(self) -> str:
        return "Silent()"  # the default that `help()` shows

    @contextmanager
    def stage(
        self, title: str, unit: str = "", total: int | None = None, update: Callable[[Counts], None] | None = None
    ) -> Iterator[Counts]:
        """Open a stage that is not shown.

        Args:
            title: not used.
            unit: not used.
            total: how many there are.
            update: not used.
        """
        yield Counts(total)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """See `Progress.aside`."""
        yield


SILENT: Progress = Silent()
"""The default of every function: nothing is shown."""
PROGRESS_HELP = "A progress display, such as that of `show_progress()`. Default: nothing is shown."
"""Describes the argument `progress` of functions whose arguments are declared."""
