"""Generation tasks of a user's own, chained after OSS-Instruct: one journal, one budget, one order, nothing lost."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.data import Completion, Message, Outcome, Pending, Provenance, Rejection, Request, Row, Seed
from hf_oss_instruct.errors import BudgetReachedError, OssInstructError, RetryableError, RowRejectedError, RunError, TeacherError
from hf_oss_instruct.schemas import seed_of
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.engine.ordered_window import MAX_WAITING_ROWS
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.retry_policy import RetryPolicy
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.protocol import Teacher
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, ROOT

SHORT = Sampling(max_tokens=500)
QUICK = RetryPolicy(tries=3, first_pause_s=0.005, longest_pause_s=0.02, tries_to_reach=2, reach_s=0.02)


@dataclass(frozen=True)
class WriteTests(GenerationTask[Row]):
    """Ask for tests of a row's solution; a row without any is rejected."""

    teacher: Teacher
    sampling: Sampling = SHORT
    name = "write_tests"

    def messages(self, item: Row) -> Sequence[Message]:
        return [{"role": "user", "content": f"Write assertions for this solution:\n{item['problem']}\n{item['solution']}"}]

    def read(self, item: Row, completion: Completion) -> Row:
        tests = re.findall(r"^assert .+$", completion.text, re.MULTILINE)
        if not tests:
            raise RowRejectedError("tests_missing", "the answer holds no assertion")
        return Row(**{**item, "tests": "\n".join(tests)})


@dataclass(frozen=True)
class Repair(GenerationTask[Row]):
    """Ask again and again, until the answer says that all is well: a task that follows itself."""

    teacher: Teacher
    name = "repair"

    def messages(self, item: Row) -> Sequence[Message]:
        return [{"role": "user", "content": f"Improve: {item['solution']}"}]

    def read(self, item: Row, completion: Completion) -> Row | FollowUp:
        if completion.text.startswith("DONE"):
            return item
        return FollowUp(self, Row(**{**item, "solution": completion.text}))


def seed(index: int) -> Seed:
    return Seed(f"x = {index}", index + 1, index + 1, Provenance("corpus", "v1", "a.py", 0, "python"), "hash/1", 0, index=index)


def seeds(n: int) -> list[Seed]:
    return [seed(index) for index in range(n)]


class Scripted(Teacher):
    """Answers with what `say(request, attempt)` returns, or raises what it raises."""

    def __init__(self, identity: str, say: Callable[[Request, int], str], delay_s: float = 0.0) -> None:
        self.identity, self._say, self._delay_s = identity, say, delay_s
        self.asked: list[int] = []
        self.closed = 0

    async def complete(self, request: Request) -> Completion:
        attempt = self.asked.count(request.seed.index)
        self.asked.append(request.seed.index)
        await asyncio.sleep(self._delay_s * random.random())
        return Completion(self._say(request, attempt), "stop", "m", None, 10, 20)

    async def close(self) -> None:
        self.closed += 1


def pair(n: int) -> str:
    return f"[Problem Description]\nP {n}.\n[Solution]\nS {n}."


def author(delay_s: float = 0.0) -> Scripted:
    return Scripted(
        "author/1",
        lambda request, _: f"[Problem Description]\nP {request.seed.index}.\n[Solution]\nS {request.seed.index}.",
        delay_s,
    )


def examiner(say: Callable[[Request, int], str] | None = None, delay_s: float = 0.0) -> Scripted:
    return Scripted("tester/1", say or (lambda request, _: f"assert f({request.seed.index})"), delay_s)


def go(
    folder: Path, items: Sequence[Seed | Row], tasks: Sequence[GenerationTask[Any]], **options: Any
) -> tuple[list[Outcome], OssInstructError | None]:
    """Everything that is handed out, and the error at the end."""

    async def collect() -> tuple[list[Outcome], OssInstructError | None]:
        received: list[Outcome] = []
        try:
            async for outcome in outcomes(items, tasks, journal, **({"concurrency": 4, "retry_policy": QUICK} | options)):
                received.append(outcome)
        except OssInstructError as error:
            return received, error
        return received, None

    with Journal(folder) as journal:
        return asyncio.run(asyncio.wait_for(collect(), 60))


