"""Access a row's columns, with an error that names the missing one."""

from __future__ import annotations

from typing import Any

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.sources import BenchmarkRow


def column(row: BenchmarkRow, *names: str) -> Any:
    """Return the value of the first of these columns that the row has.

    Raises:
        EvaluationError: it has none of them.
    """
    for name in names:
        if name in row.columns:
            return row.columns[name]
    available = ", ".join(map(str, row.columns)) or "none"
    raise EvaluationError(
        f"A row has no column {' or '.join(names)}, only {available}. This is not the data of the task; check --data."
    )
