"""The protocol of teachers."""

from __future__ import annotations

from typing import Protocol

from hf_oss_instruct.data import Completion, Request


class Teacher(Protocol):
    """Answers requests. Subclass it; members with defaults are optional.

    Attributes:
        identity: kind, model and revision. It is part of keys, rows and cards, and never contains URL, key or concurrency.
        timeout_s: deadline of one attempt in seconds, if the latency of one request says nothing about the next; None learns
            it from the latencies.
        embedded: whether it works without a model, costs nothing, and needs documented functions as seeds.
    """

    identity: str
    timeout_s: float | None = None
    embedded: bool = False

    async def complete(self, request: Request) -> Completion:
        """Answer one request, once.

        Raises:
            RetryableError: this attempt failed; a retry may succeed.
            RowRejectedError: this row will never be answered.
            TeacherError: no request can succeed at present (invalid key, unknown model, no credit).
        """
        ...

    async def close(self) -> None:
        """Release resources of the running event loop, such as connections. A closed teacher can be used again."""
        return None
