"""The engine: every seed becomes a row, a rejection or stays pending, whatever the teacher does."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from textwrap import dedent
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.data import REASONS, Completion, Outcome, Pending, Provenance, Rejection, Request, Seed, Skipped
from hf_oss_instruct.errors import (
    OssInstructError,
    RetryableError,
    RowRejectedError,
    RunError,
    SeedError,
    SeedsExhaustedError,
    TeacherError,
    UsageError,
)
from hf_oss_instruct.schemas import SCHEMA
from hf_oss_instruct.spec.prompts import Prompt
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Usage
from hf_oss_instruct.synthesis.requests.retry_policy import BUSY_TRIES, RetryPolicy
from hf_oss_instruct.synthesis.stream import synthesize
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.parsing import parse_magicoder
from hf_oss_instruct.teachers.protocol import Teacher
from tests.support.teacher import Answer, LocalTeacher

QUICK = RetryPolicy(tries=3, first_pause_s=0.005, longest_pause_s=0.02, tries_to_reach=2, reach_s=0.02)
PAIR = "[Problem Description]\nProblem {}.\n[Solution]\nSolution {}.\n"


def seed(index: int, name: str = "corpus") -> Seed:
    return Seed(f"x = {index}", index + 1, index + 1, Provenance(name, "v1", "a.py", 0, "python"), "hash/1", 0, index=index)


def seeds(n: int) -> list[Seed]:
    return [seed(index) for index in range(n)]


def completion(index: int) -> Completion:
    return Completion(PAIR.format(index, index), "stop", "m", "fp", 10, 20)


class OwnTeacher(Teacher):
    """A teacher in this process: `answer(index, try)` says what it does with a seed's so-many-th request."""

    def __init__(
        self, answer: Callable[[int, int], Awaitable[Completion] | Completion] | None = None, identity: str = "own/1"
    ) -> None:
        self.identity = identity
        self.asked: list[int] = []
        self.in_flight = self.most_in_flight = self.cancelled = 0
        self._answer = answer or (lambda index, attempt: completion(index))

    async def complete(self, request: Request) -> Completion:
        index = request.seed.index
        attempt = self.asked.count(index)
        self.asked.append(index)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            answer = self._answer(index, attempt)
            return answer if isinstance(answer, Completion) else await answer
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1


def run(
    folder: Path, source: Iterable[Seed | Skipped], teacher: Any, *, within_s: float = 30, **options: Any
) -> tuple[list[Outcome], OssInstructError | None]:
    """Everything that is handed out, and the error at the end."""
    options = {"concurrency": 4, "retry_policy": QUICK} | options
    task = options.pop("task", None) or OssInstructTask(teacher)

    async def collect() -> tuple[list[Outcome], OssInstructError | None]:
        received: list[Outcome] = []
        try:
            async for outcome in outcomes(source, (task,), journal, **options):
                received.append(outcome)
        except OssInstructError as error:
            return received, error
        return received, None

    with Journal(folder) as journal:
        return asyncio.run(asyncio.wait_for(collect(), within_s))


def kind(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Rejection | Skipped) else "pending" if isinstance(outcome, Pending) else "kept"


def index(outcome: Any) -> int:
    number: int = outcome["index"] if isinstance(outcome, dict) else outcome.seed.index
    return number


def number_in(body: dict[str, Any]) -> int:
    """Which seed a request that reached the server is about."""
    return int(body["messages"][-1]["content"].split("x = ")[1].split("\n")[0])


def network(server: LocalTeacher, **options: Any) -> InferenceTeacher:
    return InferenceTeacher("m", server.base_url, **options)


