"""How a question gets its answer: from the journal, or from the teacher, with retries, and when to stop asking."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from hf_oss_instruct.data import Completion, Pending, Request
from hf_oss_instruct.errors import OssInstructError, Refusal, RunError, TeacherError, TryAgain
from hf_oss_instruct.synthesis.journal import Journal
from hf_oss_instruct.synthesis.method import Method

REFUSALS_TO_STOP = 16
"""If so many first answers are all HTTP 400 or 422, the request is wrong, not the row."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When to try again, and when to give up.

    Attributes:
        tries: attempts for one row; then it stays pending.
        first_pause_s, longest_pause_s: bounds of the exponential pause between attempts, in seconds.
        give_up_after_s: the run stops when requests failed for so long with no answer between, or the server asks us to wait
            longer than that.
        tries_to_reach: attempts of one row to reach a server that nobody has reached yet; then the run stops.
    """

    tries: int = 8
    first_pause_s: float = 0.5
    longest_pause_s: float = 60.0
    give_up_after_s: float = 300.0
    tries_to_reach: int = 4

    def pause_s(self, attempt: int, asked_for_s: float | None) -> float:
        """Seconds to wait after a failed attempt: what the server asks for, else exponential; both with jitter."""
        longest = min(self.first_pause_s * 2.0**attempt, self.longest_pause_s)
        return (asked_for_s or 0.0) + random.uniform(0.5, 1.0) * longest


@dataclass
class Spent:
    """What a run asked of the teacher, retries included."""

    requests_sent: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Desk:
    """Takes questions to the journal or the teacher, and knows when to stop asking.

    Attributes:
        closed: set when no more questions are asked.
        trouble: what closed it, if anything did.
    """

    def __init__(self, method: Method, journal: Journal, slots: asyncio.Semaphore, patience: Patience, spent: Spent) -> None:
        self._method, self._journal, self._slots, self._patience, self._spent = method, journal, slots, patience, spent
        self._asking: dict[str, asyncio.Event] = {}
        self._answered = self._refused = 0
        self._failing_since: float | None = None
        self.closed = asyncio.Event()
        self.trouble: OssInstructError | None = None

    async def answer(self, request: Request) -> Completion | Pending:
        """The answer to a question; each is asked once, also when two seeds are the same snippet.

        Raises:
            Refusal: the row is refused for good.
        """
        key = self._method.key(request)
        while key in self._asking:
            await self._asking[key].wait()
        answer = self._journal.recall(key) or await self._ask_alone(request, key)
        if isinstance(answer, Refusal):
            raise answer
        if isinstance(answer, Completion):
            self._spent.prompt_tokens += answer.prompt_tokens or 0
            self._spent.completion_tokens += answer.completion_tokens or 0
        return answer

    async def _ask_alone(self, request: Request, key: str) -> Completion | Refusal | Pending:
        done = self._asking[key] = asyncio.Event()
        try:
            return await self._ask(request, key)
        finally:
            del self._asking[key]
            done.set()

    async def _ask(self, request: Request, key: str) -> Completion | Refusal | Pending:
        why = "the run stopped before it was asked"
        for attempt in range(self._patience.tries):
            try:
                async with self._slots:  # no slot is held while a retry waits for its turn
                    if self.closed.is_set():
                        break
                    self._spent.requests_sent += 1
                    answer: Completion | Refusal = await self._method.teacher.complete(request)
            except Refusal as refusal:
                answer = refusal
            except TryAgain as error:
                why = str(error)
                self._worry(attempt, error)
                await self._pause(self._patience.pause_s(attempt, error.after_s))
                continue
            except TeacherError as error:
                self._close(error)
                why = str(error)
                break
            try:
                self._journal.append(key, answer)
            except RunError as error:  # an answer that cannot be kept must not be followed by more that are paid for
                self._close(error)
                why = str(error)
                break
            self._note(answer)
            return answer
        return Pending(request.seed, why)

    def _note(self, answer: Completion | Refusal) -> None:
        self._failing_since = None
        if isinstance(answer, Refusal) and answer.reason == "refused":
            self._refused += 1
            if self._refused == REFUSALS_TO_STOP and not self._answered:
                self._close(
                    TeacherError(f"The first {self._refused} requests were all refused: {answer.detail}. Check the request.")
                )
        else:
            self._answered += 1

    def _worry(self, attempt: int, error: TryAgain) -> None:
        never = not (error.reached or self._answered or self._refused)
        if never and attempt + 1 >= self._patience.tries_to_reach:
            self._close(TeacherError(f"The teacher cannot be reached: {error}. Start the server, or check --base-url."))
        self._failing_since = self._failing_since or time.monotonic()
        failing_s = max(time.monotonic() - self._failing_since, error.after_s or 0.0)
        if failing_s > self._patience.give_up_after_s:
            self._close(TeacherError(f"Nothing but failures for {failing_s:.0f} s; last: {error}. Run it again to go on."))

    def _close(self, error: OssInstructError) -> None:
        self.trouble = self.trouble or error
        self.closed.set()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.closed.wait(), seconds)
        except TimeoutError:
            pass
