"""A taskset for verifiers: problems with tests, rewarded by running the program in the last answer.

    eval hf_oss_instruct.rewards.integrations.verifiers --env.taskset.path tasks.jsonl …

`hf-oss-instruct export DIR --to verifiers` writes a package whose `Taskset` has its tasks with it. It needs verifiers 0.4.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import verifiers.v1 as vf
from pydantic import Field

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests
from hf_oss_instruct.rewards.options import RewardOptions
from hf_oss_instruct.rewards.outcome import RewardOutcome
from hf_oss_instruct.rewards.scorer import Scorer, ScorerItem
from hf_oss_instruct.structured import any_json


class CodeTaskConfig(vf.TaskConfig):
    """Options of the reward: fields of `RewardOptions`."""

    variant: str = "all"
    untrusted_tests: float = 1.0
    cpu_s: float = 10.0
    wall_s: float = 30.0


class CodeConfig(vf.TasksetConfig):
    """Where tasks come from.

    Attributes:
        path: a `.jsonl` file with `id`, `prompt` and `tests`; the package's own by default.
    """

    path: str = ""
    task: CodeTaskConfig = CodeTaskConfig()


class CodeData(vf.TaskData):
    """A problem, and its tests as `RowTests.to_json` writes them."""

    tests: dict[str, Any] = Field(default_factory=dict)


class CodeTask(vf.Task[CodeData, vf.State, CodeTaskConfig]):
    """Rewards the program in the last answer."""

    @vf.reward
    async def code_reward(self, trace: vf.Trace) -> float:
        """Run the program with the tests, in the sandbox.

        Raises:
            SandboxError: of verifiers; nothing is known about the program.
        """
        outcome = await self._outcome(trace)
        if outcome.reward is None:
            raise vf.SandboxError(outcome.detail)
        return outcome.reward

    async def _outcome(self, trace: vf.Trace) -> RewardOutcome:
        options = self.config
        scorer = _scorer(options.variant, options.untrusted_tests, options.cpu_s, options.wall_s)
        (outcome,) = await scorer.score([ScorerItem(trace.last_reply, RowTests.from_json(self.data.tests))])
        if isinstance(outcome, RewardOutcome):
            return outcome
        raise outcome


class CodeTaskset(vf.Taskset[CodeTask, CodeConfig]):
    """Problems with tests, a line of JSON each."""

    tasks: ClassVar[Path | None] = None

    def load(self) -> Iterator[CodeTask]:
        """The tasks.

        Raises:
            UsageError: the file does not exist, or a line is not a task.
        """
        path = Path(self.config.path) if self.config.path else self.tasks
        if path is None:
            raise UsageError("Pass the file of tasks with --env.taskset.path, or install what `export --to verifiers` wrote.")
        try:
            lines = path.read_text("utf-8").splitlines()
        except OSError as error:
            raise UsageError(f"The tasks {str(path)!r} cannot be read: {error.strerror}. Pass another file.") from error
        for number, line in enumerate(lines, 1):
            try:
                columns = any_json(line)
                # Only to raise now: a broken line is an error at the start, not in the middle of a training.
                RowTests.from_json(columns["tests"])
                yield CodeTask(CodeData(id=columns["id"], prompt=columns["prompt"], tests=columns["tests"]), self.config.task)
            except (ValueError, KeyError, TypeError) as error:
                raise UsageError(
                    f"Line {number} of {path} is not a task: {type(error).__name__}: {error}. Repeat export --to verifiers."
                ) from None


@functools.lru_cache(maxsize=8)
def _scorer(variant: str, untrusted_tests: float, cpu_s: float, wall_s: float) -> Scorer:
    return Scorer(RewardOptions(variant=variant, untrusted_tests=untrusted_tests, cpu_s=cpu_s, wall_s=wall_s))


__all__ = ["CodeTaskset"]
