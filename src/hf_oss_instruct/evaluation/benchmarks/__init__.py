"""Load benchmarks by name: `load("humaneval_plus", data=Path("data"))`."""

from __future__ import annotations

from pathlib import Path

from hf_oss_instruct.benchmarks.registry import BENCHMARKS, canonical
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks import evalplus, humaneval, mbpp, multipl_e
from hf_oss_instruct.evaluation.problems import Benchmark

PYTHON_TASKS = {
    "humaneval": humaneval.problems,
    "humaneval_plus": evalplus.humaneval_plus,
    "mbpp": mbpp.problems,
    "mbpp_plus": evalplus.mbpp_plus,
}
"""Task name → the function that turns rows into problems."""


def load(task: str, data: Path | None = None, revision: str | None = None) -> Benchmark:
    """Load the problems of a task.

    Args:
        task: `humaneval`, `humaneval_plus`, `mbpp`, `mbpp_plus`, `multipl_e:LANGUAGE` (from HumanEval) or
            `multipl_e:mbpp-LANGUAGE` (from MBPP), in any spelling (`HumanEval+`, `mbpp-plus`).
        data: a local file, or a folder that contains it; None for the Hub at a pinned commit.
        revision: commit on the Hub, instead of the pinned one.

    Raises:
        UsageError: the task, language or file does not exist.
        EvaluationError: the data cannot be read, or lacks columns.
    """
    from hf_oss_instruct.evaluation.sources import read

    task = canonical(task)
    family, _, language = task.partition(":")
    if family == "multipl_e":
        task, source = multipl_e.source(language)
        make = multipl_e.problems
    elif task in PYTHON_TASKS:
        source, make = BENCHMARKS[task], PYTHON_TASKS[task]
    else:
        raise UsageError(f"Unknown task {task!r}. Use one of: {', '.join(PYTHON_TASKS)}, multipl_e:LANGUAGE.")
    rows = read(source, data, revision)
    problems = make(rows.rows)
    return Benchmark(task, rows.version, rows.source, {problem.task_id: problem for problem in problems})
