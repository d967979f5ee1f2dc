"""The command `verify`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hf_oss_instruct.display import visible
from hf_oss_instruct.errors import BudgetReachedError, UsageError
from hf_oss_instruct.flags import format_option
from hf_oss_instruct.process import EXIT_BUDGET, EXIT_FAILED, typed_command
from hf_oss_instruct.signals import EXIT_INTERRUPTED
from hf_oss_instruct.spec.flags import RunFlags, run_options

if TYPE_CHECKING:
    from hf_oss_instruct.synthesis.budget import Usage
    from hf_oss_instruct.synthesis.tables import TableResult


@click.command()
@click.argument("source")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="A new folder for the dataset; the same command continues it.",
)
@click.option(
    "--columns",
    metavar="F=C,…",
    help="Columns that do not go by a usual name: problem=, solution=, tests=, language=.",
)
@click.option(
    "--language",
    default="python",
    show_default=True,
    help="Language of rows that say it neither in a column nor on a code fence.",
)
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
    are found by the usual names of their columns. Without --model nobody is asked, and rows without tests are rejected.
    Every row ends in OUT/data or, with its reason, in OUT/rejected; run.json and README.md say what was found.
    """  # noqa: D301  # click's \\b is a character
    from hf_oss_instruct.languages import named
    from hf_oss_instruct.synthesis.verifying.run import verify_table
    from hf_oss_instruct.teachers.resolve import open_named_teacher

    spec = flags.spec.changed(verification={"verify": True})
    teacher = open_named_teacher(spec.teacher, extra_body=spec.sampling.extra_body is not None)
    if dry_run:
        _show_plan(spec, teacher, source, out, columns)
        return
    with _live(output) as on_progress:
        result = verify_table(
            source,
            out,
            spec,
            teacher,
            columns=_columns(columns),
            language=named(language).name,
            on_progress=on_progress,
        )
    _say_how_it_ended(result, out, output)
    sys.exit(_exit_code(result))


def _columns(said: str | None) -> dict[str, str]:
    found = dict(part.strip().partition("=")[::2] for part in said.split(",")) if said else {}
    if empty := [field for field, name in found.items() if not name]:
        raise UsageError(f"--columns takes FIELD=COLUMN, not {empty[0]!r}. Write problem=NAME,solution=NAME.")
    return found


def _show_plan(spec: Any, teacher: Any, source: str, out: Path, columns: str | None) -> None:
    from hf_oss_instruct.curation.rows import read
    from hf_oss_instruct.synthesis.tables.columns import columns_of
    from hf_oss_instruct.synthesis.verifying.opening import requests_per_row

    table = read(source)
    names = columns_of(table.column_names, _columns(columns))
    fewest, most = (count - 1 for count in requests_per_row(spec, teacher))
    click.echo(f"problem: {names.problem}\nsolution: {names.solution}\ntests: {names.tests or 'none'}")
    each = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    click.echo(
        f"# {len(table):,} rows, {each} requests a row that lacks tests, up to {most * len(table):,} without retries, into {out}"
    )


@contextmanager
def _live(output: str) -> Iterator[Callable[[int, int, Usage], None]]:
    from hf_oss_instruct.spec.limits import RunLimits
    from hf_oss_instruct.synthesis.console import live
    from hf_oss_instruct.synthesis.output import RunStats

    with live(0, output) as show:

        def on_progress(done: int, rows: int, usage: Usage) -> None:
            show(RunStats(rows, usage=usage, limits=RunLimits()))

        yield on_progress


def _say_how_it_ended(result: TableResult, out: Path, output: str) -> None:
    from hf_oss_instruct.console import show_line, show_result
    from hf_oss_instruct.synthesis.console import show_verification

    report = result.report
    if output == "json":
        click.echo(json.dumps({"out": str(out), **report}))
    elif output != "quiet":
        show_result(f"{report['kept']:,} rows kept of {report['requested']:,}", out)
        for reason, count in report["rejected"].items():
            show_line(f"  {count:,} rejected: {reason}")
        if report["pending"]:
            show_line(f"  {report['pending']:,} pending")
        for old, new in report["columns_renamed"].items():
            show_line(f"  column {old!r} has a name that verification uses: kept as {new!r}")
        show_verification(report)
    if trouble := _trouble(result, out):
        click.echo(visible(trouble), err=True)
    if report["pending"]:
        click.echo(f"Everything received is kept. Continue with:\n  {typed_command()}", err=True)


def _trouble(result: TableResult, out: Path) -> str | None:
    if result.interrupted:
        return "Interrupted."
    if result.trouble:
        return f"Error: {result.trouble}"
    if result.report["pending"]:
        return f"Error: {result.report['pending']:,} rows are not verified yet ({result.why})."
    if not result.report["kept"]:
        untested = set(result.report["rejected"]) == {"tests_missing"} and not result.report.get("tasks")
        hint = " The rows bring no tests: name a model that writes them with --model." if untested else ""
        return f"Error: no row is left of {result.report['requested']:,}; {out / 'rejected'} has each with its reason.{hint}"
    return None


def _exit_code(result: TableResult) -> int:
    if result.interrupted:
        return EXIT_INTERRUPTED
    if isinstance(result.trouble, BudgetReachedError):
        return EXIT_BUDGET
    return EXIT_FAILED if result.trouble or result.report["pending"] or not result.report["kept"] else 0
