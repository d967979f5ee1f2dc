"""A run in shards: whatever their number, the merged dataset is that of one machine; and shards that do not fit are refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.scale.merge import merge
from hf_oss_instruct.scale.plan import Plan, write_plan
from hf_oss_instruct.scale.split import split
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.prompts import PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.storage.workdir import locked
from hf_oss_instruct.synthesis.run import RunResult, run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher, chained, well_formed

N = 40


def answer(body: dict[str, Any]) -> Answer:
    """Pairs, of which some repeat others and some cannot be parsed."""
    text = well_formed(body["messages"])
    kind = sum(text.encode()) % 5
    return Answer(text="no sections" if kind == 0 else REPEATED if kind == 1 else text)


REPEATED = (
    "[Problem Description]\nAdd all the numbers of a list of integers that are even, and return their sum as an integer number.\n"
    "[Solution]\n```python\ndef even_sum(numbers):\n    return sum(n for n in numbers if n % 2 == 0)\n```"
)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("my_code")
    for number in range(15):
        lines = [f"def task_{number}_{line}(x):\n    return x + {number * 100 + line}\n" for line in range(10)]
        (folder / f"tasks_{number}.py").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def teacher() -> Iterator[LocalTeacher]:
    with LocalTeacher(answer) as running:
        yield running


def spec_of(**seeds: Any) -> RunSpec:
    return RunSpec(SeedPlan(n=N, **seeds), TeacherSpec(concurrency=8))


def go(out: Path, code: Path, teacher: LocalTeacher, shard: Shard | None = None, **changes: Any) -> RunResult:
    network = InferenceTeacher("m", teacher.base_url, concurrency=8, timeout_s=20)
    return run(out, replace(spec_of(shard=shard), **changes), open_source(str(code)), network)


def planned(folder: Path, code: Path, shards: int) -> Plan:
    return write_plan(folder, spec_of(), open_source(str(code)), InferenceTeacher("m", "http://unused"), shards, str(code))


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def check_merged(plan: Plan, whole: Path, tmp_path: Path) -> None:
    """The shards of a plan together are the dataset that one process wrote."""
    merge([plan.folder], tmp_path / "merged")
    assert files(tmp_path / "merged") == files(whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, code: Path, teacher: LocalTeacher) -> Path:
    """The dataset of one machine."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert go(out, code, teacher).report["rejected"].keys() == {"unparsable", "duplicate"}
    return out


@pytest.fixture(scope="module")
def in_three(tmp_path_factory: pytest.TempPathFactory, code: Path, teacher: LocalTeacher) -> Path:
    """A plan whose three shards are finished."""
    folder = tmp_path_factory.mktemp("plan") / "plan"
    for shard, out in planned(folder, code, 3):
        go(out, code, teacher, shard)
    return folder


@pytest.mark.parametrize("shards", [1, 16])
def test_any_number_of_shards_gives_the_files_of_one_machine(
    shards: int, tmp_path: Path, code: Path, teacher: LocalTeacher, whole: Path
) -> None:
    for shard, out in reversed(list(planned(tmp_path / "plan", code, shards))):
        go(out, code, teacher, shard)
    merge([tmp_path / "plan"], tmp_path / "merged")
    assert files(tmp_path / "merged") == files(whole)


def test_shards_of_a_run_with_several_questions_for_each_seed_give_the_files_of_one_machine(tmp_path: Path, code: Path) -> None:
    spec = RunSpec(
        SeedPlan(n=9, filters=(), balance=True), TeacherSpec(concurrency=8), PromptSpec(concepts=True, style="function")
    )
    source = open_source(str(code))
    with LocalTeacher(chained) as server:
        network = InferenceTeacher("m", server.base_url)
        assert run(tmp_path / "whole", spec, source, network).stats.kept
        for shard, out in write_plan(tmp_path / "plan", spec, source, network, 3, str(code)):
            assert run(out, replace(spec, seeds=replace(spec.seeds, shard=shard)), source, network).stats.pending == 0
        assert len(server.requests) == 2 * 3 * 9
    merge([tmp_path / "plan"], tmp_path / "merged")
    assert files(tmp_path / "merged") == files(tmp_path / "whole")


def test_the_report_adds_up(in_three: Path, tmp_path: Path, whole: Path) -> None:
    merge([in_three], tmp_path / "merged")
    report, one = (json.loads((folder / "run.json").read_text()) for folder in (tmp_path / "merged", whole))
    same = ("requested", "kept", "rejected", "pending", "tokens", "teacher", "config_hash", "requests_sent", "documents_skipped")
    assert {key: report[key] for key in same} == {key: one[key] for key in same}
    assert report["shards"] == 3
    assert report["requested"] == N == report["kept"] + sum(report["rejected"].values())


