"""Score during training: answer tasks greedily at given steps, let a judge run the answers, log pass@1 with its interval.

The judge is an argument: a function that runs an answer in a sandbox. This module runs no untrusted code.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence, Sized
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.spec.option_types import Integer, checked_value
from hf_oss_instruct.storage.workdir import write_atomically
from hf_oss_instruct.templates import Template, begin

Z95 = 1.959963984540054
"""Quantile of the normal distribution for a two-sided interval of 95 %."""


class AnswerOutcome(Enum):
    """Result of judging an answer. The value is what `scores/step-N.jsonl` says under `passed`."""

    PASSED = True
    FAILED = False
    NOT_JUDGED = None
    """The program could not be run, which counts neither for nor against the model."""


@dataclass(frozen=True)
class JudgedAnswer:
    """Verdict of a judge on an answer.

    Attributes:
        parsed: the answer contains a program.
        outcome: whether the program solves the task.
        status: status of the sandbox, such as `passed`, `wrong_answer` or `timeout`.
        sandbox: name of the tier that ran it; empty if nothing ran.
    """

    parsed: bool
    outcome: AnswerOutcome
    status: str
    sandbox: str = ""

    def record(self) -> dict[str, Any]:
        """The fields that are saved with the answer."""
        return {"parsed": self.parsed, "passed": self.outcome.value, "status": self.status, "sandbox": self.sandbox}


class AnswerJudge(Protocol):
    """Runs an answer in a sandbox. Called by several threads concurrently."""

    def __call__(self, task: Mapping[str, Any], answer: str) -> JudgedAnswer:
        """Judge one answer to one task."""


@dataclass(frozen=True)
class ModelAnswer:
    """The model's answer to one task, and whether it ended with the stop token."""

    text: str
    stopped: bool


