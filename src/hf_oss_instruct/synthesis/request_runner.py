"""How a question gets its answer: one attempt at a time, journaled before it is used, and when to stop asking."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, replace

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.display import one_line
from hf_oss_instruct.errors import BudgetReached, Refusal, TeacherError, TryAgain
from hf_oss_instruct.synthesis.budget import Budget, Usage
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.timeouts import Deadline
from hf_oss_instruct.teachers.protocol import Teacher

REFUSALS_TO_STOP = 16
"""If so many first answers are all HTTP 400 or 422, the request is wrong, not the row."""

BUSY_TRIES = 8
"""Attempts for one row if the server is busy (429), as a multiple of those if it fails."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to try again, and when to give up.

    Attributes:
        tries: failed attempts for one row, then it stays pending; a 429 is not the row's failure, eight times as many may come.
        first_pause_s, longest_pause_s: bounds of the exponential pause between attempts, in seconds.
        give_up_after_s: the run stops when requests failed for so long with no answer between, or the server asks us to wait
            longer than that.
        tries_to_reach, reach_s: failures, and seconds, after which a run stops whose server nobody has reached yet.
        deadline_s: seconds one attempt may take, the wait for a slot not counted; None for one that learns, see `Deadline`.
    """

    tries: int = 8
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    give_up_after_s: float = 300.0
    tries_to_reach: int = 4
    reach_s: float = 4.0
    deadline_s: float | None = None

    def pause_s(self, attempt: int, asked_for_s: float | None) -> float:
        """Seconds to wait after a failed attempt: what the server asks for, else exponential; both with jitter."""
        longest = min(self.first_pause_s * 2.0**attempt, self.longest_pause_s)
        return (asked_for_s or 0.0) + random.uniform(0.5, 1.0) * longest


@dataclass(frozen=True, slots=True)
class Retry:
    """The question is to be asked again.

    Attributes:
        pause_s: seconds from now.
        counts: how many of the row's tries the attempt uses up.
        why: what happened.
        timed_out: whether there was no answer in time.
    """

    pause_s: float
    counts: int
    why: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Undecided:
    """The question was refused, and nobody knows yet whether the row or the request is to blame: nothing else was answered."""

    refusal: Refusal


class RequestRunner:
    """Takes questions to the teacher, keeps the answers, and knows when to stop.

    Attributes:
        closed: set when no more questions are asked.
        trouble: what closed it, if anything did.
        answers_others: whether this teacher has answered a request of this kind, so that a refusal is the row's own fault.
    """

    def __init__(
        self, teacher: Teacher, journal: Journal, limiter: RateLimiter, retry_policy: RetryPolicy, budget: Budget, usage: Usage
    ) -> None:
        self._teacher, self._journal, self._limiter = teacher, journal, limiter
        self._retry_policy, self._budget, self._usage = retry_policy, budget, usage
        fixed_s = getattr(teacher, "deadline_s", None) if retry_policy.deadline_s is None else retry_policy.deadline_s
        self._deadline = Deadline(fixed_s)
        self._refused: list[tuple[str, Refusal, Request]] = []
        self._not_understood = 0
        self._failing_since: float | None = None
        self._failures, self._reached = 0, False
        self.closed = asyncio.Event()
        self.trouble: Exception | None = None
        self.answers_others = False
        usage.deadline = self._deadline

    async def attempt(self, request: Request, key: str, number: int, timeouts: int = 0) -> Refusal | Undecided | Retry | bool:
        """Ask once, with a slot in hand. True: the answer is in the journal. False: there will be none.

        Args:
            request: the question.
            key: its key in the journal.
            number: attempts before this one.
            timeouts: how many of them ran out of time.
        """
        settled: Completion | None = None
        try:
            self._usage.requests_sent += 1
            settled = await self._deadline.keep(self._teacher.complete(request), timeouts)
            self._limiter.answered()
            self._keep(key, settled, request)
            return True
        except Refusal as refusal:
            self._limiter.answered()
            return self._refuse(key, refusal, request)
        except TryAgain as error:
            return self._again(error, number)
        except TimeoutError:
            return self._timed_out(number, timeouts)
        except asyncio.CancelledError:
            self._limiter.cancelled()
            raise
        except Exception as error:
            self._limiter.cancelled()
            self.close(error)
            return False
        finally:
            self._budget.settle(request, settled)

    def reserve(self, request: Request) -> bool | None:
        """Whether the budget lets a request leave: True now, None perhaps when others have come back, False never."""
        if self._budget.reserve(request):
            return True
        if self._limiter.in_flight > 1:  # beside the slot of this request
            return None
        self.close(BudgetReached("The budget is spent. Raise --max-requests, --max-total-tokens or --max-cost to go on."))
        return False

    def goes_on(self, tries: int, attempts: int) -> bool:
        """Whether a row is asked again after so many failures, and so many attempts with those that a busy server sent back."""
        return not self.closed.is_set() and tries < self._retry_policy.tries and attempts < BUSY_TRIES * self._retry_policy.tries

    def close(self, error: Exception | None = None) -> None:
        """Stop asking."""
        self.trouble = self.trouble or error
        self.closed.set()
        self._limiter.close()

    def others_are_answered(self) -> None:
        """This teacher answers requests of this kind: what it refused so far are the rows' own faults."""
        self.answers_others = True
        for key, refusal, request in self._refused:
            self._journal.append(key, refusal, request.seed)
        self._refused.clear()

    def finish(self) -> None:
        """At the end of a run that was not stopped: where everything was refused, the request is to blame, not the rows."""
        if self._refused and not self.closed.is_set():
            self.trouble = self._all_refused()

    def _keep(self, key: str, answer: Completion | Refusal, request: Request) -> None:
        try:
            self._journal.append(key, answer, request.seed)
            if isinstance(answer, Completion) and answer.raw is not None:
                self._puzzled(answer.raw)
            elif not self.answers_others:
                self.others_are_answered()
        finally:
            self._usage.answered += 1
            self._failing_since = None
            self._usage.note = self._limiter.note

    def _puzzled(self, raw: str) -> None:
        """An answer was not understood. It is kept; if none is understood, the next ones are not paid for."""
        self._not_understood += 1
        if not self.answers_others and self._not_understood >= REFUSALS_TO_STOP:
            said = f"The first {self._not_understood} answers are no chat completions: {one_line(raw, 200)!r}"
            self.close(TeacherError(f"{said}. Check --base-url, and that the server speaks the OpenAI protocol."))

    def _refuse(self, key: str, refusal: Refusal, request: Request) -> Refusal | Undecided:
        """Journal a refusal once the teacher has answered anybody; sixteen before that are the request's fault."""
        self._usage.answered += 1
        if self.answers_others or refusal.reason != "refused":
            self._journal.append(key, refusal, request.seed)
            self._failing_since = None
            return refusal
        self._refused.append((key, refusal, request))
        if len(self._refused) >= REFUSALS_TO_STOP:
            self.close(self._all_refused())
        return Undecided(refusal)

    def _all_refused(self) -> TeacherError:
        number, detail = len(self._refused), self._refused[0][1].detail
        which = f"The first {number} requests were all refused" if number > 1 else "The request was refused"
        return TeacherError(f"{which}: {detail}. Nothing is rejected. Check the request and the server, and run it again.")

    def _timed_out(self, number: int, timeouts: int) -> Retry:
        """No answer in time. It may have been paid for all the same, so three such attempts are enough for one row."""
        later = self._again(TryAgain(f"no answer within {self._deadline.allowed(timeouts):.3g} s", reached=True), number)
        return replace(later, counts=-(-self._retry_policy.tries // 3), timed_out=True)

    def _again(self, error: TryAgain, number: int) -> Retry:
        if error.changed:
            self._limiter.answered()
            return Retry(0.0, 0, str(error))
        if error.busy:
            self._limiter.busy()
        else:
            self._limiter.failed()
        self._usage.note = self._limiter.note
        self._failing_since = self._failing_since or time.monotonic()
        self._reached = self._reached or error.reached or bool(self._usage.answered)
        self._failures += 1
        if (
            not self._reached
            and self._failures >= self._retry_policy.tries_to_reach
            and self._failing_for(self._retry_policy.reach_s)
        ):
            self.close(TeacherError(f"The teacher cannot be reached: {error}. Start the server, or check --base-url."))
        if (error.after_s or 0.0) > self._retry_policy.give_up_after_s:
            said = f"The teacher asks to wait {error.after_s:,.0f} s, longer than --give-up-after"
            self.close(TeacherError(f"{said}: {error}. Run it again then."))
        elif self._failing_for(self._retry_policy.give_up_after_s):
            failing_s = time.monotonic() - self._failing_since
            self.close(TeacherError(f"Nothing but failures for {failing_s:.0f} s; last: {error}. Run it again to go on."))
        return Retry(self._retry_policy.pause_s(number, error.after_s), int(not error.busy), str(error))

    def _failing_for(self, seconds: float) -> bool:
        return self._failing_since is not None and time.monotonic() - self._failing_since > seconds
