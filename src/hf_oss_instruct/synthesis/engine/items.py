"""Send an item through its chain of tasks, to its outcome: a row, a rejection, or pending."""

from __future__ import annotations

from collections.abc import Sequence

from hf_oss_instruct.data import Completion, Outcome, Pending, Rejection, Row, Seed, Skipped
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.storage.packed import NumberMap
from hf_oss_instruct.synthesis.engine.claims import Claims
from hf_oss_instruct.synthesis.engine.local_work import LocalWork
from hf_oss_instruct.synthesis.engine.ordered_window import Entry, OrderedWindow, TaskStep
from hf_oss_instruct.synthesis.engine.schedule import Schedule
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask, LocalTask, Task
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.journal.lines import Answer
from hf_oss_instruct.synthesis.requests.attempts import TaskState
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.requests.request_runner import RequestRunner
from hf_oss_instruct.teachers.batches.store import check_batches
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


class Items:
    """Takes items from request to request until they are settled.

    Args:
        tasks: the chain: each next task makes a request about the row that the one before made.
        journal: provides the answers that exist already.
        runner: keeps the statistics of the teachers; closed when a task fails.
        claims: released when a request is answered.
        schedule: queues entries that need another request.
        window: the items in work.
        usage: usage so far, kept up to date.

    Attributes:
        teachers: all that got requests, those of follow-ups included.
        undecided: refusals that may be the fault of the request, since nothing else was answered yet.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        journal: Journal,
        runner: RequestRunner,
        claims: Claims,
        schedule: Schedule,
        window: OrderedWindow,
        usage: Usage,
    ) -> None:
        self._tasks, self._journal, self._runner = tuple(tasks), journal, runner
        self._claims, self._schedule, self._window, self._usage = claims, schedule, window, usage
        self.local_work = LocalWork(schedule, self._on_computed)
        self._counted = NumberMap()
        self.teachers: dict[int, Teacher] = {}
        for task in tasks:
            self._register_task(task)
        self.undecided: list[tuple[TaskState, Entry, RowRejectedError]] = []

    def begin(self, source: Seed | Row | Skipped) -> Entry:
        """Put an item into the window, with the first request about it."""
        entry = Entry(source, None if isinstance(source, Skipped) else TaskStep(self._tasks[0], source, 0))
        self._window.append(entry)
        return entry

    def advance(self, entry: Entry) -> bool:
        """Take an item as far as the journal knows the answers; whether a request is to be sent now."""
        if isinstance(entry.source, Skipped):
            self._window.settle(entry, entry.source)
        try:
            while not entry.settled:
                assert entry.step
                if isinstance(entry.step.task, LocalTask):
                    self.local_work.begin(entry)
                # A local task reports back through `_on_computed`, so there is no request to send.
                if entry.computing:
                    return False
                if (answer := self._recalled(entry)) is None:
                    return True
                self._claims.release(entry)
                self.set_answer(entry, answer)
        except Exception as error:
            self.fail(entry, error)
        return False

    def set_answer(self, entry: Entry, answer: Answer) -> None:
        """Read an answer: the item is settled, or there is another request about it."""
        assert entry.step
        assert isinstance(entry.step.task, GenerationTask)
        if isinstance(answer, Completion) and (number := int(entry.key[16:], 16)) not in self._counted:
            # Items with the same request share its answer, which was paid for once.
            self._counted.set(number, 1)
            self._usage.count(answer, entry.step.task.form(answer))
        self._apply_step(entry, self._apply_answer(entry.step, answer))

    def continue_item(self, entry: Entry) -> None:
        """Take an item that is not settled to its next request, which is sent when its turn comes."""
        if not entry.settled and self.advance(entry):
            self._schedule.queue(entry)

    def decide(self, state: TaskState) -> None:
        """The teacher answers other items, so earlier refusals are permanent."""
        decided = [(entry, refusal) for undecided_state, entry, refusal in self.undecided if undecided_state is state]
        self.undecided = [undecided for undecided in self.undecided if undecided[0] is not state]
        for entry, refusal in decided:
            self._claims.release(entry)
            self.set_answer(entry, refusal)
            self.continue_item(entry)

    def give_up(self, entry: Entry) -> None:
        """Leave an item without an answer; those with the same request send it themselves."""
        assert entry.step
        self._settle(entry, Pending(entry.step.seed, entry.why))
        self._claims.release(entry)

    def give_up_all(self) -> None:
        """Leave every item in the window that is not settled without an answer."""
        for entry in self._window.entries:
            if not entry.settled:
                self.give_up(entry)

    def fail(self, entry: Entry, error: Exception) -> None:
        """A bug in a task, or a full disk: the run stops, and all answers are kept."""
        self._runner.close(error)
        if not entry.settled:
            entry.why = f"{type(error).__name__}: {error}"
            self.give_up(entry)

    def outcome_of(self, entry: Entry) -> Outcome:
        """The outcome of a settled entry: from memory or, if it was settled long before its turn, from the journal again."""
        if entry.outcome is not None:
            return entry.outcome
        assert not isinstance(entry.source, Skipped)
        step = TaskStep(self._tasks[0], entry.source, 0)
        while (answer := self._recall_answer(step)) is not None:
            outcome = self._apply_answer(step, answer)
            if not isinstance(outcome, TaskStep):
                return outcome
            step = outcome
        return Pending(step.seed, "the journal was changed while it was in use")

    def _recall_answer(self, step: TaskStep) -> Answer | None:
        assert isinstance(step.task, GenerationTask)
        # An outcome that a local task has had a part in never left memory (`OrderedWindow.settle`): no program runs twice.
        return self._journal.recall(step.task.key(step.item), step.seed, step.task.name)

    def _recalled(self, entry: Entry) -> Answer | None:
        """The journal's answer to an entry's request."""
        assert entry.step
        task, item, _ = entry.step
        assert isinstance(task, GenerationTask)
        # Kept, because a key is a hash of the whole request, and a retry looks it up again.
        entry.key = entry.key or task.key(item)
        answer = self._journal.recall(entry.key, entry.step.seed, task.name)
        # An answer of an earlier session also shows that the teacher answers this task, and that refusals are the items' fault.
        if answer is not None and not self._runner.closed.is_set():
            state = self._runner.state(task, entry.step.seed)
            if not state.answers_others:
                self._runner.has_answered_others(state)
                self.decide(state)
        return answer

    def _apply_answer(self, step: TaskStep, answer: Answer) -> TaskStep | Row | Rejection:
        """The consequence of an answer: the next request, or the outcome of the item."""
        task, item, _ = step
        assert isinstance(task, GenerationTask)
        if isinstance(answer, RowRejectedError):
            return self._next_step(step, task.refused(item, answer))
        return self._next_step(step, task.outcome(item, answer))

    def _next_step(self, step: TaskStep, outcome: Row | FollowUp | Rejection) -> TaskStep | Row | Rejection:
        """Where a task's outcome leads: to another task, the next one, or the end."""
        if isinstance(outcome, FollowUp):
            return TaskStep(outcome.task, outcome.item, step.position)
        if isinstance(outcome, Rejection) or step.position + 1 == len(self._tasks):
            return outcome
        return TaskStep(self._tasks[step.position + 1], outcome, step.position + 1)

    def _apply_step(self, entry: Entry, outcome: TaskStep | Row | Rejection) -> None:
        if isinstance(outcome, TaskStep):
            self._register_task(outcome.task)
            entry.start_step(outcome)
        else:
            self._settle(entry, outcome)

    def _on_computed(self, entry: Entry, outcome: Row | FollowUp | Rejection | Pending | Exception) -> None:
        """The result of a local task."""
        assert entry.step
        if isinstance(outcome, Exception):
            self.fail(entry, outcome)
        elif isinstance(outcome, Pending):
            entry.why = outcome.why
            self.give_up(entry)
        else:
            # Called by the event loop, where nobody would see an error, such as that of a teacher that the next task needs.
            try:
                self._apply_step(entry, self._next_step(entry.step, outcome))
                self.continue_item(entry)
            except Exception as error:
                self.fail(entry, error)

    def _register_task(self, task: Task) -> None:
        """Register the task's teacher, to close it at the end."""
        if isinstance(task, LocalTask):
            self.local_work.tasks.setdefault(id(task), task)
        else:
            teacher = task.teacher
            # A task may lead to others, so some teachers turn up only during the run.
            if id(teacher) not in self.teachers:
                # Before it is registered: the next item must not use a teacher that was refused for this one.
                check_teacher(teacher)
                check_batches(self._journal.folder, teacher, self._journal.__contains__)
                self.teachers[id(teacher)] = teacher
                teacher.begin(self._journal.folder)
                self._usage.teachers.append(teacher)

    def _settle(self, entry: Entry, outcome: Row | Rejection | Pending) -> None:
        self._usage.settled += 1
        self._usage.recalled += not (entry.requested or entry.computed)
        self._window.settle(entry, outcome)
