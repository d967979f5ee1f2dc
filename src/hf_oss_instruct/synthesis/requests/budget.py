"""The budget of a run: requests, tokens, cost. It is reserved before a request is sent, so that no limit is ever exceeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.requests.timeouts import Deadline
from hf_oss_instruct.teachers.protocol import Teacher


@dataclass
class Usage:
    """Requests and tokens of a run, including retries.

    Attributes:
        requests_sent: attempts that were sent.
        prompt_tokens, completion_tokens: tokens of the answers, as counted by the server.
        note: a message for the user, such as a rate limit.
        answered: requests answered in this session, including refusals.
        tokens_answered: tokens of those answers, prompts included.
        settled: items with a final outcome, including those of earlier sessions.
        recalled: those of `settled` that an earlier session had answered.
        finish_reasons: finish reasons as sent by the server, counted.
        answer_forms: forms of the answers, if they may have several, counted.
        changes: sampling parameters that the server does not support, see `Completion.changes`.
        deadlines: deadlines of the attempts in flight, one for each task.
        teachers: the teachers that got requests, whose notes the display of progress shows.
        batched: those requests, prompt and completion tokens of earlier sessions that batches have answered.
        in_batches: requests that earlier sessions submitted in batches and that have no answer in the journal: key → the most
            tokens of prompt and answer.
    """

    requests_sent: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    note: str = ""
    answered: int = 0
    tokens_answered: int = 0
    settled: int = 0
    recalled: int = 0
    finish_reasons: Counter[str] = field(default_factory=Counter)
    answer_forms: Counter[str] = field(default_factory=Counter)
    changes: dict[str, str | None] = field(default_factory=dict)
    deadlines: list[Deadline] = field(default_factory=list)
    teachers: list[Teacher] = field(default_factory=list)
    batched: tuple[int, int, int] = (0, 0, 0)
    in_batches: dict[str, tuple[int, int]] = field(default_factory=dict)

    def count(self, answer: Completion, form: str | None = None, most: tuple[int, int] = (0, 0)) -> None:
        """Add the tokens of an answer, from this session or an earlier one, and its form.

        Args:
            answer: the answer.
            form: its form, if there may be several.
            most: tokens of prompt and answer, if the server has not counted both.
        """
        counted = answer.prompt_tokens, answer.completion_tokens
        prompt, completion = most if any(most) and None in counted else counted
        self.prompt_tokens += prompt or 0
        self.completion_tokens += completion or 0
        self.finish_reasons[answer.finish_reason or "none"] += 1
        self.changes |= answer.changes or {}
        if form is not None:
            self.answer_forms[form] += 1


class Budget:
    """Tracks usage, and reservations for requests in flight.

    A request reserves the most that it can use (`Request.most_tokens`). The actual usage replaces the reservation when the answer
    arrives; if the server sends none, that stays. Requests in batches are recorded with the batch, when it is submitted, and not
    before: a batch that is never submitted costs nothing. Once answered they are in the journal, and counted from there.

    Args:
        limits: the limits.
        before: usage of the run's earlier sessions.
        record: called with requests, prompt and completion tokens, spent and reserved, before a request is sent; without those
            that batches answered or will answer.

    Attributes:
        limits: the limits.
        exceeded: the limit that the last refused request would have exceeded, as an option with its value.
    """

    def __init__(
        self,
        limits: RunLimits | None = None,
        before: Usage | None = None,
        record: Callable[[int, int, int], None] = lambda requests, prompt_tokens, completion_tokens: None,
    ) -> None:
        before = before or Usage()
        self.limits = limits or RunLimits()
        self.exceeded = ""
        self._bounded, self._record_totals = self.limits.bounded, record
        self._total = (before.requests_sent, before.prompt_tokens, before.completion_tokens)
        self._waiting, self._in_batches = dict(before.in_batches), dict[str, tuple[int, int]]()
        self._batched = before.batched
        # Batches of earlier sessions continue on the server and will be billed, so they count from the start.
        for prompt, completion in self._waiting.values():
            self._add(1, prompt, completion, batched=True)

    def reserve(self, request: Request, *, batched: bool = False) -> bool:
        """Reserve the budget of one request; False if that could exceed a limit.

        Args:
            request: the request.
            batched: whether it goes into a batch. If an earlier session has submitted it, its reservation stands already.
        """
        if not self._bounded:
            return True
        if batched and request.key in self._waiting:
            self._in_batches[request.key] = self._waiting.pop(request.key)
            return True
        self._add(1, *request.most_tokens, batched=batched)
        if exceeded := self._exceeded():
            self.exceeded = exceeded
            self.withdraw(request, batched=batched)
            return False
        if batched:
            self._in_batches[request.key] = request.most_tokens
        else:
            self._record()
        return True

    def withdraw(self, request: Request, *, batched: bool = False) -> None:
        """Give back the reservation of a request that was not sent."""
        # Without limits there is nothing to give back, because `reserve` has kept no count.
        if self._bounded:
            prompt, completion = request.most_tokens
            self._add(-1, -prompt, -completion, batched=batched)

    def settle(self, request: Request, answer: Completion | None) -> None:
        """Replace a reservation by the actual usage; a request without an answer used no tokens."""
        if not self._bounded:
            return
        prompt, completion = request.most_tokens
        if batched := self._in_batches.pop(request.key, None):
            prompt, completion = batched
        if answer is None:
            self._add(0, -prompt, -completion, batched=bool(batched))
        elif answer.prompt_tokens is not None and answer.completion_tokens is not None:
            self._add(0, answer.prompt_tokens - prompt, answer.completion_tokens - completion, batched=bool(batched))
        # The next session finds it neither in a batch nor in the journal.
        if batched and answer is None:
            self._batched = _sum(self._batched, (-1, 0, 0))
        # The recorded numbers are without batches: an answer in one changes nothing there.
        if not batched or answer is None:
            self._record()

    def _record(self) -> None:
        requests, prompt, completion = (total - batched for total, batched in zip(self._total, self._batched, strict=True))
        self._record_totals(requests, prompt, completion)

    def _add(self, requests: int, prompt: int, completion: int, *, batched: bool = False) -> None:
        self._total = _sum(self._total, (requests, prompt, completion))
        if batched:
            self._batched = _sum(self._batched, (requests, prompt, completion))

    def _exceeded(self) -> str:
        """The first limit that the total is above, as an option with its value; empty if it is within all of them."""
        limits, (requests, prompt, completion) = self.limits, self._total
        totals = (
            ("max_requests (--max-requests)", limits.max_requests, requests),
            ("max_total_tokens (--max-total-tokens)", limits.max_total_tokens, prompt + completion),
            ("max_cost (--max-cost)", limits.max_cost, limits.cost(prompt, completion) or 0.0),
        )
        exceeded = (f"{name} of {limit}" for name, limit, total in totals if limit is not None and total > limit)
        return next(exceeded, "")


def _sum(one: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]
