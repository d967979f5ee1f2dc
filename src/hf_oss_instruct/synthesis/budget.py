"""The budget of a run: requests, tokens, cost. It is reserved before a request is sent, so that no limit is ever exceeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.timeouts import Deadline

PER_MESSAGE = 16
"""Maximum number of tokens that a chat template adds to a message."""


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
        changes: sampling parameters that the server does not support, see `Completion.changes`.
        deadlines: deadlines of the attempts in flight, one for each task.
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
    changes: dict[str, str | None] = field(default_factory=dict)
    deadlines: list[Deadline] = field(default_factory=list)

    def count(self, answer: Completion) -> None:
        """Add the tokens of an answer, from this session or an earlier one."""
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0
        self.finish_reasons[answer.finish_reason or "none"] += 1
        self.changes |= answer.changes or {}


class Budget:
    """Tracks what is spent, and what is reserved for requests in flight.

    A request reserves the most that it can use: each token takes at least one byte of the prompt, and the answer is limited by
    `max_tokens`. The actual usage replaces the reservation when the answer arrives; if the server sends none, that stays.

    Args:
        limits: the limits.
        before: usage of the run's earlier sessions.
        record: called with requests, prompt and completion tokens, spent and reserved, before a request is sent.
    """

    def __init__(
        self,
        limits: RunLimits | None = None,
        before: Usage | None = None,
        record: Callable[[int, int, int], None] = lambda requests, prompt_tokens, completion_tokens: None,
    ) -> None:
        before = before or Usage()
        self.limits = limits or RunLimits()
        self._requests = before.requests_sent
        self._prompt, self._completion = before.prompt_tokens, before.completion_tokens
        self._bounded, self._record = self.limits.bounded, record

    def reserve(self, request: Request) -> bool:
        """Reserve the budget of one request; False if that could exceed a limit."""
        if not self._bounded:
            return True
        prompt, completion = most(request)
        self._add(1, prompt, completion)
        if self._fits():
            self._record(self._requests, self._prompt, self._completion)
            return True
        self._add(-1, -prompt, -completion)
        return False

    def settle(self, request: Request, answer: Completion | None) -> None:
        """Replace a reservation by the actual usage; a request without an answer used no tokens."""
        if not self._bounded:
            return
        prompt, completion = most(request)
        if answer is None:
            self._add(0, -prompt, -completion)
        elif answer.prompt_tokens is not None and answer.completion_tokens is not None:
            self._add(0, answer.prompt_tokens - prompt, answer.completion_tokens - completion)

    def _add(self, requests: int, prompt: int, completion: int) -> None:
        self._requests += requests
        self._prompt += prompt
        self._completion += completion

    def _fits(self) -> bool:
        limits = self.limits
        cost = limits.cost(self._prompt, self._completion)
        return (
            (limits.max_requests is None or self._requests <= limits.max_requests)
            and (limits.max_total_tokens is None or self._prompt + self._completion <= limits.max_total_tokens)
            and (limits.max_cost is None or (cost or 0.0) <= limits.max_cost)
        )


def most(request: Request) -> tuple[int, int]:
    """Upper bound of the tokens that a request can use: (prompt, completion)."""
    prompt = sum(len(message["content"].encode()) + PER_MESSAGE for message in request.messages)
    return prompt, int(request.sampling.get("max_tokens", 0))
