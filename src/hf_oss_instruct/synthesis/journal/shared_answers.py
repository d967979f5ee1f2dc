"""Share answers and claims on requests between the journals of one process.

Two streams that need the same row request it only once, whichever comes first, in whatever thread or event loop they run.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias
from weakref import WeakSet

NewAnswer: TypeAlias = tuple[Path, int, int]
"""An answer: its file, its key in the index, its offset in the file."""
_lock = threading.Lock()


class Mailbox(deque[NewAnswer]):
    """A queue of new answers: other threads add to it, and its journal reads it."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # mailboxes are compared by identity


_mailboxes: dict[str, WeakSet[Mailbox]] = {}
_claimed: dict[tuple[str, str], list[Callable[[], None]]] = {}


def listen(folders: Iterable[Path]) -> Mailbox:
    """Create a mailbox for answers that are written to some folders from now on, as long as it is referenced."""
    mailbox = Mailbox()
    with _lock:
        for folder in folders:
            _mailboxes.setdefault(canonical(folder), WeakSet()).add(mailbox)
    return mailbox


def announce(folder: str, answer: NewAnswer, sender: Mailbox) -> None:
    """Announce an answer to all other journals of a folder.

    Args:
        folder: its canonical path.
        answer: where the answer is.
        sender: the mailbox of the journal that wrote it.
    """
    with _lock:
        for mailbox in _mailboxes.get(folder, ()):
            if mailbox is not sender:
                mailbox.append(answer)


def claim(folder: str, key: str, when_free: Callable[[], None]) -> bool:
    """Claim a request. False if it is claimed already: `when_free` is called when that claim is released.

    Args:
        folder: canonical path of the journal's folder.
        key: key of the request.
        when_free: called in the thread that releases the claim.
    """
    with _lock:
        waiting = _claimed.get((folder, key))
        if waiting is None:
            _claimed[folder, key] = []
            return True
        waiting.append(when_free)
        return False


def release(folder: str, key: str) -> None:
    """Release the claim on a request, which is answered or given up."""
    with _lock:
        waiting = _claimed.pop((folder, key), ())
    # Outside of the lock, because a callback may claim the request itself.
    for when_free in waiting:
        when_free()


def canonical(folder: Path) -> str:
    """The canonical path of a folder."""
    return os.path.realpath(folder)


def _forget() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have locked it
    _mailboxes.clear()
    _claimed.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # the parent's streams do not run in the child
