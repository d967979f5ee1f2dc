"""The commands `synthesize` and `preview`, and `export` of a run."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hf_oss_instruct.errors import BudgetReachedError, OssInstructError, SeedsExhaustedError, UsageError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.spec.flags import RunFlags, run_options
from hf_oss_instruct.spec.option_types import Switch
from hf_oss_instruct.spec.run import OPTIONS
from hf_oss_instruct.storage.run_report import read_run_report
from hf_oss_instruct.synthesis.from_flags import open_run
from hf_oss_instruct.terminal.console import command_line, show_ending, shown_as_text
from hf_oss_instruct.terminal.display import plural, visible
from hf_oss_instruct.terminal.flags import GroupedCommand, format_option
from hf_oss_instruct.terminal.process import EXIT_BUDGET, EXIT_FAILED, over_tables, resumable, typed_command
from hf_oss_instruct.terminal.signals import EXIT_INTERRUPTED
from hf_oss_instruct.terminal.streams import reader_gone

if TYPE_CHECKING:
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.synthesis.generation.task import Task
    from hf_oss_instruct.synthesis.run import RunResult
    from hf_oss_instruct.teachers.protocol import Teacher

PREVIEW_SEEDS = 3
NOT_FOR_TRAINING = """
These pairs were mined from comments by the embedded teacher, without a model: good for trying things out, not for training.
For real pairs: --model MODEL (Inference Providers), or --model MODEL --base-url http://localhost:8080/v1"""


@click.command(cls=GroupedCommand)
@run_options("seeds", "teacher", "prompt", "sampling", "limits", "checks", "verification")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the run; the same command continues it.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done: send no requests, write nothing.")
@format_option
@over_tables
def synthesize(flags: RunFlags, out: Path, dry_run: bool, output: str) -> None:
    """Make a dataset of (problem, solution) pairs.

    \b
    Offline, no model:   hf-oss-instruct synthesize --n 200 --out pairs
    Your code:           hf-oss-instruct synthesize --seeds my_code/ --n 2000 --model MODEL --base-url URL --out pairs
    The paper's set:     hf-oss-instruct synthesize --preset magicoder --seeds bigcode/the-stack --model MODEL --out pairs

    Every answer is in OUT/journal before it is used: after Ctrl-C, SIGTERM, a crash or a full disk, the same command continues.
    OUT contains data/, sft/ and rejected/ (Parquet), README.md (a card that load_dataset reads), run.json and oss_instruct.yaml.
    """
    # Heavy imports wait until the command runs, so that --help answers without them.
    from hf_oss_instruct.seeds.source import pinned
    from hf_oss_instruct.synthesis.run import check_out, run, with_benchmarks

    spec, source, teacher = open_run(flags)
    if spec.seeds.requested is None:
        raise UsageError("The number of seeds is missing. Pass --n 200, or counts such as --languages python=4000,cpp=500.")
    # As typed: a file is a path here, and only a hash of its contents in the spec.
    names = spec.checks.benchmarks if flags.benchmarks is None else flags.benchmarks
    if dry_run:
        spec, _ = with_benchmarks(replace(spec, seeds=pinned(spec.seeds, source)), names, download=False)
        check_out(out, spec, teacher)
        _show_plan(spec, teacher, out, output)
        return
    with show_progress(output) as progress:
        with progress.stage("Reading the benchmarks that no pair may quote"):
            spec, lists = with_benchmarks(spec, names)
        result = run(out, spec, source, teacher, lists=lists, progress=progress)
    failure = _failure(result, out, teacher.embedded)
    _print_outcome(result, failure, teacher.embedded, _next(spec, teacher.embedded, out, flags.seeds), out, output)
    sys.exit(_exit_code(result, failure))


