"""Generation tasks: what a teacher is asked about an item, how its answer is read, and which key the answer has in the journal.

class Tests(GenerationTask[Row]):                   # the whole of a task: see docs/tasks.md
name = "tests"
def messages(self, row): ...                    # what is asked
def read(self, row, completion): ...            # a row or a FollowUp; RowRejectedError rejects
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

from hf_oss_instruct.data import Completion, Message, Pending, Rejection, Request, Row, Seed, digest, seed_of
from hf_oss_instruct.display import one_line
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.reasoning import split_reasoning, strip_end_tokens
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.teachers.finish_reason import Ending, ending
from hf_oss_instruct.teachers.parsing import require_finished
from hf_oss_instruct.teachers.protocol import Teacher

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The next question about an item.

    Attributes:
        task: who is asked what, or what is computed.
        item: the item that the task takes, such as a row to repair with the error it gave.
    """

    task: Task
    item: Any


class GenerationTask(ABC, Generic[ItemT]):
    """One question about an item: a seed, a row, or whatever the task before it hands on.

    A subclass gives the attributes, `messages` and `read`; a frozen dataclass is the usual shape. A task holds no state: it
    serves all items at once, and its key decides whether an answer in the journal is used again.

    Attributes:
        name: what the journal calls the task.
        teacher: who answers.
        sampling: sampling parameters of its requests.
    """

    name: str
    teacher: Teacher
    sampling: Sampling = Sampling()

    @abstractmethod
    def messages(self, item: ItemT) -> Sequence[Message]:
        """The chat messages to send about an item."""

    @abstractmethod
    def read(self, item: ItemT, completion: Completion) -> Row | FollowUp:
        """Read an answer that is complete, with reasoning and end tokens taken out of its text.

        Returns:
            The row that the next task, or the dataset, gets; or another question about the item.

        Raises:
            RowRejectedError: the item is rejected for good, with one of `data.REASONS`.
        """

    def seed(self, item: ItemT) -> Seed:
        """The seed that an item comes from. Override it for items that are neither seeds nor rows."""
        return item if isinstance(item, Seed) else seed_of(item)  # type: ignore[arg-type]

    def request(self, item: ItemT) -> Request:
        """The request to send; the server's random seed is a hash of the seed's id."""
        seed = self.seed(item)
        return Request(seed, tuple(self.messages(item)), self.sampling.as_sent(int(seed.seed_id[:7], 16)))

    def key(self, item: ItemT) -> str:
        """The key of the answer in the journal, 32 hex digits: a hash of task, messages, teacher and sampling parameters."""
        request = self.request(item)
        return digest(self.name, request.messages, self.teacher.identity, request.sampling, request.attempt)

    def refused(self, item: ItemT, refusal: RowRejectedError) -> Row | FollowUp | Rejection:
        """What becomes of an item whose question the teacher refuses for good. Override it where the item can do without."""
        return Rejection(self.seed(item), refusal.reason, refusal.detail)

    def outcome(self, item: ItemT, completion: Completion) -> Row | FollowUp | Rejection:
        """What an answer makes of an item; a rejection holds the answer as it was received."""
        try:
            return self.read(item, self._readable(completion))
        except RowRejectedError as refusal:
            received = completion.raw or completion.text
            return Rejection(self.seed(item), refusal.reason, refusal.detail, received)

    def _readable(self, completion: Completion) -> Completion:
        """The answer without reasoning and end tokens; raises `RowRejectedError` where it is cut or not understood."""
        if completion.raw is not None:
            raise RowRejectedError("unparsable", f"the answer is not a chat completion: {one_line(completion.raw)}")
        tokens = completion.completion_tokens or 0
        if tokens >= self.sampling.max_tokens and ending(completion.finish_reason) is Ending.UNKNOWN:
            raise RowRejectedError("truncated", f"the answer has {tokens:,} tokens, as many as it may have")
        require_finished(completion)
        reasoning, text = split_reasoning(completion.text)
        text = strip_end_tokens(text)
        if reasoning or text != completion.text:
            reasoning = "\n\n".join(filter(None, (completion.reasoning, reasoning)))
            return replace(completion, text=text, reasoning=reasoning or None)
        return completion


class LocalTask(ABC, Generic[ItemT]):
    """A step that asks nobody: it is computed in a thread beside the requests, such as a program that is run.

    It must give the same for the same item, in every session: the journal holds no answer of it.

    Attributes:
        name: what it is called.
    """

    name: str

    @abstractmethod
    def compute(self, item: ItemT) -> Row | FollowUp | Rejection | Pending:
        """What becomes of an item. Called in a thread, for several items at once.

        Returns:
            As `GenerationTask.read` and a rejection; or pending, where nothing can be said now and the next session tries again.
        """

    def stop(self) -> None:
        """The stream ends early: let what is being computed end soon, and come out as pending unless it is known already."""
        return None

    def seed(self, item: ItemT) -> Seed:
        """The seed that an item comes from, as `GenerationTask.seed`."""
        return item if isinstance(item, Seed) else seed_of(item)  # type: ignore[arg-type]


Task: TypeAlias = GenerationTask[Any] | LocalTask[Any]
"""A step of the chain that an item goes through."""
