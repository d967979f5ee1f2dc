"""The outcome of an attempt, and facts about a teacher from all attempts so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.synthesis.requests.timeouts import Deadline


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer is in the journal."""

    completion: Completion


@dataclass(frozen=True, slots=True)
class Refused:
    """The teacher permanently refuses the item; the refusal is in the journal."""

    refusal: RowRejectedError


@dataclass(frozen=True, slots=True)
class Undecided:
    """The request was refused before any other was answered, so item or request may be at fault."""

    refusal: RowRejectedError


@dataclass(frozen=True, slots=True)
class Retry:
    """The request is to be sent again.

    Attributes:
        pause_s: seconds from now.
        counts: how many of the item's tries the attempt consumed.
        why: what happened.
        timed_out: whether there was no answer in time.
    """

    pause_s: float
    counts: int
    why: str
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """No answer, and the run stops."""

    why: str


AttemptResult: TypeAlias = Answered | Refused | Undecided | Retry | Stopped


class Admission(Enum):
    """Whether the budget lets a request leave."""

    NOW = "now"
    WHEN_OTHERS_RETURN = "when others return"
    NEVER = "never"


@dataclass(slots=True, eq=False)
class TaskState:
    """Facts about the answers to one task's requests.

    Attributes:
        deadline: how long an attempt may take.
        name: the task's name.
        sends_requests: whether its requests leave this process; the embedded teacher's do not.
        answers_others: whether a request was answered, so that a refusal is the item's own fault.
        refused: key, refusal and request of each item refused before that.
        not_understood: answers that are not chat completions.
        failures: failed attempts.
        reached: whether the teacher was ever there.
        failing_since: when the failures began that no answer has come between; None if the last attempt did not fail.
    """

    deadline: Deadline
    name: str
    sends_requests: bool = True
    answers_others: bool = False
    refused: list[tuple[str, RowRejectedError, Request]] = field(default_factory=list)
    not_understood: int = 0
    failures: int = 0
    reached: bool = False
    failing_since: float | None = None
