"""The command `curate`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import click

from hf_oss_instruct.curation.duplicates import THRESHOLD
from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.flags import format_option
from hf_oss_instruct.terminal.process import over_tables, resumable
from hf_oss_instruct.terminal.values import names_in

Decorator: TypeAlias = Callable[[Callable[..., None]], Callable[..., None]]


class CheckOptions(Protocol):
    """The options of a run that curation shares with it; `spec.checks.Checks` has them."""

    @property
    def benchmarks(self) -> Sequence[str]:
        """Names, files and Hub datasets."""

    @property
    def rule(self) -> str:
        """How quotes of a benchmark are found."""

    @property
    def contaminated(self) -> str:
        """`drop` or `flag`."""


def curate_command(check_options: Decorator, run: Callable[..., RunReport]) -> click.Command:
    """Create the click command.

    Args:
        check_options: decorator that adds the flags of `CheckOptions` and passes them on as `checks`.
        run: does the work and returns the report: `api.curate`.
    """

    @click.command(short_help="Check a dataset for duplicates and benchmark leakage.")
    @click.argument("source")
    @click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A new folder for the dataset.")
    @click.option(
        "--steps", metavar="S,…", help="Only these checks (denied, duplicates, decontamination, near_duplicates, same_names)."
    )
    @click.option(
        "--columns",
        metavar="C,…",
        help="Text columns to check. Default: the existing ones of seed, problem, solution, else those of a recognized pair, "
        "such as instruction and response.",
    )
    @click.option(
        "--threshold",
        type=click.FloatRange(0, 1, min_open=True),
        default=THRESHOLD,
        show_default=True,
        help="Minimum Jaccard similarity of word 5-grams for near duplicates.",
    )
    @click.option(
        "--deny",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A denylist (repositories, paths, ids) of rows to reject.",
    )
    @check_options
    @format_option
    @over_tables
    def curate(
        source: str,
        out: Path,
        steps: str | None,
        columns: str | None,
        threshold: float,
        deny: Path | None,
        checks: CheckOptions,
        output: str,
    ) -> None:
        """Check a dataset: duplicates, near duplicates, benchmark leakage.

        \b
        A run:          hf-oss-instruct curate pairs --out clean
        Any rows:       hf-oss-instruct curate rows.parquet --columns instruction,response --out clean
        Your lists:     hf-oss-instruct curate pairs --benchmarks default,my_exam.jsonl --out clean

        SOURCE is a run folder, Parquet or JSON Lines (files or folders), or a Hub dataset. Every row is written to OUT/data or,
        with a reason, to OUT/rejected; run.json and README.md list the checks that ran, with revisions, and those that did not.
        """
        from hf_oss_instruct.curation.console import show_curated

        with resumable(out), show_progress(output) as progress:
            report = run(
                source,
                out,
                steps=names_in(steps) if steps else None,
                columns=names_in(columns) if columns else None,
                threshold=threshold,
                benchmarks=checks.benchmarks,
                rule=checks.rule,
                contaminated=checks.contaminated,
                deny=deny,
                progress=progress,
            )
        if output == "json":
            click.echo(json.dumps({"out": str(out), **report}))
        elif output != "quiet":
            show_curated(report, out)
        # Last, so that the folder is complete and the reasons can be read.
        if not report["kept"]:
            raise OssInstructError(f"0 of {report['requested']:,} rows kept; {out / 'rejected'} has the reasons.")

    return curate