def _show_plan(spec: RunSpec, teacher: Teacher, out: Path, output: str) -> None:
    """Print the run config, and what the run costs at most."""
    from hf_oss_instruct.synthesis.generation.concepts import pair_task
    from hf_oss_instruct.synthesis.verifying.setup import requests_per_row
    from hf_oss_instruct.teachers.resolve import requests_go_to

    requested, (fewest, most) = spec.seeds.requested, requests_per_row(spec, teacher)
    assert requested is not None
    # Prompts are not known before the seeds are drawn: only answers have an upper bound.
    tokens = requested * most * spec.sampling.max_tokens
    facts = {
        "rows": requested,
        "requests_per_row": [fewest, most],
        "max_completion_tokens": tokens,
        "teacher": teacher.identity,
        "config": spec.as_dict(),
    }
    if not shown_as_text(facts, output):
        return
    click.echo(spec.to_yaml(), nl=False)
    each = (
        f" ({fewest if fewest == most else f'{fewest} to {most}'} for each row)" if most > 1 or spec.verification.verify else ""
    )
    requests = f"up to {plural(requested * most, 'request')}{each} without retries" if most else "no requests"
    click.echo(f"# teacher {teacher.identity}, {requests}, into {out}")
    if spec.seeds.balance:
        read = f"read by {model}" if (model := spec.seeds.embedding_model) else "drawn"
        click.echo(f"# seeds are balanced: about four snippets are {read} for each seed, which costs no requests")
    if pair_task(spec, teacher).schema is not None:
        click.echo("# answers are requested as JSON (response_format), unless the server rejects it")
    if (cost := spec.limits.cost(0, tokens)) is not None:
        half = f", in batches {cost / 2:,.2f} if the provider halves its prices" if spec.teacher.batch else ""
        click.echo(f"# at most {tokens:,} tokens in answers, which cost at most {cost:,.2f}{half}")
    for line in requests_go_to(spec.teacher, teacher):
        click.echo(line)


@click.command(cls=GroupedCommand)
@run_options("seeds", "teacher", "prompt", "sampling", "verification")
@format_option
@over_tables
def preview(flags: RunFlags, output: str) -> None:
    """Show pairs for a few seeds, without writing a dataset.

    \b
    Offline, no model:   hf-oss-instruct preview
    Your code:           hf-oss-instruct preview --seeds my_code/ --model MODEL --base-url URL
    Your prompt:         hf-oss-instruct preview --prompt-template my.txt --n 1 --model MODEL --base-url URL

    Answers are kept in a journal in the cache, and synthesize with the same teacher and prompt reuses them.
    """
    from hf_oss_instruct.data import Skipped, is_row
    from hf_oss_instruct.seeds.console import show_skipped
    from hf_oss_instruct.seeds.sampling import sample
    from hf_oss_instruct.synthesis.console import name_of, show_outcome
    from hf_oss_instruct.synthesis.first_outcomes import first_outcomes
    from hf_oss_instruct.synthesis.generation.concepts import pair_task
    from hf_oss_instruct.synthesis.requests.budget import Usage
    from hf_oss_instruct.synthesis.requests.progress import count_requests
    from hf_oss_instruct.synthesis.stream import VERDICTS
    from hf_oss_instruct.synthesis.verifying import Prepare, open_verification
    from hf_oss_instruct.synthesis.verifying.setup import requests_per_row
    from hf_oss_instruct.verification.memo import Verdicts

    spec, source, teacher = open_run(flags, batches=False)
    if spec.seeds.requested is None:
        spec = spec.changed(seeds={"n": PREVIEW_SEEDS})
    task, verification = pair_task(spec, teacher), open_verification(spec, teacher)
    became, skipped, usage, first_why = Counter[str](), Counter[Skipped](), Usage(), ""
    with (
        Verdicts.shared(task.journal_home / VERDICTS) as verdicts,
        show_progress(output) as progress,
        progress.stage(
            f"Making pairs with {teacher.identity}",
            "seeds",
            spec.seeds.requested,
            lambda counts: count_requests(counts, usage, spec.limits, became.total()),
        ) as counts,
    ):
        seeds = sample(source, spec.seeds, progress)
        tasks: list[Task] = [*task.tasks, *([Prepare(replace(verification, verdicts=verdicts))] if verification else [])]
        for outcome in first_outcomes(seeds, tasks, spec, task.journal_home, usage):
            if isinstance(outcome, Skipped):
                skipped[outcome] += 1
            else:
                became[name_of(outcome)] += 1
                first_why = first_why or ("" if is_row(outcome) else outcome.why)
                counts.outcomes = dict(became)
                with progress.aside():
                    show_outcome(outcome, output)
            # The reader has closed the pipe, as `head` does: pay for no more.
            if reader_gone():
                return
    if output in ("auto", "human"):
        click.echo()
        summary = f"{plural(became['kept'], 'pair')} from {plural(became.total(), 'seed')}, shown above; no dataset was written"
        n = 200 if teacher.embedded else 2000
        then = typed_command("synthesize", n=n, out="pairs") if became["kept"] else ""
        show_ending(summary, view=[_seeds_command()], next_command=then)
        fewest, most = requests_per_row(spec, teacher)
        if verification or most > 1:
            each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            click.echo(f"A row costs {each} requests, not counting retries; {usage.requests_sent:,} were sent.")
        show_skipped(skipped.elements(), output, source.converted)
        if teacher.embedded and became["kept"]:
            click.echo(NOT_FOR_TRAINING)
    if not became["kept"]:
        model = "Pass a model with --model" if teacher.embedded else "Try another model"
        raise OssInstructError(f"No seed yielded a pair ({first_why or 'there were no seeds'}). {model}, or more seeds with --n.")