class TestRows:
    def test_come_in_seed_order_whatever_order_the_answers_come_in(self, tmp_path: Path) -> None:
        dice = random.Random(7)

        async def late(index: int, attempt: int) -> Completion:
            await asyncio.sleep(dice.random() / 50)
            return completion(index)

        received, error = run(tmp_path, seeds(60), OwnTeacher(late), concurrency=16)
        assert (error, [index(row) for row in received]) == (None, list(range(60)))
        assert [row["problem"] for row in received if isinstance(row, dict)] == [f"Problem {n}." for n in range(60)]

    def test_carry_everything_that_is_known_of_them_in_the_columns_of_the_format(self, tmp_path: Path) -> None:
        origin = Provenance(
            "corpus", "v1", "r1", 41, "rust", "me/repo", "c0ffee", "src/a.rs", ("MIT", "Apache-2.0"), "permissive"
        )
        source = replace(seed(3), origin=origin, rng_seed=5)
        task = OssInstructTask(OwnTeacher(), sampling=Sampling(temperature=0.5, top_p=0.9, max_tokens=100))
        [row], _ = run(tmp_path, [source], None, task=task)
        assert isinstance(row, dict)
        table = pa.Table.from_pylist([row], schema=SCHEMA)
        assert (list(row), table.num_rows) == (SCHEMA.names, 1)
        assert {name: value for name, value in row.items() if value is not None} == {
            "seed_id": source.seed_id,
            "lang": "rust",
            "raw_index": 41,
            "index": 3,
            "seed": "x = 3",
            "problem": "Problem 3.",
            "solution": "Solution 3.",
            "teacher": "own/1",
            "prompt_hash": Prompt.default().hash,
            "openai_fingerprint": "fp",
            "seed_dataset": "corpus",
            "seed_revision": "v1",
            "repo_name": "me/repo",
            "repo_commit": "c0ffee",
            "file_path": "src/a.rs",
            "start_line": 4,
            "end_line": 4,
            "licenses": ["MIT", "Apache-2.0"],
            "license_type": "permissive",
            "sampler": "hash/1",
            "rng_seed": 5,
            "sampling": f'{{"max_tokens":100,"seed":{int(source.seed_id[:7], 16)},"temperature":0.5,"top_p":0.9}}',
            "prompt_tokens": 10,
            "completion_tokens": 20,
        }

    def test_an_answer_that_is_no_pair_is_a_rejection_with_what_was_received(self, tmp_path: Path) -> None:
        said = {0: Completion("no sections", "stop"), 1: Completion(PAIR, "length"), 2: Completion("", "stop")}
        received, _ = run(tmp_path, seeds(4), OwnTeacher(lambda n, _: said.get(n, completion(n))))
        assert [kind(outcome) for outcome in received] == ["unparsable", "truncated", "empty", "kept"]
        assert [outcome.received for outcome in received if isinstance(outcome, Rejection)] == ["no sections", PAIR, ""]

    def test_the_parser_decides_what_is_a_pair(self, tmp_path: Path) -> None:
        teacher = OwnTeacher(lambda n, _: Completion("[Problem Description] Add.\n[Solution] a + b", "stop"))
        assert kind(run(tmp_path, seeds(1), teacher)[0][0]) == "kept"
        task = OssInstructTask(teacher, parser=parse_magicoder)
        assert kind(run(tmp_path, seeds(1), None, task=task)[0][0]) == "empty"
        assert teacher.asked == [0]  # an answer is read anew without being asked for anew

    def test_documents_without_a_seed_are_handed_through_in_their_place(self, tmp_path: Path) -> None:
        source = [Skipped("binary"), seed(0), Skipped("vendored"), seed(1)]
        assert [kind(outcome) for outcome in run(tmp_path, source, OwnTeacher())[0]] == ["binary", "kept", "vendored", "kept"]

    def test_the_servers_random_seed_is_numbered_as_in_the_paper_or_a_hash_of_the_seed(self) -> None:
        source = replace(seed(5), rng_seed=976)
        assert OssInstructTask(OwnTeacher(), numbered=True).request(source).sampling["seed"] == 981
        moved = OssInstructTask(OwnTeacher()).request(replace(source, index=99)).sampling["seed"]
        assert (
            moved
            == OssInstructTask(OwnTeacher()).request(source).sampling["seed"]
            != OssInstructTask(OwnTeacher()).request(seed(6)).sampling["seed"]
        )


