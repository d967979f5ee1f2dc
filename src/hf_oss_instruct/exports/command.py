"""The command `export`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.terminal.console import command_line, show_ending, show_line
from hf_oss_instruct.terminal.display import plural
from hf_oss_instruct.terminal.flags import format_option
from hf_oss_instruct.terminal.process import over_tables, resumable


def export_command(export_run: Callable[[Path, Path, str], None]) -> click.Command:
    """Create the click command.

    Args:
        export_run: writes a run as a dataset, where no training framework is named: folder, out, `--format`.
    """

    @click.command(short_help="Write the rows so far, or export to training frameworks.")
    @click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
    @click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A new folder.")
    @click.option(
        "--to",
        "kind",
        type=click.Choice(["trl", "dpo", "verl", "harbor", "verifiers"]),
        help="Write verified pairs in the format of a training framework instead.",
    )
    @format_option
    @over_tables
    def export(folder: Path, out: Path, kind: str | None, output: str) -> None:
        """Write a run as a dataset while it is still running, or verified pairs for a training framework.

        \b
        The rows so far:            hf-oss-instruct export pairs --out so-far
        For GRPO with TRL:          hf-oss-instruct export pairs --to trl --out pairs-trl
        Preference pairs for DPO:   hf-oss-instruct export pairs --to dpo --out pairs-dpo
        Harbor tasks:               hf-oss-instruct export pairs --to harbor --out pairs-harbor

        Without --to, DIR is a run folder: only its journal is read, and no requests are sent. With --to, DIR is any folder with
        rows that have tests and a solution; rows that were not verified are left out and counted. Harbor tasks are run in the
        sandbox first: the solution must get 1, and doing nothing must get 0. OUT has a card; publish puts it on the Hub.
        """
        if kind:
            _export_to(kind, folder, out, output)
        else:
            export_run(folder, out, output)

    return export


def _export_to(kind: str, folder: Path, out: Path, output: str) -> None:
    from hf_oss_instruct.exports.export import export_to

    with resumable(out), show_progress(output) as progress:
        exported = export_to(kind, folder, out, progress=progress)
    if output == "json":
        click.echo(json.dumps({"out": str(out), "to": kind, "rows": exported.rows, "skipped": exported.skipped}))
    elif output != "quiet":
        then = {
            "trl": f"{command_line('recipe', 'grpo', '--data', out)} > grpo.yaml",
            "dpo": f"{command_line('recipe', 'dpo', '--data', out)} > dpo.yaml",
        }.get(kind) or command_line("publish", out, "--to", f"YOU/{out.resolve().name}")
        show_ending(f"{plural(exported.rows, 'row')} for {kind}", out, view=[str(out / "README.md")], next_command=then)
        for reason, count in exported.skipped.items():
            show_line(f"  {count:,} left out: {reason}")
