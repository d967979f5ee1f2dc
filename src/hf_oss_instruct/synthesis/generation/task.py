"""Generation tasks: the request about an item, how the answer is parsed, and the key of the answer in the journal.

    class Tests(GenerationTask[Row]):
        name = "tests"
        def messages(self, row): ...                    # what is sent
        def read(self, row, completion): ...            # a row or a FollowUp; RowRejectedError rejects

The page docs/tasks.md explains a whole task.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar

from hf_oss_instruct.data import Completion, Message, Pending, Rejection, Request, Row, Seed, digest
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.reasoning import split_reasoning, strip_end_tokens
from hf_oss_instruct.schemas import seed_of
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.teachers.finish_reason import FinishKind, finish_kind
from hf_oss_instruct.teachers.parsing import require_finished
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.terminal.display import one_line

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """The next request about an item.

    Attributes:
        task: the generation task or computed step.
        item: the item for the task, such as a row to repair and its error.
    """

    task: Task
    item: Any


class GenerationTask(ABC, Generic[ItemT]):
    """One request about an item: a seed, a row, or the item that the previous task passes on.

    A subclass defines the attributes, `messages` and `read`, usually as a frozen dataclass. A task has no state: it
    serves all items concurrently, and its key decides whether an answer in the journal is reused.

    Attributes:
        name: name of the task in the journal.
        teacher: the teacher that answers.
        sampling: sampling parameters of its requests.
    """

    name: str
    teacher: Teacher
    sampling: Sampling = Sampling()

    @abstractmethod
    def messages(self, item: ItemT) -> Sequence[Message]:
        """The chat messages to send about an item."""

    @abstractmethod
    def read(self, item: ItemT, completion: Completion) -> Row | FollowUp | Rejection:
        """Parse a complete answer, whose text has no reasoning and no end tokens.

        Returns:
            The row for the next task or the dataset; a follow-up request about the item; or a rejection with further columns.

        Raises:
            RowRejectedError: the item is permanently rejected, with one of `hf_oss_instruct.data.REASONS`.
        """

    def seed(self, item: ItemT) -> Seed:
        """The seed of an item. Override this for items that are neither seeds nor rows."""
        return item if isinstance(item, Seed) else seed_of(item)  # type: ignore[arg-type]

    def teacher_for(self, item: ItemT) -> Teacher:
        """The teacher that answers about an item; of mixed teachers the one that has the item's seed."""
        return self.teacher.for_seed(self.seed(item))

    def request(self, item: ItemT) -> Request:
        """The request to send; the server's random seed is a hash of the seed's id."""
        seed = self.seed(item)
        return Request(seed, tuple(self.messages(item)), self.sampling.as_sent(int(seed.seed_id[:7], 16)))

    def key(self, item: ItemT) -> str:
        """The key of the answer in the journal, 32 hex digits: a hash of task, messages, teacher and sampling parameters."""
        request = self.request(item)
        identity = self.teacher.for_seed(request.seed).identity
        return digest(self.name, request.messages, identity, request.sampling, request.attempt)

    def refused(self, item: ItemT, refusal: RowRejectedError) -> Row | FollowUp | Rejection:
        """The outcome of an item whose request the teacher refuses permanently. Override this if the answer is optional."""
        return Rejection(self.seed(item), refusal.reason, refusal.detail)

    def outcome(self, item: ItemT, completion: Completion) -> Row | FollowUp | Rejection:
        """The outcome of an item with this answer; a rejection contains the answer as received."""
        try:
            return self.read(item, self._readable(completion))
        except RowRejectedError as refusal:
            received = completion.raw or completion.text
            return Rejection(self.seed(item), refusal.reason, refusal.detail, received)

    def form(self, completion: Completion) -> str | None:
        """The form of an answer, to be counted in `run.json`; None if there is only one. Override this if there are several."""
        return None

    def _readable(self, completion: Completion) -> Completion:
        """The answer without reasoning and end tokens; raises `RowRejectedError` if it is cut or not understood."""
        if completion.raw is not None:
            raise RowRejectedError("unparsable", f"the answer is not a chat completion: {one_line(completion.raw)}")
        tokens = completion.completion_tokens or 0
        # Some servers send no finish reason: then only the number of tokens shows that the answer was cut.
        if tokens >= self.sampling.max_tokens and finish_kind(completion.finish_reason) is FinishKind.UNKNOWN:
            raise RowRejectedError("truncated", f"the answer has {tokens:,} tokens, as many as it may have")
        require_finished(completion)
        reasoning, text = split_reasoning(completion.text)
        text = strip_end_tokens(text)
        if reasoning or text != completion.text:
            reasoning = "\n\n".join(filter(None, (completion.reasoning, reasoning)))
            return replace(completion, text=text, reasoning=reasoning or None)
        return completion


class LocalTask(ABC, Generic[ItemT]):
    """A step without a request: it is computed in a thread next to the requests, for example by running a program.

    It must return the same for the same item in every session, because the journal does not record it.

    Attributes:
        name: its name.
    """

    name: str

    @abstractmethod
    def compute(self, item: ItemT) -> Row | FollowUp | Rejection | Pending:
        """Compute the outcome of an item. Called in threads, for several items at once.

        Returns:
            As `GenerationTask.read` and a rejection; or pending, if the next session has to try again.
        """

    def stop(self) -> None:
        """Called if the stream ends early: computations should end soon, and their items become pending."""
        return None

    def seed(self, item: ItemT) -> Seed:
        """The seed of an item, as `GenerationTask.seed`."""
        return item if isinstance(item, Seed) else seed_of(item)  # type: ignore[arg-type]


Task: TypeAlias = GenerationTask[Any] | LocalTask[Any]
"""A step of the chain of tasks."""


def parameters_sent(sampling: dict[str, Any], completion: Completion) -> dict[str, Any]:
    """The sampling parameters that were sent, without those that the server does not support."""
    if not completion.changes:
        return sampling
    names = {name: completion.changes.get(name, name) for name in sampling}
    return {new: sampling[name] for name, new in names.items() if new is not None}
