"""Send requests to teachers one attempt at a time, write answers to the journal before they are used, and decide when to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from hf_oss_instruct.data import Completion, Request, Seed
from hf_oss_instruct.errors import BudgetReachedError, RetryableError, RowRejectedError, RunError, TeacherError, UsageError
from hf_oss_instruct.synthesis.generation.task import GenerationTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.attempts import (
    Admission,
    Answered,
    AttemptResult,
    Refused,
    Retry,
    Stopped,
    TaskState,
    Undecided,
)
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.requests.retry_policy import BUSY_TRIES, REFUSALS_TO_STOP, RetryPolicy
from hf_oss_instruct.synthesis.requests.server_pool import ServerPool, ServerSlot
from hf_oss_instruct.synthesis.requests.timeouts import Deadline
from hf_oss_instruct.terminal.display import one_line


class RequestRunner:
    """Sends requests to teachers, journals the answers, and knows when to retry and when to stop.

    Args:
        journal: where answers are written before they are used.
        limiter: is informed of every result.
        policy: when to retry, and when to give up.
        budget: limits on requests, tokens and cost.
        usage: usage so far, kept up to date.
        clock: seconds; tests pass their own.

    Attributes:
        closed: set when no more requests are sent.
        error: what closed it, if anything did.
    """

    def __init__(
        self,
        journal: Journal,
        limiter: RateLimiter,
        policy: RetryPolicy,
        budget: Budget,
        usage: Usage,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal, self._limiter, self._policy, self._budget, self._usage = journal, limiter, policy, budget, usage
        self._clock, self._pool = clock, ServerPool(clock)
        self._states: dict[tuple[str, str], TaskState] = {}
        self.closed = asyncio.Event()
        self.error: Exception | None = None

    def state(self, task: GenerationTask[Any], seed: Seed) -> TaskState:
        """Return the facts known about a task and the teacher of a seed; tasks with the same name and teacher share it."""
        teacher = task.teacher.for_seed(seed)
        name = task.name, teacher.identity
        if name not in self._states:
            fixed_s = teacher.timeout_s if self._policy.deadline_s is None else self._policy.deadline_s
            self._states[name] = TaskState(Deadline(fixed_s), task.name, not teacher.embedded)
            self._usage.deadlines.append(self._states[name].deadline)
        return self._states[name]

    async def attempt(
        self, task: GenerationTask[Any], request: Request, key: str, number: int = 0, timeouts: int = 0
    ) -> AttemptResult:
        """Send a request once; the caller holds a slot of the limiter.

        Args:
            task: the task that makes the request.
            request: what is sent.
            key: its key in the journal.
            number: attempts before this one.
            timeouts: how many of them ran out of time.
        """
        state, teacher = self.state(task, request.seed), task.teacher.for_seed(request.seed)
        if not teacher.servers:
            return await self._send(ServerSlot(teacher, self._limiter), state, request, key, number, timeouts)
        sent = False
        try:
            # The caller's slot bounds the requests to all servers together; this one is a server's own.
            slot = await self._pool.acquire(teacher)
            if self.closed.is_set():
                slot.limiter.cancelled()
                return Stopped("the run stopped before it was requested")
            sent = True
            return await self._send(slot, state, request, key, number, timeouts)
        finally:
            self._limiter.cancelled()  # only counts the requests to all servers
            if not sent:
                self._budget.withdraw(request)

    async def _send(
        self, slot: ServerSlot, state: TaskState, request: Request, key: str, number: int, timeouts: int
    ) -> AttemptResult:
        answer: Completion | None = None
        try:
            # Before it is sent, because an attempt may be billed although no answer arrives.
            self._usage.requests_sent += state.sends_requests
            answer = await state.deadline.run(slot.target.complete(request), timeouts)
            if not isinstance(answer, Completion):
                name, found, answer = type(slot.target).__name__, type(answer).__name__, None
                raise UsageError(f"{name}.complete must return a Completion, not {found}.")
        except RowRejectedError as refusal:
            self._mark_answered(slot)
            return self._refuse(state, key, refusal, request)
        except RetryableError as error:
            return self._retry(state, error, number, slot)
        except TimeoutError:
            return self._timed_out(state, number, timeouts, slot)
        except asyncio.CancelledError:
            slot.limiter.cancelled()
            # The batch continues, and a later session counts the request.
            self._usage.requests_sent -= slot.target.in_batch(request)
            raise
        except Exception as error:
            slot.limiter.cancelled()
            # What every row would meet, such as an invalid key. Another server of the same model may still answer.
            if isinstance(error, TeacherError) and self._pool.mark_unusable(slot, error):
                return Retry(0.0, 0, str(error))
            self.close(error)
            return Stopped(str(error))
        else:
            self._mark_answered(slot)
            return self._record(state, key, answer, request)
        finally:
            if state.sends_requests:
                # Whatever the outcome: what an attempt without an answer had reserved would be lost to the others.
                self._budget.settle(request, answer)
            self._usage.note = self._pool.note or self._limiter.note

    def _mark_answered(self, slot: ServerSlot) -> None:
        slot.limiter.answered()
        self._pool.answered(slot)

    def reserve(self, task: GenerationTask[Any], request: Request) -> Admission:
        """Reserve the part of the budget that a request may use; the caller holds a slot of the limiter."""
        if self._budget.reserve(request, batched=task.teacher.for_seed(request.seed).in_batch(request)):
            return Admission.NOW
        # A request beside this one may return what it does not use.
        if self._limiter.in_flight > 1:
            return Admission.WHEN_OTHERS_RETURN
        limit = self._budget.exceeded
        self.close(BudgetReachedError(f"{limit} does not allow another request. Repeat the command or call with a higher limit."))
        return Admission.NEVER

    def should_retry(self, tries: int, attempts: int) -> bool:
        """Whether to try an item again after `tries` failures and `attempts` attempts, which include 429 responses."""
        return not self.closed.is_set() and tries < self._policy.tries and attempts < BUSY_TRIES * self._policy.tries

    def close(self, error: Exception | None = None) -> None:
        """Stop sending requests."""
        # The first error is the cause; later ones may be its consequence.
        self.error = self.error or error
        self.closed.set()
        self._limiter.close()
        self._pool.close()

    def has_answered_others(self, state: TaskState) -> None:
        """Note that the teacher answers this task's requests, so what it refused so far was the items' fault."""
        state.answers_others = True
        for key, refusal, request in state.refused:
            self._journal.append(key, refusal, request.seed, state.name)
        state.refused.clear()

    def finish(self) -> None:
        """Set `error` at the end of a run in which a teacher refused everything: the request is wrong, not the items."""
        refused = next((state for state in self._states.values() if state.refused), None)
        if refused and not self.closed.is_set():
            self.error = _refused_error(refused)

    def _record(self, state: TaskState, key: str, answer: Completion, request: Request) -> Answered | Stopped:
        try:
            # On disk before anything is made of it, so that a kill never loses an answer that was paid for.
            self._journal.append(key, answer, request.seed, state.name)
            if answer.raw is not None:
                self._reject_unreadable(state, answer.raw)
            elif not state.answers_others:
                self.has_answered_others(state)
        except RunError as error:  # a full disk
            self.close(error)
            return Stopped(str(error))
        finally:
            self._usage.answered += state.sends_requests
            self._usage.tokens_answered += (answer.prompt_tokens or 0) + (answer.completion_tokens or 0)
            state.reached, state.failing_since = True, None
        return Answered(answer)

    def _reject_unreadable(self, state: TaskState, raw: str) -> None:
        """Count an answer that cannot be parsed; stop paying for more if none could be."""
        state.not_understood += 1
        if not state.answers_others and state.not_understood >= REFUSALS_TO_STOP:
            reason = f"The first {state.not_understood} answers are not chat completions: {one_line(raw, 200)!r}"
            self.close(TeacherError(f"{reason}. Check base_url (--base-url), and that the server speaks the OpenAI protocol."))

    def _refuse(self, state: TaskState, key: str, refusal: RowRejectedError, request: Request) -> Refused | Undecided:
        """Journal a refusal once the teacher has answered another request; sixteen before that are the request's fault."""
        # It was paid for, even if it could not be written.
        self._usage.answered += state.sends_requests
        state.reached = True
        # Any other reason is about the item's content, so it needs no comparison with other items.
        if state.answers_others or refusal.reason != "refused":
            self._journal.append(key, refusal, request.seed, state.name)
            state.failing_since = None
            return Refused(refusal)
        state.refused.append((key, refusal, request))
        if len(state.refused) >= REFUSALS_TO_STOP:
            self.close(_refused_error(state))
        return Undecided(refusal)

    def _timed_out(self, state: TaskState, number: int, timeouts: int, slot: ServerSlot) -> Retry:
        """Three timeouts are enough for one item, because each attempt may have been billed."""
        reason = f"no answer within {state.deadline.timeout_s(timeouts):.3g} s"
        retry = self._retry(state, RetryableError(reason, reached=True), number, slot)
        return Retry(retry.pause_s, -(-self._policy.tries // 3), retry.why, timed_out=True)

    def _retry(self, state: TaskState, error: RetryableError, number: int, slot: ServerSlot) -> Retry:
        # The teacher has changed a parameter that the server named: the item neither failed nor needs to wait.
        if error.changed:
            slot.limiter.answered()
            return Retry(0.0, 0, str(error))
        if error.busy:
            slot.limiter.busy()
        else:
            slot.limiter.failed()
        wait_s = self._pool.wait_s(slot, error.after_s)
        state.failing_since = self._clock() if state.failing_since is None else state.failing_since
        state.reached = state.reached or error.reached
        state.failures += 1
        # As long as another server answers, the failures of this one stop nothing.
        if not self._pool.has_usable_servers(slot):
            self._stop_if_hopeless(state, error, wait_s, self._clock() - state.failing_since)
        return Retry(self._policy.pause_s(number, wait_s), int(not error.busy), str(error))

    def _stop_if_hopeless(self, state: TaskState, error: RetryableError, wait_s: float | None, failing_s: float) -> None:
        policy = self._policy
        if not state.reached and state.failures >= policy.tries_to_reach and failing_s > policy.reach_s:
            self.close(TeacherError(f"The teacher cannot be reached: {error}. Start the server, or check base_url (--base-url)."))
        if wait_s is not None and wait_s > policy.give_up_after_s:
            reason = f"The teacher requests a wait of {wait_s:,.0f} s, longer than give_up_after (--give-up-after)"
            self.close(TeacherError(f"{reason}: {error}. Repeat the command or call after that."))
        elif failing_s > policy.give_up_after_s:
            self.close(
                TeacherError(
                    f"All requests failed for {failing_s:.0f} s; the last error: {error}. Repeat the command or call to resume."
                )
            )


def _refused_error(state: TaskState) -> TeacherError:
    number, detail = len(state.refused), state.refused[0][1].detail
    which = f"The first {number} requests were all refused" if number > 1 else "The request was refused"
    return TeacherError(f"{which}: {detail}. No row is rejected. Check the request and the server, and try again.")
