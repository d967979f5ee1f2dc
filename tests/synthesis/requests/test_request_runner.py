"""One attempt after the other: what each outcome is called, what reaches the journal, and when the run stops."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hf_oss_instruct.data import Completion, Message, Provenance, Request, Row, Seed
from hf_oss_instruct.errors import BudgetReachedError, RetryableError, RowRejectedError, RunError, TeacherError
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.generation.task import GenerationTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.attempts import Admission, Answered, AttemptResult, Refused, Retry, Stopped, Undecided
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.requests.request_runner import RequestRunner
from hf_oss_instruct.synthesis.requests.retry_policy import REFUSALS_TO_STOP, RetryPolicy
from hf_oss_instruct.teachers.protocol import Teacher

ANSWER = Completion("hello", "stop", prompt_tokens=3, completion_tokens=4)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Says(Teacher):
    """A teacher that gives, or raises, one thing after the other."""

    def __init__(self, *says: Completion | Exception, identity: str = "says/1") -> None:
        self.identity, self.says = identity, list(says)

    async def complete(self, request: Request) -> Completion:
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


@dataclass(frozen=True)
class Question(GenerationTask[Seed]):
    teacher: Teacher
    name: str = "question"

    def messages(self, item: Seed) -> Sequence[Message]:
        return [{"role": "user", "content": item.snippet}]

    def read(self, item: Seed, completion: Completion) -> Row:
        return Row(problem=completion.text)


def seed(number: int) -> Seed:
    return Seed(f"x = {number}", 1, 1, Provenance("corpus", "v1", f"{number}.py", 0, "python"), "hash/1", 0, index=number)


class Scene:
    """A runner with its clock, and the attempts made with it."""

    def __init__(self, folder: Path, *, policy: RetryPolicy | None = None, limits: RunLimits | None = None) -> None:
        self.clock, self.usage, self.journal = Clock(), Usage(), Journal(folder)
        self.limiter = RateLimiter(8, self.clock)
        self.runner = RequestRunner(
            self.journal, self.limiter, policy or RetryPolicy(), Budget(limits), self.usage, clock=self.clock
        )
        self.numbers = iter(range(10**6))

    async def attempt(self, task: Question, number: int = 0) -> AttemptResult:
        item = seed(next(self.numbers))
        await self.limiter.acquire()
        result = await self.runner.attempt(task, task.request(item), task.key(item), number)
        assert self.limiter.in_flight == 0  # whatever happened, the slot is free again
        return result

    def attempts(self, task: Question) -> list[AttemptResult]:
        async def all_of_them() -> list[AttemptResult]:
            assert isinstance(task.teacher, Says)
            return [await self.attempt(task) for _ in range(len(task.teacher.says))]

        return asyncio.run(all_of_them())


def refused(detail: str = "HTTP 400: too long") -> RowRejectedError:
    return RowRejectedError("refused", detail)


def test_an_answer_is_in_the_journal_when_the_attempt_returns(tmp_path: Path) -> None:
    scene, task = Scene(tmp_path), Question(Says(ANSWER))
    [result] = scene.attempts(task)
    assert result == Answered(ANSWER)
    assert Journal(tmp_path).recall(task.key(seed(0)), task=task.name) == ANSWER
    assert (scene.usage.requests_sent, scene.usage.answered) == (1, 1)


def test_a_refusal_is_undecided_until_another_question_is_answered_and_then_all_are_journaled(tmp_path: Path) -> None:
    scene, task = Scene(tmp_path), Question(Says(refused(), ANSWER, refused("HTTP 413: too large")))
    first, second, third = scene.attempts(task)
    assert [type(result) for result in (first, second, third)] == [Undecided, Answered, Refused]
    assert scene.runner.state(task, seed(0)).answers_others
    assert len(Journal(tmp_path)) == 3
    kept = Journal(tmp_path).recall(task.key(seed(0)))
    assert isinstance(kept, RowRejectedError)
    assert kept.detail == "HTTP 400: too long"


def test_refusals_of_one_task_say_nothing_about_another(tmp_path: Path) -> None:
    scene, fine, wrong = Scene(tmp_path), Question(Says(ANSWER)), Question(Says(*[refused()] * REFUSALS_TO_STOP), "other")
    scene.attempts(fine)
    results = scene.attempts(wrong)
    assert {type(result) for result in results} == {Undecided}
    assert isinstance(scene.runner.error, TeacherError)
    assert f"The first {REFUSALS_TO_STOP} requests were all refused: HTTP 400: too long" in str(scene.runner.error)
    assert len(Journal(tmp_path)) == 1


def test_a_content_filter_decides_at_once(tmp_path: Path) -> None:
    [result] = Scene(tmp_path).attempts(Question(Says(RowRejectedError("empty", "nothing"))))
    assert isinstance(result, Refused)


def test_a_busy_server_costs_no_try_and_a_changed_request_needs_no_pause(tmp_path: Path) -> None:
    busy, broken = RetryableError("HTTP 429", after_s=7.0, reached=True, busy=True), RetryableError("HTTP 500", reached=True)
    results = Scene(tmp_path).attempts(Question(Says(busy, broken, RetryableError("renamed", reached=True, changed=True))))
    assert all(isinstance(result, Retry) for result in results)
    counts = [result.counts for result in results if isinstance(result, Retry)]
    pauses = [result.pause_s for result in results if isinstance(result, Retry)]
    assert (counts, pauses[2]) == ([0, 1, 0], 0.0)
    assert 7.0 < pauses[0] <= 7.5
    assert 0.25 <= pauses[1] <= 0.5


def test_a_time_out_uses_up_a_third_of_the_tries(tmp_path: Path) -> None:
    class Never(Says):
        async def complete(self, request: Request) -> Completion:
            await asyncio.sleep(3600)
            raise AssertionError

    scene = Scene(tmp_path, policy=RetryPolicy(deadline_s=0.01))
    result = asyncio.run(scene.attempt(Question(Never())))
    assert isinstance(result, Retry)
    assert (result.counts, result.timed_out, result.why) == (3, True, "no answer within 0.01 s")


@pytest.mark.parametrize(
    ("says", "passes_s", "expected"),
    [
        (lambda: RetryableError("refused connection"), 2.0, "cannot be reached"),
        (lambda: RetryableError("HTTP 503", reached=True), 100.0, "All requests failed for 300 s; the last error: HTTP 503"),
        (lambda: RetryableError("quota", after_s=9999.0, reached=True, busy=True), 0.0, "requests a wait of 9,999 s"),
    ],
    ids=["nobody there", "nothing but failures", "a pause beyond the policy"],
)
def test_stops_when_there_is_no_hope(tmp_path: Path, says: Callable[[], RetryableError], passes_s: float, expected: str) -> None:
    scene, task = Scene(tmp_path, policy=RetryPolicy(give_up_after_s=299.0)), Question(Says(*[says() for _ in range(4)]))

    async def attempts() -> None:
        while task.teacher.says and not scene.runner.closed.is_set():  # type: ignore[attr-defined]
            await scene.attempt(task)
            scene.clock.now += passes_s

    asyncio.run(attempts())
    assert expected in str(scene.runner.error)
    assert not scene.runner.should_retry(0, 0)


def test_an_answer_between_failures_starts_the_count_anew(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=RetryPolicy(give_up_after_s=10.0))
    task = Question(Says(*[RetryableError("HTTP 503", reached=True), ANSWER] * 5))

    async def attempts() -> None:
        while task.teacher.says:  # type: ignore[attr-defined]
            await scene.attempt(task)
            scene.clock.now += 9.0

    asyncio.run(attempts())
    assert scene.runner.error is None


def test_a_full_disk_stops_the_run_with_what_the_journal_said(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the folder should be")
    scene = Scene(tmp_path / "journal")
    [result] = scene.attempts(Question(Says(ANSWER)))
    assert isinstance(result, Stopped)
    assert isinstance(scene.runner.error, RunError)


def test_the_budget_admits_now_or_when_others_return_or_never(tmp_path: Path) -> None:
    scene, task = Scene(tmp_path, limits=RunLimits(max_requests=1)), Question(Says())
    request = task.request(seed(0))

    async def story() -> list[Admission]:
        await scene.limiter.acquire()
        first = scene.runner.reserve(task, request)
        await scene.limiter.acquire()
        second = scene.runner.reserve(task, request)  # the first may give something back
        scene.limiter.cancelled()
        scene.limiter.cancelled()
        await scene.limiter.acquire()
        return [first, second, scene.runner.reserve(task, request)]

    assert asyncio.run(story()) == [Admission.NOW, Admission.WHEN_OTHERS_RETURN, Admission.NEVER]
    assert isinstance(scene.runner.error, BudgetReachedError)