@dataclass(frozen=True)
class Scoring:
    """Options of scoring during training.

    Attributes:
        tasks: each with an `instruction` for the model; the other keys are for the judge.
        judge: runs the answers.
        every: steps between scores; the model is also scored before the first and after the last step.
        max_new_tokens: maximum number of tokens per answer.
        batch_size: number of answers generated together.

    Raises:
        UsageError: there are no tasks, one has no instruction, or a number is not at least 1.
    """

    tasks: Sequence[Mapping[str, Any]]
    judge: AnswerJudge
    every: int = 100
    max_new_tokens: int = 512
    batch_size: int = 16

    def __post_init__(self) -> None:
        check_type("tasks", self.tasks, Sized, "a list of dicts")
        for task in self.tasks:
            check_type("Each of tasks", task, Mapping, "a dict")
        if not self.tasks or not all(task.get("instruction") for task in self.tasks):
            raise UsageError("Scoring requires at least one task, each with a string under 'instruction'.")
        for name in ("every", "max_new_tokens", "batch_size"):
            object.__setattr__(self, name, checked_value(name, Integer(1), getattr(self, name)))

    def callback(self, trainer: Any, template: Template, progress: Progress = SILENT) -> Any:
        """Create a `TrainerCallback` that scores the model.

        Args:
            trainer: the `SFTTrainer`; answers are written to its `output_dir/scores/`, figures to its logs.
            template: renders prompts as in training.
            progress: a progress display.
        """
        from transformers import TrainerCallback

        scoring = self

        class ScoreCallback(TrainerCallback):
            def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
                if state.global_step == 0:
                    scoring.score(trainer, template, progress)

            def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
                if state.global_step % scoring.every == 0 or state.global_step == state.max_steps:
                    wanted = control.should_log
                    scoring.score(trainer, template, progress)
                    control.should_log = wanted  # logging the scores resets it, and the step's loss would not be logged

        return ScoreCallback()

    def score(self, trainer: Any, template: Template, progress: Progress = SILENT) -> None:
        """Generate, judge and log once. Every process generates, because sharded models require it; the main process judges.

        Args:
            trainer: the `SFTTrainer`.
            template: renders prompts as in training.
            progress: a progress display.
        """
        model = trainer.model
        was_training = model.training
        # Without dropout, so that greedy answers depend on the weights alone.
        model.eval()
        try:
            answers = []
            with progress.stage(f"Scoring at step {trainer.state.global_step:,}", "tasks", len(self.tasks)) as counts:
                for answer in self._answers(trainer, template):
                    answers.append(answer)
                    counts.done += 1
            # One process judges: all of them have the same answers.
            if trainer.is_world_process_zero():
                with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="judge") as pool:
                    judged = list(pool.map(self.judge, self.tasks, [answer.text for answer in answers]))
                self._keep(Path(trainer.args.output_dir), trainer.state.global_step, answers, judged)
                trainer.log(
                    figures(answers, judged)
                )  # still in eval mode: in train mode TRL would add the training step's metrics
        finally:
            model.train(was_training)

    def _answers(self, trainer: Any, template: Template) -> Iterator[ModelAnswer]:
        from trl.models import unwrap_model_for_generation

        tokenizer = trainer.processing_class
        first = begin(tokenizer)
        texts = [first + template.prompt(task["instruction"]) for task in self.tasks]
        prompts = [tokenizer.encode(text, add_special_tokens=False) for text in texts]
        with unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator) as model:
            for start in range(0, len(prompts), self.batch_size):
                yield from self._batch(model, tokenizer, prompts[start : start + self.batch_size], template.stop)

    def _batch(self, model: Any, tokenizer: Any, prompts: list[list[int]], stop: str) -> Iterator[ModelAnswer]:
        import torch

        longest, end = max(map(len, prompts)), tokenizer.convert_tokens_to_ids(stop)
        pads = [longest - len(prompt) for prompt in prompts]  # left padding, so that all answers begin at the same position
        ids = torch.tensor(
            [[end] * pad + prompt for pad, prompt in zip(pads, prompts, strict=True)], device=model.device
        )  # (batch, longest)
        mask = torch.tensor([[0] * pad + [1] * (longest - pad) for pad in pads], device=model.device)  # (batch, longest)
        words = {"do_sample": False, "eos_token_id": end, "pad_token_id": end, "max_new_tokens": self.max_new_tokens}
        with torch.no_grad():
            made = model.generate(input_ids=ids, attention_mask=mask, use_cache=True, **words)  # (batch, longest + new)
        for row in made[:, longest:].tolist():
            answer_ids = row[: row.index(end)] if end in row else row
            yield ModelAnswer(tokenizer.decode(answer_ids, skip_special_tokens=True), end in row)

    def _keep(self, out: Path, step: int, answers: list[ModelAnswer], judged: list[JudgedAnswer]) -> None:
        folder = out / "scores"
        folder.mkdir(parents=True, exist_ok=True)
        rows = (
            {"instruction": task["instruction"], "answer": answer.text, "stopped": answer.stopped, **verdict.record()}
            for task, answer, verdict in zip(self.tasks, answers, judged, strict=True)
        )
        write_atomically(folder / f"step-{step}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def figures(answers: Sequence[ModelAnswer], judged: Sequence[JudgedAnswer]) -> dict[str, float]:
    """pass@1 of greedy answers with its Wilson interval, rates of answers that parse and stop, and the number not judged."""
    counted = [verdict.outcome is AnswerOutcome.PASSED for verdict in judged if verdict.outcome is not AnswerOutcome.NOT_JUDGED]
    low, high = wilson(sum(counted), len(counted))
    return {
        "score/pass@1": sum(counted) / len(counted) if counted else math.nan,
        "score/low": low,
        "score/high": high,
        "score/parse_rate": sum(verdict.parsed for verdict in judged) / len(judged),
        "score/stop_rate": sum(answer.stopped for answer in answers) / len(answers),
        "score/tasks": len(judged),
        "score/not_judged": len(judged) - len(counted),
    }


def wilson(passed: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval (Wilson 1927) of `passed` out of `n`; (0, 1) for n = 0."""
    if not n:
        return 0.0, 1.0
    rate, square = passed / n, Z95**2
    middle = rate + square / (2 * n)
    spread = Z95 * math.sqrt(rate * (1 - rate) / n + square / (4 * n**2))
    return max(0.0, (middle - spread) / (1 + square / n)), min(1.0, (middle + spread) / (1 + square / n))
