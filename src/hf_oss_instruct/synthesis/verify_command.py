"""The command `verify`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.spec.flags import RunFlags, run_options
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.console import shown_as_text
from hf_oss_instruct.terminal.display import plural
from hf_oss_instruct.terminal.flags import GroupedCommand, columns_option, format_option, language_option
from hf_oss_instruct.terminal.process import over_tables
from hf_oss_instruct.terminal.values import columns_in

if TYPE_CHECKING:
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.teachers.protocol import Teacher


@click.command(cls=GroupedCommand, short_help="Run solutions with tests, and keep the rows that pass.")
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
@over_tables
def verify(source: str, out: Path, columns: str | None, language: str, flags: RunFlags, dry_run: bool, output: str) -> None:
    """Run the solutions of a dataset with tests in the sandbox, and keep the rows that pass.

    \b
    Rows with tests:         hf-oss-instruct verify rows.parquet --out verified
    A finished run:          hf-oss-instruct verify pairs --model MODEL --base-url URL --out verified
    Several solutions:       hf-oss-instruct verify pairs --solutions 5 --select codet --model MODEL --out verified

    SOURCE is a run folder, Parquet or JSON Lines (files or folders), or a Hub dataset. Problems, solutions and tests are
    recognized by their usual column names. Without --model no requests are sent, and rows without tests are rejected. Every row
    is written to OUT/data or, with a reason, to OUT/rejected; run.json and README.md show the results.
    """  # noqa: D301  # click's \\b is a character
    from hf_oss_instruct.code.languages import named
    from hf_oss_instruct.synthesis.tables.console import exit_with_result
    from hf_oss_instruct.synthesis.verifying.run import verify_table
    from hf_oss_instruct.teachers.resolve import open_teacher, with_teachers

    spec = with_teachers(flags.spec.changed(verification={"verify": True}))
    teacher = open_teacher(spec.teacher, extra_body=spec.sampling.extra_body is not None)
    if dry_run:
        _show_plan(spec, teacher, source, out, columns_in(columns), named(language).name, output)
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
    hint = " The rows have no tests. Pass a model that writes them with --model." if untested else ""
    exit_with_result(result, output, done="verified", show_details=_show_details, hint=hint)


def _show_plan(
    spec: RunSpec,
    teacher: Teacher,
    source: str,
    out: Path,
    columns: Mapping[str, str] | str | None,
    language: str,
    output: str,
) -> None:
    """Print which columns are read, and what rows with and without tests cost."""
    from hf_oss_instruct.spec.verification import APART, GIVEN
    from hf_oss_instruct.synthesis.tables import read_source
    from hf_oss_instruct.synthesis.verifying import open_verification
    from hf_oss_instruct.teachers.resolve import requests_go_to

    rows = read_source(source, columns, language)
    verification = open_verification(spec, teacher)
    assert verification
    names, (fewest, most) = rows.columns, verification.requests_per_row()
    tested = 0 if spec.verification.tests == APART else sum(1 for row in rows if row["tests"])
    others, test_requests = len(rows) - tested, int(verification.writes_tests)
    # Rows without tests that nobody writes are rejected.
    costs = {True: (fewest - test_requests, most - test_requests), False: (fewest, most) if test_requests else (0, 0)}
    total = tested * costs[True][1] + others * costs[False][1]
    asked = [costs[has_tests] for has_tests, count in ((True, tested), (False, others)) if count]
    facts = {
        "rows": len(rows),
        "rows_with_tests": tested,
        "requests_per_row": [min((few for few, _ in asked), default=0), max((many for _, many in asked), default=0)],
        "requests": total,
        "tasks": verification.described(),
    }
    if not shown_as_text(facts, output):
        return
    click.echo(f"problem: {names.problem}\nsolution: {names.solution}\ntests: {names.tests or 'none'}")
    if tested:
        _show_cost(f"{plural(tested, 'row')} with tests", *costs[True])
    if others and test_requests:
        _show_cost(plural(others, "row") + (" without tests" if spec.verification.tests != APART else ""), *costs[False])
    elif others:
        why = "--tests given" if spec.verification.tests == GIVEN else "--model MODEL writes tests"
        click.echo(f"# {plural(others, 'row')} without tests: rejected as tests_missing ({why})")
    requests = f"up to {plural(total, 'request')} in all, without retries" if total else "no requests"
    click.echo(f"# {requests}, into {out}")
    for line in requests_go_to(spec.teacher, teacher):
        click.echo(line)


def _show_cost(which: str, fewest: int, most: int) -> None:
    each = f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"
    click.echo(f"# {which}: {each} request{'s' * (most != 1)} each")


def _show_details(report: RunReport) -> None:
    from hf_oss_instruct.synthesis.console import show_verification
    from hf_oss_instruct.terminal.console import show_line

    for old, new in report["columns_renamed"].items():
        show_line(f"  column {old!r} was renamed to {new!r}: verification uses that name")
    show_verification(report)
