"""The Python function `judge_rows`: the Python equivalent of the command `judge`, also for notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hf_oss_instruct.methods.judging import Rubric, judge_table, plan_judging
from hf_oss_instruct.spec.declare import argument, arguments, taken_from, with_arguments_of
from hf_oss_instruct.spec.judging import JudgingSpec
from hf_oss_instruct.spec.option_types import Integer
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.synthesis.tables.arguments import TableArguments
from hf_oss_instruct.teachers.protocol import Teacher


@arguments
class JudgeArguments(TableArguments, JudgingSpec):
    """Arguments of `judge_rows`."""

    judges: Sequence[Teacher] = argument("Teachers that score.")
    rubric: Rubric | Mapping[str, Any] | str | Path | None = argument(
        "A YAML file with scale, criteria and weights, or its values. Default: clarity, correctness, self-containedness, "
        "usefulness, difficulty.",
        default=None,
    )
    n: int | None = argument("Judge only the first rows.", default=None, kind=Integer(1))


@with_arguments_of(JudgeArguments)
def judge_rows(call: JudgeArguments) -> RunReport:
    """Let models score the rows of a dataset using a rubric, and write the rows with their scores.

    After an error, an interruption or a crash, the same call continues, and no answer is requested twice. Not to be confused with
    `judge`, which calls a function of a program and compares its return values.

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
    judging = taken_from(call, JudgingSpec)
    plan = plan_judging(call.rows().first(call.n), call.run_spec(), judging, None)
    return judge_table(plan, Path(call.out), progress=call.progress).require_complete("judged")
