"""Generate and score in one step: a model and some tasks in, a folder of scores per task out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import xxhash

from hf_oss_instruct.argument_types import as_name, as_path
from hf_oss_instruct.benchmarks.registry import canonical
from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation import generation
from hf_oss_instruct.evaluation.benchmarks import load, multipl_e
from hf_oss_instruct.evaluation.integrations.lighteval_models import (
    SERVER_BACKENDS,
    GenerationSampling,
    LightevalModel,
    ModelChoice,
)
from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.prompts import NEW_TOKENS, ModelPrompt
from hf_oss_instruct.evaluation.scoring.results import TABLE, VERDICTS, Score, check_folder
from hf_oss_instruct.evaluation.scoring.run import checked_ks, score
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict
from hf_oss_instruct.hub import commit_of
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.sandbox.backends import chosen_tier
from hf_oss_instruct.spec.option_types import Integer, JsonObject, Names, Number, checked_value
from hf_oss_instruct.storage.workdir import locked

LOG = "generation.log"
"""Log file for the output of lighteval and its backend."""


@dataclass(frozen=True, slots=True)
class _Settings:
    """Settings of prompts and scoring; the attributes are arguments of `evaluate`."""

    style: str | None
    limit: int | None
    ks: Sequence[int] | None
    allow_empty: bool
    trained_on: str | None
    workers: int | None
    tier: str | None


def evaluate(
    model: str,
    tasks: str | Sequence[str],
    out: Path | str,
    *,
    backend: str | None = None,
    base_url: str | None = None,
    api_key_env: str | None = None,
    model_revision: str | None = None,
    batch_size: int = 8,
    options: Mapping[str, Any] | None = None,
    style: str | None = None,
    n: int = 1,
    temperature: float = 0.0,
    top_p: float | None = None,
    max_new_tokens: int | None = None,
    rng_seed: int = 0,
    data: Path | str | None = None,
    revision: str | None = None,
    limit: int | None = None,
    ks: int | Sequence[int] | None = None,
    allow_empty: bool = False,
    trained_on: Path | str | None = None,
    workers: int | None = None,
    tier: str | None = None,
    say: Callable[[str], None] | None = None,
    progress: Progress = SILENT,
) -> dict[str, tuple[Score, list[Verdict]]]:
    """Generate a model's answers to benchmarks and score them. Samples and verdicts in `out` are not made again.

    Args:
        model: ID on the Hub, a local folder, or the server's name for the model.
        tasks: one or more of `humaneval`, `humaneval_plus`, `mbpp`, `mbpp_plus`, `multipl_e:LANGUAGE` (from HumanEval) and
            `multipl_e:mbpp-LANGUAGE` (from MBPP), in any spelling; `multipl_e` stands for every language.
        out: `out/TASK` gets `samples.jsonl`, `verdicts.jsonl`, `results.json`, `results.md`; `out/generation.log` gets
            lighteval's output.
        backend: `transformers`, `vllm` or `litellm`; by default `transformers`, and `litellm` with `base_url`.
        base_url: an OpenAI-compatible chat server.
        api_key_env: environment variable with the server's API key.
        model_revision: branch or commit of the model on the Hub.
        batch_size: prompts per batch; for a server, concurrent requests.
        options: further fields of lighteval's model configuration.
        style: `completion`, `chat` or `magicoder`; by default the tokenizer's chat template, or `completion` if it has none.
        n: answers per problem.
        temperature: 0 for greedy decoding.
        top_p: nucleus sampling, in (0, 1]; the model's own by default.
        max_new_tokens: maximum tokens per answer; 512 by default, 2,048 in style `chat`.
        rng_seed: seed of the sampling.
        data: local files of the benchmarks; the Hub by default.
        revision: another commit of the benchmark on the Hub.
        limit: only the first problems of each task.
        ks: values of k for pass@k; by default 1, 10 and 100, up to the number of samples.
        allow_empty: count a server's empty answers as answers.
        trained_on: a training set: the folder of a run, Parquet or JSON Lines, or the id of a dataset on the Hub; adds the score
            without the problems that it quotes.
        workers: samples run at once; one per processor by default.
        tier: sandbox tier: `bubblewrap`, `landlock` or `unsafe-none` (no isolation); the best available one by default.
        say: called with messages that a user should see before the run takes time.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

    Returns:
        Task → the score and the verdicts.

    Raises:
        UsageError: a task, an option or a style is invalid.
        EvaluationError: the data is unusable, the model cannot be loaded, or some problems got no answer.
        RunError: the folder belongs to another evaluation, has files of something else that would be replaced, or cannot be
            written.
        SandboxError: no sandbox works on this machine.
    """
    model = as_name("model", model, "the name of a model, or a folder")
    trained_on = None if trained_on is None else as_name("trained_on", trained_on, "a path, or the id of a dataset")
    out, data = as_path("out", out), as_path("data", data) if data else None
    if base_url and backend not in (None, "litellm"):
        raise UsageError(f"--base-url is not supported by --backend {backend}. Leave one of them out.")
    backend = backend or ("litellm" if base_url else "transformers")
    positive = Integer(1)
    choice = ModelChoice(
        model,
        backend,
        model_revision,
        base_url,
        api_key_env,
        checked_value("batch_size", positive, batch_size),
        checked_value("options", JsonObject(), options or {}),
    )
    sampling = GenerationSampling(
        checked_value("n", positive, n),
        checked_value("temperature", Number(0), temperature),
        checked_value("top_p", Number(0, 1, low_open=True), top_p, optional=True),
        checked_value("max_new_tokens", positive, max_new_tokens, optional=True),
        checked_value("rng_seed", Integer(0), rng_seed),
    )
    if backend in SERVER_BACKENDS and style not in (None, "chat"):
        raise UsageError(f"A chat server does not support the style {style!r}: it applies its own template. Use chat.")
    chosen_tier(tier)  # fail before generating what could not be scored
    limit = checked_value("limit", positive, limit, optional=True)
    workers = checked_value("workers", positive, workers, optional=True)
    settings = _Settings(style, limit, checked_ks(ks), allow_empty, trained_on, workers, tier)
    named = _all_tasks([tasks] if isinstance(tasks, str) else checked_value("tasks", Names(), tasks))
    benchmarks = [load(task, data, revision) for task in named]
    folders = {benchmark.task: out / benchmark.task.replace(":", "-") for benchmark in benchmarks}
    # Before the model is loaded: generating takes hours.
    check_folder(out, ())
    for folder in folders.values():
        check_folder(folder, (generation.SAMPLES, TABLE, VERDICTS), generation.GENERATION)
    for benchmark in benchmarks:
        for language in sorted({problem.language for problem in benchmark.problems.values()}):
            if say and (reason := why_unavailable(language, tier)):
                say(f"{benchmark.task} will be generated but not evaluated: {reason}")
    choice, facts = _model_identity(choice)
    with locked(out), (out / LOG).open("a", encoding="utf-8", buffering=1) as log:
        run = _Run(settings, choice, sampling, facts, progress, log)
        return {benchmark.task: run.of(benchmark, folders[benchmark.task]) for benchmark in benchmarks}


class _Run:
    """A run with one model, which is loaded once a task needs an answer."""

    def __init__(
        self,
        settings: _Settings,
        choice: ModelChoice,
        sampling: GenerationSampling,
        model: Mapping[str, Any],
        progress: Progress,
        log: TextIO,
    ) -> None:
        self._settings, self._choice, self._sampling, self._facts = settings, choice, sampling, model
        self._progress, self._log = progress, log
        self._model: LightevalModel | None = None

    def answers(self, asked: Sequence[ModelPrompt], style: str) -> list[list[str]]:
        """Generate answers, loading the model on first use."""
        with redirect_stdout(self._log), redirect_stderr(self._log):  # the terminal is for our display
            return self._load_model().answers(asked, style)

    def of(self, benchmark: Benchmark, out: Path) -> tuple[Score, list[Verdict]]:
        """Generate and score one task."""
        problems = list(islice(benchmark.problems.values(), self._settings.limit))
        # The style of earlier answers, so that resuming a finished generation loads no model.
        style = self._settings.style or generation.style_of(out) or self._load_model().style()
        drawn = asdict(self._sampling) | {"max_new_tokens": self._sampling.max_new_tokens or NEW_TOKENS[style]}
        generation.claim(
            out, {"task": benchmark.task, "version": benchmark.version, **self._facts, "style": style, "sampling": drawn}
        )
        unanswered = generation.generate(
            problems,
            self,
            style,
            self._sampling.n,
            out,
            # Servers and vLLM schedule prompts themselves: a larger batch keeps them busy until it is written.
            batch=self._choice.batch_size * (1 if self._choice.backend == "transformers" else 8),
            allow_empty=self._settings.allow_empty or self._choice.backend not in SERVER_BACKENDS,
            progress=self._progress,
        )
        if unanswered:
            raise EvaluationError(
                f"The server gave no answer, or fewer than {self._sampling.n}, to {unanswered:,} of {len(problems):,} problems "
                f"of {benchmark.task}; {LOG} has why. The same command retries them; --allow-empty accepts empty answers."
            )
        facts = {**self._facts, "style": style, "sampling": drawn, "batch_size": self._choice.batch_size, "versions": _versions()}
        return score(
            benchmark,
            out / generation.SAMPLES,
            out=out,
            ks=self._settings.ks,
            allow_missing=self._settings.limit is not None,
            trained_on=self._settings.trained_on,
            workers=self._settings.workers,
            tier=self._settings.tier,
            facts=facts,
            progress=self._progress,
        )

    def _load_model(self) -> LightevalModel:
        if self._model is None:
            loading = self._progress.stage(f"Loading {self._choice.name}")
            with loading, redirect_stdout(self._log), redirect_stderr(self._log):
                self._model = LightevalModel(self._choice, self._sampling)
        return self._model


def _all_tasks(tasks: Sequence[str]) -> list[str]:
    names = [
        name
        for task in tasks
        for name in ([f"multipl_e:{key}" for key in multipl_e.KEYS] if canonical(task) == "multipl_e" else [canonical(task)])
    ]
    if not names:
        raise UsageError("No task to evaluate. Pass one, such as humaneval_plus.")
    return list(dict.fromkeys(names))


def _model_identity(choice: ModelChoice) -> tuple[ModelChoice, dict[str, Any]]:
    """Resolve the model's commit, and return what identifies its answers: no URL and no key."""
    facts: dict[str, Any] = {"model": choice.name, "backend": choice.backend, "options": dict(choice.options)}
    if choice.backend in SERVER_BACKENDS:
        return choice, facts
    if (folder := Path(choice.name)).is_dir():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        # Sizes and times instead of content: weights are gigabytes.
        seen = [(str(path.relative_to(folder)), (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]
        facts |= {"model": folder.resolve().name, "files": xxhash.xxh3_128_hexdigest(json.dumps(seen).encode())}
        return replace(choice, name=str(folder.resolve())), facts
    commit = _commit(choice.name, choice.revision or "main")
    return replace(choice, revision=commit), facts | {"revision": commit}


def _commit(name: str, revision: str) -> str:
    try:
        return commit_of(name, revision)
    except LookupError as error:
        raise EvaluationError(str(error)) from error


def _versions() -> dict[str, str]:
    versions = {}
    for name in ("lighteval", "transformers", "torch", "vllm", "litellm", "huggingface_hub"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
