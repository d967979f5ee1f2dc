"""The command `judge`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hf_oss_instruct.progress.show import show_progress
from hf_oss_instruct.spec.flags import RunFlags, part_options, run_options
from hf_oss_instruct.spec.judging import JudgingSpec
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.terminal.display import plural
from hf_oss_instruct.terminal.flags import GroupedCommand, columns_option, format_option, language_option
from hf_oss_instruct.terminal.process import over_tables
from hf_oss_instruct.terminal.values import columns_in

if TYPE_CHECKING:
    from hf_oss_instruct.data import Outcome
    from hf_oss_instruct.methods.judging import JudgingPlan

TOKENS_PER_SCORE = 8
"""Of a line such as `self_containedness: 4`, about."""


@click.command("judge", cls=GroupedCommand)
@click.argument("source", metavar="DIR")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder for the dataset; the same command continues it. Default: ./NAME-judged.",
)
@click.option(
    "--n", type=click.IntRange(1), metavar="N", help="Only the first N rows. Without --out, show them with their scores."
)
@part_options(JudgingSpec, "judging")
@columns_option
@language_option
@run_options("teacher", "sampling", "limits")
@click.option("--dry-run", is_flag=True, help="Show the planned requests and their cost: send no requests, write nothing.")
@format_option
@over_tables
def judge_command(
    source: str,
    out: Path | None,
    n: int | None,
    judging: JudgingSpec,
    columns: str | None,
    language: str,
    flags: RunFlags,
    dry_run: bool,
    output: str,
) -> None:
    """Let models score the rows of a dataset using a rubric.

    \b
    What it costs:    hf-oss-instruct judge pairs --judge MODEL --base-url URL --dry-run
    Preview of three: hf-oss-instruct judge pairs --judge MODEL --base-url URL --n 3
    Two judges:       hf-oss-instruct judge pairs --judge A --judge B --base-url URL --min-judge-mean 3.5 --out judged

    DIR is a run folder, Parquet or JSON Lines (files or folders), or a Hub dataset. Rows get the columns judge_scores,
    judge_mean and judge. run.json reports how well the judges agree (Krippendorff's alpha) and, for verified rows, how well
    scores agree with test results.
    """  # noqa: D301  # click's \\b is a character
    # Heavy imports wait until the command runs, so that --help answers without them.
    from dataclasses import replace

    from hf_oss_instruct.code.languages import named
    from hf_oss_instruct.methods.judging import judge_table, plan_judging
    from hf_oss_instruct.synthesis.tables import read_source
    from hf_oss_instruct.synthesis.tables.console import exit_with_result
    from hf_oss_instruct.teachers.resolve import open_model, open_teacher, without_batches

    spec, extra_body = flags.spec, flags.spec.sampling.extra_body is not None
    rows = read_source(source, columns_in(columns), named(language).name).first(n)
    # Without a model of its own, --base-url is the server of the judges.
    if judging.judges and not spec.teacher.model:
        spec = replace(spec, teacher=replace(spec.teacher, model=judging.judges[0]))
    if out is None and n is not None and not dry_run:
        spec = replace(spec, teacher=without_batches(spec.teacher, extra_body=extra_body))
    teacher = open_teacher(spec.teacher, extra_body=extra_body)
    judging = replace(judging, judges=[open_model(judge, spec.teacher) for judge in judging.judges])
    plan = plan_judging(rows, spec, judging, teacher)
    if dry_run:
        _show_plan(plan, output)
    elif out is None and n is not None:
        _show_rows(plan, output)
    else:
        with show_progress(output) as progress:
            result = judge_table(plan, out or Path(f"{Path(rows.name).stem}-judged"), progress=progress)
        exit_with_result(result, output, done="judged", show_details=_show_details)


def _show_plan(plan: JudgingPlan, output: str) -> None:
    """What would be sent: the first prompt, and how much all of it costs."""
    from hf_oss_instruct.methods.estimate import estimate, tokens_of
    from hf_oss_instruct.methods.judging.tasks import judge_prompt
    from hf_oss_instruct.teachers.resolve import requests_go_to
    from hf_oss_instruct.terminal.console import show_block, show_line, shown_as_text

    judging, rows = plan.judging, list(plan.rows)
    judges, rubric = [judge.identity for judge in judging.judges], judging.rubric
    prompts = sum(tokens_of(judge_prompt(row, rubric, judges[0])[0]["content"]) for row in rows) * len(judges)
    tokens = (prompts, len(rows) * len(judges) * len(rubric.criteria) * TOKENS_PER_SCORE)
    requests = (len(judges), len(judges))
    facts = {"rows": len(rows), "requests_per_row": list(requests), "tokens": list(tokens), "tasks": judging.described()}
    if not shown_as_text(facts | {"rubric": rubric.as_dict()}, output):
        return
    show_line(f"problem: {plan.rows.columns.problem}\nsolution: {plan.rows.columns.solution}\njudges: {', '.join(judges)}")
    show_block("the first prompt", judge_prompt(rows[0], rubric, judges[0])[0]["content"])
    show_line(estimate(len(rows), requests, tokens, plan.spec.limits, plan.spec.teacher.batch))
    for line in requests_go_to(plan.spec.teacher, judging.judges[0]):
        show_line(line)


def _show_rows(plan: JudgingPlan, output: str) -> None:
    """The rows with their scores."""
    from hf_oss_instruct.data import Pending
    from hf_oss_instruct.errors import OssInstructError
    from hf_oss_instruct.synthesis.first_outcomes import first_outcomes

    pending, why = 0, ""
    for outcome in first_outcomes(plan.items(), plan.tasks(), plan.spec, plan.journal_home):
        if isinstance(outcome, Pending):
            pending, why = pending + 1, why or outcome.why
        _show_outcome(outcome, output)
    if pending:
        raise OssInstructError(f"{plural(pending, 'row')} got no answer ({why}). The same command retries them.")


def _show_outcome(outcome: Outcome, output: str) -> None:
    from hf_oss_instruct.data import Rejection, is_row
    from hf_oss_instruct.synthesis.console import show_outcome
    from hf_oss_instruct.terminal.console import show_block, show_line

    show_outcome(outcome, output)  # type: ignore[arg-type]  # no document was skipped: the items are rows
    scores: Mapping[str, Any] = dict(outcome) if is_row(outcome) else {}
    if isinstance(outcome, Rejection):
        scores = outcome.columns or {}
    if output in ("json", "quiet") or not scores.get("judge_scores"):
        return
    show_block(f"mean {scores['judge_mean']:.2f}")
    for score in scores["judge_scores"]:
        show_line(f"{score['criterion']}: {score['score']:g}  ({score['judge']})")


def _show_details(report: RunReport) -> None:
    from hf_oss_instruct.terminal.console import show_line

    judging = report["judging"]
    for name, summary in judging["criteria"].items():
        alpha = (judging["agreement"]["alpha"] or {}).get(name)
        if summary["mean"] is not None:
            show_line(f"  {name}: mean {summary['mean']:.2f}" + ("" if alpha is None else f", agreement (alpha) {alpha:.2f}"))
    for judge, summary in judging["judges"].items():
        if summary["unusable"]:
            show_line(f"  {judge}: {plural(summary['unusable'], 'answer')} could not be used")
    ran = judging["execution"]
    if (auc := (ran.get("auc") or {}).get("judge_mean")) is not None:
        show_line(
            f"  of {plural(ran['rows'], 'verified row')}, {ran['passed']:,} passed; scores separate them with AUC {auc:.2f}"
        )
    for old, new in report["columns_renamed"].items():
        show_line(f"  column {old!r} was renamed to {new!r}: judging uses that name")
