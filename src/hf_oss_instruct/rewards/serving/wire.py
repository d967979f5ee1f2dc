"""The messages between a reward server and its clients: JSON over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.rewards.outcome import STATUSES, RewardOutcome
from hf_oss_instruct.rewards.scorer import ScorerItem

SCORE, HEALTH, METRICS = "/v1/score", "/health", "/metrics"


def request_of(items: Sequence[ScorerItem], variant: str, untrusted_tests: float) -> dict[str, Any]:
    """The body of a request; tests that several items share are sent once.

    Args:
        items: the completions with their tests.
        variant: one of `options.VARIANTS`.
        untrusted_tests: weight of tests that are not trusted, from 0 to 1.
    """
    tests = {item.tests.key: item.tests for item in items}
    positions = {key: number for number, key in enumerate(tests)}
    return {
        "variant": variant,
        "untrusted_tests": untrusted_tests,
        "tests": [row_tests.to_json() for row_tests in tests.values()],
        "items": [{"completion": item.completion, "tests": positions[item.tests.key], "prompt": item.prompt} for item in items],
    }


def items_of(body: Any) -> tuple[list[ScorerItem], str, float]:
    """The items, variant and weight of untrusted tests in a request.

    Raises:
        UsageError: it is not as `request_of` writes it.
    """
    try:
        tests = [RowTests.from_json(row_tests) for row_tests in body["tests"]]
        items = [
            ScorerItem(_text(item["completion"]), tests[int(item["tests"])], _text(item.get("prompt", "")))
            for item in body["items"]
        ]
        return items, _text(body.get("variant", "all")), float(body.get("untrusted_tests", 1.0))
    except (TypeError, KeyError, IndexError, ValueError, AttributeError) as error:
        raise UsageError(
            f"The request cannot be read: {type(error).__name__}: {error}. Use the same version on both machines."
        ) from None


def response_of(outcomes: Sequence[RewardOutcome | OssInstructError]) -> dict[str, Any]:
    """The body of a response."""
    return {
        "outcomes": [
            {"error": str(outcome)} if isinstance(outcome, OssInstructError) else asdict(outcome) for outcome in outcomes
        ]
    }


def outcomes_of(body: Any, count: int) -> list[RewardOutcome | OssInstructError]:
    """The outcomes in a response.

    Args:
        body: the JSON value.
        count: how many there must be.

    Raises:
        ValueError: it is not as `response_of` writes it.
    """
    try:
        outcomes = [_outcome(outcome) for outcome in body["outcomes"]]
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"the response is not understood: {type(error).__name__}: {error}") from None
    if len(outcomes) != count:
        raise ValueError(f"the response has {len(outcomes)} outcomes for {count} completions")
    return outcomes


def _outcome(columns: Mapping[str, Any]) -> RewardOutcome | OssInstructError:
    if "error" in columns:
        return UsageError(_text(columns["error"]))
    reward, status = columns["reward"], columns["status"]
    # The server's numbers become rewards of a training: NaN fails this comparison as well.
    if status not in STATUSES or not (reward is None or 0 <= reward <= 1):
        raise TypeError(f"status {status!r:.40}, reward {reward!r:.40}")
    return RewardOutcome(
        reward, status, _text(columns["detail"]), tuple(map(bool, columns["passed"])), tuple(map(bool, columns["trusted"]))
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is not a string")
    return value
