"""A complete scoring run: read data and samples, judge them, write the scores."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hf_oss_instruct.argument_types import as_name, as_path, check_type
from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.preflight import toolchain_of, why_unavailable
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.samples import checked, read_samples
from hf_oss_instruct.evaluation.scoring import results, scoring
from hf_oss_instruct.evaluation.scoring.compare import PairedComparison, compare
from hf_oss_instruct.evaluation.scoring.reference import CPU_FACTOR, MIN_CPU_S
from hf_oss_instruct.evaluation.scoring.results import Score
from hf_oss_instruct.evaluation.scoring.scoring import WHOLE_PROGRAM_LIMITS
from hf_oss_instruct.evaluation.scoring.trained_on import quoted_problems
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict, results_by_problem
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.sandbox.backends import chosen_tier, memory_held_by
from hf_oss_instruct.spec.option_types import Integer, checked_value
from hf_oss_instruct.storage.workdir import locked
from hf_oss_instruct.structured import read_object


def score(
    task: str | Benchmark,
    samples: Path | str,
    *,
    data: Path | str | None = None,
    revision: str | None = None,
    out: Path | str | None = None,
    ks: int | Sequence[int] | None = None,
    allow_missing: bool = False,
    trained_on: Path | str | None = None,
    workers: int | None = None,
    tier: str | None = None,
    facts: Mapping[str, Any] | None = None,
    progress: Progress = SILENT,
) -> tuple[Score, list[Verdict]]:
    """Score samples from any tool: run them in the sandbox, estimate pass@k.

    Args:
        task: `humaneval`, `humaneval_plus`, `mbpp`, `mbpp_plus`, `multipl_e:LANGUAGE` (from HumanEval) or
            `multipl_e:mbpp-LANGUAGE` (from MBPP), in any spelling; or a loaded benchmark.
        samples: file or folder: JSON Lines with `task_id` and `solution` (a program), `completion` (of the prompt), or `answer`
            or `response` (of a chat model), as written by evalplus and human-eval; evalplus' results; MultiPL-E's `.json` and
            `.results.json`; bigcode-evaluation-harness' `generations.json`; inspect's logs; lighteval's details (`.parquet`).
        data: local file or folder of the benchmark; the Hub by default.
        revision: another commit of the benchmark on the Hub.
        out: folder for verdicts and scores; an earlier run in it is resumed.
        ks: values of k for pass@k; by default 1, 10 and 100, up to the number of samples.
        allow_missing: whether problems may have no sample.
        trained_on: a training set: the folder of a run, Parquet or JSON Lines, or the id of a dataset on the Hub; adds the score
            without the problems that it quotes.
        workers: number of samples judged in parallel; the number of CPUs by default.
        tier: sandbox tier: `bubblewrap`, `landlock` or `unsafe-none` (no isolation); the best available one by default.
        facts: further information on the samples, such as the model; stored with the scores.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

    Returns:
        The score and the verdicts in the order of the samples.

    Raises:
        UsageError: the task or file does not exist, a number is out of its range, or a k is larger than the number of samples.
        EvaluationError: the data or samples are unusable.
        RunError: the folder belongs to another run or cannot be written.
        SandboxError: no sandbox works on this machine.
    """
    check_type("task", task, str | Benchmark, "the name of a benchmark")
    trained_on = None if trained_on is None else as_name("trained_on", trained_on, "a path, or the id of a dataset")
    check_type("facts", facts, Mapping | None, "a dict")
    samples = as_path("samples", samples)
    out, data = as_path("out", out) if out else None, as_path("data", data) if data else None
    ks, workers = checked_ks(ks), checked_value("workers", Integer(1), workers, optional=True)
    if out:
        results.check_folder(out)
    with progress.stage("Reading the benchmark and the samples"):
        benchmark = task if isinstance(task, Benchmark) else load(task, data, revision)
        asked, missing = checked(read_samples(samples, benchmark), benchmark, allow_missing=allow_missing)
        contaminated = None if trained_on is None else quoted_problems(trained_on, benchmark)
    tier, title = chosen_tier(tier).name, f"Judging samples of {benchmark.task}"
    identity = results.identity_of(samples, asked, out) if out else {"samples": samples.name}
    # Two runs in one folder would write over each other's verdicts.
    with locked(out) if out else nullcontext():
        if out:
            results.claim(out, benchmark, identity)
        with results.open_verdicts(out) as (known, record), progress.stage(title, "samples", len(asked)) as counts:
            statuses = Counter[str]()
            counts.reasons, counts.reasons_are = statuses, "did not pass"

            def on_verdict(verdict: Verdict) -> None:
                record(verdict)
                counts.done += 1
                counts.recalled += verdict.key in known
                if verdict.passed:
                    counts.outcomes["passed"] = counts.outcomes.get("passed", 0) + 1
                else:
                    statuses[verdict.status] += 1

            verdicts = scoring.score(benchmark, asked, known=known, on_verdict=on_verdict, workers=workers, tier=tier)
        kept = _facts(benchmark, tier) | {**identity, **(facts or {})}
        result = results.summarise(benchmark, verdicts, missing, ks=ks, contaminated=contaminated, facts=kept)
        if out:
            results.write(out, result, verdicts)
    return result, verdicts


def checked_ks(ks: int | Sequence[int] | None) -> tuple[int, ...] | None:
    """The values of k for pass@k; a single one does not need a list around it.

    Raises:
        UsageError: one is not a positive whole number.
    """
    if ks is None:
        return None
    return tuple(checked_value("ks", Integer(1), k) for k in (ks if isinstance(ks, Iterable) else [ks]))


def _facts(benchmark: Benchmark, tier: str) -> dict[str, Any]:
    """Collect versions, toolchains and limits."""
    languages = {problem.language for problem in benchmark.problems.values()}
    return {
        "hf_oss_instruct": version("hf-oss-instruct"),
        "python": platform.python_version(),
        "toolchains": {language: why_unavailable(language, tier) or toolchain_of(language) for language in sorted(languages)},
        "sandbox": tier,
        "memory": memory_held_by(tier),
        "limits": {
            "cpu_s": f"{CPU_FACTOR} × the reference's, at least {MIN_CPU_S}",
            "whole_program": asdict(WHOLE_PROGRAM_LIMITS),
        },
    }


def compare_runs(a: Path | str, b: Path | str, rng_seed: int = 0) -> dict[str, PairedComparison]:
    """Test whether model B is better than A, or whether the difference is noise, for each kind of tests that both have.

    Args:
        a: the folder of model A that `score` or `evaluate` wrote for a task, or its `verdicts.jsonl`.
        b: the same for model B.
        rng_seed: random seed of the bootstrap.

    Returns:
        Kind of tests → the comparison: `base` and `plus` for HumanEval+ and MBPP+, else `passed`.

    Raises:
        UsageError: `rng_seed` is not a whole number of at least 0.
        EvaluationError: a folder has no verdicts, or the tasks, data or problems differ.
    """
    a, b, rng_seed = as_path("a", a), as_path("b", b), checked_value("rng_seed", Integer(0), rng_seed)
    first, second = _identity(a), _identity(b)
    if first != second:
        raise EvaluationError(f"A is {first} and B is {second}: they cannot be compared. Score both on the same task and data.")
    rows_a, rows_b = results.read_verdicts(a), results.read_verdicts(b)
    has_plus = any(verdict.plus is not None for verdict in rows_a)
    kinds = ("base", "plus") if has_plus else ("passed",)
    pairs = {kind: (results_by_problem(rows_a, kind), results_by_problem(rows_b, kind)) for kind in kinds}
    comparisons = {kind: compare(one, other, rng_seed) for kind, (one, other) in pairs.items() if one or other}
    if not comparisons:
        raise EvaluationError("A and B contain no verdicts. Score some samples first.")
    return comparisons


def _identity(folder: Path) -> str:
    """Return task and version of a run; they are unknown for a verdicts file without its folder."""
    path = (folder if folder.is_dir() else folder.parent) / results.RESULTS
    if not path.exists():
        return "a task that its folder does not name"
    try:
        facts = read_object(path, {"task": str, "version": str})
    except ValueError as error:
        raise EvaluationError(f"{error}. Score into a new folder.") from error
    return f"{facts['task']} on {facts['version']}"
