"""The benchmarks as inspect_ai tasks: `inspect eval hf_oss_instruct/humaneval_plus --model …`.

    inspect eval hf_oss_instruct/mbpp_plus --model openai/gpt-4o --epochs 20 --epochs-reducer pass_at_10 --temperature 0.8
    inspect eval hf_oss_instruct/multipl_e -T languages=java,cpp -T data=multipl-e/ --model …

Programs run in the sandbox of hf-oss-instruct and are judged by its scoring core; inspect's own sandboxes are not used.
"""

from __future__ import annotations

import functools
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.dataset import Sample as Row
from inspect_ai.hooks import BeforeModelGenerate, Hooks, hooks
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import Score, Scorer, Target, grouped, mean, scorer, stderr
from inspect_ai.solver import TaskState

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import PYTHON_TASKS, load
from hf_oss_instruct.evaluation.benchmarks import multipl_e as translated
from hf_oss_instruct.evaluation.problems import Benchmark, Problem
from hf_oss_instruct.evaluation.prompts import NEW_TOKENS, build_prompt
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.reference import References
from hf_oss_instruct.evaluation.scoring.scoring import SampleGrader
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict
from hf_oss_instruct.evaluation.sources import find

# The hook sees every task of the process, and must leave those of others alone.
PACKAGE_TASKS = (*PYTHON_TASKS, "multipl_e")


@task
def humaneval(style: str = "chat", data: str | None = None, revision: str | None = None) -> Task:
    """HumanEval.

    Args:
        style: `chat` (an instruction) or `completion` (the bare prompt, for servers of base models).
        data: local file or folder of the benchmark; by default it is loaded from the Hub at a pinned commit.
        revision: another commit on the Hub.
    """
    return _task(["humaneval"], style, data, revision)


@task
def humaneval_plus(style: str = "chat", data: str | None = None, revision: str | None = None) -> Task:
    """HumanEval+ with base and plus tests.

    Args:
        style: see `humaneval`.
        data: see `humaneval`.
        revision: see `humaneval`.
    """
    return _task(["humaneval_plus"], style, data, revision)


@task
def mbpp(style: str = "chat", data: str | None = None, revision: str | None = None) -> Task:
    """MBPP, the 500 problems of the test split.

    Args:
        style: see `humaneval`.
        data: see `humaneval`.
        revision: see `humaneval`.
    """
    return _task(["mbpp"], style, data, revision)


@task
def mbpp_plus(style: str = "chat", data: str | None = None, revision: str | None = None) -> Task:
    """MBPP+ with base and plus tests.

    Args:
        style: see `humaneval`.
        data: see `humaneval`.
        revision: see `humaneval`.
    """
    return _task(["mbpp_plus"], style, data, revision)


@task
def multipl_e(
    languages: str | list[str] = "all",
    style: str = "chat",
    data: str | None = None,
    revision: str | None = None,
) -> Task:
    """MultiPL-E, with the mean per language and over all languages.

    Args:
        languages: comma-separated language names or MultiPL-E keys, with the prefix `mbpp-` for MBPP; `all` for all that `data`
            contains.
        style: `chat` or `completion`, see `humaneval`.
        data: local file or folder of the benchmark, see `humaneval`.
        revision: another commit on the Hub.
    """
    names = languages.split(",") if isinstance(languages, str) else languages
    if names == ["all"]:
        names = [key for key in translated.KEYS if data is None or find(translated.source(key)[1], Path(data))]
    if not names:
        raise UsageError(f"The folder {data!r} contains no MultiPL-E file, such as humaneval-java.jsonl. Pass another.")
    return _task([f"multipl_e:{name}" for name in names], style, data, revision)


@functools.cache
def _loaded(name: str, data: str | None, revision: str | None) -> Benchmark:
    return load(name, Path(data) if data else None, revision)


def _problems(tasks: list[str], data: str | None, revision: str | None) -> dict[str, Problem]:
    """Map inspect's sample IDs to problems; MultiPL-E uses the same IDs in all languages."""
    return {
        problem.task_id if len(tasks) == 1 else f"{name.partition(':')[2]}/{problem.task_id}": problem
        for name in tasks
        for problem in _loaded(name, data, revision).problems.values()
    }