def kinds(received: Sequence[Outcome]) -> list[str]:
    return [
        outcome.reason if isinstance(outcome, Rejection) else "pending" if isinstance(outcome, Pending) else "kept"
        for outcome in received
    ]


def indices(received: Sequence[Any]) -> list[int]:
    return [outcome["index"] if isinstance(outcome, dict) else outcome.seed.index for outcome in received]


def test_a_row_goes_through_a_second_task_before_it_is_handed_out_in_the_order_of_its_seed(tmp_path: Path) -> None:
    writes, tests = author(0.02), examiner(delay_s=0.02)
    received, error = go(tmp_path, seeds(40), (OssInstructTask(writes), WriteTests(tests)), concurrency=8)
    assert (error, indices(received)) == (None, list(range(40)))
    rows = [outcome for outcome in received if isinstance(outcome, dict)]
    assert [(row["problem"], row["tests"]) for row in rows] == [(f"P {n}.", f"assert f({n})") for n in range(40)]
    assert (writes.closed, tests.closed) == (1, 1)


def test_an_item_moves_on_when_its_answer_is_there_while_another_still_waits_for_its_first(tmp_path: Path) -> None:
    tested = asyncio.Event()

    class Slow(Scripted):
        async def complete(self, request: Request) -> Completion:
            if request.seed.index == 0:
                await asyncio.wait_for(tested.wait(), 30)
            return await super().complete(request)

    def say(request: Request, attempt: int) -> str:
        tested.set()
        return "assert True"

    writes = Slow("author/1", lambda request, _: "[Problem Description]\nP.\n[Solution]\nS.")
    received, error = go(tmp_path, seeds(2), (OssInstructTask(writes), WriteTests(examiner(say))), concurrency=2)
    assert (error, kinds(received)) == (None, ["kept", "kept"])


def test_every_item_is_kept_rejected_or_pending_whichever_task_decides(tmp_path: Path) -> None:
    def write(request: Request, attempt: int) -> str:
        if request.seed.index == 1:
            raise RetryableError("busy", reached=True)
        n = request.seed.index
        return "no pair" if n == 2 else f"[Problem Description]\nP {n}.\n[Solution]\nS {n}."

    def test(request: Request, attempt: int) -> str:
        if request.seed.index == 3:
            raise RetryableError("busy", reached=True)
        if request.seed.index == 4:
            raise RowRejectedError("refused", "HTTP 400: too long")
        return "I would rather not." if request.seed.index == 5 else "assert True"

    tasks = (OssInstructTask(Scripted("author/1", write)), WriteTests(examiner(test)))
    usage = Usage()
    received, error = go(tmp_path, seeds(7), tasks, usage=usage, concurrency=2)
    assert error is None
    assert kinds(received) == ["kept", "pending", "unparsable", "pending", "refused", "tests_missing", "kept"]
    said = [outcome.received for outcome in received if isinstance(outcome, Rejection)]
    assert said == [
        "no pair",
        None,
        "I would rather not.",
    ]
    assert usage.settled == 7
    assert (usage.prompt_tokens, usage.completion_tokens) == (10 * (6 + 3), 20 * (6 + 3))  # what was answered, once each


def test_nothing_is_paid_for_twice_and_each_answer_is_on_disk_before_the_next_question(tmp_path: Path) -> None:
    def say(request: Request, attempt: int) -> str:
        written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert f"P {request.seed.index}.".encode() in written
        return "assert True"

    writes, tests = author(), examiner(say)
    tasks = (OssInstructTask(writes), WriteTests(tests))
    first, second = go(tmp_path, seeds(12), tasks), go(tmp_path, seeds(12), tasks)
    assert first == second
    assert (sorted(writes.asked), sorted(tests.asked)) == (list(range(12)), list(range(12)))
    lines = [json.loads(line)["record"] for path in tmp_path.iterdir() for line in path.read_bytes().splitlines()]
    assert Counter(line.get("task") for line in lines) == {None: 12, "write_tests": 12}
    assert len(list(synthesize(seeds(12), writes, then=[WriteTests(tests)], journal=tmp_path))) == 12
    assert len(writes.asked) == 12
    go(tmp_path, seeds(12), (tasks[0], WriteTests(tests, Sampling(temperature=0.5, max_tokens=500))))
    assert (len(writes.asked), len(tests.asked)) == (12, 24)  # other sampling is another question, of that task alone