class TestLimits:
    def test_no_more_requests_are_in_flight_than_allowed(self, tmp_path: Path) -> None:
        with LocalTeacher(lambda _: Answer(latency_s=0.03)) as server:
            received, _ = run(tmp_path, seeds(48), network(server, concurrency=8), concurrency=8)
        assert [kind(outcome) for outcome in received] == ["kept"] * 48
        assert 1 < server.max_in_flight <= 8

    def test_looking_far_ahead_does_not_send_more_at_once(self, tmp_path: Path) -> None:
        async def slow_first(index: int, attempt: int) -> Completion:
            await asyncio.sleep(0.1 if index == 0 else 0.001)
            return completion(index)

        teacher = OwnTeacher(slow_first)
        received, _ = run(tmp_path, seeds(40), teacher, concurrency=3, window_size=30)
        assert [index(row) for row in received] == list(range(40))
        assert teacher.most_in_flight == 3

    @pytest.mark.parametrize("concurrency", [1, 5])
    def test_a_row_is_asked_for_when_it_is_needed(self, tmp_path: Path, concurrency: int) -> None:
        teacher = OwnTeacher()
        rows = synthesize(map(seed, count()), teacher, concurrency=concurrency, journal=tmp_path)  # a source without end
        assert teacher.asked == []
        for read in range(1, 11):
            next(rows)
            time.sleep(0.01)  # time enough to send more than is allowed
            assert read <= len(teacher.asked) <= read + concurrency - 1
        rows.close()  # type: ignore[attr-defined]

    def test_closing_early_cancels_what_is_in_flight_and_sends_nothing_more(self, tmp_path: Path) -> None:
        async def only_the_first(index: int, attempt: int) -> Completion:
            if index:
                await asyncio.sleep(3600)
            return completion(index)

        teacher = OwnTeacher(only_the_first)
        for row in synthesize(seeds(50), teacher, concurrency=4, journal=tmp_path):
            assert row["index"] == 0
            break
        sent = len(teacher.asked)
        assert (teacher.in_flight, teacher.cancelled) == (0, sent - 1)
        time.sleep(0.05)
        assert len(teacher.asked) == sent <= 4

    def test_closing_early_reaches_a_real_server(self, tmp_path: Path) -> None:
        with LocalTeacher() as server:
            rows = synthesize(seeds(200), network(server), concurrency=4, journal=tmp_path)
            assert [row["index"] for row in islice(rows, 5)] == [0, 1, 2, 3, 4]
            rows.close()  # type: ignore[attr-defined]
            sent = len(server.requests)
            time.sleep(0.1)
            assert len(server.requests) == sent <= 5 + 4

    def test_no_slot_is_held_while_a_retry_waits(self, tmp_path: Path) -> None:
        def answer(index: int, attempt: int) -> Completion:
            if index == 0 and attempt == 0:
                raise RetryableError("busy", after_s=0.2, reached=True)
            return completion(index)

        teacher = OwnTeacher(answer)
        received, _ = run(tmp_path, seeds(4), teacher, concurrency=1, window_size=4)
        assert teacher.asked == [0, 1, 2, 3, 0]
        assert [index(row) for row in received] == [0, 1, 2, 3]

    @pytest.mark.parametrize("concurrency", [0, -1])
    def test_room_for_no_request_at_all_is_refused(self, tmp_path: Path, concurrency: int) -> None:
        with pytest.raises(UsageError):
            asyncio.run(asyncio.wait_for(self.first_row(tmp_path, concurrency), 3))

    async def first_row(self, folder: Path, concurrency: int) -> Outcome:
        stream = outcomes(seeds(1), (OssInstructTask(OwnTeacher()),), Journal(folder), concurrency=concurrency)
        try:
            return await anext(stream)
        finally:
            await stream.aclose()


class TestOnce:
    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_the_same_snippet_twice_is_asked_once(self, tmp_path: Path, concurrency: int) -> None:
        async def late(index: int, attempt: int) -> Completion:
            await asyncio.sleep(0.01)
            return completion(index)

        teacher = OwnTeacher(late)
        twins = [seed(0), replace(seed(0), index=1), seed(2), replace(seed(0), index=3)]
        usage = Usage()
        received, _ = run(tmp_path, twins, teacher, concurrency=concurrency, usage=usage)
        assert sorted(teacher.asked) == [0, 2]
        assert (usage.prompt_tokens, usage.settled) == (2 * completion(0).prompt_tokens, 4), "shared answers are counted once"
        assert [(index(row), row["problem"]) for row in received if isinstance(row, dict)] == [
            (0, "Problem 0."),
            (1, "Problem 0."),
            (2, "Problem 2."),
            (3, "Problem 0."),
        ]

    def test_a_second_run_sends_nothing(self, tmp_path: Path) -> None:
        with LocalTeacher() as server:
            first = list(synthesize(seeds(12), network(server), journal=tmp_path))
            assert len(server.requests) == 12
            second = list(synthesize(seeds(12), network(server), journal=tmp_path))
            assert len(server.requests) == 12
        third = list(synthesize(seeds(12), InferenceTeacher("m", "http://127.0.0.1:9/v1"), journal=tmp_path))  # nobody is there
        assert first == second == third

    def test_a_refusal_is_remembered_too(self, tmp_path: Path) -> None:
        def answer(index: int, attempt: int) -> Completion:
            if index == 1:
                raise RowRejectedError("refused", "HTTP 400: too long")
            return completion(index)

        teacher = OwnTeacher(answer)
        first, second = run(tmp_path, seeds(3), teacher), run(tmp_path, seeds(3), teacher)
        assert first == second
        assert [kind(outcome) for outcome in first[0]] == ["kept", "refused", "kept"]
        assert isinstance(first[0][1], Rejection)
        assert (first[0][1].detail, first[0][1].received) == ("HTTP 400: too long", None)
        assert sorted(teacher.asked) == [0, 1, 2]

    def test_another_question_is_asked_anew(self, tmp_path: Path) -> None:
        changes: list[dict[str, Any]] = [
            {},
            {"sampling": Sampling(temperature=0.1)},
            {"prompt": Prompt("Else: {code}")},
            {"teacher": OwnTeacher(identity="own/2")},
            {"numbered": True},
        ]
        for change in changes:
            task = OssInstructTask(**{"teacher": OwnTeacher()} | change)
            run(tmp_path, [seed(0)], None, task=task)
            assert task.teacher.asked == [0], change  # type: ignore[attr-defined]
        assert len(Journal(tmp_path)) == len(changes)

    def test_an_answer_is_on_disk_before_its_row_is_handed_out(self, tmp_path: Path) -> None:
        handed_out = []
        for row in synthesize(seeds(10), OwnTeacher(), concurrency=3, journal=tmp_path):
            written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
            assert f"Problem {row['index']}.".encode() in written
            handed_out.append(row["index"])
        assert sorted(handed_out) == list(range(10))

    def test_without_a_folder_the_answers_are_kept_below_hf_home(self, fresh_cache: Path) -> None:
        teacher = OwnTeacher()
        assert list(synthesize(seeds(3), teacher)) == list(synthesize(seeds(3), teacher))
        assert len(teacher.asked) == 3
        [path] = fresh_cache.rglob("*.jsonl")
        assert path.parent.parent == fresh_cache / "oss-instruct" / "journal"

    def test_the_journal_holds_neither_key_nor_address_nor_clock(self, tmp_path: Path) -> None:
        written = []
        for name in ("a", "b"):
            with LocalTeacher() as server:
                teacher = network(server, api_key="sk-secret")
                assert len(list(synthesize(seeds(4), teacher, concurrency=1, journal=tmp_path / name))) == 4
                assert server.requests[0]["headers"]["authorization"] == "Bearer sk-secret"
            [path] = (tmp_path / name).iterdir()
            written.append(path.read_bytes())
        assert written[0] == written[1]  # another port, another moment, the same bytes
        assert not [secret for secret in (b"sk-secret", b"127.0.0.1", b"http") if secret in written[0]]
        fields = {field for line in written[0].splitlines() for field in json.loads(line)["record"]}
        assert fields == {"key", "seed", "text", "finish_reason", "model", "fingerprint", "prompt_tokens", "completion_tokens"}


