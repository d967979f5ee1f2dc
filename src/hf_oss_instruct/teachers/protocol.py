"""What a teacher is."""

from __future__ import annotations

from typing import Protocol

from hf_oss_instruct.data import Completion, Request


class Teacher(Protocol):
    """Anything that completes a request.

    Attributes:
        identity: kind, model and revision. It goes into keys, rows and cards; URL, key and concurrency never do.
    """

    identity: str

    async def complete(self, request: Request) -> Completion:
        """Answer one request, once.

        Raises:
            TryAgain: this attempt failed, another may not.
            Refusal: this row will never be answered.
            TeacherError: no row will be answered as things are (bad key, unknown model, no credit).
        """
        ...


class EmbeddedTeacher:
    """Base class of teachers that need no model and cost nothing, but documented functions as seeds (`functions`)."""
