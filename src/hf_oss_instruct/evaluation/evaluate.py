"""Generation and scoring in one go: a model and some tasks in, a folder of scores for each task out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import xxhash

from hf_oss_instruct.benchmarks.registry import canonical
from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation import generation
from hf_oss_instruct.evaluation.benchmarks import load, multipl_e
from hf_oss_instruct.evaluation.lighteval_models import SERVED, LightevalModel, ModelChoice, Sampling
from hf_oss_instruct.evaluation.preflight import trouble_with
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.prompts import NEW_TOKENS, Asked
from hf_oss_instruct.evaluation.results import Score
from hf_oss_instruct.evaluation.run import score_benchmark
from hf_oss_instruct.evaluation.scoring import Verdict
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.workdir import held

LOG = "generation.log"
"""What lighteval and its back end say."""
Counting = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is asked and how it is scored.

    Attributes:
        tasks: as of `benchmarks.load`; `multipl_e` stands for every language.
        style: as of `prompts.asked`; None for what suits the model.
        data: local files of the benchmarks; None for the Hub.
        revision: another commit of the benchmark on the Hub.
        limit: only the first problems.
        ks: the k of pass@k.
        allow_empty: whether a server's empty answer counts as one.
        trained_on: as of `trained_on.touched`; the score without the problems it touches is added.
        workers: samples judged at once.
        tier: as of `run_program`.
    """

    tasks: Sequence[str]
    style: str | None = None
    data: Path | None = None
    revision: str | None = None
    limit: int | None = None
    ks: Sequence[int] | None = None
    allow_empty: bool = False
    trained_on: str | None = None
    workers: int | None = None
    tier: str | None = None


def evaluate(
    asked: Evaluation,
    choice: ModelChoice,
    sampling: Sampling,
    out: Path,
    *,
    say: Callable[[str], None] = lambda line: None,
    counting: Counting = lambda verb: nullcontext(lambda done, all_of_them: None),
) -> dict[str, tuple[Score, list[Verdict]]]:
    """Let a model answer, and score what it answers. What the folder holds already is neither asked nor judged again.

    Args:
        asked: tasks, and how they are scored.
        choice: which model, and what runs it.
        sampling: how answers are drawn.
        out: `out/TASK` gets `samples.jsonl`, `verdicts.jsonl`, `results.json`, `results.md`; `generation.log` what was said.
        say: told what a user should know before it costs time.
        counting: a progress bar by what is counted.

    Returns:
        Task → the score and the verdicts.

    Raises:
        UsageError: a task, an option or a style makes no sense.
        EvaluationError: the data cannot be used, the model cannot be loaded, or problems were left without an answer.
        RunError: the folder belongs to something else or cannot be written.
        SandboxError: this machine has no sandbox.
    """
    if choice.backend in SERVED and asked.style not in (None, "chat"):
        raise UsageError(f"A chat server cannot be asked in style {asked.style!r}: it writes the prompt itself. Use chat.")
    chosen_tier(asked.tier)  # nothing is generated that could not be scored
    benchmarks = [load(task, asked.data, asked.revision) for task in _expanded(asked.tasks)]
    for benchmark in benchmarks:
        for language in sorted({problem.language for problem in benchmark.problems.values()}):
            if trouble := trouble_with(language, asked.tier):
                say(f"{benchmark.task} will be generated and not evaluated: {trouble}")
    choice, facts = _identified(choice)
    with held(out), (out / LOG).open("a", encoding="utf-8", buffering=1) as log:
        run = _Run(asked, choice, sampling, facts, counting, log)
        return {benchmark.task: run.of(benchmark, out / benchmark.task.replace(":", "-")) for benchmark in benchmarks}


