"""Handle termination signals: Ctrl-C, SIGTERM (Slurm, Kubernetes, `timeout`) and SIGHUP end a process in the same way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
EXIT_INTERRUPTED = 130
"""Exit code after any of these signals: the shell's 128 + SIGINT."""
PATIENCE_S = 10.0
"""Seconds that an interrupted process may take to end; Slurm and Kubernetes kill it after 30."""
DUPLICATE_S = 0.5
"""Signals within this many seconds count as one: `timeout` and wrappers such as `uv run` deliver each twice."""


class StopRequest:
    """Whether this process was interrupted. Set once, by a signal."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], object]] = []
        self._asked = False

    def __bool__(self) -> bool:
        return self._asked

    def call(self, callback: Callable[[], object]) -> None:
        """Call a function on interruption; immediately if it already happened. Runs inside a signal handler."""
        self._callbacks.append(callback)
        if self._asked:
            callback()

    def set(self) -> None:
        """Make the request."""
        self._asked = True
        for callback in self._callbacks:
            callback()


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Every signal of `STOPPING` raises `KeyboardInterrupt` in the main thread, as Ctrl-C does.

    A signal that is ignored when the block begins (`nohup`, a background job of a script) stays ignored. Whatever then holds
    the process up, such as a thread that waits for a server, it is gone after `PATIENCE_S`.
    """

    def handle(number: int) -> None:
        # A thread, because the main thread may be in a call that never returns; as a daemon, it does not keep the process alive.
        threading.Thread(target=_exit_after_timeout, name="oss-instruct-leave", daemon=True).start()
        raise KeyboardInterrupt

    with _handled(handle):
        yield


@contextmanager
def defer_signals() -> Iterator[StopRequest]:
    """The first signal only sets a request, so that work can end cleanly; another Ctrl-C raises `KeyboardInterrupt`.

    Outside of the main thread, where Python handles no signals, the request never comes.
    """
    request = StopRequest()

    def handle(number: int) -> None:
        if not request:
            request.set()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt

    with _handled(handle):
        yield request


def _exit_after_timeout() -> None:
    time.sleep(PATIENCE_S)
    os._exit(EXIT_INTERRUPTED)


@contextmanager
def _handled(handle: Callable[[int], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # The clock may be near zero right after boot, and the first signal always counts.
    last = -DUPLICATE_S

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before >= DUPLICATE_S:
            handle(number)

    listened = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    earlier = {number: signal.signal(number, on_signal) for number in listened}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
