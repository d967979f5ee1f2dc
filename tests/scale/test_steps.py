"""Our steps in datatrove's pipelines, beside its own: seeds, rows, checks and verification, each task with its share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.schemas import SCHEMA, VERIFIED_SCHEMA
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import TeacherSpec
from tests.support.teacher import LocalTeacher

from .test_merge import N, answer, code, teacher, whole  # noqa: F401  # fixtures

pytest.importorskip("datatrove")

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import LambdaFilter

from hf_oss_instruct.scale.steps import Check, RowWriter, SeedReader, Synthesize, Verify


def executed(steps: list[Any], logs: Path, tasks: int = 2) -> dict[str, int]:
    """Run a pipeline, task after task, and give the totals of its statistics."""
    LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=str(logs)).run()
    totals: dict[str, int] = {}
    for step in json.loads((logs / "stats.json").read_text()):
        for name, found in step["stats"].items():
            totals[name] = totals.get(name, 0) + (found["total"] if isinstance(found, dict) else found)
    return totals


def test_tasks_share_the_seeds_and_datatroves_own_steps_stand_between_ours(
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    with LocalTeacher(answer) as fresh:
        spec = RunSpec(teacher=TeacherSpec(model="m", base_url=fresh.base_url, concurrency=4))
        steps = [
            SeedReader(SeedPlan(n=N), str(code)),
            Synthesize(tmp_path / "journals", spec),
            LambdaFilter(lambda document: document.metadata["lang"] == "python"),
            Check("decontamination"),
            RowWriter(tmp_path / "rows", SCHEMA),
        ]
        totals = executed(steps, tmp_path / "logs")
        again = executed(steps, tmp_path / "other-logs")
        assert len(fresh.requests) == N
    assert (totals["seeds"], totals["kept"] + totals["rejected_unparsable"]) == (N, N)
    assert again == totals
    assert sorted(path.name for path in (tmp_path / "rows").iterdir()) == [
        f"train-0000{task}-of-00002.parquet" for task in (0, 1)
    ]
    found = {row["seed_id"]: row for row in pq.read_table(tmp_path / "rows").to_pylist()}
    kept = pq.read_table(whole / "data").to_pylist()
    assert {row["seed_id"]: row for row in kept}.items() <= found.items()  # those of one run, and their duplicates
    assert len(found) == totals["kept"]


@pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")
def test_verification_is_a_pipeline_of_its_own_without_a_teacher(tmp_path: Path) -> None:
    plan = SeedPlan(n=40, sampler="functions")
    rows = RunSpec(prompt=PromptSpec(), teacher=TeacherSpec())
    executed([SeedReader(plan), Synthesize(tmp_path / "j", rows), RowWriter(tmp_path / "rows", SCHEMA)], tmp_path / "logs", 1)

    def read(data: Any, rank: int, world_size: int) -> Any:
        from hf_oss_instruct.scale.steps import document_of

        yield from map(document_of, pq.read_table(tmp_path / "rows").to_pylist()[rank::world_size])

    spec = RunSpec().changed(verification={"verify": True, "keep": "all", "unverifiable": "keep", "tests": "given"})
    steps = [read, Verify(tmp_path / "verdicts", spec), RowWriter(tmp_path / "verified", VERIFIED_SCHEMA)]
    totals = executed(steps, tmp_path / "verify-logs", 1)
    verified = pq.read_table(tmp_path / "verified").to_pylist()
    assert len(verified) == totals["kept"] > 0
    assert {row["execution_status"] for row in verified} <= {
        "passed",
        "tests_missing",
        "not_verifiable",
        "tests_failed",
        "tests_vacuous",
    }


def test_a_check_of_the_whole_set_is_no_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'near_duplicates' is not a check of single rows"):
        Check("near_duplicates")
