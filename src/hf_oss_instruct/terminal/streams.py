"""Make standard output and error robust: encodings, closed pipes and full disks never turn finished work into a traceback."""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SPELLED_OUT = "hf_oss_instruct.spelled_out"
"""Name of the error handler for characters that the encoding cannot represent."""
PLAIN_ASCII = "hf_oss_instruct_ascii"
"""An alias of ASCII: click writes UTF-8 to a stream whose encoding is named ASCII."""
_PLAIN = {"→": "->", "←": "<-", "·": "-", "…": "...", "–": "-", "—": "-", "−": "-", "─": "-", "×": "x", "≥": ">=", "≤": "<="}
READER_S = 0.5
"""Seconds that an interrupted process waits for space in its output pipe."""
_READER_LEFT = (errno.EPIPE, errno.EIO, errno.ESHUTDOWN, errno.ECONNRESET)
"""Errors of a write after the reader of a pipe (`head`) or the terminal is gone."""


class _Output(io.FileIO):
    """A raw file whose writes never fail: output that cannot be written is dropped, and the first error is kept."""

    error: OSError | None = None
    leaving = False

    def write(self, data: Any) -> int:
        # A reader that has stopped reading (a pager, a stopped job) would block the write without end.
        if self.leaving and not select.select([], [self], [], READER_S)[1]:
            self.error = self.error or BrokenPipeError(errno.EPIPE, "the reader closed the pipe")
        try:
            # Claims that everything was written: an exception here would come out of a `print` in the middle of the work.
            return super().write(data) if self.error is None else len(data)
        except OSError as error:
            self.error = error
            return len(data)


def _escape(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unencodable = error.object[error.start : error.end]
    return "".join(_PLAIN.get(letter) or letter.encode("ascii", "backslashreplace").decode() for letter in unencodable), error.end


def _plain_ascii(name: str) -> codecs.CodecInfo | None:
    if name != PLAIN_ASCII:
        return None
    ascii = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii.encode, ascii.decode, ascii.streamreader, ascii.streamwriter, ascii.incrementalencoder, ascii.incrementaldecoder,
        PLAIN_ASCII,
    )  # fmt: skip


codecs.register_error(SPELLED_OUT, _escape)
codecs.register(_plain_ascii)


@contextmanager
def safe_output() -> Iterator[None]:
    """Replace `sys.stdout` and `sys.stderr` by streams that escape unencodable characters and never fail.

    Streams that were already replaced (by a notebook or a test) are left alone.
    """
    before = sys.stdout, sys.stderr
    if sys.stdout is sys.__stdout__:
        sys.stdout = _escaping_stream(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _escaping_stream(sys.stderr, 2)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before


def _escaping_stream(stream: Any, number: int) -> io.TextIOWrapper:
    try:
        # Flushed, so that what the old stream holds is printed before what the new one gets.
        encoding, to_terminal = stream.encoding, stream.isatty()
        stream.flush()
    except (AttributeError, OSError, ValueError):  # closed by the shell, as with `>&-`
        encoding, to_terminal, number = "utf-8", False, os.open(os.devnull, os.O_WRONLY)
    if codecs.lookup(encoding).name == "ascii":
        encoding = PLAIN_ASCII
    # The descriptor stays open: child processes and libraries in C write to it as well.
    buffer = io.BufferedWriter(_Output(number, "wb", closefd=False))
    line_buffering = to_terminal or number == 2
    return io.TextIOWrapper(buffer, encoding, SPELLED_OUT, line_buffering=line_buffering, write_through=True)


def limit_reader_wait() -> None:
    """From now on, wait at most `READER_S` for a stalled reader, because the process was interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(raw := getattr(getattr(stream, "buffer", None), "raw", None), _Output):
            raw.leaving = True


def output_error() -> OSError | None:
    """Return the error of standard output, if any; None if its reader closed the pipe, which is not an error."""
    error = _write_error()
    return None if error is None or error.errno in _READER_LEFT else error


def reader_gone() -> bool:
    """Whether output can no longer arrive, so that a command that only prints can stop."""
    return _write_error() is not None


def _write_error() -> OSError | None:
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if not isinstance(raw, _Output):
        return None
    # An error shows only when the buffer is written.
    sys.stdout.flush()
    return raw.error