def test_what_waits_longer_than_memory_allows_is_read_from_the_journal_again(tmp_path: Path) -> None:
    n = MAX_WAITING_ROWS + 100
    last = asyncio.Event()

    class SlowFirst(Scripted):
        async def complete(self, request: Request) -> Completion:
            if request.seed.index == 0:
                await asyncio.wait_for(last.wait(), 50)
            if request.seed.index == n - 1:
                last.set()
            return await super().complete(request)

    writes = SlowFirst("author/1", lambda request, _: f"[Problem Description]\nP {request.seed.index}.\n[Solution]\nS.")
    usage = Usage()
    received, error = go(tmp_path, seeds(n), (OssInstructTask(writes),), concurrency=16, window_size=2 * n, usage=usage)
    assert (error, indices(received)) == (None, list(range(n)))
    assert [row["problem"] for row in received if isinstance(row, dict)] == [f"P {index}." for index in range(n)]
    assert usage.completion_tokens == 20 * n


def test_a_task_may_follow_itself_until_it_is_content(tmp_path: Path) -> None:
    repairs = Scripted("repairer/1", lambda request, attempt: "DONE" if attempt == request.seed.index else f"try {attempt}")
    tasks = (OssInstructTask(author()), Repair(repairs), WriteTests(examiner()))
    received, error = go(tmp_path, seeds(4), tasks, concurrency=1)
    assert error is None
    assert [row["solution"] for row in received if isinstance(row, dict)] == ["S 0.", "try 0", "try 1", "try 2"]
    assert Counter(repairs.asked) == {0: 1, 1: 2, 2: 3, 3: 4}
    assert go(tmp_path, seeds(4), tasks)[0] == received


def test_rows_are_items_too(tmp_path: Path) -> None:
    rows = [outcome for outcome in go(tmp_path / "a", seeds(5), (OssInstructTask(author()),))[0] if isinstance(outcome, dict)]
    tests = examiner(lambda request, _: "assert True" if request.seed.index != 3 else "no")
    received, error = go(tmp_path / "b", rows, (WriteTests(tests),))
    assert (error, kinds(received)) == (None, ["kept"] * 3 + ["tests_missing"] + ["kept"])
    assert isinstance(received[3], Rejection)
    assert received[3].seed == seed_of(rows[3])


def test_equal_questions_of_a_later_task_are_asked_once(tmp_path: Path) -> None:
    writes = Scripted("author/1", lambda request, _: "[Problem Description]\nSame.\n[Solution]\nSame.")
    tests = examiner(lambda request, _: "assert True", delay_s=0.01)
    same = [replace(seed(n), seed_id="ab" * 16) if n else seed(n) for n in range(6)]
    received, error = go(tmp_path, same, (OssInstructTask(writes), WriteTests(tests)), concurrency=6)
    assert (error, kinds(received), len(tests.asked)) == (None, ["kept"] * 6, 2)


def test_the_budget_is_of_all_tasks_together_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    writes, tests = author(), examiner()
    tasks = (OssInstructTask(writes), WriteTests(tests))
    received, error = go(
        tmp_path, seeds(20), tasks, budget=Budget(RunLimits(max_requests=15)), replay_journal=True, window_size=40
    )
    assert isinstance(error, BudgetReachedError)
    assert len(writes.asked) + len(tests.asked) == 15
    assert (len(received), indices(received)) == (20, list(range(20)))
    assert kinds(received).count("kept") == len(tests.asked)
    received, error = go(tmp_path, seeds(20), tasks, budget=Budget(RunLimits(max_requests=25)))
    assert (error, kinds(received)) == (None, ["kept"] * 20)
    assert (len(writes.asked), len(tests.asked)) == (20, 20)


def test_a_second_teacher_that_refuses_everything_stops_the_run_and_rejects_no_row(tmp_path: Path) -> None:
    def refuse(request: Request, attempt: int) -> str:
        raise RowRejectedError("refused", "HTTP 400: unknown model")

    received, error = go(
        tmp_path, seeds(60), (OssInstructTask(author()), WriteTests(examiner(refuse))), window_size=60, replay_journal=True
    )
    assert isinstance(error, TeacherError)
    assert "unknown model" in str(error)
    assert (len(received), set(kinds(received))) == (60, {"pending"})


