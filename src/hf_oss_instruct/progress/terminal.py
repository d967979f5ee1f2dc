"""Progress as a few lines at the bottom of a terminal, redrawn in place."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from hf_oss_instruct.progress.layout import frame
from hf_oss_instruct.progress.stages import Stages

FRAMES_PER_S = 4


class TerminalProgress(Stages):
    """Redraws the current stage; other output to standard error appears above it.

    Standard output is left alone, since it may be a file: code that prints there calls `aside`.

    Args:
        console: writes to the terminal.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._live: Live | None = None
        self._handlers: list[logging.StreamHandler[TextIO]] = []

    def __enter__(self) -> Self:
        self._live = Live(
            console=self._console,
            get_renderable=self._frame,
            refresh_per_second=FRAMES_PER_S,
            transient=True,
            redirect_stdout=False,
            vertical_overflow="crop",
        )
        before = sys.stderr
        self._live.start()
        self._handlers = handlers_of(before)
        for handler in self._handlers:  # libraries set theirs up when they were imported
            handler.setStream(sys.stderr)
        # A process that is killed or suspended could not bring a hidden cursor back.
        self._console.show_cursor(True)
        return self

    def __exit__(self, *error: object) -> None:
        if self._live:
            self._live.stop()
            self._live = None
        for handler in self._handlers:
            handler.setStream(sys.stderr)
        self._handlers = []

    @contextmanager
    def aside(self) -> Iterator[None]:
        """See `Progress.aside`."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def _frame(self) -> RenderableType:
        view = self.view()
        return frame(view, self._console.width) if view else Text()


def handlers_of(stream: TextIO) -> list[logging.StreamHandler[TextIO]]:
    """The log handlers that write to a stream.

    Args:
        stream: such as `sys.stderr`.
    """
    loggers = [
        logging.root,
        *(logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger)),
    ]
    handlers = dict.fromkeys(handler for logger in loggers for handler in logger.handlers)
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler) and handler.stream is stream]
