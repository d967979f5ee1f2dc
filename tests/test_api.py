"""The commands as functions, as a notebook calls them: inside a running event loop, without `__main__`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml
from datasets import Dataset, load_dataset

import hf_oss_instruct as oss
from tests.evaluation import toys


def in_a_notebook(tmp_path: Path) -> dict[str, Any]:
    """One function after the other; a cell of a notebook runs while the loop of its kernel does."""
    rows = list(oss.synthesize(oss.read_seeds("stdlib", n=3, sampler="functions"), oss.CommentFunctionTeacher()))
    Dataset.from_list([dict(row) for row in rows]).to_parquet(tmp_path / "rows.parquet")
    curated = oss.curate(str(tmp_path / "rows.parquet"), tmp_path / "clean", steps=["duplicates", "near_duplicates"])
    toys.plus(tmp_path / "data")
    samples = toys.write_lines(tmp_path / "samples.jsonl", toys.canonical()[:2])
    scored, verdicts = oss.score("humaneval_plus", samples, data=tmp_path / "data", allow_missing=True)
    return {
        "rows": len(rows),
        "kept": curated["kept"],
        "table": len(load_dataset(str(tmp_path / "clean"), split="train")),
        "statuses": [verdict.status for verdict in verdicts],
        "score": scored.scores["plus"]["pass@1"]["mean"],
        "ran": oss.run_program("print(6 * 7)").stdout,
        "judged": oss.judge("def add(a, b):\n    return a + b\n", "add", [(1, 2), (2, 2)], [3, 5]).per_input,
        "pass@1": oss.pass_at_k(n=4, c=1, k=1),
        "recipe": yaml.safe_load(oss.load_recipe("smoke", data=str(tmp_path / "clean")).to_yaml())["dataset_name"],
    }


def test_what_commands_do_works_in_a_notebook(tmp_path: Path) -> None:
    async def cell() -> dict[str, Any]:
        return in_a_notebook(tmp_path)

    assert asyncio.run(cell()) == {
        "rows": 3,
        "kept": 3,
        "table": 3,
        "statuses": ["passed", "passed"],
        "score": 1.0,
        "ran": "42\n",
        "judged": [True, False],
        "pass@1": 0.25,
        "recipe": str(tmp_path / "clean"),
    }
