"""Plans of every kind of run: with verification, counts for languages, the paper's sampler, and a source that is too small."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.scale.merge import merge
from hf_oss_instruct.scale.plan import Plan, write_plan
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.synthesis.run import RunResult, run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher, well_formed

from .test_merge import check_merged, code, spec_of  # noqa: F401  # fixtures


def make(out: Path, spec: RunSpec, code: Path, url: str, shard: Shard | None = None) -> RunResult:  # noqa: F811
    teacher = InferenceTeacher("m", url, concurrency=4, timeout_s=30)
    return run(out, spec.changed(seeds={"shard": shard}), open_source(str(code)), teacher)


def plan_of(folder: Path, spec: RunSpec, code: Path, shards: int) -> Plan:  # noqa: F811
    return write_plan(folder, spec, open_source(str(code)), InferenceTeacher("m", "http://unused"), shards, str(code))


def with_tests(body: dict[str, Any]) -> Answer:
    """Pairs with tests, of which every third fails."""
    number = sum(map(ord, body["messages"][-1]["content"])) % 997
    expected = number + (number % 3 == 0)
    return Answer(
        text=f"[Problem Description]\nWrite `give_{number}()`, which returns the number {number} and nothing else at all.\n\n"
        f"[Solution]\n```python\ndef give_{number}():\n    return {number}\n```\n\n"
        f"[Tests]\n```python\ndef test_it():\n    assert give_{number}() == {expected}\n```"
    )


@pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox")
def test_verdicts_of_the_shards_are_merged_and_no_program_is_run_again(tmp_path: Path, code: Path) -> None:  # noqa: F811
    spec = spec_of().changed(seeds={"n": 5}, verification={"verify": True, "tests": "answer"})
    with LocalTeacher(with_tests) as teacher:
        whole = make(tmp_path / "whole", spec, code, teacher.base_url)
        plan = plan_of(tmp_path / "plan", spec, code, 2)
        for shard, out in plan:
            make(out, spec, code, teacher.base_url, shard)
    check_merged(plan, tmp_path / "whole", tmp_path)
    assert whole.report["rejected"].get("tests_failed")
    merged = json.loads((tmp_path / "merged" / "run.json").read_text())
    assert merged["rejected"] == whole.report["rejected"]
    assert 5 == merged["requested"] == merged["kept"] + sum(merged["rejected"].values())


@pytest.mark.parametrize(
    "seeds",
    [
        {"n": None, "languages": {"python": 7, "c": 3}},
        {"n": 10, "sampler": "magicoder"},
        {"n": 10, "sampler": "magicoder", "rng_seed": 7},
    ],
    ids=["counts", "magicoder", "another-seed"],
)
def test_however_seeds_are_drawn_the_shards_have_those_of_one_machine(tmp_path: Path, code: Path, seeds: dict[str, Any]) -> None:  # noqa: F811
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for path in sorted(code.iterdir())[:8]:
        (mixed / path.name).write_text(path.read_text())
        body = re.sub(r"def (\w+)\(x\):\n    return (.*)", r"int \1(int x) {\n  return \2;\n}", path.read_text())
        (mixed / path.with_suffix(".c").name).write_text(body)
    spec = spec_of().changed(seeds=seeds)
    with LocalTeacher(lambda body: Answer(text=well_formed(body["messages"]))) as teacher:
        whole = make(tmp_path / "whole", spec, mixed, teacher.base_url)
        plan = plan_of(tmp_path / "plan", spec, mixed, 3)
        for shard, out in plan:
            make(out, spec, mixed, teacher.base_url, shard)
        assert len(teacher.requests) == 20
    assert whole.stats.kept == 10
    check_merged(plan, tmp_path / "whole", tmp_path)


def test_a_source_with_too_few_seeds_leaves_shards_unfinished_and_the_rest_can_be_merged(tmp_path: Path, code: Path) -> None:  # noqa: F811
    (tmp_path / "few").mkdir()
    for path in sorted(code.iterdir())[:5]:
        (tmp_path / "few" / path.name).write_text(path.read_text())
    spec = spec_of().changed(seeds={"n": 9, "snippets_per_document": 1})
    with LocalTeacher() as teacher:
        plan = plan_of(tmp_path / "plan", spec, tmp_path / "few", 2)
        results = [make(out, spec, tmp_path / "few", teacher.base_url, shard) for shard, out in plan]
    assert [result.stats.pending for result in results] == [2, 2]
    assert all("few yielded 5 of 9 requested seeds. Ask for fewer" in str(result.error) for result in results)
    with pytest.raises(RunError, match="Shards are not finished: 0/2, 1/2"):
        merge([plan.folder], tmp_path / "merged")
    stats = merge([plan.folder], tmp_path / "merged", partial=True)
    assert (stats.requested, stats.kept + stats.rejected.total(), stats.pending) == (9, 5, 4)