BROKEN = {
    "429": Answer(status=429, headers={"Retry-After": "0"}),
    "500": Answer(status=500),
    "no JSON": Answer(raw=b"<html>busy</html>"),
    "another object": Answer(raw=b'{"hello": 1}'),
    "no choices": Answer(choices_empty=True, usage=False),
    "silence": Answer(hang=True),
    "a broken connection": Answer(reset=True),
}


class TestTrouble:
    @pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
    def test_what_passes_is_tried_again_and_what_stays_leaves_the_row_pending(self, tmp_path: Path, broken: Answer) -> None:
        tries = [0, 0, 0]

        def answer(body: dict[str, Any]) -> Answer:
            number = number_in(body)
            tries[number] += 1
            return broken if number == 1 or (number == 2 and tries[2] == 1) else Answer()

        with LocalTeacher(answer) as server:
            received, error = run(tmp_path, seeds(3), network(server, timeout_s=0.7 if broken.hang else 30))
        assert error is None
        assert [kind(outcome) for outcome in received] == ["kept", "pending", "kept"]
        assert tries == [1, QUICK.tries * (BUSY_TRIES if broken.status == 429 else 1), 2]
        assert isinstance(received[1], Pending)
        assert received[1].why
        assert len(Journal(tmp_path)) == 2

    def test_an_answer_without_content_is_final(self, tmp_path: Path) -> None:
        nothing = {"choices": [{"index": 0, "message": {"role": "assistant", "content": None}, "finish_reason": "stop"}]}
        with LocalTeacher(lambda _: Answer(raw=json.dumps(nothing).encode())) as server:
            received, _ = run(tmp_path, seeds(1), network(server))
        assert [kind(outcome) for outcome in received] == ["empty"]
        assert len(server.requests) == 1

    def test_retry_after_is_waited_for(self, tmp_path: Path) -> None:
        times: list[float] = []

        def answer(body: dict[str, Any]) -> Answer:
            times.append(time.monotonic())
            return Answer(status=429, headers={"Retry-After": "0.4"}) if len(times) == 1 else Answer()

        with LocalTeacher(answer) as server:
            assert [kind(outcome) for outcome in run(tmp_path, seeds(1), network(server))[0]] == ["kept"]
        assert times[1] - times[0] >= 0.4

    def test_a_server_that_is_down_stops_the_run_soon_and_rejects_nothing(self, tmp_path: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        started = time.monotonic()
        received, error = run(tmp_path, seeds(50), InferenceTeacher("m", f"http://127.0.0.1:{port}/v1"))
        assert isinstance(error, TeacherError)
        assert "cannot be reached" in str(error)
        assert "--base-url" in str(error)
        assert {kind(outcome) for outcome in received} <= {"pending"}
        assert time.monotonic() - started < 10
        assert not list(tmp_path.iterdir())

    def test_a_server_that_answers_nothing_but_errors_stops_the_run_in_the_end(self, tmp_path: Path) -> None:
        retry_policy = replace(QUICK, tries=10_000, give_up_after_s=0.3)
        with LocalTeacher(lambda _: Answer(status=503, text="loading the model")) as server:
            received, error = run(tmp_path, seeds(3), network(server), retry_policy=retry_policy)
        assert isinstance(error, TeacherError)
        assert "loading the model" in str(error)
        assert [kind(outcome) for outcome in received] == ["pending"] * 3

    def test_a_pause_beyond_our_patience_is_not_slept_through(self, tmp_path: Path) -> None:
        retry_policy = replace(QUICK, give_up_after_s=0.5)
        with LocalTeacher(lambda _: Answer(status=429, text="quota", headers={"Retry-After": "86400"})) as server:
            received, error = run(tmp_path, seeds(2), network(server), retry_policy=retry_policy, within_s=5)
        assert isinstance(error, TeacherError)
        assert "requests a wait of 86,400 s" in str(error)
        assert "quota" in str(error)
        assert [kind(outcome) for outcome in received] == ["pending"] * 2

    def test_failures_with_answers_between_them_are_no_reason_to_stop(self, tmp_path: Path) -> None:
        def answer(index: int, attempt: int) -> Completion:
            if attempt == 0:
                raise RetryableError("busy", after_s=0.05, reached=True)
            return completion(index)

        received, error = run(
            tmp_path, seeds(8), OwnTeacher(answer), concurrency=1, retry_policy=replace(QUICK, give_up_after_s=0.2)
        )
        assert (error, [kind(outcome) for outcome in received]) == (None, ["kept"] * 8)

    def test_time_that_the_consumer_took_is_not_held_against_the_teacher(self, tmp_path: Path) -> None:
        def answer(index: int, attempt: int) -> Completion:
            if index == 1 and attempt == 0:
                raise RetryableError("one hiccup", reached=True)
            return completion(index)

        async def training() -> list[str]:
            kinds = []
            retry_policy = replace(QUICK, give_up_after_s=0.2)
            with Journal(tmp_path) as journal:
                async for outcome in outcomes(
                    seeds(3), (OssInstructTask(OwnTeacher(answer)),), journal, concurrency=1, retry_policy=retry_policy
                ):
                    kinds.append(kind(outcome))
                    await asyncio.sleep(0.4)  # an epoch
            return kinds

        assert asyncio.run(training()) == ["kept"] * 3

    def test_time_that_the_source_took_is_not_held_against_the_teacher(self, tmp_path: Path) -> None:
        def slowly() -> Iterator[Seed]:
            time.sleep(0.4)  # reads a whole corpus first, as the paper's sampler does
            yield from seeds(2)

        def answer(index: int, attempt: int) -> Completion:
            if attempt == 0:
                raise RetryableError("one hiccup", reached=True)
            return completion(index)

        received, error = run(tmp_path, slowly(), OwnTeacher(answer), retry_policy=replace(QUICK, give_up_after_s=0.2))
        assert (error, [kind(outcome) for outcome in received]) == (None, ["kept"] * 2)

    def test_if_the_first_requests_are_all_refused_the_run_stops(self, tmp_path: Path) -> None:
        with LocalTeacher(lambda _: Answer(status=400, text="max_tokens is too large")) as server:
            received, error = run(tmp_path, seeds(200), network(server))
        assert isinstance(error, TeacherError)
        assert "max_tokens is too large" in str(error)
        assert 16 <= len(server.requests) <= 16 + 4
        assert {kind(outcome) for outcome in received} == {"pending"}

    @pytest.mark.parametrize(("n", "concurrency"), [(1, 1), (3, 4), (15, 4)])
    def test_a_short_run_of_which_all_is_refused_is_asked_again(self, tmp_path: Path, n: int, concurrency: int) -> None:
        with LocalTeacher(lambda _: Answer(status=400, text="the context has 2048 tokens")) as server:
            received, error = run(tmp_path, seeds(n), network(server), concurrency=concurrency)
        assert isinstance(error, TeacherError)
        assert "2048 tokens" in str(error)
        whys = [(kind(outcome), getattr(outcome, "why", "")) for outcome in received]
        assert whys == [("pending", "HTTP 400: the context has 2048 tokens")] * n
        with LocalTeacher(lambda body: Answer() if number_in(body) else Answer(status=400)) as server:  # now with more room
            received, error = run(tmp_path, seeds(n), network(server), concurrency=concurrency)
        assert [kind(outcome) for outcome in received] == (["refused"] + ["kept"] * (n - 1) if n > 1 else ["pending"])

    def test_where_an_earlier_session_was_answered_a_refusal_is_the_rows_own_fault(self, tmp_path: Path) -> None:
        run(tmp_path, seeds(2), OwnTeacher())
        with LocalTeacher(lambda _: Answer(status=422, text="too long")) as server:
            teacher = network(server)
            teacher.identity = "own/1"
            received, error = run(tmp_path, seeds(4), teacher)
        assert (error, [kind(outcome) for outcome in received]) == (None, ["kept", "kept", "refused", "refused"])

    def test_answers_that_are_none_are_kept_and_soon_no_more_are_paid_for(self, tmp_path: Path) -> None:
        raw = json.dumps({"output": "hi", "usage": {"input_tokens": 7, "output_tokens": 5}})
        usage = Usage()
        with LocalTeacher(lambda _: Answer(raw=raw.encode())) as server:
            received, error = run(tmp_path, seeds(100), network(server), usage=usage)
            assert isinstance(error, TeacherError)
            assert "output" in str(error)
            sent = len(server.requests)
            assert 16 <= sent <= 16 + 4
            rejected = [outcome for outcome in received if isinstance(outcome, Rejection)]
            assert len(rejected) >= 16
            assert {(outcome.reason, outcome.received) for outcome in rejected} == {("unparsable", raw)}
            assert (usage.prompt_tokens, usage.completion_tokens) == (7 * len(rejected), 5 * len(rejected))
            assert [kind(outcome) for outcome in run(tmp_path, seeds(3), network(server))[0]] == ["unparsable"] * 3
            assert len(server.requests) == sent  # what was paid for is not asked again

    def test_if_one_was_answered_refusals_are_the_rows_own_fault(self, tmp_path: Path) -> None:
        with LocalTeacher(lambda body: Answer() if number_in(body) == 0 else Answer(status=422, text="too long")) as server:
            received, error = run(tmp_path, seeds(40), network(server), concurrency=1)
        assert error is None
        assert [kind(outcome) for outcome in received] == ["kept"] + ["refused"] * 39

    def test_a_key_revoked_half_way_loses_nothing_that_was_received(self, tmp_path: Path) -> None:
        def answer(body: dict[str, Any]) -> Answer:
            return Answer() if number_in(body) < 20 else Answer(status=401, text="Key revoked")

        with LocalTeacher(answer) as server:
            received, error = run(tmp_path, seeds(100), network(server))
        assert isinstance(error, TeacherError)
        assert "Key revoked" in str(error)
        kinds = [kind(outcome) for outcome in received]
        assert kinds[:20] == ["kept"] * 20
        assert set(kinds[20:]) == {"pending"}
        assert [index(outcome) for outcome in received] == list(range(len(received)))
        assert len(server.requests) <= 24
        with LocalTeacher() as server:  # with a new key the run goes on where it stopped
            received, error = run(tmp_path, seeds(100), network(server))
        assert (error, [kind(outcome) for outcome in received]) == (None, ["kept"] * 100)
        assert len(server.requests) == 80

    def test_if_the_first_of_two_equal_questions_fails_the_second_is_still_asked(self, tmp_path: Path) -> None:
        def answer(index: int, attempt: int) -> Completion:
            if index == 0:
                raise RetryableError("busy", reached=True)
            return completion(index)

        received, _ = run(tmp_path, [seed(0), replace(seed(0), index=1)], OwnTeacher(answer))
        assert [kind(outcome) for outcome in received] == ["pending", "kept"]

    @settings(max_examples=40)
    @given(st.lists(st.sampled_from(["kept", "pending", "refused", "unparsable", "truncated"]), max_size=12), st.integers(1, 5))
    def test_requested_is_kept_and_rejected_and_pending(
        self, tmp_path_factory: pytest.TempPathFactory, plan: list[str], n: int
    ) -> None:
        async def answer(index: int, attempt: int) -> Completion:
            await asyncio.sleep(0)
            if plan[index] == "pending":
                raise RetryableError("busy", reached=True)
            if plan[index] == "refused":
                raise RowRejectedError("refused", "HTTP 400")
            said = {"unparsable": Completion("?", "stop"), "truncated": Completion("?", "length")}
            return said.get(plan[index], completion(index))

        usage, asked = Usage(), plan
        retry_policy = RetryPolicy(tries=2, first_pause_s=0.0, longest_pause_s=0.0)
        folder = tmp_path_factory.mktemp("journal")
        received, error = run(folder, seeds(len(plan)), OwnTeacher(answer), concurrency=n, retry_policy=retry_policy, usage=usage)
        if "refused" in plan and not set(plan) - {"refused", "pending"}:  # the request is to blame, not the rows
            assert isinstance(error, TeacherError)
            error, plan = None, ["pending"] * len(plan)
        assert (error, [kind(outcome) for outcome in received]) == (None, plan)
        assert usage.requests_sent == len(plan) + asked.count("pending")
        assert {outcome.reason for outcome in received if isinstance(outcome, Rejection)} <= set(REASONS)

    def test_half_a_surrogate_pair_from_the_server_fits_into_the_table(self, tmp_path: Path) -> None:
        said = {
            0: Answer(text=PAIR.format("\ud83d", "\udc00")),
            1: Answer(fingerprint="\ud800"),
            2: Answer(status=422, raw=b'{"error": "\\ud800"}'),
            3: Answer(),
        }
        with LocalTeacher(lambda body: said[number_in(body)]) as server:
            received, error = run(tmp_path, seeds(4), network(server))
        assert (error, [kind(outcome) for outcome in received]) == (None, ["kept", "kept", "refused", "kept"])
        table = pa.Table.from_pylist([row for row in received if isinstance(row, dict)], schema=SCHEMA)
        assert table["problem"][0].as_py() == "Problem ?."
        assert isinstance(received[2], Rejection)
        assert received[2].detail.encode()


class TestSource:
    def test_too_few_seeds_is_said_after_the_rows_of_those_there_are(self, tmp_path: Path) -> None:
        def source() -> Iterator[Seed]:
            yield from seeds(5)
            raise SeedsExhaustedError("corpus gave 5 of 9")

        received, error = run(tmp_path, source(), OwnTeacher())
        assert [kind(outcome) for outcome in received] == ["kept"] * 5
        assert isinstance(error, SeedsExhaustedError)

    def test_a_source_that_breaks_is_said_after_the_rows_before(self, tmp_path: Path) -> None:
        def source() -> Iterator[Seed]:
            yield from seeds(70)
            raise SeedError("'b.parquet' cannot be read")

        rows = synthesize(source(), OwnTeacher(), journal=tmp_path)
        assert len(list(islice(rows, 70))) == 70
        with pytest.raises(SeedError, match=r"b\.parquet"):
            next(rows)

    def test_a_bug_in_a_source_is_not_hidden(self, tmp_path: Path) -> None:
        def source() -> Iterator[Seed]:
            yield seed(0)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            list(synthesize(source(), OwnTeacher(), journal=tmp_path))

    @pytest.mark.parametrize("at", [0, 2, 70])
    def test_an_item_that_the_tasks_cannot_handle_ends_the_run(self, tmp_path: Path, at: int) -> None:
        source: list[Any] = seeds(80)
        source[at] = "x = 1"  # a bug: neither a seed nor a skipped document
        with pytest.raises(AttributeError):
            run(tmp_path, source, OwnTeacher(), within_s=10)

    def test_no_seeds_give_no_rows(self, tmp_path: Path) -> None:
        assert list(synthesize([], OwnTeacher(), journal=tmp_path)) == []


class TestStop:
    def stopped(self, folder: Path, teacher: OwnTeacher, **options: Any) -> tuple[list[Outcome], float]:
        """Stop work on an endless source a moment after the start; what was handed out, and how long that took."""

        async def work() -> tuple[list[Outcome], float]:
            stop, loop = asyncio.Event(), asyncio.get_running_loop()
            loop.call_later(0.2, stop.set)
            with Journal(folder) as journal:
                stream = outcomes(
                    map(seed, count()), (OssInstructTask(teacher),), journal, stop=stop, retry_policy=QUICK, **options
                )
                received = [outcome async for outcome in stream]
            return received, loop.time()

        async def timed() -> tuple[list[Outcome], float]:
            started = asyncio.get_running_loop().time()
            received, result = await asyncio.wait_for(work(), 5)
            return received, result - started

        return asyncio.run(timed())

    def test_hands_out_what_was_received_and_leaves_the_rest_pending_at_once(self, tmp_path: Path) -> None:
        async def even_ones(index: int, attempt: int) -> Completion:
            if index % 2:
                await asyncio.sleep(3600)
            return completion(index)

        received, seconds = self.stopped(tmp_path, OwnTeacher(even_ones), concurrency=10, window_size=10)
        assert [index(outcome) for outcome in received] == list(range(len(received)))
        assert [kind(outcome) for outcome in received[:10]] == ["kept", "pending"] * 5
        assert seconds < 3

    def test_waits_for_requests_in_flight_as_long_as_it_may(self, tmp_path: Path) -> None:
        async def slow(index: int, attempt: int) -> Completion:
            await asyncio.sleep(3600 if index == 1 else 0.6)
            return completion(index)

        received, _ = self.stopped(tmp_path, OwnTeacher(slow), concurrency=4, finish_s=1.5)
        assert [kind(outcome) for outcome in received[:4]] == ["kept", "pending", "kept", "kept"]
        assert {kind(outcome) for outcome in received[4:]} <= {"pending"}

    def test_is_heard_while_a_retry_waits(self, tmp_path: Path) -> None:
        def later(index: int, attempt: int) -> Completion:
            raise RetryableError("busy", after_s=200, reached=True)

        received, seconds = self.stopped(tmp_path, OwnTeacher(later), concurrency=4)
        assert {kind(outcome) for outcome in received} == {"pending"}
        assert seconds < 3

    @pytest.mark.parametrize("concurrency", [1, 4])
    def test_may_come_between_any_two_outcomes(self, tmp_path: Path, concurrency: int) -> None:
        async def work(after: int) -> list[str]:
            stop, kinds = asyncio.Event(), []
            source = (Skipped("vendored") if number % 2 else seed(number) for number in count())
            with Journal(tmp_path / str(after)) as journal:
                async for outcome in outcomes(
                    source, (OssInstructTask(OwnTeacher()),), journal, concurrency=concurrency, stop=stop
                ):
                    kinds.append(kind(outcome))
                    if len(kinds) == after:
                        stop.set()
            return kinds

        for after in range(1, 6):
            kinds = asyncio.run(asyncio.wait_for(work(after), 5))
            assert kinds[:after] == ["kept", "vendored", "kept", "vendored", "kept"][:after]
            assert set(kinds[after:]) <= {"kept", "vendored", "pending"}

    def test_cancelling_the_consumer_is_no_stop(self, tmp_path: Path) -> None:
        """A caller's own time-out ends the stream; it is not turned into pending rows."""

        async def never(index: int, attempt: int) -> Completion:
            await asyncio.sleep(3600)
            raise AssertionError

        async def impatient() -> list[Outcome]:
            with Journal(tmp_path) as journal:
                stream = outcomes(seeds(3), (OssInstructTask(OwnTeacher(never)),), journal, stop=asyncio.Event())
                return [outcome async for outcome in stream]

        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(impatient(), 0.2))


