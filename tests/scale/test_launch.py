"""Plans started with datatrove's executors: on this machine, and on a Slurm cluster that runs here for the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.scale.launch import Launch
from hf_oss_instruct.scale.plan import Plan
from hf_oss_instruct.scale.run_shard import ShardRun
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.spec.teacher import TeacherSpec
from tests.support import slurm
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND

from .test_merge import N, answer, check_merged, code, go, planned, teacher, whole  # noqa: F401  # fixtures

pytest.importorskip("datatrove")


def started(plan: Path, teacher: LocalTeacher, *words: str, **more: Any) -> str:  # noqa: F811
    command = [COMMAND, "launch", plan, "--yes", "--model", "m", "--base-url", teacher.base_url, "--concurrency", "4", *words]
    done = BASE.run(command, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def named(teacher: LocalTeacher) -> TeacherSpec:  # noqa: F811
    return TeacherSpec(model="m", base_url=(teacher.base_url,), concurrency=4)


def test_on_this_machine_it_is_the_dataset_of_one_process_and_a_rerun_does_the_rest(
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    plan = planned(tmp_path / "plan", code, 2)
    (_, first), _ = plan
    first.parent.mkdir()
    first.write_text("in the way")  # the first shard cannot make its folder, which does not keep the second from running
    with LocalTeacher(answer) as fresh:
        command = [COMMAND, "launch", plan.folder, "--yes", "--workers", "1", "--model", "m", "--base-url", fresh.base_url]
        failed = BASE.run(command)
        assert failed.returncode == 1
        assert "is a file" in failed.stderr
        assert "Unfinished shards: 0/2. The reasons are above" in failed.stderr
        assert len(fresh.requests) == N // 2
        first.unlink()
        started(plan.folder, fresh, "--workers", "1")
        assert len(fresh.requests) == N
    check_merged(plan, whole, tmp_path)


def test_a_shard_whose_process_is_killed_does_not_keep_the_others_from_running(
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    plan, killed = planned(tmp_path / "plan", code, 2), list[int]()
    (_, first), _ = plan

    def killing(body: dict[str, Any]) -> Answer:
        for journal in (first / "journal").glob("*.jsonl"):
            if not killed:
                killed.append(int(journal.name.split("-")[-2]))
                os.kill(killed[0], signal.SIGKILL)
        return answer(body)

    with LocalTeacher(killing) as fresh:
        words = ["--yes", "--model", "m", "--base-url", fresh.base_url, "--concurrency", "1"]
        failed = BASE.run([COMMAND, "launch", plan.folder, *words])
        assert failed.returncode == 1
        assert "The process of task 0 was ended by SIGKILL, which the system sends when memory is short." in failed.stderr
        assert "Unfinished shards: 0/2. The reasons are above" in failed.stderr
        started(plan.folder, fresh)
        assert N <= len(fresh.requests) <= N + 1  # one was in flight
    assert killed
    check_merged(plan, whole, tmp_path)


def test_a_shard_that_lags_is_split_over_the_workers_when_the_plan_is_started_again(
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    plan = planned(tmp_path / "plan", code, 2)
    (one, done), (two, slow) = plan
    with LocalTeacher(answer) as earlier:
        go(done, code, earlier, one)
        go(slow, code, earlier, two, limits=RunLimits(max_requests=2 * 5))
    split_up = "1 unfinished shard, fewer than can run: --split-stragglers splits it, into 3 each"
    assert split_up in Launch(plan, "local", workers=3).describe()
    assert not [line for line in Launch(plan, "local", workers=1).describe() if "--split" in line]
    with LocalTeacher(answer) as fresh:
        shown = started(plan.folder, fresh, "--workers", "3", "--split-stragglers")
        assert "split first, into 3 each: 00001-of-00002" in shown
        assert len(fresh.requests) == N // 2 - 5
        assert [shard for shard, _ in plan.parts_of(two)] == [Shard(1, 6), Shard(3, 6), Shard(5, 6)]
        started(plan.folder, fresh, "--workers", "3", "--split-stragglers")
        assert len(fresh.requests) == N // 2 - 5
        (_, result), *_ = ShardRun(str(plan.folder), teacher=named(fresh)).run(Shard(3, 6), say=print)
        assert (result.stats.pending, len(fresh.requests)) == (0, N // 2 - 5)
    check_merged(plan, whole, tmp_path)
    with pytest.raises(UsageError, match="--split-stragglers needs the shards in the plan's folder"):
        Launch(plan, "local", store="memory://run", split_stragglers=True)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if why := slurm.missing():
        pytest.skip(why)
    with slurm.cluster(tmp_path_factory.mktemp("slurm") / "cluster") as environment:
        yield environment


def test_on_slurm_it_is_the_dataset_of_one_process(
    cluster: dict[str, str],
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    plan = planned(tmp_path / "plan", code, 3)
    with LocalTeacher(answer) as fresh:
        said = started(plan.folder, fresh, *"--on slurm --set partition=cpu --set time=00:10:00".split(), env=cluster)
        assert "shards at the same time: 3, each with up to 4 requests in flight: 12 together" in said
        completed = plan.folder / "logs" / "completions"
        until = time.monotonic() + 120
        while not completed.is_dir() or len(list(completed.iterdir())) < 3:
            assert time.monotonic() < until, [path.read_text() for path in (plan.folder / "logs" / "slurm").rglob("*.out")]
            time.sleep(0.2)
        assert len(fresh.requests) == N
    check_merged(plan, whole, tmp_path)


@pytest.mark.long
def test_tasks_that_slurm_kills_are_finished_by_the_same_launch(
    cluster: dict[str, str],
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    plan, killed = planned(tmp_path / "plan", code, 3), threading.Event()

    def held_up(body: dict[str, Any]) -> Answer:
        return replace(answer(body), after=killed) if len(server.requests) > N // 2 else answer(body)

    def ended() -> bool:
        return not subprocess.run(["squeue", "-h"], env=cluster, stdout=subprocess.PIPE, check=True).stdout

    def until(ready: Callable[[], object]) -> None:
        limit = time.monotonic() + 180
        while not ready():
            assert time.monotonic() < limit
            time.sleep(0.2)

    with LocalTeacher(held_up) as server:
        words = "--on slurm --set partition=cpu --set time=00:10:00".split()
        started(plan.folder, server, *words, env=cluster)
        until(lambda: len(server.requests) > N // 2)
        time.sleep(1)  # what was answered is in the journals
        subprocess.run(["scancel", "--signal=KILL", "--user=root"], env=cluster, check=True)
        until(ended)
        killed.set()
        assert plan.unfinished()
        in_flight = len(server.requests) - N // 2
        started(plan.folder, server, *words, env=cluster)
        until(lambda: not plan.unfinished())
        until(ended)
        assert N <= len(server.requests) <= N + in_flight
    check_merged(plan, whole, tmp_path)


def test_what_cannot_start_is_said_before_anything_does(tmp_path: Path, code: Path) -> None:  # noqa: F811
    plan = planned(tmp_path / "plan", code, 3)
    with pytest.raises(UsageError, match=r"--on slurm needs partition\. Pass --set partition=cpu"):
        Launch(plan, "slurm", settings={"time": "01:00:00"})
    with pytest.raises(UsageError, match="not an executor"):
        Launch(plan, "cloud")
    with pytest.raises(UsageError, match=r"does not accept these settings.*nonsense"):
        Launch(plan, "local", TeacherSpec(model="m", base_url="http://unused"), settings={"nonsense": 1}).executor()
    assert BASE.run([COMMAND, "launch", plan.folder, "--set", "a=["]).returncode == 2
    asked = [COMMAND, "launch", plan.folder, "--model", "m", "--base-url", "http://127.0.0.1:9"]
    unasked = BASE.run(asked)
    assert unasked.returncode == 2
    assert "No terminal to ask for confirmation. Pass --yes" in unasked.stderr
    other = [COMMAND, "launch", plan.folder, "--yes", "--model", "other", "--base-url", "http://127.0.0.1:9"]
    done = BASE.run(other)
    assert done.returncode == 2
    assert "The plan is for the teacher" in done.stderr


def test_the_plan_finds_its_seeds_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("def f(x):\n    return x\n" * 5)
    monkeypatch.chdir(tmp_path)
    words = "plan --seeds code --n 2 --shards 2 --model m --base-url http://127.0.0.1:9 --out plan --format json"
    report = json.loads(BASE.run([COMMAND, *words.split()], check=True).stdout)
    assert len(report["commands"]) == 2
    monkeypatch.chdir("/")
    assert Plan.read(tmp_path / "plan").open_source().revision