def test_seeds_of_all_shards_are_those_of_the_whole_run_and_no_request_is_sent_twice(code: Path, tmp_path: Path) -> None:
    with LocalTeacher(answer) as fresh:
        for shard, out in planned(tmp_path / "plan", code, 4):
            assert go(out, code, fresh, shard).report["requested"] == N // 4
        assert len(fresh.requests) == len({json.dumps(request["body"]["messages"]) for request in fresh.requests}) == N


@given(st.integers(1, 200), st.integers(0, 500))
def test_every_seed_belongs_to_one_shard(count: int, total: int) -> None:
    shards = [Shard(index, count) for index in range(count)]
    assert sum(shard.size(total) for shard in shards) == total
    assert all(sum(place in shard for shard in shards) == 1 for place in range(0, total, 37))
    assert [Shard.parse(str(shard)) for shard in shards] == shards


@given(st.integers(1, 64), st.integers(64, 10_000))
def test_limits_hold_for_all_shards_together(count: int, limit: int) -> None:
    limits = RunLimits(max_requests=limit, max_total_tokens=limit, max_cost=1.0, price_in=1, price_out=1)
    shares = [limits.of_shard(Shard(index, count)) for index in range(count)]
    assert sum(share.max_requests or 0 for share in shares) <= limit
    assert sum(Fraction(share.max_cost or 0) for share in shares) <= 1 + Fraction(1, 10**12)


def test_a_limit_that_leaves_nothing_for_a_shard_is_refused(tmp_path: Path, code: Path, teacher: LocalTeacher) -> None:
    with pytest.raises(UsageError, match="--max-requests 3 is the limit of all 4 shards together"):
        go(tmp_path / "out", code, teacher, Shard(0, 4), limits=RunLimits(max_requests=3))


def test_a_straggler_is_split_and_nothing_is_asked_again(
    in_three: Path, tmp_path: Path, code: Path, whole: Path, teacher: LocalTeacher
) -> None:
    for shard, slow in planned(tmp_path / "plan", code, 3):
        if shard.index < 2:
            shutil.copytree(in_three / "shards" / shard.name, slow)
    with LocalTeacher(answer) as limited:
        stopped = go(slow, code, limited, shard, limits=RunLimits(max_requests=3 * 5))
    assert stopped.stats.pending == shard.size(N) - 5
    first, second = split(slow, into=2)
    with LocalTeacher(answer) as rest:
        for part, folder in ((Shard(2, 6), first), (Shard(5, 6), second)):
            go(folder, code, rest, part)
        assert len(rest.requests) == stopped.stats.pending
    merge([tmp_path / "plan"], tmp_path / "merged")
    assert files(tmp_path / "merged") == files(whole)
    assert json.loads((tmp_path / "merged" / "run.json").read_text())["requests_sent"] == N
    with pytest.raises(RunError, match="Shard 2/3 was split"):
        go(slow, code, teacher, shard)  # its answers are in the parts


def test_a_split_that_was_killed_is_resumed_and_can_be_merged_as_it_is(
    in_three: Path, tmp_path: Path, code: Path, whole: Path, teacher: LocalTeacher
) -> None:
    plan = edited(in_three, tmp_path / "plan", "run.json", lambda text: json.dumps(json.loads(text) | {"pending": 1}))
    slow = Plan.read(plan).begun()[-1]
    _, second = split(slow, into=2)
    shutil.rmtree(second)  # killed before the second part was in place, while it was written
    shutil.copytree(slow.parent / "split" / slow.name, second.with_name(f".{second.name}"))
    assert [shard for shard, _ in Plan.read(plan).parts_of(Shard(2, 3))] == [Shard(2, 6)]
    merge([plan], tmp_path / "so-far", partial=True)
    assert split(slow, into=2)[1] == second
    for part, folder in Plan.read(plan).parts_of(Shard(2, 3)):
        assert go(folder, code, teacher, part).stats.usage.requests_sent == 0
    merge([plan], tmp_path / "merged")
    assert files(tmp_path / "merged") == files(whole)


def test_a_finished_shard_whose_journal_is_damaged_is_not_merged_silently(in_three: Path, tmp_path: Path) -> None:
    shutil.copytree(in_three, tmp_path / "plan")
    (journal,) = (Plan.read(tmp_path / "plan").begun()[0] / "journal").glob("*.jsonl")
    first, *others = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(first.replace(b'"text"', b'"tixt"') + b"".join(others))
    with pytest.raises(RunError, match="The answers to 1 seed of finished shards cannot be read"):
        merge([tmp_path / "plan"], tmp_path / "merged")


