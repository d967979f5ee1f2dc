"""What the journals of one process tell each other: answers that were just written, and questions that are on their way.

Two streams that want the same row then ask for it once, whichever comes first, in whatever thread or event loop they run.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias
from weakref import WeakSet

News: TypeAlias = tuple[Path, int, int]
"""An answer: its file, its key in the index, where it stands in the file."""
_lock = threading.Lock()


class Mailbox(deque[News]):
    """News of answers, put in by other threads, taken out by the journal that it belongs to."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # a mailbox is itself, whatever it holds


_mailboxes: dict[str, WeakSet[Mailbox]] = {}
_questions: dict[tuple[str, str], list[Callable[[], None]]] = {}


def listen(folders: Iterable[Path]) -> Mailbox:
    """A mailbox for the answers that are written into some folders from now on, as long as somebody holds it."""
    mailbox = Mailbox()
    with _lock:
        for folder in folders:
            _mailboxes.setdefault(place_of(folder), WeakSet()).add(mailbox)
    return mailbox


def tell(place: str, news: News, sender: Mailbox) -> None:
    """Tell all other journals of a folder of an answer."""
    with _lock:
        for mailbox in _mailboxes.get(place, ()):
            if mailbox is not sender:
                mailbox.append(news)


def claim(place: str, key: str, when_free: Callable[[], None]) -> bool:
    """Take on a question of a folder. False if somebody asks it already: `when_free` is called when they are done."""
    with _lock:
        waiting = _questions.get((place, key))
        if waiting is None:
            _questions[place, key] = []
            return True
        waiting.append(when_free)
        return False


def release(place: str, key: str) -> None:
    """A question is answered, or given up."""
    with _lock:
        waiting = _questions.pop((place, key), ())
    for when_free in waiting:
        when_free()


def place_of(folder: Path) -> str:
    """A folder under the name that all ways to it share."""
    return os.path.realpath(folder)


def _forget() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it
    _mailboxes.clear()
    _questions.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # the parent's streams do not run here
