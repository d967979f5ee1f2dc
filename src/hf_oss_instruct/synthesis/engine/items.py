"""What becomes of an item: the chain of tasks it goes through, and where it ends: a row, a rejection, or pending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hf_oss_instruct.data import Completion, Outcome, Pending, Rejection, Row, Seed, Skipped
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.synthesis.budget import Usage
from hf_oss_instruct.synthesis.engine.claims import Claims
from hf_oss_instruct.synthesis.engine.ordered_window import Entry, OrderedWindow, Step
from hf_oss_instruct.synthesis.generation import FollowUp, GenerationTask
from hf_oss_instruct.synthesis.journal import Answer, Journal
from hf_oss_instruct.synthesis.request_runner import RequestRunner, TaskState
from hf_oss_instruct.teachers.protocol import Teacher


class Items:
    """Takes items from question to question until they are settled.

    Args:
        tasks: the chain: each next task asks about the row that the one before made.
        journal: where answers are looked up.
        runner: what is known of the teachers; closed when a task fails.
        claims: let go of when a question has its answer.
        window: the items in work.
        usage: what was spent, kept up to date.

    Attributes:
        teachers: all that were asked, those of follow-up questions included.
        undecided: refusals that may be the fault of the request, since nothing else was answered yet.
    """

    def __init__(
        self,
        tasks: Sequence[GenerationTask[Any]],
        journal: Journal,
        runner: RequestRunner,
        claims: Claims,
        window: OrderedWindow,
        usage: Usage,
    ) -> None:
        self._tasks, self._journal, self._runner = tuple(tasks), journal, runner
        self._claims, self._window, self._usage = claims, window, usage
        self.teachers: dict[int, Teacher] = {id(task.teacher): task.teacher for task in tasks}
        self.undecided: list[tuple[TaskState, Entry, RowRejectedError]] = []

    def begin(self, source: Seed | Row | Skipped) -> Entry:
        """Put an item into the window, with the first question about it."""
        entry = Entry(source, None if isinstance(source, Skipped) else Step(self._tasks[0], source, 0))
        self._window.entries.append(entry)
        return entry

    def advance(self, entry: Entry) -> bool:
        """Take an item as far as the journal knows the answers; whether there is a question left to ask."""
        if isinstance(entry.source, Skipped):
            self._window.settle(entry, entry.source)
        try:
            while not entry.settled:
                if (answer := self._recalled(entry)) is None:
                    return True
                self._claims.release(entry)
                self.take(entry, answer)
        except Exception as error:
            self.fail(entry, error)
        return False

    def take(self, entry: Entry, answer: Answer) -> None:
        """Read an answer: the item is settled, or there is another question about it."""
        assert entry.step
        if isinstance(answer, Completion):
            self._usage.count(answer)
        outcome = self._after(entry.step, answer)
        if isinstance(outcome, Step):
            self.teachers.setdefault(id(outcome.task.teacher), outcome.task.teacher)
            entry.go_on(outcome)
        else:
            self._settle(entry, outcome)

    def decide(self, state: TaskState) -> None:
        """The teacher answers others: what it refused before is refused for good."""
        decided = [(entry, refusal) for one, entry, refusal in self.undecided if one is state]
        self.undecided = [undecided for undecided in self.undecided if undecided[0] is not state]
        for entry, refusal in decided:
            self._claims.release(entry)
            self.take(entry, refusal)

    def give_up(self, entry: Entry) -> None:
        """Leave an item without an answer; those with the same question ask it themselves."""
        assert entry.step
        self._settle(entry, Pending(entry.step.seed, entry.why))
        self._claims.release(entry)

    def give_up_all(self) -> None:
        """Leave every item in the window that is not settled without an answer."""
        for entry in self._window.entries:
            if not entry.settled:
                self.give_up(entry)

    def fail(self, entry: Entry, error: Exception) -> None:
        """A bug in a task, or a full disk: the run stops, and what was answered is kept."""
        self._runner.close(error)
        if not entry.settled:
            entry.why = f"{type(error).__name__}: {error}"
            self.give_up(entry)

    def outcome_of(self, entry: Entry) -> Outcome:
        """What became of a settled entry: from memory or, where it came long before its turn, once more from the journal."""
        if entry.outcome is not None:
            return entry.outcome
        assert not isinstance(entry.source, Skipped)
        step = Step(self._tasks[0], entry.source, 0)
        while (answer := self._journal.recall(step.task.key(step.item), step.seed, step.task.name)) is not None:
            outcome = self._after(step, answer)
            if not isinstance(outcome, Step):
                return outcome
            step = outcome
        return Pending(step.seed, "the journal was changed while it was in use")

    def _recalled(self, entry: Entry) -> Answer | None:
        """What the journal has for an entry's question."""
        assert entry.step
        task, item, _ = entry.step
        entry.key = entry.key or task.key(item)
        answer = self._journal.recall(entry.key, entry.step.seed, task.name)
        if answer is not None and not self._runner.closed.is_set():
            state = self._runner.state(task)
            if not state.answers_others:
                self._runner.others_are_answered(state)
                self.decide(state)
        return answer

    def _after(self, step: Step, answer: Answer) -> Step | Row | Rejection:
        """What follows from an answer: the next question, or what becomes of the item."""
        task, item, place = step
        if isinstance(answer, RowRejectedError):
            return Rejection(step.seed, answer.reason, answer.detail)
        outcome = task.outcome(item, answer)
        if isinstance(outcome, FollowUp):
            return Step(outcome.task, outcome.item, place)
        if isinstance(outcome, Rejection) or place + 1 == len(self._tasks):
            return outcome
        return Step(self._tasks[place + 1], outcome, place + 1)

    def _settle(self, entry: Entry, outcome: Row | Rejection | Pending) -> None:
        self._usage.settled += 1
        self._window.settle(entry, outcome)