def test_a_finished_or_running_shard_is_not_split(in_three: Path, tmp_path: Path) -> None:
    (done, *_) = Plan.read(in_three).begun()
    with pytest.raises(RunError, match="is finished"):
        split(done, into=2)
    with pytest.raises(UsageError, match="at least 2"):
        split(done, into=1)


def edited(plan: Path, into: Path, name: str, change: Callable[[str], str]) -> Path:
    """A copy of a plan, in whose last shard a file is changed."""
    shutil.copytree(plan, into)
    path = Plan.read(into).begun()[-1] / name
    path.write_text(change(path.read_text()))
    return into


def test_shards_that_are_not_of_one_run_are_refused_with_the_difference(in_three: Path, tmp_path: Path) -> None:
    def version(text: str) -> str:
        report = json.loads(text)
        report["versions"]["hf-oss-instruct"] = "9.9"
        return json.dumps(report)

    other = edited(in_three, tmp_path / "a", "oss_instruct.yaml", lambda text: text.replace("temperature: 0", "temperature: 1"))
    with pytest.raises(RunError, match=r"not shards of the same run: --temperature: 0.* in the first, 1"):
        merge([other], tmp_path / "out")
    newer = edited(in_three, tmp_path / "b", "run.json", version)
    with pytest.raises(RunError, match=r"hf-oss-instruct: .* in the first, 9\.9 in the second"):
        merge([newer], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_unfinished_and_repeated_shards_are_named(in_three: Path, tmp_path: Path, code: Path) -> None:
    one, two, three = Plan.read(in_three).begun()
    with pytest.raises(RunError, match="Shards are missing: 1/3"):
        merge([one, three], tmp_path / "out")
    with pytest.raises(RunError, match=r"\(shard 0/3\) and .* \(shard 0/3\) have the same seeds"):
        merge([one, two, three, one], tmp_path / "out")
    cut = edited(in_three, tmp_path / "cut", "run.json", lambda text: json.dumps(json.loads(text) | {"pending": 2}))
    with pytest.raises(RunError, match="not finished: 2/3"):
        merge([cut], tmp_path / "out")
    planned(tmp_path / "new", code, 5)
    with pytest.raises(RunError, match="No shard of the plan"):
        merge([tmp_path / "new"], tmp_path / "out")


def test_what_there_is_can_be_merged_and_the_rest_is_pending(in_three: Path, tmp_path: Path) -> None:
    one, _, three = Plan.read(in_three).begun()
    stats = merge([one, three], tmp_path / "out", partial=True)
    assert stats.requested == N
    assert stats.pending == Shard(1, 3).size(N)


def test_two_merges_into_one_folder_do_not_mix(in_three: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with locked(tmp_path / "out"), pytest.raises(RunError, match="in use"):
        merge([in_three], tmp_path / "out")
    merge([in_three], tmp_path / "out")
    before = files(tmp_path / "out")
    merge([in_three], tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_another_shard_in_a_shards_folder_is_refused(in_three: Path, code: Path, teacher: LocalTeacher) -> None:
    (one, *_) = Plan.read(in_three).begun()
    with pytest.raises(RunError, match=r"--shard: 0/3 in the folder, 1/3 now"):
        go(one, code, teacher, Shard(1, 3))


def test_a_plan_says_what_it_needs(tmp_path: Path, code: Path) -> None:
    source, nobody = open_source(str(code)), InferenceTeacher("m", "http://unused")
    for spec, shards, message in (
        (RunSpec(), 3, "The number of seeds is missing"),
        (spec_of(), N + 1, "more than the 40 seeds"),
        (spec_of(shard=Shard(0, 2)), 2, "one shard of a plan"),
    ):
        with pytest.raises(UsageError, match=message):
            write_plan(tmp_path / "plan", spec, source, nobody, shards)
    planned(tmp_path / "plan", code, 3)
    with pytest.raises(RunError, match="shards: 3 in the folder, 4 now"):
        planned(tmp_path / "plan", code, 4)
    for text in ("3", "-1/2", "a/b"):
        with pytest.raises(UsageError, match="Write I/N"):
            Shard.parse(text)
    for text, message in (
        ("1/0", "1 to 100,000 shards, not 0"),
        ("1/100001", "1 to 100,000 shards, not 100,001"),
        ("1/1", "Shard 1 of 1 does not exist: shards are counted from 0. Pass 0/1."),
        ("5/2", "Shard 5 of 2 does not exist: shards are counted from 0. Pass 0/2 or 1/2."),
        ("4/4", "Shard 4 of 4 does not exist: shards are counted from 0. Pass 0/4 to 3/4."),
    ):
        with pytest.raises(UsageError, match=re.escape(message)):
            Shard.parse(text)
