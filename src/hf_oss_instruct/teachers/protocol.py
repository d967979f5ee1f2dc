"""The base class of teachers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_oss_instruct.data import Completion, Request, Seed
from hf_oss_instruct.errors import UsageError


class Teacher(ABC):
    """Answers requests. A teacher is a subclass with `identity` and `complete`; the other members have defaults.

    Attributes:
        identity: kind, model and revision. It is part of keys, rows and cards, and never contains URL, key or concurrency.
        timeout_s: deadline of one attempt in seconds, if the latency of one request says nothing about the next; None learns
            it from the latencies.
        takes_schema: whether a request may ask for an answer that follows a JSON schema (`response_format`).
        embedded: whether it works without a model, costs nothing, and needs documented functions as seeds.
        servers: where requests may go. The engine chooses the least loaded one; without any it calls the teacher directly.
        uses_batches: whether requests go into batches.
        note: a message for the progress display, or an empty string.
    """

    identity: str
    timeout_s: float | None = None
    takes_schema: bool = True
    embedded: bool = False
    servers: tuple[Server, ...] = ()
    uses_batches: bool = False
    note: str = ""

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Answer one request, once.

        Raises:
            RetryableError: this attempt failed; a retry may succeed.
            RowRejectedError: this row will never be answered.
            TeacherError: no request can succeed at present (invalid key, unknown model, no credit).
        """

    def for_seed(self, seed: Seed) -> Teacher:
        """The teacher that answers about a seed: of mixed teachers one of them, else the teacher itself."""
        return self

    def begin(self, journal: Path) -> None:
        """Called at the start of a run with the folder of its journal, where a teacher may keep what must survive a kill."""
        return None

    def in_batch(self, request: Request) -> bool:
        """Whether a request goes into a batch, which is answered even if this process ends."""
        return False

    async def close(self) -> None:
        """Release resources of the running event loop, such as connections. A closed teacher can be used again."""
        return None


def check_teacher(teacher: Any) -> None:
    """Refuse what is not a teacher: a name, a class, an object of no subclass of `Teacher`, or one without identity.

    Raises:
        UsageError: it is not a teacher.
    """
    if isinstance(teacher, str | type):
        raise UsageError(
            f"The teacher must be an object, not {teacher!r}. Pass CommentFunctionTeacher(), or InferenceTeacher(MODEL, URL)."
        )
    if not isinstance(teacher, Teacher):
        raise UsageError(
            f"{type(teacher).__name__} is not a teacher. Pass an object of a subclass of hf_oss_instruct.Teacher, which "
            "defines identity and complete, and has defaults for the rest."
        )
    if not isinstance(identity := getattr(teacher, "identity", None), str) or not identity:
        raise UsageError(
            f"{type(teacher).__name__} needs an identity, not {identity!r}. Set it to a string that names the model and its "
            "version; it is part of keys, rows and cards."
        )


@dataclass(frozen=True, slots=True)
class Server:
    """One of several servers of a teacher.

    Attributes:
        name: its URL, without keys. Teachers whose servers have the same name share its limits.
        teacher: the same model, at this server only.
        concurrency: the most requests that it may have in flight.
    """

    name: str
    teacher: Teacher
    concurrency: int
