"""The commands `plan`, `run-shard`, `launch` and `split`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hf_oss_instruct.errors import BudgetReachedError, RunInterruptedError, UsageError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.spec.flags import RunFlags, run_options
from hf_oss_instruct.terminal.console import command_line, show_ending, show_line
from hf_oss_instruct.terminal.display import plural
from hf_oss_instruct.terminal.flags import GroupedCommand, format_option
from hf_oss_instruct.terminal.process import EXIT_BUDGET, over_tables, resumable, typed_command

FOLDER_TYPE = click.Path(file_okay=False, path_type=Path)


@click.command(cls=GroupedCommand)
@run_options("seeds", "teacher", "prompt", "sampling", "limits", "checks", "verification")
@click.option(
    "--shards", type=click.IntRange(1), required=True, metavar="N", help="Number of shards. It does not affect the rows."
)
@click.option(
    "--out",
    type=FOLDER_TYPE,
    required=True,
    help="Folder of the plan, on a disk that all machines share or copied to each machine.",
)
@format_option
@over_tables
def plan(flags: RunFlags, shards: int, out: Path, output: str) -> None:
    """Divide a run into shards for several machines.

    \b
    hf-oss-instruct plan --seeds my_code/ --n 200000 --model MODEL --base-url URL --shards 64 --out plan
    hf-oss-instruct synthesize --config plan/oss_instruct.yaml … --shard 0/64 --out plan/shards/00000-of-00064
    hf-oss-instruct merge plan --out pairs

    Writes the run config with the exact revision of the source, and prints the command of a shard. Run it for each shard, on
    any machine and in any order, and again after a failure. merge then writes the dataset that one machine would have written. No
    request is sent.
    """
    # Heavy imports wait until the command runs, so that --help answers without them.
    from hf_oss_instruct.scale.plan import write_plan
    from hf_oss_instruct.synthesis.from_flags import open_run
    from hf_oss_instruct.synthesis.run import CONFIG, with_benchmarks

    spec, source, teacher = open_run(flags)
    spec, _ = with_benchmarks(spec, spec.checks.benchmarks if flags.benchmarks is None else flags.benchmarks)
    planned = write_plan(out, spec, source, teacher, shards, flags.seeds)
    config = str(out / CONFIG)
    commands = [
        typed_command("synthesize", drop=("shards", "preset"), config=config, shard=shard, out=folder)
        for shard, folder in planned
    ]
    if output == "json":
        click.echo(
            json.dumps({"out": str(out), "requested": planned.spec.seeds.requested, "shards": shards, "commands": commands})
        )
    elif output != "quiet":
        made = f"{plural(planned.spec.seeds.requested or 0, 'seed')} in {plural(shards, 'shard')}"
        show_ending(made, out, view=[config], next_command=commands[0])
        show_line(f"  and so on for each of the {shards:,} shards, on any machine")
        show_line(f"  then merge them: {command_line('merge', out, '--out', 'pairs')}")


def copy_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of shards that are copied to a store."""
    every = click.option(
        "--copy-every",
        type=click.FloatRange(1),
        default=300.0,
        show_default=True,
        metavar="SECONDS",
        help="With a store: interval at which a shard copies new answers there. A lost machine loses at most one interval.",
    )
    scratch = click.option(
        "--scratch", metavar="DIR", help="With a store: folder on each machine's own disk for its work. Default: in $HF_HOME."
    )
    return every(scratch(command))


@click.command("run-shard", cls=GroupedCommand)
@click.argument("where", metavar="PLAN|URL")
@click.option("--shard", required=True, metavar="I/N", help="Which shard: 0/64 is the first of 64.")
@click.option("--seeds", metavar="SOURCE", help="Source of seeds, if its path differs on this machine.")
@copy_options
@format_option
@run_options("teacher", "limits")
@over_tables
def run_shard(
    flags: RunFlags, where: str, shard: str, seeds: str | None, copy_every: float, scratch: str | None, output: str
) -> None:
    """Run one shard of a plan on this machine, as launch does.

    \b
    From a folder:  hf-oss-instruct run-shard plan --shard 3/64 --model MODEL --base-url URL
    From a store:   hf-oss-instruct run-shard hf://buckets/me/run --shard 3/64 --model MODEL --base-url URL

    For machines that another scheduler starts, such as Kubernetes. With a store, answers are copied there periodically and at
    the end, and a machine that runs the shard again starts from them: no copied answer is paid for twice.
    """
    from hf_oss_instruct.scale.run_shard import ShardRun, check_finished
    from hf_oss_instruct.spec.shard import Shard

    part = Shard.parse(shard)
    how = ShardRun(where, seeds, flags.spec.teacher, flags.spec.limits, copy_every, scratch)
    with show_progress(output) as progress:
        runs = list(how.run(part, say=lambda text: click.echo(text, err=True), progress=progress))
    for out, result in runs:
        if output == "json":
            click.echo(json.dumps({"out": str(out), **result.report}))
        if result.interrupted:
            raise RunInterruptedError(f"Interrupted. Everything received is kept. Continue with:\n  {typed_command()}")
        if isinstance(result.error, BudgetReachedError):
            click.echo(f"Error: {result.error}", err=True)
            sys.exit(EXIT_BUDGET)
        check_finished(part, result)
        if output not in ("json", "quiet"):
            show_line(f"shard {part}: {plural(result.stats.kept, 'pair')} of {plural(result.stats.requested, 'seed')} → {out}")


