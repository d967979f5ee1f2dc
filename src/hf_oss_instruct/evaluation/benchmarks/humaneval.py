"""HumanEval (arXiv 2107.03374): 164 functions to complete, each with a `check` program."""

from __future__ import annotations

from collections.abc import Iterable

from hf_oss_instruct.evaluation.benchmarks.columns import column
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.evaluation.sources import BenchmarkRow
from hf_oss_instruct.sandbox.inside.modules import PLAINLY

STOP_TOKENS = ("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\nassert ", "\nimport ", "\nfrom ", "\n@", "\n```")
"""Stop sequences: the paper's, and those that evalplus adds."""


def problems(rows: Iterable[BenchmarkRow]) -> list[Problem]:
    """Parse rows with `task_id, prompt, entry_point, canonical_solution, test`."""
    return [
        Problem(
            column(row, "task_id"),
            "python",
            column(row, "prompt"),
            column(row, "entry_point"),
            STOP_TOKENS,
            row.fingerprint,
            column(row, "prompt") + column(row, "canonical_solution"),
            tests=f"{column(row, 'test')}\ncheck({PLAINLY}({column(row, 'entry_point')}))\n",
        )
        for row in rows
    ]
