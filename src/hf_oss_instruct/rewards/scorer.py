"""Rewards of a batch of completions: bounded workers, one wall time limit, no exception once training has started."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.rewards.grading.prepare import GRADER_CACHE_SIZE, Graders
from hf_oss_instruct.rewards.grading.results import Results
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.rewards.options import RewardOptions
from hf_oss_instruct.rewards.outcome import RewardOutcome, outcome_of, unscored
from hf_oss_instruct.rewards.weights import weights_of
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.terminal.display import one_line

RESULT_CACHE_SIZE = 65_536
"""Results of this many programs are kept."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScorerItem:
    """A completion to score.

    Attributes:
        completion: the model's text.
        tests: the tests of its row.
        prompt: the prompt, if it is plain text.
    """

    completion: str
    tests: RowTests
    prompt: str = ""


class Scorer:
    """Scores completions on this machine.

    Args:
        options: how.

    Raises:
        SandboxError: no sandbox works on this machine.
    """

    def __init__(self, options: RewardOptions | None = None) -> None:
        self.options = options or RewardOptions()
        self._tier = chosen_tier(self.options.tier or None).name
        self._graders = Graders(self._tier)
        self._results: OrderedDict[str, Results] = OrderedDict()
        self._weights: OrderedDict[str, tuple[float, ...]] = OrderedDict()
        self._lock = threading.Lock()
        # The CPUs that this process may use, which in a container or job are often fewer than the machine has.
        self.workers = self.options.workers or len(os.sched_getaffinity(0))

    def check(self, tests: RowTests) -> None:
        """Check that tests can be used with these options.

        Raises:
            UsageError: they cannot; the message says why.
        """
        trusted = self._graders.of(tests).trusted
        if not any(trusted) and not self.options.untrusted_tests:
            raise UsageError(
                "No test of this row can be judged outside the program's process, and untrusted_tests is 0. Set it to 1 to count "
                "tests that run in the program's process, or leave such rows out."
            )
        # Raises if the variant needs weights that the row does not have.
        self._weights_of(tests)

    def score_one(self, item: ScorerItem) -> RewardOutcome:
        """Score a completion in this thread.

        Raises:
            UsageError: its tests cannot be used.
            SandboxError: no sandbox works on this machine.
        """
        grader = self._graders.of(item.tests)
        program = grader.program(item.completion, item.prompt)
        if not program.strip():
            nothing = Results((False,) * len(grader.trusted), "error", "the completion has no program")
            return self._outcome(item.tests, nothing, grader.trusted)
        untrusted = self.options.untrusted_tests > 0
        key = digest(item.tests.key, program) if self.options.memoize else ""
        if (results := self._cached(key)) is None:
            results = grader.results(program, self.options.limits, untrusted=untrusted, tier=self._tier)
            # A busy machine can cause both: the next completion with this program tries again.
            if key and results.status not in ("unscored", "timeout"):
                self._remember(key, results)
        return self._outcome(item.tests, results, grader.trusted)

    async def score(self, items: Sequence[ScorerItem]) -> list[RewardOutcome | OssInstructError]:
        """Score a batch.

        Args:
            items: the completions.

        Returns:
            For each item its outcome, or why its tests cannot be used. Completions that are not scored within `call_wall_s` are
            unscored.
        """
        loop, pool = asyncio.get_running_loop(), _pool(os.getpid(), self.workers)
        distinct = {item.tests.key: item.tests for item in items}
        # First what each problem needs once, so that no worker waits for another that is making it.
        made = [loop.run_in_executor(pool, _returning_errors(self._graders.of), tests) for tests in distinct.values()]
        scored = [loop.run_in_executor(pool, _returning_errors(self.score_one), item) for item in items]
        futures: list[asyncio.Future[Any]] = [*made, *scored]
        if futures:
            await asyncio.wait(futures, timeout=self.options.call_wall_s)
        for future in futures:
            future.cancel()  # tasks that have not started; what runs ends by its own limits
        late = unscored(f"the call's {self.options.call_wall_s:g} s were over before this completion was scored")
        return [future.result() if future.done() and not future.cancelled() else late for future in scored]

    def _weights_of(self, tests: RowTests) -> tuple[float, ...]:
        if self.options.variant != "weighted":
            return ()
        if (weights := self._weights.get(tests.key)) is None:
            # Outside of the lock, since it runs programs; two threads that compute the same weights do no harm.
            weights = weights_of(self._graders.of(tests), tests, self.options.limits, self._tier)
            with self._lock:
                self._weights[tests.key] = weights
                while len(self._weights) > GRADER_CACHE_SIZE:
                    self._weights.popitem(last=False)
        return weights

    def _outcome(self, tests: RowTests, results: Results, trusted: Sequence[bool]) -> RewardOutcome:
        options = self.options
        return outcome_of(results, trusted, self._weights_of(tests), options.variant, options.untrusted_tests)

    def _cached(self, key: str) -> Results | None:
        with self._lock:
            return self._results.get(key)

    def _remember(self, key: str, results: Results) -> None:
        with self._lock:
            self._results[key] = results
            while len(self._results) > RESULT_CACHE_SIZE:
                self._results.popitem(last=False)


class FirstBatchErrors:
    """Raises errors of rows in the first batch, at the start of training; later, such rows are unscored, with a warning."""

    def __init__(self) -> None:
        self._started = False
        self._warned: set[str] = set()

    def outcomes(self, results: Sequence[RewardOutcome | OssInstructError], options: RewardOptions) -> list[RewardOutcome]:
        """The outcomes of a batch.

        Raises:
            UsageError, SandboxError: in the first batch, a row's tests cannot be used, or none counts.
        """
        outcomes = [unscored(str(result)) if isinstance(result, OssInstructError) else result for result in results]
        if not self._started:
            for number, result in enumerate(results):
                if isinstance(result, OssInstructError):
                    raise type(result)(f"Row {number} of the first batch: {result}")
            if (
                outcomes
                and not options.untrusted_tests
                and all(outcome.trusted and not any(outcome.trusted) for outcome in outcomes)
            ):
                raise UsageError(
                    "No test of the first batch can be judged outside the program's process, and untrusted_tests is 0. Set it to "
                    "1 to count tests that run in the program's process."
                )
            self._started = True
        for outcome in outcomes:
            kind = outcome.detail.partition(":")[0]
            # Bounded, because details come from programs: each could otherwise add another warning.
            if outcome.reward is None and kind not in self._warned and len(self._warned) < 20:
                self._warned.add(kind)
                _log.warning("A completion has no reward (None): %s", one_line(outcome.detail, 300))
        return outcomes


A = TypeVar("A")
B = TypeVar("B")


def _returning_errors(function: Callable[[A], B]) -> Callable[[A], B | OssInstructError]:
    def call(argument: A) -> B | OssInstructError:
        try:
            return function(argument)
        except OssInstructError as error:
            return error

    return call


@functools.cache
def _pool(pid: int, workers: int) -> ThreadPoolExecutor:
    """The threads of this process that run programs, shared by all calls."""
    return ThreadPoolExecutor(workers, thread_name_prefix="reward")


def timed() -> Callable[[], float]:
    """Return a function that returns the elapsed seconds."""
    began = time.monotonic()
    return lambda: time.monotonic() - began
