"""Semaphores for `multiprocessing` without `/dev/shm`, as in the landlock tier: eventfds, which forks inherit.

Python's own semaphores are named files in `/dev/shm`, which all processes of the machine share. An eventfd has no name, so a
newly started process (`spawn`, `forkserver`) cannot find it: those start methods are refused.
"""

from __future__ import annotations

import _multiprocessing  # type: ignore[import-not-found]
import os
import select
import threading
import time
from multiprocessing import heap
from typing import Any

RECURSIVE_MUTEX = 0
MAX_VALUE = 2**31 - 1
REFUSED = (
    "this sandbox (landlock) has no shared memory files, so processes cannot be started with 'spawn' or 'forkserver'; use "
    "multiprocessing's 'fork', or a machine where bubblewrap works"
)


class SemLock:
    """Replacement of `_multiprocessing.SemLock` for forked processes.

    Args:
        kind: `RECURSIVE_MUTEX`, or 1 for a semaphore.
        value: initial value.
        maxvalue: maximum value.
        name: unused.
        unlink: whether only forks need it.

    Raises:
        OSError: a newly started process would need it.
    """

    SEM_VALUE_MAX = MAX_VALUE

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        if not unlink:
            raise OSError(REFUSED)
        self.kind, self.maxvalue, self.name = kind, maxvalue, None
        # Non-blocking, because waiting with a timeout needs poll, after which another process may have been faster.
        self.handle = os.eventfd(value, os.EFD_SEMAPHORE | os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._held, self._owner = 0, 0

    def __del__(self) -> None:
        try:
            os.close(self.handle)
        except (AttributeError, OSError):
            pass

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: Any) -> None:
        self.release()

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Acquire it, waiting at most `timeout` seconds; False if that fails."""
        if self.kind == RECURSIVE_MUTEX and self._is_mine():
            self._held += 1
            return True
        until = None if timeout is None else time.monotonic() + max(0.0, timeout)
        while not self._taken():
            left = None if until is None else until - time.monotonic()
            if not block or (left is not None and left <= 0):
                return False
            self._there(left)
        self._held, self._owner = self._held + 1, threading.get_ident()
        return True

    def release(self) -> None:
        """Release it.

        Raises:
            AssertionError: a recursive lock is owned by another thread.
            ValueError: it was released more often than acquired.
        """
        if self.kind == RECURSIVE_MUTEX:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._held > 1:
                self._held -= 1
                return
        # A plain Semaphore has no maximum; only a Lock and a BoundedSemaphore notice a release too many.
        elif self.maxvalue < MAX_VALUE and (not self._is_zero() if self.maxvalue == 1 else self._get_value() >= self.maxvalue):
            raise ValueError("semaphore or lock released too many times")
        os.eventfd_write(self.handle, 1)
        self._held -= 1

    def _taken(self) -> bool:
        try:
            return bool(os.eventfd_read(self.handle))
        except BlockingIOError:
            return False

    def _there(self, timeout: float | None) -> bool:
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def _count(self) -> int:
        return self._held

    def _is_mine(self) -> bool:
        return self._held > 0 and self._owner == threading.get_ident()

    def _is_zero(self) -> bool:
        return not self._there(0)

    def _get_value(self) -> int:
        """Return the value by acquiring and releasing all: `/proc`, which would show it, is closed to child processes."""
        number = 0
        while self._taken():
            number += 1
        if number:
            os.eventfd_write(self.handle, number)
        return number

    def _after_fork(self) -> None:
        self._held = 0


def install() -> None:
    """Make `multiprocessing` use these semaphores, and files in the working folder for shared values."""
    _multiprocessing.SemLock = SemLock
    # Without candidates it uses the temporary folder, which is the working folder.
    heap.Arena._dir_candidates = []  # type: ignore[attr-defined]
