"""The policy of retries: when a request is sent again, and when to give up."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hf_oss_instruct.spec.limits import RunLimits

REFUSALS_TO_STOP = 16
"""If this many first answers are all HTTP 400 or 422, the request is wrong, not the row."""

BUSY_TRIES = 8
"""Attempts for one row if the server is busy (429), as a multiple of those if it fails."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again, and when to give up.

    Attributes:
        tries: failed attempts for one row, after which it stays pending. A 429 is not the row's failure: eight times as many may
            occur.
        first_pause_s, longest_pause_s: bounds of the exponential pause between attempts, in seconds.
        give_up_after_s: the run stops if requests only failed for so long, or the server asks to wait
            longer than that.
        tries_to_reach, reach_s: failures, and seconds, after which a run stops if its server was never reached.
        deadline_s: timeout of one attempt in seconds, without the wait for a slot; None for an adaptive one, see `Deadline`.
    """

    tries: int = 8
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    give_up_after_s: float = 300.0
    tries_to_reach: int = 4
    reach_s: float = 4.0
    deadline_s: float | None = None

    @classmethod
    def of(cls, limits: RunLimits, timeout: float | None) -> RetryPolicy:
        """The policy of a run.

        Args:
            limits: says when to give up.
            timeout: timeout of one attempt in seconds; None for an adaptive one.
        """
        return cls(give_up_after_s=limits.give_up_after, deadline_s=timeout)

    def pause_s(self, attempt: int, asked_for_s: float | None) -> float:
        """Seconds to wait after a failed attempt: the server's value, else exponential; both with jitter."""
        # Bounded, because 2.0**1024 overflows, and a 429 lets an item have eight attempts for each of its tries.
        longest = min(self.first_pause_s * 2.0 ** min(attempt, 64), self.longest_pause_s)
        # With jitter, so that requests that failed together do not come back together.
        return (asked_for_s or 0.0) + random.uniform(0.5, 1.0) * longest