def _task(tasks: list[str], style: str, data: str | None, revision: str | None) -> Task:
    if style not in ("chat", "completion"):
        raise UsageError(f"inspect sends chat messages, which do not support the style {style!r}. Use chat or completion.")
    rows = []
    for name, problem in _problems(tasks, data, revision).items():
        prompt = build_prompt(problem, style)
        rows.append(
            Row(
                input=prompt.text,
                target=problem.reference or "",
                id=name,
                metadata={"language": problem.language, "kind": prompt.kind},
            )
        )
    judge = base_and_plus if tasks[0].endswith("_plus") else passed
    return Task(
        dataset=MemoryDataset(rows, name=tasks[0].partition(":")[0]),
        scorer=judge(tasks, data, revision),
        metrics=[grouped(mean(), "language", all_label="mean"), stderr()] if len(tasks) > 1 else None,
        config=GenerateConfig(max_tokens=NEW_TOKENS[style], temperature=0.0),
        version=1,
        metadata={"data": {name: _loaded(name, data, revision).version for name in tasks}},
    )


@hooks("hf_oss_instruct_greedy", "Greedy answers of transformers models to the tasks of hf-oss-instruct")
class Greedy(Hooks):
    """Make temperature 0 work with transformers: inspect always enables sampling, which transformers rejects at 0."""

    async def on_before_model_generate(self, data: BeforeModelGenerate) -> None:
        """Request greedy decoding."""
        ours = (data.task_name or "").removeprefix("hf_oss_instruct/") in PACKAGE_TASKS
        if ours and data.model_name.startswith("hf/") and data.config.temperature == 0:
            data.config.temperature, data.config.top_k = None, 1


@scorer(metrics={"*": [mean(), stderr()]})
def base_and_plus(tasks: list[str], data: str | None = None, revision: str | None = None) -> Scorer:
    """Score whether the base tests, and all tests of the plus benchmark, pass.

    Args:
        tasks: the benchmark, see `benchmarks.load`; passing the problems themselves would put all of them into the log.
        data: local file or folder of the benchmark.
        revision: another commit on the Hub.
    """
    grader = _InspectGrader(_problems(tasks, data, revision))

    async def score(state: TaskState, target: Target) -> Score:
        verdict = await grader.verdict(state)
        parts = {name: value for name in ("base", "plus") if (value := getattr(verdict, name)) is not None}
        return _score(verdict, {name: float(value) for name, value in parts.items()})

    return score


@scorer(metrics=[mean(), stderr()])
def passed(tasks: list[str], data: str | None = None, revision: str | None = None) -> Scorer:
    """Score whether the tests pass.

    Args:
        tasks: the benchmarks, see `benchmarks.load`.
        data: local file or folder of the benchmarks.
        revision: another commit on the Hub.
    """
    grader = _InspectGrader(_problems(tasks, data, revision))

    async def score(state: TaskState, target: Target) -> Score:
        verdict = await grader.verdict(state)
        return _score(verdict, float(verdict.passed))

    return score


def _score(verdict: Verdict, value: Any) -> Score:
    facts = {"status": verdict.status, "cpu_s": verdict.cpu_s, "wall_s": verdict.wall_s, "retried": verdict.retried}
    explanation = "\n".join(filter(None, (verdict.status, verdict.reason, verdict.stderr)))
    if not verdict.final:  # without a verdict, the sample is excluded from every metric
        return Score.unscored(reason=verdict.status, answer=verdict.program, explanation=explanation, metadata=facts)
    return Score(value=value, answer=verdict.program, explanation=explanation, metadata=facts)


class _InspectGrader:
    """Judges samples as inspect delivers them, one per CPU at a time."""

    def __init__(self, problems: dict[str, Problem]) -> None:
        self._problems, self._grader = problems, SampleGrader(References(), {})
        self._slots = len(os.sched_getaffinity(0))
        self._limiter: anyio.CapacityLimiter | None = None
        self._alone: anyio.Lock | None = None

    async def verdict(self, state: TaskState) -> Verdict:
        """Judge a sample; if it hit the wall time limit, judge it again with no other sample running."""
        if self._limiter is None or self._alone is None:  # they belong to the running event loop
            self._limiter, self._alone = anyio.CapacityLimiter(self._slots), anyio.Lock()
        problem = self._problems[str(state.sample_id)]
        sample = Sample(problem.task_id, 0, state.output.completion, state.metadata["kind"])
        verdict, waited = await anyio.to_thread.run_sync(self._grader.verdict, problem, sample, limiter=self._limiter)
        if not waited:
            return verdict
        async with self._alone:
            # Holding every slot waits until no other sample runs. The lock keeps two such samples from waiting
            # for each other's slots.
            borrowers = [object() for _ in range(self._slots)]
            for borrower in borrowers:
                await self._limiter.acquire_on_behalf_of(borrower)
            try:
                verdict, _ = await anyio.to_thread.run_sync(self._grader.verdict, problem, sample)
            finally:
                for borrower in borrowers:
                    self._limiter.release_on_behalf_of(borrower)
        return replace(verdict, retried=True)
