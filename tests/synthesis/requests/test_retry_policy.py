"""The retry policy: how long a failed request waits, how often it is sent again, and how long an attempt may take."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.data import Completion, Provenance, Request, Seed
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.rate_limit import RateLimiter
from hf_oss_instruct.synthesis.requests.request_runner import RequestRunner
from hf_oss_instruct.synthesis.requests.retry_policy import BUSY_TRIES, RetryPolicy
from hf_oss_instruct.teachers.protocol import Teacher

SEED = Seed("x = 1", 1, 1, Provenance("corpus", "v1", "a.py", 0, "python"), "hash/1", 0)
SECONDS = st.floats(0.001, 1000)


class Silent(Teacher):
    """A teacher with a deadline of its own."""

    identity = "silent/1"

    def __init__(self, timeout_s: float | None = None) -> None:
        self.timeout_s = timeout_s

    async def complete(self, request: Request) -> Completion:
        raise AssertionError("no request is sent")


def runner_with(policy: RetryPolicy) -> RequestRunner:
    return RequestRunner(Journal(Path("no folder: nothing is written")), RateLimiter(1), policy, Budget(), Usage())


def deadline_s(policy: RetryPolicy, teacher: Teacher) -> float:
    """Seconds that the first attempt of a task may take."""
    return runner_with(policy).state(OssInstructTask(teacher), SEED).deadline.timeout_s(0)


@given(st.integers(0, 10**6), st.none() | st.floats(0, 10**6), SECONDS, SECONDS)
def test_pauses_grow_to_a_bound_and_are_never_shorter_than_the_server_asks(
    attempt: int, asked_for_s: float | None, first_s: float, longest_s: float
) -> None:
    policy = RetryPolicy(first_pause_s=first_s, longest_pause_s=longest_s)
    longest = min(first_s * 2.0 ** min(attempt, 100), longest_s)
    own_s = policy.pause_s(attempt, asked_for_s) - (asked_for_s or 0.0)
    assert 0.5 * longest - 1e-9 <= own_s <= longest + 1e-9


def test_each_pause_is_about_twice_the_one_before_until_the_longest() -> None:
    policy = RetryPolicy(first_pause_s=0.5, longest_pause_s=60.0)
    bounds = [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    drawn = [[policy.pause_s(attempt, None) for _ in range(200)] for attempt in range(10)]
    assert [max(pauses) for pauses in drawn] == pytest.approx(bounds, rel=0.05)
    assert [min(pauses) for pauses in drawn] == pytest.approx([bound / 2 for bound in bounds], rel=0.05)


def test_requests_that_fail_together_do_not_come_back_together() -> None:
    policy = RetryPolicy()
    for asked_for_s in (None, 30.0):
        assert len({round(policy.pause_s(3, asked_for_s), 2) for _ in range(100)}) > 50


def test_a_run_without_pauses_sends_again_at_once() -> None:
    assert RetryPolicy(first_pause_s=0.0).pause_s(7, None) == 0.0


@given(st.integers(1, 20), st.integers(0, 30), st.integers(0, 300))
def test_an_item_is_sent_again_until_its_tries_are_used_up_and_eight_times_as_often_if_the_server_is_only_busy(
    tries: int, failed: int, busy: int
) -> None:
    runner = runner_with(RetryPolicy(tries=tries))
    assert runner.should_retry(failed, failed + busy) == (failed < tries and failed + busy < BUSY_TRIES * tries)
    runner.close()
    assert not runner.should_retry(0, 0)


def test_a_run_gives_up_and_times_out_as_its_options_say() -> None:
    policy = RetryPolicy.of(RunLimits(give_up_after=12.5), timeout=7.0)
    assert (policy.give_up_after_s, policy.deadline_s) == (12.5, 7.0)
    assert RetryPolicy.of(RunLimits(), timeout=None) == RetryPolicy()


def test_the_deadline_is_the_policys_or_the_teachers_or_learned() -> None:
    assert deadline_s(RetryPolicy(deadline_s=3.0), Silent(timeout_s=50.0)) == 3.0
    assert deadline_s(RetryPolicy(), Silent(timeout_s=50.0)) == 50.0
    assert deadline_s(RetryPolicy(), Silent()) == 600.0
