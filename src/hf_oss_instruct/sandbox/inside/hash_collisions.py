"""Build sets and dicts from untrusted members in bounded time.

Python does not randomize the hashes of numbers, so an attacker can choose a million that all collide: the hash of every multiple
of 2**61 - 1 is 0, and numbers with different hashes can still be made to probe the same slots. No cheap test distinguishes such
members from ordinary ones, so the time spent is measured instead.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

CHUNK = 256  # members between two checks of the clock
SMALL = 16  # tables up to this size are not checked
ALLOWANCE_S, PER_MEMBER_S = 2.0, 1e-6  # seconds of CPU time; an ordinary member takes about 0.1 µs


class HashCollisionError(ValueError):
    """The members collide so often that building the table would take minutes."""


class Clock:
    """CPU time budget for building tables, shared by all answers that one verdict parses.

    Args:
        allowance_s: seconds, in addition to `PER_MEMBER_S` per member.
    """

    def __init__(self, allowance_s: float = ALLOWANCE_S) -> None:
        self._left_s = allowance_s

    def fill(self, table: Any, members: Sequence[Any]) -> Any:
        """Add members to a set, or pairs to a dict, and return it.

        Raises:
            HashCollisionError: the budget is used up, which only colliding members can do.
            TypeError: a member is not hashable, or not a pair.
        """
        if len(members) <= SMALL:
            table.update(members)
            return table
        self._left_s += PER_MEMBER_S * len(members)
        # CPU time of this thread alone, so that a busy machine or other threads never make a collision.
        remaining, started = iter(members), time.thread_time()
        while chunk := list(islice(remaining, CHUNK)):
            table.update(chunk)
            now = time.thread_time()
            self._left_s, started = self._left_s - (now - started), now
            if self._left_s < 0:
                raise HashCollisionError("members of a set or keys of a dict collide")
        return table