def test_a_bug_in_a_task_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    class Buggy(WriteTests):
        def read(self, item: Row, completion: Completion) -> Row:
            if item["index"] == 5:
                raise ZeroDivisionError("a bug")
            return super().read(item, completion)

    writes, tests = author(), examiner()
    for _ in range(2):  # also where the answer comes from the journal
        with pytest.raises(ZeroDivisionError):
            go(tmp_path, seeds(12), (OssInstructTask(writes), Buggy(tests)))
    received, error = go(tmp_path, seeds(12), (OssInstructTask(writes), WriteTests(tests)))
    assert (error, kinds(received)) == (None, ["kept"] * 12)
    assert (len(writes.asked), len(tests.asked)) == (12, 12)


class TestRun:
    """A run in a folder, with a server for each task."""

    def code(self, folder: Path, n: int) -> Path:
        folder.mkdir()
        for number in range(n):
            (folder / f"m{number}.py").write_text(f"def f_{number}(x):\n    return x + {number}\n")
        return folder

    def go(self, out: Path, code: Path, server: LocalTeacher, n: int, then: Sequence[GenerationTask[Row]]) -> Any:
        changes: dict[str, Any] = {"seeds": {"n": n, "filters": ()}, "checks": {"near_duplicates": False, "benchmarks": ()}}
        spec = RunSpec().changed(**changes, teacher={"concurrency": 8})
        teacher = InferenceTeacher("m", server.base_url)
        return run(out, spec, open_source(str(code)), teacher, then=then, retry_policy=QUICK, lists=())

    def test_writes_the_column_that_the_task_fills_and_names_the_task(self, tmp_path: Path) -> None:
        code = self.code(tmp_path / "code", 12)
        with LocalTeacher() as server, LocalTeacher(lambda body: Answer(text="assert f(1) == 2")) as second:
            then = [WriteTests(InferenceTeacher("judge", second.base_url))]
            result = self.go(tmp_path / "out", code, server, 12, then)
            assert (result.error, result.stats.kept, result.report["tasks"]) == (
                None,
                12,
                ["write_tests: openai-compatible:judge"],
            )
            assert result.report["requests_sent"] == len(server.requests) + len(second.requests) == 24
            with pytest.raises(RunError, match="tasks: write_tests: openai-compatible:judge in the folder, none now"):
                self.go(tmp_path / "out", code, server, 12, [])
        [path] = (tmp_path / "out" / "data").iterdir()
        assert set(pq.read_table(path)["tests"].to_pylist()) == {"assert f(1) == 2"}

    def test_killed_at_any_moment_and_gone_on_with_gives_the_same_tables_and_pays_once(self, tmp_path: Path) -> None:
        n = 24
        code = self.code(tmp_path / "code", n)
        program = """
            import sys
            from pathlib import Path
            from tests.support.teacher import LocalTeacher
            from tests.synthesis.generation.test_tasks import TestRun, WriteTests
            from hf_oss_instruct.teachers.inference import InferenceTeacher
            class Server: base_url = sys.argv[3]
            print("ready", flush=True)
            then = [WriteTests(InferenceTeacher("judge", sys.argv[4]))]
            TestRun().go(Path(sys.argv[1]), Path(sys.argv[2]), Server, 24, then)
        """
        late = Answer(latency_s=0.03)
        with (
            LocalTeacher(lambda body: late) as server,
            LocalTeacher(lambda body: Answer(text="assert True", latency_s=0.03)) as second,
        ):
            words = [str(tmp_path / "out"), str(code), server.base_url, second.base_url]
            for answers in (5, 20, 35):
                child = BASE.start(["-c", dedent(program), *words], cwd=ROOT)
                while child.poll() is None and len(server.requests) + len(second.requests) < answers:
                    time.sleep(0.005)
                child.kill()
            then = [WriteTests(InferenceTeacher("judge", second.base_url))]
            result = self.go(tmp_path / "out", code, server, n, then)
            assert (result.error, result.stats.kept, result.stats.pending) == (None, n, 0)
            assert len(server.requests) + len(second.requests) <= 2 * n + 3 * 8  # what was in flight at each kill
            fresh = self.go(tmp_path / "fresh", code, server, n, then)
        assert fresh.stats.kept == n
        tables = [pq.read_table(tmp_path / name / "data").to_pylist() for name in ("out", "fresh")]
        assert tables[0] == tables[1]