def _seeds_command() -> str:
    """The command that shows the seeds of a preview: as typed, without what says how they are used."""
    others = [option for part in ("teacher", "prompt", "sampling", "verification") for option in OPTIONS[part] if option.flag]
    names = {flag.removeprefix("--"): option for option in others for flag in str(option.flag).split("/")}
    switches = tuple(name for name, option in names.items() if isinstance(option.kind, Switch))
    return typed_command("seeds", drop=tuple(name for name in names if name not in switches), switches=switches)


def export_run(folder: Path, out: Path, output: str) -> None:
    """Write the rows so far of a run, for `export` without `--to`.

    Args:
        folder: the run's.
        out: a new folder.
        output: the value of `--format`.
    """
    from hf_oss_instruct.synthesis.console import show_report
    from hf_oss_instruct.synthesis.export import export as write

    with resumable(out), show_progress(output) as progress:
        write(folder, out, progress)
    report = read_run_report(out)
    if output == "json":
        click.echo(json.dumps({"out": str(out), **report}))
    elif output != "quiet":
        show_report(report, out, command_line("publish", out, "--to", f"YOU/{out.resolve().name}"))


def _print_outcome(result: RunResult, failure: str | None, embedded: bool, then: str, out: Path, output: str) -> None:
    from hf_oss_instruct.synthesis.console import show_report

    if output == "json":
        click.echo(json.dumps({"out": str(out), **result.report}))
    elif output != "quiet":
        show_report(result.report, out, "" if failure else then)
        if embedded and not failure:
            click.echo(NOT_FOR_TRAINING)
    if failure:
        click.echo(visible(failure), err=True)
    if isinstance(result.error, BudgetReachedError):
        click.echo("Everything received is kept.", err=True)
    elif result.interrupted or (result.stats.pending and not isinstance(result.error, SeedsExhaustedError)):
        click.echo(f"Everything received is kept. Continue with:\n  {typed_command()}", err=True)


def _next(spec: RunSpec, embedded: bool, out: Path, seeds: str | None) -> str:
    if spec.seeds.shard:
        return command_line("merge", out.parent.parent if out.parent.name == "shards" else "PLAN", "--out", "pairs")
    return after_dataset(out, embedded, seeds)


def after_dataset(out: Path, embedded: bool, seeds: str | None = None) -> str:
    """Return the command to type after a dataset was made: pairs of the embedded teacher are not for training.

    Args:
        out: folder of the dataset.
        embedded: whether it is of the embedded teacher.
        seeds: the value of `--seeds`, if it was given.
    """
    if embedded:
        return command_line("preview", *(("--seeds", seeds) if seeds else ()), "--model", "MODEL")
    return f"{command_line('recipe', 'magicoder', '--data', out)} > magicoder.yaml"


def _exit_code(result: RunResult, failure: str | None) -> int:
    if result.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_BUDGET if isinstance(result.error, BudgetReachedError) else EXIT_FAILED if failure else 0


def _failure(result: RunResult, out: Path, embedded: bool) -> str | None:
    """Why the run is incomplete; None if it is complete."""
    stats = result.stats
    if result.interrupted:
        return "Interrupted."
    if result.error:
        return f"Error: {result.error}"
    if stats.pending:
        have = "has" if stats.pending == 1 else "have"
        return f"Error: {plural(stats.pending, 'seed')} {have} no answer yet ({stats.pending_why})."
    if not stats.kept:
        model = "Pass a model with --model" if embedded else "Try another model"
        return (
            f"Error: No seed yielded a pair ({stats.first_why}). {out / 'rejected'} contains the answers. {model}, or a larger "
            "--n, and a new --out."
        )
    return None
