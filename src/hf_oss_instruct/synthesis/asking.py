"""How a question gets its answer: one attempt at a time, journaled before it is used, and when to stop asking."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.errors import BudgetReached, Refusal, TeacherError, TryAgain
from hf_oss_instruct.synthesis.budget import Budget, Spent
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.pace import Pace
from hf_oss_instruct.synthesis.teacher import Teacher

REFUSALS_TO_STOP = 16
"""If so many first answers are all HTTP 400 or 422, the request is wrong, not the row."""

BUSY_TRIES = 8
"""Attempts for one row if the server is busy (429), as a multiple of those if it fails."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When to try again, and when to give up.

    Attributes:
        tries: failed attempts for one row, then it stays pending; a 429 is not the row's failure, eight times as many may come.
        first_pause_s, longest_pause_s: bounds of the exponential pause between attempts, in seconds.
        give_up_after_s: the run stops when requests failed for so long with no answer between, or the server asks us to wait
            longer than that.
        tries_to_reach, reach_s: failures, and seconds, after which a run stops whose server nobody has reached yet.
        deadline_s: seconds one attempt may take; the wait for a slot does not count.
    """

    tries: int = 8
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    give_up_after_s: float = 300.0
    tries_to_reach: int = 4
    reach_s: float = 4.0
    deadline_s: float = 600.0

    def pause_s(self, attempt: int, asked_for_s: float | None) -> float:
        """Seconds to wait after a failed attempt: what the server asks for, else exponential; both with jitter."""
        longest = min(self.first_pause_s * 2.0**attempt, self.longest_pause_s)
        return (asked_for_s or 0.0) + random.uniform(0.5, 1.0) * longest


@dataclass(frozen=True, slots=True)
class Later:
    """The question is to be asked again.

    Attributes:
        pause_s: seconds from now.
        counts: whether the attempt counts against the row.
        why: what happened.
    """

    pause_s: float
    counts: bool
    why: str


class Desk:
    """Takes questions to the teacher, keeps the answers, and knows when to stop.

    Attributes:
        closed: set when no more questions are asked.
        trouble: what closed it, if anything did.
    """

    def __init__(self, teacher: Teacher, journal: Journal, pace: Pace, patience: Patience, budget: Budget, spent: Spent) -> None:
        self._teacher, self._journal, self._pace = teacher, journal, pace
        self._patience, self._budget, self._spent = patience, budget, spent
        self._answers = 0
        self._refused: list[tuple[str, Refusal, Request]] = []
        self._failing_since: float | None = None
        self._failures, self._reached = 0, False
        self.closed = asyncio.Event()
        self.trouble: Exception | None = None

    async def attempt(self, request: Request, key: str, number: int) -> Refusal | Later | bool:
        """Ask once, with a slot in hand. True: the answer is in the journal. False: there will be none."""
        settled: Completion | None = None
        try:
            self._spent.requests_sent += 1
            async with asyncio.timeout(self._patience.deadline_s):
                settled = await self._teacher.complete(request)
            self._pace.answered()
            self._keep(key, settled, request)
            return True
        except Refusal as refusal:
            self._pace.answered()
            return self._refuse(key, refusal, request)
        except TryAgain as error:
            return self._again(error, number)
        except TimeoutError:
            return self._again(TryAgain(f"no answer within {self._patience.deadline_s:g} s", reached=True), number)
        except asyncio.CancelledError:
            self._pace.cancelled()
            raise
        except Exception as error:
            self._pace.cancelled()
            self.close(error)
            return False
        finally:
            self._budget.settle(request, settled)

    def reserve(self, request: Request) -> bool | None:
        """Whether the budget lets a request leave: True now, None perhaps when others have come back, False never."""
        if self._budget.reserve(request):
            return True
        if self._pace.in_flight > 1:  # beside the slot of this request
            return None
        self.close(BudgetReached("The budget is spent. Raise --max-requests, --max-total-tokens or --max-cost to go on."))
        return False

    def goes_on(self, tries: int, attempts: int) -> bool:
        """Whether a row is asked again after so many failures, and so many attempts with those that a busy server sent back."""
        return not self.closed.is_set() and tries < self._patience.tries and attempts < BUSY_TRIES * self._patience.tries

    def close(self, error: Exception | None = None) -> None:
        """Stop asking."""
        self.trouble = self.trouble or error
        self.closed.set()
        self._pace.close()

    def _keep(self, key: str, answer: Completion | Refusal, request: Request) -> None:
        try:
            for refused in self._refused:  # the teacher answers others: these were the rows' own fault
                self._journal.append(refused[0], refused[1], refused[2].seed)
            self._refused.clear()
            self._journal.append(key, answer, request.seed)
        finally:
            self._answers += 1
            self._failing_since = None
            self._spent.note = self._pace.note

    def _refuse(self, key: str, refusal: Refusal, request: Request) -> Refusal:
        """Journal a refusal once the teacher has answered anybody; sixteen before that are the request's fault."""
        if self._answers or refusal.reason != "refused":
            self._keep(key, refusal, request)
            return refusal
        self._refused.append((key, refusal, request))
        if len(self._refused) >= REFUSALS_TO_STOP:
            self.close(
                TeacherError(f"The first {len(self._refused)} requests were all refused: {refusal.detail}. Check the request.")
            )
        return refusal

    def finish(self) -> None:
        """At the end of a run that was not stopped: few rows, all refused, are refused."""
        if self.trouble is None:
            for key, refusal, request in self._refused:
                self._journal.append(key, refusal, request.seed)
            self._refused.clear()

    def _again(self, error: TryAgain, number: int) -> Later:
        if error.busy:
            self._pace.busy()
        else:
            self._pace.failed()
        self._spent.note = self._pace.note
        self._failing_since = self._failing_since or time.monotonic()
        self._reached = self._reached or error.reached or bool(self._answers or self._refused)
        self._failures += 1
        if not self._reached and self._failures >= self._patience.tries_to_reach and self._failing_for(self._patience.reach_s):
            self.close(TeacherError(f"The teacher cannot be reached: {error}. Start the server, or check --base-url."))
        if self._failing_for(self._patience.give_up_after_s) or (error.after_s or 0.0) > self._patience.give_up_after_s:
            failing_s = max(time.monotonic() - self._failing_since, error.after_s or 0.0)
            self.close(TeacherError(f"Nothing but failures for {failing_s:.0f} s; last: {error}. Run it again to go on."))
        return Later(self._patience.pause_s(number, error.after_s), not error.busy, str(error))

    def _failing_for(self, seconds: float) -> bool:
        return self._failing_since is not None and time.monotonic() - self._failing_since > seconds
