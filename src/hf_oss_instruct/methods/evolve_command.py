"""The command `evolve`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.flags import RunFlags, part_options, run_options
from hf_oss_instruct.spec.run import OPTIONS
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.display import plural
from hf_oss_instruct.terminal.flags import GroupedCommand, columns_option, format_option, language_option
from hf_oss_instruct.terminal.process import over_tables
from hf_oss_instruct.terminal.values import columns_in

if TYPE_CHECKING:
    from hf_oss_instruct.data import Outcome
    from hf_oss_instruct.methods.evolution import EvolutionPlan

SEED_OPTIONS = tuple(option.name for option in OPTIONS["prompt"] if option.name != "answer_format")
"""Options of the prompt that are about requests for seeds."""


@click.command(cls=GroupedCommand, short_help="Make problems harder (Evol-Instruct) and solve them again.")
@click.argument("source", metavar="DIR")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder for the dataset; the same command continues it.",
)
@click.option(
    "--n", type=click.IntRange(1), metavar="N", help="Only the first N rows. Without --out, show them before and after."
)
@part_options(EvolutionSpec, "evolution")
@columns_option
@language_option
@run_options("teacher", "prompt", "sampling", "limits", "checks", "verification", without=("solver", *SEED_OPTIONS))
@click.option("--dry-run", is_flag=True, help="Show the planned requests and their cost: send no requests, write nothing.")
@format_option
@over_tables
def evolve(
    source: str,
    out: Path | None,
    n: int | None,
    evolution: EvolutionSpec,
    columns: str | None,
    language: str,
    flags: RunFlags,
    dry_run: bool,
    output: str,
) -> None:
    """Make the problems of a dataset harder (Evol-Instruct), and solve them again.

    \b
    What it costs:      hf-oss-instruct evolve pairs --rounds 2 --model MODEL --base-url URL --dry-run
    Preview of three:   hf-oss-instruct evolve pairs --model MODEL --base-url URL --n 3
    The dataset:        hf-oss-instruct evolve pairs --rounds 2 --model MODEL --base-url URL --verify --out harder

    DIR is a run folder, Parquet or JSON Lines (files or folders), or a Hub dataset. Each round makes every problem harder by one
    operation: a further constraint, a rarer requirement, deeper reasoning, misleading wrong code, or higher complexity. The
    rows of all rounds are written to OUT/data or, with a reason, to OUT/rejected.
    """  # noqa: D301  # click's \\b is a character
    # Heavy imports wait until the command runs, so that --help answers without them.
    from dataclasses import replace

    from hf_oss_instruct.code.languages import named
    from hf_oss_instruct.methods.evolution import evolve_table, plan_evolution
    from hf_oss_instruct.synthesis.run import with_benchmarks
    from hf_oss_instruct.synthesis.tables import read_source
    from hf_oss_instruct.synthesis.tables.console import exit_with_result
    from hf_oss_instruct.teachers.resolve import open_model, open_teacher, with_teachers, without_batches

    if out is None and n is None and not dry_run:
        raise UsageError("Pass a folder with --out, or look at a few rows first with --n 3 or --dry-run.")
    spec, extra_body = flags.spec, flags.spec.sampling.extra_body is not None
    if out is None and not dry_run:
        spec = replace(spec, teacher=without_batches(spec.teacher, extra_body=extra_body))
    teacher = open_teacher(spec.teacher, extra_body=extra_body)
    if evolution.solver is not None:
        evolution = replace(evolution, solver=open_model(evolution.solver, spec.teacher))
    rows = read_source(source, columns_in(columns), named(language).name).first(n)
    plan = plan_evolution(rows, with_teachers(spec), evolution, teacher)
    names = spec.checks.benchmarks if flags.benchmarks is None else flags.benchmarks
    if dry_run:
        with_benchmarks(plan.spec, names, download=False)
        _show_plan(plan, output)
    elif out is None:
        _show_rows(plan, output)
    else:
        with show_progress(output) as progress:
            with progress.stage("Reading the benchmarks that no pair may quote"):
                checked, lists = with_benchmarks(plan.spec, names)
            result = evolve_table(replace(plan, spec=checked), out, lists=lists, progress=progress)
        exit_with_result(result, output, done="evolved", show_details=_show_details, recipe="magicoder-evol")


def _show_plan(plan: EvolutionPlan, output: str) -> None:
    """What would be sent: the first prompt, and how much all of it costs."""
    from hf_oss_instruct.methods.estimate import estimate
    from hf_oss_instruct.methods.evolution.estimate import estimated_tokens, sample_prompt
    from hf_oss_instruct.teachers.resolve import requests_go_to
    from hf_oss_instruct.terminal.console import show_block, show_line, shown_as_text

    names, tokens, requests = plan.rows.columns, estimated_tokens(plan), plan.requests_per_row()
    facts = {"rows": len(plan.rows), "requests_per_row": list(requests), "tokens": list(tokens), "tasks": plan.described}
    if not shown_as_text(facts, output):
        return
    show_line(f"problem: {names.problem}\nsolution: {names.solution}\ntasks: {', '.join(plan.described)}")
    if prompt := sample_prompt(plan):
        show_block("the first prompt", prompt)
    aside = ", not counting tokens of verification" if plan.verification else ""
    show_line(estimate(len(plan.rows), requests, tokens, plan.spec.limits, plan.spec.teacher.batch) + aside)
    if plan.evolution.as_json:
        show_line("answers are requested as JSON (response_format), unless the server rejects it")
    for line in requests_go_to(plan.spec.teacher, plan.evolution.teacher):
        show_line(line)


def _show_rows(plan: EvolutionPlan, output: str) -> None:
    """Show each evolved row next to its parent."""
    from dataclasses import replace

    from hf_oss_instruct.data import Pending, Rejection, is_row
    from hf_oss_instruct.errors import OssInstructError
    from hf_oss_instruct.synthesis.first_outcomes import first_outcomes
    from hf_oss_instruct.verification.memo import Verdicts

    kept, pending, why_pending, why_rejected = 0, 0, "", ""
    with Verdicts.shared(plan.journal_home / "verdicts") as verdicts:
        opened = replace(plan.verification, verdicts=verdicts) if plan.verification else None
        parents = {row["seed_id"]: row for row in plan.rows}
        for outcome in first_outcomes(plan.items(), plan.tasks(opened), plan.spec, plan.journal_home):
            kept += is_row(outcome)
            if isinstance(outcome, Pending):
                pending, why_pending = pending + 1, why_pending or outcome.why
            elif isinstance(outcome, Rejection):
                why_rejected = why_rejected or outcome.why
            _show_outcome(outcome, parents, output)
    if pending:
        raise OssInstructError(f"{plural(pending, 'row')} got no answer ({why_pending}). The same command retries them.")
    if not kept:
        raise OssInstructError(f"No row was evolved ({why_rejected}). Try another model, or more rows with --n.")


def _show_outcome(outcome: Outcome, parents: dict[str, Any], output: str) -> None:
    from hf_oss_instruct.data import is_row
    from hf_oss_instruct.synthesis.console import show_outcome
    from hf_oss_instruct.terminal.console import show_block

    if is_row(outcome):
        parent = parents.get(outcome.get("parent_id") or "")
        # A row of the next round has this one as its parent.
        parents[outcome["seed_id"]] = outcome
        if parent and output not in ("json", "quiet"):
            show_block(f"round {outcome['round']} · {outcome['operation']} · before", parent["problem"])
    show_outcome(outcome, output)  # type: ignore[arg-type]  # no document was skipped: the items are rows


def _show_details(report: RunReport) -> None:
    from hf_oss_instruct.synthesis.console import show_verification
    from hf_oss_instruct.terminal.console import show_line, show_unfinished_checks

    for entry in report["evolution"]["before_and_after"]:
        name = f"round {entry['round']}" if entry["round"] else "before"
        words = f"problems of {entry['problem_words'] or 0:,.0f} words, solutions of {entry['solution_words'] or 0:,.0f}"
        alike = entry["similarity_to_parent"]
        show_line(
            f"  {name}: {plural(entry['rows'], 'row')}, {words}"
            + ("" if alike is None else f", {alike:.0%} similar to their parents")
        )
    if (after := report["evolution"]["solved_at_first"]["after"]) is not None:
        before = report["evolution"]["solved_at_first"]["before"]
        show_line(f"  solved at the first attempt: {after:.0%}" + ("" if before is None else f", before: {before:.0%}"))
    show_verification(report)
    show_unfinished_checks(report)
