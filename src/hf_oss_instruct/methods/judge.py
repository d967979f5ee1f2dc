"""The Python function `judge_rows`: the Python equivalent of the command `judge`, also for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.methods.judging import Rubric, judge_table, plan_judging
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.spec.judging import JudgingSpec
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.tables import read_source
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher


def judge_rows(
    source: str | Path,
    out: str | Path,
    *,
    judges: Sequence[Teacher],
    rubric: Rubric | Mapping[str, Any] | str | Path | None = None,
    min_judge_mean: float | None = None,
    columns: Mapping[str, str] | str | None = None,
    language: str = "python",
    n: int | None = None,
    sampling: Sampling | None = None,
    limits: RunLimits | None = None,
    concurrency: int = 16,
    timeout: float | None = None,
    progress: Progress = SILENT,
) -> RunReport:
    """Let models score the rows of a dataset using a rubric, and write the rows with their scores.

    After an error, an interruption or a crash, the same call continues, and no answer is requested twice. Not to be confused with
    `judge`, which calls a function of a program and compares its return values.

    Args:
        source: a run folder; tables (Parquet, JSON Lines, JSON, CSV), files or folders of them; or the id of a dataset on
            the Hub. Problems and solutions are recognized by their usual column names.
        out: a new or empty folder, or that of the same judging. It gets `data/`, `sft/`, `rejected/`, `run.json`, `README.md`.
        judges: the models that score.
        rubric: a YAML file with scale, criteria and weights, or its values; ours by default.
        min_judge_mean: rows with a lower weighted mean are rejected as `judged_low`; None keeps all.
        columns: `problem`, `solution`, `language` → name of the column, if it is not a usual one.
        language: language of rows that do not name one.
        n: judge only the first rows.
        sampling: sampling parameters of requests; temperature 0 by default.
        limits: limits on requests, tokens and cost.
        concurrency: requests in flight at once.
        timeout: timeout of one request, in seconds; None adapts it to the answers.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

    Returns:
        The report, as in `run.json`; its entry `judging` has means, agreement of judges, and agreement of scores with test
        results.

    Raises:
        UsageError: no judge is given, or one twice; the rows have no problems or no solutions, the rubric cannot be used, or a
            library is missing.
        SeedError: the source cannot be read.
        RunError: `out` contains something else, is in use, or cannot be written.
        TeacherError: a judge cannot continue, or some rows are pending after all retries.
        BudgetReachedError: a limit is reached.
        RunInterruptedError: Ctrl-C, SIGTERM or SIGHUP was received.
    """
    spec = RunSpec(
        teacher=TeacherSpec(concurrency=concurrency, timeout=timeout),
        sampling=sampling or Sampling(),
        limits=limits or RunLimits(),
    )
    judging = JudgingSpec(judges=judges, rubric=rubric, min_judge_mean=min_judge_mean)
    for judge in judging.judges:
        check_teacher(judge)
    rows = read_source(str(source), columns, named(language).name).first(n)
    plan = plan_judging(rows, spec, judging, None)
    return judge_table(plan, Path(out), progress=progress).require_complete("judged")
