"""A terminal for tests: a command runs in a pseudo-terminal, and what it draws is read from an emulated screen."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import pyte

from tests.support.warm import BASE


class Terminal:
    """A command whose standard error, and by default its other streams, are a terminal of some size.

    Args:
        argv: the command, as `warm.BASE` runs it.
        columns, rows: size of the terminal.
        cwd: working directory.
        env: further environment variables.
        stdout: a file for standard output instead of the terminal.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        columns: int = 80,
        rows: int = 24,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdout: IO[bytes] | None = None,
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=10_000)
        self.received = b""
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = pty.openpty()
        self._set_size(columns, rows)
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        environment |= {"TERM": "xterm-256color", **(env or {})}
        self._process = BASE.start(argv, cwd=cwd, env=environment, stdout=stdout, terminal=theirs)
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        os.close(self._ours)

    @property
    def text(self) -> str:
        """The screen as it is, without trailing spaces."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    def until(self, seen: Callable[[str], object], seconds: float = 120.0) -> str:
        """Read what the command draws until a screen satisfies a condition, and return that screen."""
        deadline = time.monotonic() + seconds
        while not seen(self.text):
            assert time.monotonic() < deadline, f"not seen; the screen is:\n{self.text}"
            assert self._read(0.2) or self._process.poll() is None, f"the command has ended; the screen is:\n{self.text}"
        return self.text

    def type(self, keys: str) -> None:
        """Type, `\\x03` for Ctrl-C."""
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal; the command gets a SIGWINCH."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def wait(self, seconds: float = 120.0) -> int:
        """Read to the end, and return the exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.2) or self._process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end; the screen is:\n{self.text}"
        return self._process.wait().returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.received += data
        self._stream.feed(data)
        return bool(data)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
