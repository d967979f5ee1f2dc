"""What a teacher is."""

from __future__ import annotations

from typing import Protocol

from hf_oss_instruct.data import Completion, Request


class Teacher(Protocol):
    """Anything that completes a request. Subclass it: what has a default here need not be written.

    Attributes:
        identity: kind, model and revision. It goes into keys, rows and cards; URL, key and concurrency never do.
        timeout_s: seconds that one attempt may take, where a request's latency says nothing about the next one's; None learns
            it from the answers.
        embedded: whether it works in this process without a model, costs nothing, and needs documented functions as seeds.
    """

    identity: str
    timeout_s: float | None = None
    embedded: bool = False

    async def complete(self, request: Request) -> Completion:
        """Answer one request, once.

        Raises:
            RetryableError: this attempt failed, another may not.
            RowRejectedError: this row will never be answered.
            TeacherError: no row will be answered as things are (bad key, unknown model, no credit).
        """
        ...

    async def close(self) -> None:
        """Release what belongs to the running event loop, such as connections. A closed teacher may be asked again."""
        return None
