"""Find the benchmark problems that a training set quotes, by the rules of decontamination."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hf_oss_instruct.errors import EvaluationError, SeedError
from hf_oss_instruct.evaluation.problems import Benchmark

_ID = re.compile(r"(?P<family>humaneval|mbpp)[/_:](?P<number>\d+)", re.IGNORECASE)


def quoted_problems(training_set: str, benchmark: Benchmark) -> list[str]:
    """List the problems of a benchmark that rows of a training set quote, in the benchmark's order.

    Translations of a quoted problem, as in MultiPL-E, are listed too.

    Args:
        training_set: folder of a run, parquet or JSON lines, or the ID of a dataset on the Hub; all its text columns are read.
        benchmark: the problems.

    Raises:
        EvaluationError: the training set does not exist or has no text columns.
    """
    from hf_oss_instruct.curation import rows as reading
    from hf_oss_instruct.curation.annotations import CONTAMINATED_BY
    from hf_oss_instruct.curation.decontamination import benchmark_index, benchmark_tasks
    from hf_oss_instruct.curation.decontamination.quotes import Decontamination

    try:
        rows = reading.read(training_set)
    except SeedError as error:
        raise EvaluationError(f"trained_on (--trained-on): {error}") from error
    columns = reading.every_text_column(rows)
    if not columns:
        raise EvaluationError(
            f"The training set {training_set!r} has no text columns, only {', '.join(rows.column_names)}. Pass one "
            "with text columns."
        )
    problems = (
        {
            "task_id": problem.task_id,
            "prompt": problem.prompt,
            "entry_point": problem.entry_point,
            "canonical_solution": problem.reference,
        }
        for problem in benchmark.problems.values()
    )
    index = benchmark_index.cached([*benchmark_tasks.tasks_of(benchmark.task, problems)])
    marked = Decontamination(index, columns, drop=False)(rows.select(columns))
    hit = _numbers(name for names in marked[CONTAMINATED_BY].to_pylist() for name in names or ())
    # By number, so that a quote of the Python problem also counts for its translations.
    return [task_id for task_id in benchmark.problems if _numbers([task_id]) & hit]


def _numbers(names: Iterable[str]) -> set[tuple[str, int]]:
    """Return family and number: `humaneval_plus:HumanEval/3:quote` and `HumanEval_3_below_zero` are the same problem."""
    return {(match["family"].lower(), int(match["number"])) for name in names for match in _ID.finditer(name)}