class TestSynthesize:
    def test_works_where_a_loop_runs_already_as_in_a_notebook(self, tmp_path: Path) -> None:
        async def cell(server: LocalTeacher) -> list[int]:
            return [row["index"] for row in synthesize(seeds(6), network(server), journal=tmp_path)]

        with LocalTeacher() as server:
            assert asyncio.run(cell(server)) == list(range(6))

    def test_counts_what_gave_no_row_in_one_warning(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        said = {1: Completion("?", "stop"), 2: Completion("?", "length"), 3: Completion("?", "length")}
        teacher = OwnTeacher(lambda n, _: said.get(n, completion(n)))
        with caplog.at_level(logging.WARNING):
            assert len(list(synthesize(seeds(6), teacher, journal=tmp_path))) == 3
        [record] = caplog.records
        assert "2 truncated, 1 unparsable" in record.getMessage()

    def test_hands_what_gave_no_row_to_who_wants_it_and_says_no_more(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        left: list[Any] = []
        teacher = OwnTeacher(lambda n, _: Completion("?", "stop") if n == 1 else completion(n))
        source: list[Any] = [seed(0), Skipped("binary"), seed(1)]
        assert len(list(synthesize(source, teacher, journal=tmp_path, on_left_out=left.append))) == 1
        assert [kind(outcome) for outcome in left] == ["binary", "unparsable"]
        assert not caplog.records

    def test_the_same_teacher_serves_again(self, tmp_path: Path) -> None:
        with LocalTeacher() as server:
            teacher = network(server)
            for start in (0, 5):
                source = [seed(number) for number in range(start, start + 5)]
                assert len(list(synthesize(source, teacher, journal=tmp_path))) == 5
        assert len(server.requests) == 10

    def test_a_full_disk_is_said_and_what_came_before_is_kept(self, tmp_path: Path) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        if (
            os.geteuid()
            or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode
        ):
            pytest.skip("this machine mounts nothing")
        try:
            long = "x" * 2000
            teacher = OwnTeacher(lambda n, _: Completion(PAIR.format(n, long), "stop"))
            received, error = run(disk / "journal", seeds(500), teacher)
            assert isinstance(error, RunError)
            assert "No space left on device" in str(error)
            assert "free disk space and repeat the command or call" in str(error)
            kept = [index(outcome) for outcome in received if kind(outcome) == "kept"]
            assert {kind(outcome) for outcome in received} == {"kept", "pending"}
            assert len(kept) > 20
            assert len(teacher.asked) < 40  # no more was paid for
            again = OwnTeacher()
            received, _ = run(disk / "journal", [seed(number) for number in kept], again)
            assert again.asked == []
            assert [kind(outcome) for outcome in received] == ["kept"] * len(kept)
        finally:
            subprocess.run(["umount", disk], check=True)

    def test_a_program_may_end_without_reading_every_row(self, tmp_path: Path) -> None:
        program = """
            import sys
            from hf_oss_instruct import CommentFunctionTeacher, read_seeds, synthesize
            rows = synthesize(read_seeds("stdlib", n=50, sampler="functions"), CommentFunctionTeacher(), journal=sys.argv[1])
            print(bool(next(rows)["problem"]), flush=True)
        """
        command = [sys.executable, "-c", dedent(program), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