@click.command(cls=GroupedCommand, short_help="Run the shards of a plan: locally, Slurm, Ray or HF Jobs.")
@click.argument("folder", metavar="PLAN", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--on", type=click.Choice(["local", "slurm", "ray", "jobs"]), default="local", show_default=True, help="Where to run."
)
@click.option("--workers", type=click.IntRange(1), metavar="K", help="Shards that run at the same time. Default: all.")
@click.option("--seeds", metavar="SOURCE", help="Source of seeds, if its path differs on the machines of the shards.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Argument of the executor, such as partition=cpu or flavor=cpu-upgrade.",
)
@click.option(
    "--store",
    metavar="URL",
    help="Store for machines without a shared file system, for the plan and its shards: hf://buckets/NAME/RUN, s3://BUCKET/RUN.",
)
@copy_options
@click.option(
    "--split-stragglers",
    is_flag=True,
    help="First split unfinished shards that were started, so that every worker has one.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@run_options("teacher", "limits")
def launch(
    flags: RunFlags,
    folder: Path,
    on: str,
    workers: int | None,
    seeds: str | None,
    settings: tuple[str, ...],
    store: str | None,
    copy_every: float,
    scratch: str | None,
    split_stragglers: bool,
    yes: bool,
) -> None:
    """Run the shards of a plan: with datatrove's executors, or as Hugging Face Jobs.

    \b
    On this machine:   hf-oss-instruct launch plan --workers 4 --model MODEL --base-url URL
    On Slurm:          hf-oss-instruct launch plan --on slurm --set partition=cpu --set time=04:00:00 --model MODEL --base-url URL
    On Ray:            hf-oss-instruct launch plan --on ray --model MODEL --base-url URL
    On HF Jobs:        hf-oss-instruct launch plan --on jobs --store hf://buckets/me/run --model MODEL --base-url URL

    Shows what it will start and asks for confirmation. Finished shards are left out, so the same command continues after a
    failure. The plan must be on a file system that all machines share, or in a --store.
    """
    from hf_oss_instruct.scale.launch import Launch
    from hf_oss_instruct.scale.plan import Plan
    from hf_oss_instruct.scale.run_shard import send_plan
    from hf_oss_instruct.scale.store import Store
    from hf_oss_instruct.teachers.resolve import open_teacher

    spec = flags.spec
    plan = Plan.read(folder)
    # Without the flag, the plan's own value holds: it was chosen for this teacher.
    if click.get_current_context().get_parameter_source("concurrency") is ParameterSource.DEFAULT:
        spec = spec.changed(teacher={"concurrency": plan.concurrency})
    if (here := open_teacher(spec.teacher).identity) != plan.teacher:
        raise UsageError(f"The plan is for the teacher {plan.teacher}, not {here}. Pass the --model of the plan.")
    chosen = dict(map(_setting, settings))
    starting = Launch(plan, on, spec.teacher, spec.limits, workers, seeds, chosen, store, copy_every, scratch, split_stragglers)
    # Invalid settings are reported before the confirmation.
    starting.executor()
    for line in starting.describe():
        show_line(line)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("No terminal to ask for confirmation. Pass --yes to start the shards.")
        click.confirm("Start?", abort=True)
    with resumable(folder):
        if store:
            send_plan(plan, Store(store))
        starting.run()
    show_line(f"When all shards are done, merge them: {command_line('merge', store or folder, '--out', 'pairs')}")


def _setting(text: str) -> tuple[str, Any]:
    from hf_oss_instruct.structured import load_yaml

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--set {text!r} is not NAME=VALUE. Write, for example, --set partition=cpu.")
    try:
        return name, load_yaml(value)
    except ValueError as error:
        raise UsageError(f"The value of --set {text!r} is not YAML: {error}. Quote text: --set 'name=\"a: b\"'.") from error


@click.command(short_help="Split a slow shard into smaller ones.")
@click.argument("shard", metavar="SHARD", type=click.Path(file_okay=False, path_type=Path))
@click.option("--into", type=click.IntRange(2), required=True, metavar="K", help="Number of smaller shards.")
@format_option
def split(shard: Path, into: int, output: str) -> None:
    """Split a slow shard into smaller ones, which keep its answers.

    \b
    hf-oss-instruct split plan/shards/00002-of-00064 --into 4

    Stop the shard first. Then run synthesize for each smaller shard, on any machine; merge finds them in the plan.
    """
    from hf_oss_instruct.scale.split import split as divide

    folders = divide(shard, into)
    if output == "json":
        click.echo(json.dumps({"shards": [str(folder) for folder in folders]}))
    elif output != "quiet":
        for folder in folders:
            index, _, count = folder.name.partition("-of-")
            show_line(f"shard {int(index)}/{int(count)} → {folder}")
        click.echo("\nNext, run synthesize as before for each of these shards, with its --shard and --out.")
