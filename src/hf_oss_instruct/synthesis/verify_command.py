"""The command `verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hf_oss_instruct.flags import columns_in, columns_option, format_option, language_option
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.spec.flags import RunFlags, run_options


@click.command()
@click.argument("source")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A new folder for the dataset; the same command continues it.",
)
@columns_option
@language_option
@run_options("verification", "teacher", "sampling", "limits", without=("verify",))
@click.option("--dry-run", is_flag=True, help="Show what would be done: send no requests, write nothing.")
@format_option
def verify(source: str, out: Path, columns: str | None, language: str, flags: RunFlags, dry_run: bool, output: str) -> None:
    """Run the solutions of a dataset with tests in the sandbox, and keep the rows that pass.

    \b
    Rows that bring tests:   hf-oss-instruct verify rows.parquet --out verified
    A finished run:          hf-oss-instruct verify pairs --model MODEL --base-url URL --out verified
    Several solutions:       hf-oss-instruct verify pairs --solutions 5 --select codet --model MODEL --out verified

    SOURCE is the folder of a run, parquet or JSON lines (files or folders), or a Hub dataset. Problems, solutions and tests
    are found by the usual names of their columns. Without --model no requests are sent, and rows without tests are rejected.
    Every row ends in OUT/data or, with its reason, in OUT/rejected; run.json and README.md say what was found.
    """  # noqa: D301  # click's \\b is a character
    from hf_oss_instruct.languages import named
    from hf_oss_instruct.synthesis.table_console import leave_table_run
    from hf_oss_instruct.synthesis.verifying.run import verify_table
    from hf_oss_instruct.teachers.resolve import open_named_teacher

    spec = flags.spec.changed(verification={"verify": True})
    teacher = open_named_teacher(spec.teacher, extra_body=spec.sampling.extra_body is not None)
    if dry_run:
        _show_plan(spec, teacher, source, out, columns)
        return
    with show_progress(output) as progress:
        result = verify_table(
            source,
            out,
            spec,
            teacher,
            columns=columns_in(columns),
            language=named(language).name,
            progress=progress,
        )
    untested = set(result.report["rejected"]) == {"tests_missing"} and not result.report.get("tasks")
    hint = " The rows bring no tests: name a model that writes them with --model." if untested else ""
    leave_table_run(result, output, done="verified", say_more=_say_more, hint=hint)


def _show_plan(spec: Any, teacher: Any, source: str, out: Path, columns: str | None) -> None:
    from hf_oss_instruct.curation.rows import read
    from hf_oss_instruct.synthesis.tables.columns import columns_of
    from hf_oss_instruct.synthesis.verifying.opening import requests_per_row
    from hf_oss_instruct.teachers.resolve import requests_go_to

    table = read(source)
    names = columns_of(table.column_names, columns_in(columns))
    fewest, most = (count - 1 for count in requests_per_row(spec, teacher))
    click.echo(f"problem: {names.problem}\nsolution: {names.solution}\ntests: {names.tests or 'none'}")
    each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    click.echo(
        f"# {len(table):,} rows, {each} requests a row that lacks tests, up to {most * len(table):,} without retries, into {out}"
    )
    for line in requests_go_to(spec.teacher, teacher):
        click.echo(line)


def _say_more(report: dict[str, Any]) -> None:
    from hf_oss_instruct.console import show_line
    from hf_oss_instruct.synthesis.console import show_verification

    for old, new in report["columns_renamed"].items():
        show_line(f"  column {old!r} has a name that verification uses: kept as {new!r}")
    show_verification(report)
