"""The budget: promised before a request leaves, replaced by what was used, never exceeded."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.data import PER_MESSAGE, Completion, Provenance, Request, Seed
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.terminal.process import EXIT_BUDGET
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND

SEED = Seed("x", 1, 1, Provenance("corpus", "v1", "a.py", 0, "python"), "hash/1", 0)


def request(max_tokens: int = 100, text: str = "é" * 10) -> Request:
    return Request(SEED, ({"role": "user", "content": text},), {"max_tokens": max_tokens})


def answer(prompt: int | None, completion: int | None) -> Completion:
    return Completion("", "stop", prompt_tokens=prompt, completion_tokens=completion)


def test_a_request_may_use_a_token_for_each_byte_and_its_max_tokens() -> None:
    assert request().most_tokens == (20 + PER_MESSAGE, 100)


def test_what_was_not_used_may_be_promised_again() -> None:
    budget = Budget(RunLimits(max_total_tokens=300))
    assert [budget.reserve(request()) for _ in range(3)] == [True, True, False]
    assert budget.exceeded == "max_total_tokens (--max-total-tokens) of 300"
    budget.settle(request(), answer(10, 5))
    assert budget.reserve(request())
    budget.settle(request(), None)  # no answer: no tokens
    assert budget.reserve(request())


def test_where_the_server_counts_nothing_the_most_stays() -> None:
    budget = Budget(RunLimits(max_total_tokens=200))
    assert budget.reserve(request())
    budget.settle(request(), answer(None, None))
    assert not budget.reserve(request())


def test_earlier_sessions_count() -> None:
    assert not Budget(RunLimits(max_requests=5), Usage(requests_sent=5)).reserve(request())
    assert Budget(RunLimits(max_requests=6), Usage(requests_sent=5)).reserve(request())
    spent = Usage(prompt_tokens=10**6, completion_tokens=10**6)
    costly = Budget(RunLimits(max_cost=3.0, price_in=1.0, price_out=2.0), spent)
    assert not costly.reserve(request())
    assert costly.exceeded == "max_cost (--max-cost) of 3.0"
    assert Budget(RunLimits(max_cost=3.01, price_in=1.0, price_out=2.0), spent).reserve(request())


@pytest.mark.parametrize("limits", [RunLimits(), None])
def test_without_limits_everything_is_admitted(limits: RunLimits | None) -> None:
    budget = Budget(limits)
    assert all(budget.reserve(request(10**9)) for _ in range(100))


@given(st.lists(st.tuples(st.integers(0, 36), st.integers(0, 100), st.booleans()), max_size=60), st.integers(1, 2000))
def test_no_order_of_requests_and_answers_exceeds_the_limit(steps: list[tuple[int, int, bool]], limit: int) -> None:
    budget, used, in_flight = Budget(RunLimits(max_total_tokens=limit)), 0, 0
    for prompt, completion, returns in steps:
        if returns and in_flight:
            in_flight -= 1
            used += prompt + completion
            budget.settle(request(), answer(prompt, completion))
        elif budget.reserve(request()):
            in_flight += 1
        assert used + in_flight * sum(request().most_tokens) <= limit or not (used or in_flight)


def test_limits_hold_although_the_process_is_killed_with_requests_in_flight(tmp_path: Path) -> None:
    """Requests that were in flight at a kill count as spent: nobody knows whether the server has charged for them."""
    limit, killed = 40, 0
    with LocalTeacher(lambda body: Answer(latency_s=0.1)) as teacher:
        words = ["--n", "60", "--model", "m", "--base-url", teacher.base_url, "--concurrency", "4", "--max-requests", str(limit)]
        command = [COMMAND, "synthesize", *words, "--benchmarks", "none", "--out", tmp_path / "out", "--format", "json"]
        for _ in range(3):
            before = len(teacher.requests)
            run = BASE.start(command)
            while len(teacher.requests) < before + 6 and run.poll() is None:
                time.sleep(0.01)
            killed += run.poll() is None
            run.kill()
            run.wait()
        assert killed == 3
        done = BASE.run(command)
        assert done.returncode == EXIT_BUDGET, done.stderr
        report = json.loads(done.stdout)
        assert len(teacher.requests) <= report["requests_sent"] <= limit
        assert limit - len(teacher.requests) < 3 * 4  # what was reserved at a kill may not have been sent yet
        answered = report["kept"] + sum(report["rejected"].values())
        assert answered >= limit - 3 * 4
        assert not (tmp_path / "out" / ".reserved").exists()
