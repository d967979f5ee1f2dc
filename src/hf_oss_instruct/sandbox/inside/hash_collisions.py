"""Sets and dicts whose members an attacker chose, built in bounded time.

Python does not randomize the hashes of numbers, so anybody can choose a million that all collide: the hash of every multiple of
2**61 - 1 is 0, and numbers with different hashes can still be made to probe the same slots. No cheap test tells such members from
ordinary ones, so the time that it takes is what is measured.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

CHUNK = 256  # members between looks at the clock
SMALL = 16  # members of a table that is not worth a look
ALLOWANCE_S, PER_MEMBER_S = 2.0, 1e-6  # seconds of processor time; an ordinary member takes about a tenth of a microsecond


class HashCollisionError(ValueError):
    """The members collide so often that it would take minutes to put them into a table."""


class Clock:
    """The processor time that building tables may take, over all answers that one judge parses.

    Args:
        allowance_s: seconds, beside `PER_MEMBER_S` for each member.
    """

    def __init__(self, allowance_s: float = ALLOWANCE_S) -> None:
        self._left_s = allowance_s

    def fill(self, table: Any, members: Sequence[Any]) -> Any:
        """Put members into a set, or pairs into a dict, and return it.

        Raises:
            HashCollisionError: it took more time than members that do not collide would take.
            TypeError: a member is not hashable, or not a pair.
        """
        if len(members) <= SMALL:
            table.update(members)
            return table
        self._left_s += PER_MEMBER_S * len(members)
        rest, started = iter(members), time.thread_time()
        while chunk := list(islice(rest, CHUNK)):
            table.update(chunk)
            now = time.thread_time()
            self._left_s, started = self._left_s - (now - started), now
            if self._left_s < 0:
                raise HashCollisionError("members of a set or keys of a dict collide")
        return table
