"""What a run may spend: requests, tokens, money. Reserved before a request leaves, so that no limit is ever exceeded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.timeouts import Deadline

PER_MESSAGE = 16
"""Tokens a chat template may add to one message, at most."""


@dataclass
class Usage:
    """What a run asked of the teacher, retries included.

    Attributes:
        requests_sent: attempts that left.
        prompt_tokens, completion_tokens: of the answers, as the server counted them.
        note: what a reader of the progress line should know.
        answered: requests that were answered now, refusals included.
        settled: items of which it is known what becomes of them, those of earlier sessions included.
        finish_reasons: why answers result, in the server's words.
        changes: sampling parameters that the server does not take, see `Completion.changes`.
        deadlines: those of the attempts in flight, one for each task.
    """

    requests_sent: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    note: str = ""
    answered: int = 0
    settled: int = 0
    finish_reasons: Counter[str] = field(default_factory=Counter)
    changes: dict[str, str | None] = field(default_factory=dict)
    deadlines: list[Deadline] = field(default_factory=list)

    def count(self, answer: Completion) -> None:
        """Take an answer into account, whenever it was paid for."""
        self.prompt_tokens += answer.prompt_tokens or 0
        self.completion_tokens += answer.completion_tokens or 0
        self.finish_reasons[answer.finish_reason or "none"] += 1
        self.changes |= answer.changes or {}


class Budget:
    """Keeps account of what is spent and what is promised to requests in flight.

    A request is reserved at the most it can use: a token holds at least one byte of the prompt, and the answer is capped by
    `max_tokens`. What it really used replaces that when the answer comes; where the server does not say, the most stays.

    Args:
        limits: what may be usage.
        before: what earlier sessions of the run usage.
    """

    def __init__(self, limits: RunLimits | None = None, before: Usage | None = None) -> None:
        before = before or Usage()
        self.limits = limits or RunLimits()
        self._requests = before.requests_sent
        self._prompt, self._completion = before.prompt_tokens, before.completion_tokens
        self._bounded = self.limits.bounded

    def reserve(self, request: Request) -> bool:
        """Promise one request what it may use; False if that could exceed a limit."""
        if not self._bounded:
            return True
        prompt, completion = most(request)
        self._add(1, prompt, completion)
        if self._fits():
            return True
        self._add(-1, -prompt, -completion)
        return False

    def settle(self, request: Request, answer: Completion | None) -> None:
        """Replace the promise by what was used; a request without an answer used no tokens."""
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
    """The most tokens a request can use: (prompt, completion)."""
    prompt = sum(len(message["content"].encode()) + PER_MESSAGE for message in request.messages)
    return prompt, int(request.sampling.get("max_tokens", 0))
