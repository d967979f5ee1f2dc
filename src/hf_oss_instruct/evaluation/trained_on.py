"""Which problems does a training set touch? Read from what decontamination wrote beside its rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.problems import Benchmark

_ID = re.compile(r"(?P<family>humaneval|mbpp)[/_:](?P<number>\d+)", re.IGNORECASE)


def touched(folder: Path, benchmark: Benchmark) -> list[str]:
    """The problems of a benchmark that rows of a training set quote, in the benchmark's order.

    A problem that is a translation of another, as in MultiPL-E, is touched with it.

    Args:
        folder: a run's folder, with `run.json` and `data/`, whose decontamination is done.
        benchmark: the problems.

    Raises:
        UsageError: the folder is no run's.
        EvaluationError: decontamination was not done, or did not look for this benchmark.
    """
    import pyarrow.parquet as pq

    path = folder / "run.json"
    if not path.exists():
        raise UsageError(f"The folder {str(folder)!r} has no run.json. Name one that synthesize or curate wrote.")
    families = {found["family"].lower() for task_id in benchmark.problems if (found := _ID.search(task_id))}
    if absent := families - _looked_for(path):
        raise EvaluationError(
            f"{str(folder)!r} was not decontaminated against {', '.join(sorted(absent))}: what it touches is not known. "
            "Decontaminate it first, or leave out --trained-on."
        )
    files = sorted((folder / "data").rglob("*.parquet"))
    names = (
        name for file in files for row in pq.read_table(file, columns=["contaminated_by"])[0].to_pylist() for name in row or ()
    )
    hit = _numbers(names)
    return [task_id for task_id in benchmark.problems if _numbers([task_id]) & hit]


def _looked_for(path: Path) -> set[str]:
    """Families of benchmarks that the run's decontamination was done against."""
    try:
        checks = json.loads(path.read_text(encoding="utf-8")).get("checks", [])
        done = [check for check in checks if check["name"] == "decontamination" and check["status"] == "done"]
        names = [one["name"].lower() for check in done for one in check["lists"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(f"{str(path)!r} is no report of a run: {error}. Name another folder.") from error
    return {family for family in ("humaneval", "mbpp") if any(name.startswith(family) for name in names)}


def _numbers(names: Iterable[str]) -> set[tuple[str, int]]:
    """Family and number: `humaneval:HumanEval/3:quote`, `HumanEval_3_below_zero` and `mbpp:3` name one problem each."""
    return {(found["family"].lower(), int(found["number"])) for name in names for found in _ID.finditer(name)}
