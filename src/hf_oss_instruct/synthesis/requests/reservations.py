"""Reservations of a run with limits, written to disk before each request, so that a limit holds even if the process is killed."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Self

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.synthesis.requests.budget import Usage

FILE = ".reserved"
"""Name in a run's folder, while the run is in progress or after it was killed."""
_LINE = re.compile(rb"(\d{20}) (\d{20}) (\d{20})\n(\+?)")


class Reservations:
    """A file with three numbers: requests, prompt tokens and completion tokens, spent or reserved; empty in a run without limits.

    A session without limits that follows one with limits adds a `+`: it sends requests that the numbers do not count.

    `write` overwrites it before each request. It is removed when the context ends, because the report then has the exact
    numbers. A file that is there when the context begins was left by a process that was killed.

    Args:
        folder: folder of the run.
        bounded: whether the run has limits now.

    Attributes:
        killed: whether the last process was killed.
        found: upper bound of the run's usage by then; zero if it had no limits.
        complete: whether `found` counts all requests, also those of sessions without limits; else the journal has some more.

    Raises:
        RunError: the file cannot be written.
    """

    def __init__(self, folder: Path, *, bounded: bool = True) -> None:
        self._path = folder / FILE
        # Looked for before it is opened, which creates it.
        self.killed, self.found, self.complete = self._path.exists(), Usage(), False
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if line := _LINE.fullmatch(os.pread(self._file, 1024, 0)):
                *numbers, more = line.groups()
                requests, prompt_tokens, completion_tokens = map(int, numbers)
                self.found, self.complete = Usage(requests, prompt_tokens, completion_tokens), not more
                if not bounded and not more:
                    os.pwrite(self._file, b"+", line.end())
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._file)
        self._path.unlink(missing_ok=True)

    def write(self, requests: int, prompt_tokens: int, completion_tokens: int) -> None:
        """Write the totals; once this returns, they survive a kill of the process.

        Args:
            requests: requests, spent or reserved.
            prompt_tokens: tokens of prompts, spent or reserved.
            completion_tokens: tokens of answers, spent or reserved.

        Raises:
            RunError: the file cannot be written; do not send the request.
        """
        try:
            # Lines have a fixed width, so that each overwrites the one before it completely. There is no fsync, since the
            # kernel's cache survives a kill of the process.
            line = b"%020d %020d %020d\n" % (requests, prompt_tokens, completion_tokens)
            if os.pwrite(self._file, line, 0) < len(line):  # the disk was full in the middle of the line
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(
            f"{str(self._path)!r} cannot be written: {error.strerror or error}. It keeps the run within its limits; free disk "
            "space or change its permissions, and repeat the command or call."
        )
