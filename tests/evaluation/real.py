"""The real benchmark data beside the checkout, where it is; tests that need it are skipped elsewhere."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.evaluation.problems import Benchmark, Problem

DATA = Path(__file__).parents[3] / "shared" / "data"
real_data = pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data")
PROBLEMS = pytest.mark.parametrize("count", [4, pytest.param(164, marks=pytest.mark.long)])
"""How many of HumanEval+'s problems are asked through an interface: some show that it works; `make test-long` asks all."""
HUMANEVAL_X = {"cpp": "cpp", "java": "java", "js": "javascript", "python": "python"}


def humaneval_x(key: str) -> Benchmark:
    """HumanEval-X, whose problems have canonical solutions in other languages and tests as MultiPL-E's are."""
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in gzip.open(DATA / "humaneval-x" / f"humaneval_{key}.jsonl.gz", "rt", encoding="utf-8")
    ]
    problems = [
        Problem(
            row["task_id"],
            HUMANEVAL_X[key],
            row["prompt"],
            "",
            (),
            row["task_id"],
            row["prompt"] + row["canonical_solution"],
            tests=row["test"],
        )
        for row in rows
    ]
    return Benchmark(f"humaneval_x:{key}", "of CodeGeeX", "", {problem.task_id: problem for problem in problems})
