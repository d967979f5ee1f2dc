"""HumanEval (arXiv 2107.03374): 164 functions to complete, each with a `check` program."""

from __future__ import annotations

from collections.abc import Iterable

from hf_oss_instruct.benchmarks.registry import BENCHMARKS
from hf_oss_instruct.evaluation.benchmarks.columns import column
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.evaluation.sources import BenchmarkRow
from hf_oss_instruct.sandbox.inside.modules import PLAINLY

STOP_TOKENS = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\nassert ", "\nimport ", "\nfrom ", "\n@", "\n```")
"""Stop sequences: the paper's, and those that evalplus adds."""
_COLUMNS = BENCHMARKS["humaneval"].columns


def problems(rows: Iterable[BenchmarkRow]) -> list[Problem]:
    """Parse rows with `task_id, prompt, entry_point, canonical_solution, test`."""
    return [_problem(row) for row in rows]


def _problem(row: BenchmarkRow) -> Problem:
    prompt, entry_point = column(row, *_COLUMNS.prompts), column(row, *_COLUMNS.entry_points)
    return Problem(
        column(row, *_COLUMNS.ids),
        "python",
        prompt,
        entry_point,
        STOP_TOKENS,
        row.fingerprint,
        prompt + column(row, *_COLUMNS.solutions),
        tests=f"{column(row, 'test')}\ncheck({PLAINLY}({entry_point}))\n",
    )
