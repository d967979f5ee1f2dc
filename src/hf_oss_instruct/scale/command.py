"""The commands `plan`, `launch`, `split` and `merge`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hf_oss_instruct.console import command_line, show_ending, show_line
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.flags import GroupedCommand, format_option
from hf_oss_instruct.process import resumable, typed_command
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.spec.flags import RunFlags, run_options

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=GroupedCommand)
@run_options("seeds", "teacher", "prompt", "sampling", "limits", "checks", "verification")
@click.option(
    "--shards", type=click.IntRange(1), required=True, metavar="N", help="Number of shards; the rows do not depend on it."
)
@click.option(
    "--out", type=FOLDER, required=True, help="Folder of the plan, on a disk that all machines share, or copied to each."
)
@format_option
def plan(flags: RunFlags, shards: int, out: Path, output: str) -> None:
    """Divide a run into shards for several machines.

    \b
    hf-oss-instruct plan --seeds my_code/ --n 200000 --model MODEL --base-url URL --shards 64 --out plan
    hf-oss-instruct synthesize --config plan/oss_instruct.yaml … --shard 0/64 --out plan/shards/00000-of-00064
    hf-oss-instruct merge plan --out pairs

    The plan records the run config with the exact revision of the source. It prints the command of a shard: run it for each
    shard, on any machine, in any order, again after a failure. merge then writes the dataset that one machine would have written.
    No request is sent.
    """
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
        made = f"{planned.spec.seeds.requested:,} seeds in {shards:,} shards"
        show_ending(made, out, look=[config], then=commands[0])
        show_line(f"  and so on for each of the {shards:,} shards, on any machine")
        show_line(f"  then merge them: {command_line('merge', out, '--out', 'pairs')}")


@click.command(cls=GroupedCommand)
@click.argument("folder", metavar="PLAN", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--on", type=click.Choice(["local", "slurm", "ray"]), default="local", show_default=True, help="Where.")
@click.option("--workers", type=click.IntRange(1), metavar="K", help="Shards that run at the same time. Default: all.")
@click.option("--seeds", metavar="SOURCE", help="The source of seeds, where it is elsewhere on the machines of the shards.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Argument of datatrove's executor, such as partition=cpu."
)
@click.option("--yes", is_flag=True, help="Start without asking.")
@run_options("teacher", "limits")
def launch(
    flags: RunFlags, folder: Path, on: str, workers: int | None, seeds: str | None, settings: tuple[str, ...], yes: bool
) -> None:
    """Run the shards of a plan with datatrove's executors.

    \b
    On this machine:   hf-oss-instruct launch plan --workers 4 --model MODEL --base-url URL
    On Slurm:          hf-oss-instruct launch plan --on slurm --set partition=cpu --set time=04:00:00 --model MODEL --base-url URL
    On Ray:            hf-oss-instruct launch plan --on ray --model MODEL --base-url URL

    Shows what it will start and asks. Shards that are finished are left out, so the same command continues after a failure. The
    plan must be on a file system that all machines share.
    """
    from hf_oss_instruct.scale.launch import Launch
    from hf_oss_instruct.scale.plan import Plan
    from hf_oss_instruct.teachers.resolve import open_named_teacher

    spec = flags.spec
    plan = Plan.read(folder)
    if click.get_current_context().get_parameter_source("concurrency") is ParameterSource.DEFAULT:
        spec = spec.changed(teacher={"concurrency": plan.concurrency})
    if (here := open_named_teacher(spec.teacher).identity) != plan.teacher:
        raise UsageError(f"The plan is for the teacher {plan.teacher}, not {here}. Pass the --model that it was made with.")
    starting = Launch(plan, on, spec.teacher, spec.limits, workers, seeds, dict(map(_setting, settings)))
    executor = starting.executor()
    for line in starting.describe():
        show_line(line)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("No terminal to ask for confirmation. Pass --yes to start the shards.")
        click.confirm("Start?", abort=True)
    with resumable(folder):
        executor.run()
    show_line(f"When all shards are done, merge them: {command_line('merge', folder, '--out', 'pairs')}")


def _setting(text: str) -> tuple[str, Any]:
    from hf_oss_instruct.structured import load_yaml

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"--set {text!r} is not NAME=VALUE. Write, for example, --set partition=cpu.")
    try:
        return name, load_yaml(value)
    except ValueError as error:
        raise UsageError(f"The value of --set {text!r} is not YAML: {error}. Quote text: --set 'name=\"a: b\"'.") from error


@click.command()
@click.argument("shard", metavar="SHARD", type=click.Path(file_okay=False, path_type=Path))
@click.option("--into", type=click.IntRange(2), required=True, metavar="K", help="Number of smaller shards.")
@format_option
def split(shard: Path, into: int, output: str) -> None:
    """Split a slow shard into smaller ones, which keep its answers.

    \b
    hf-oss-instruct split plan/shards/00002-of-00064 --into 4

    Stop the shard first. Then run synthesize for each of the smaller shards, on any machine; merge finds them in the plan.
    """
    from hf_oss_instruct.scale.split import split as divide

    folders = divide(shard, into)
    if output == "json":
        click.echo(json.dumps({"shards": [str(folder) for folder in folders]}))
    elif output != "quiet":
        for folder in folders:
            index, _, count = folder.name.partition("-of-")
            show_line(f"shard {int(index)}/{int(count)} → {folder}")
        click.echo("\nNext, run synthesize as before for each of them, with its --shard and --out.")


@click.command()
@click.argument(
    "folders", metavar="PLAN|SHARD…", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--out", type=FOLDER, required=True, help="A new folder, or that of an earlier merge of the same run.")
@click.option("--partial", is_flag=True, help="Merge what there is; seeds of missing and unfinished shards are pending.")
@format_option
def merge(folders: tuple[Path, ...], out: Path, partial: bool, output: str) -> None:
    """Write the shards of a run as one dataset.

    \b
    All shards of a plan:      hf-oss-instruct merge plan --out pairs
    Shards copied together:    hf-oss-instruct merge shard-* --out pairs
    What there is so far:      hf-oss-instruct merge plan --partial --out so-far

    Duplicates, near duplicates and benchmark quotes are looked for in all rows together, so the dataset is the one that a single
    machine would have written. No request is sent and no program is run.
    """
    from hf_oss_instruct.scale.merge import merge as write
    from hf_oss_instruct.synthesis.command import NOT_FOR_TRAINING, after_dataset
    from hf_oss_instruct.synthesis.console import show_report
    from hf_oss_instruct.synthesis.output import REPORT
    from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher

    with resumable(out), show_progress(output) as progress:
        write(folders, out, partial=partial, progress=progress)
    report = json.loads((out / REPORT).read_text("utf-8"))
    if output == "json":
        click.echo(json.dumps({"out": str(out), **report}))
    elif output != "quiet":
        embedded = report["teacher"] == CommentFunctionTeacher.identity
        show_report(report, out, after_dataset(out, embedded))
        if embedded:
            click.echo(NOT_FOR_TRAINING)