class _Run:
    """One model, loaded when the first task lacks an answer."""

    def __init__(
        self,
        asked: Evaluation,
        choice: ModelChoice,
        sampling: Sampling,
        model: Mapping[str, Any],
        counting: Counting,
        log: TextIO,
    ) -> None:
        self._asked, self._choice, self._sampling, self._facts = asked, choice, sampling, model
        self._counting, self._log = counting, log
        self._model: LightevalModel | None = None

    def answers(self, asked: Sequence[Asked], style: str) -> list[list[str]]:
        """What the model writes; it is loaded when it is asked first."""
        with redirect_stdout(self._log), redirect_stderr(self._log):  # the terminal keeps one bar
            return self._loaded().answers(asked, style)

    def of(self, benchmark: Benchmark, out: Path) -> tuple[Score, list[Verdict]]:
        """Answers and scores of one task."""
        problems = list(islice(benchmark.problems.values(), self._asked.limit))
        style = self._asked.style or generation.style_of(out) or self._loaded().style()
        drawn = asdict(self._sampling) | {"max_new_tokens": self._sampling.max_new_tokens or NEW_TOKENS[style]}
        generation.claim(
            out, {"task": benchmark.task, "version": benchmark.version, **self._facts, "style": style, "sampling": drawn}
        )
        with self._counting("answered") as on_progress:
            unanswered = generation.generate(
                problems,
                self,
                style,
                self._sampling.n,
                out,
                batch=self._choice.batch_size * (1 if self._choice.backend == "transformers" else 8),
                allow_empty=self._asked.allow_empty or self._choice.backend not in SERVED,
                on_progress=on_progress,
            )
        if unanswered:
            raise EvaluationError(
                f"The server gave no answer, or fewer than {self._sampling.n}, to {unanswered:,} of {len(problems):,} problems "
                f"of {benchmark.task}; {LOG} has why. The same command asks them again; --allow-empty takes empty answers."
            )
        facts = {**self._facts, "style": style, "sampling": drawn, "batch_size": self._choice.batch_size, "versions": _versions()}
        with self._counting("judged") as on_progress:
            return score_benchmark(
                benchmark,
                out / generation.SAMPLES,
                out=out,
                ks=self._asked.ks,
                allow_missing=self._asked.limit is not None,
                trained_on=self._asked.trained_on,
                workers=self._asked.workers,
                tier=self._asked.tier,
                facts=facts,
                on_progress=on_progress,
            )

    def _loaded(self) -> LightevalModel:
        if self._model is None:
            with redirect_stdout(self._log), redirect_stderr(self._log):
                self._model = LightevalModel(self._choice, self._sampling)
        return self._model


def _expanded(tasks: Sequence[str]) -> list[str]:
    found = [
        name
        for task in tasks
        for name in ([f"multipl_e:{key}" for key in multipl_e.KEYS] if canonical(task) == "multipl_e" else [canonical(task)])
    ]
    if not found:
        raise UsageError("There is no task to evaluate. Name one with --task, such as humaneval_plus.")
    return list(dict.fromkeys(found))


def _identified(choice: ModelChoice) -> tuple[ModelChoice, dict[str, Any]]:
    """The model with its commit, and what tells its answers from those of another: no URL and no key."""
    facts: dict[str, Any] = {"model": choice.name, "backend": choice.backend, "options": dict(choice.options)}
    if choice.backend in SERVED:
        return choice, facts
    if (folder := Path(choice.name)).is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        seen = [(str(path.relative_to(folder)), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]
        facts |= {"model": folder.resolve().name, "files": xxhash.xxh3_128_hexdigest(json.dumps(seen).encode())}
        return replace(choice, name=str(folder.resolve())), facts
    commit = _commit(choice.name, choice.revision or "main")
    return replace(choice, revision=commit), facts | {"revision": commit}


def _commit(name: str, revision: str) -> str:
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        return str(HfApi(library_name="hf-oss-instruct").model_info(name, revision=revision).sha)
    except Exception as error:  # whatever the Hub's client raises
        if isinstance(path := try_to_load_from_cache(name, "config.json", revision=revision), str):
            return Path(path).parent.name
        said = " ".join(str(error).split())[:300]
        raise EvaluationError(
            f"The model {name!r} at {revision!r} is neither a folder nor to be had from the Hub: {said}"
        ) from error


def _versions() -> dict[str, str]:
    found = {}
    for name in ("lighteval", "transformers", "torch", "vllm", "litellm", "huggingface_hub"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
