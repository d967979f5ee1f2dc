"""A plan in a store: machines that share nothing else run its shards, are lost, and lose no more than an interval."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.scale.journal_sync import JournalSync, fetch_recorded
from hf_oss_instruct.scale.merge import merge
from hf_oss_instruct.scale.plan import DENYLIST, Plan, write_plan
from hf_oss_instruct.scale.run_shard import ShardRun, check_finished, send_plan
from hf_oss_instruct.scale.store import Store, StoreError
from hf_oss_instruct.scale.upload import check_place, send_dataset
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.synthesis.run import run
from hf_oss_instruct.teachers.inference import InferenceTeacher
from tests.support.teacher import Answer, LocalTeacher

from .test_merge import N, answer, code, files, planned, teacher, whole  # noqa: F401  # fixtures

URL = "memory://runs/one"


@pytest.fixture(autouse=True)
def empty_store() -> Iterator[None]:
    yield
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").pseudo_dirs[:] = [""]


@pytest.fixture
def plan(tmp_path: Path, code: Path) -> Plan:  # noqa: F811
    """A plan of two shards that is in the store."""
    made = planned(tmp_path / "plan", code, 2)
    send_plan(made, Store(URL))
    return made


def on_machine(disk: Path, teacher: LocalTeacher, shard: Shard, every_s: float = 60, **limits: Any) -> list[str]:  # noqa: F811
    """Run a shard with a disk of its own; returns what was said of copies."""
    said: list[str] = []
    named = TeacherSpec(model="m", base_url=(teacher.base_url,), concurrency=4)
    how = ShardRun(URL, None, named, RunLimits(**limits), every_s, str(disk))
    for _, result in how.run(shard, say=said.append):
        check_finished(shard, result)
    return said


def merged(out: Path) -> Path:
    merge(fetch_recorded(Store(URL), out / "copies"), out / "merged")
    return out / "merged"


def test_shards_run_on_machines_that_share_only_the_store_and_merge_from_there(
    tmp_path: Path,
    plan: Plan,
    whole: Path,  # noqa: F811
    teacher: LocalTeacher,  # noqa: F811
) -> None:
    for shard, _ in plan:
        assert not on_machine(tmp_path / f"disk-{shard.index}", teacher, shard)
        shutil.rmtree(tmp_path / f"disk-{shard.index}")
    assert files(merged(tmp_path)) == files(whole)
    there = Store(URL).names("shards/00001-of-00002")
    assert {name.split("/")[2] for name in there} >= {"data", "run.json", "oss_instruct.yaml", "journal"}
    assert not [name for name in there if name.endswith((".running", ".reserved", ".lock"))]


def test_a_lost_machine_costs_what_it_had_not_copied_and_no_more(tmp_path: Path, plan: Plan, whole: Path) -> None:  # noqa: F811
    shard = Shard(0, 2)
    stuck, lost = threading.Event(), threading.Event()

    def slow(body: dict[str, Any]) -> Answer:
        if len(first.requests) > 9:
            stuck.set()
            lost.wait(30)
        return answer(body)

    with LocalTeacher(slow) as first:
        machine = threading.Thread(target=on_machine, args=(tmp_path / "disk-a", first, shard, 0.05), daemon=True)
        machine.start()
        assert stuck.wait(30)
        store = Store(URL)
        while sum(map(len, journal_lines(store, tmp_path))) < 6:  # the answers before the server was stuck, a copy later
            pass
        snapshot = dict(fsspec.filesystem("memory").store)
        lost.set()
        machine.join(60)
    fsspec.filesystem("memory").store.clear()
    fsspec.filesystem("memory").store.update(snapshot)  # what the store has when a machine is lost before its next copy
    copied = len({line for lines in journal_lines(store, tmp_path) for line in lines})
    with LocalTeacher(answer) as second:
        on_machine(tmp_path / "disk-b", second, shard)
        assert len(second.requests) == shard.size(N) - copied
        on_machine(tmp_path / "disk-c", second, Shard(1, 2))
    assert files(merged(tmp_path)) == files(whole)


def journal_lines(store: Store, folder: Path) -> list[list[bytes]]:
    """The lines of the pieces of journals in the store."""
    names = [name for name in store.names("shards") if "/journal/" in name]
    store.fetch({name: folder / "seen" / name for name in names})
    return [(folder / "seen" / name).read_bytes().splitlines() for name in names]


def test_a_store_that_refuses_is_found_out_before_the_first_request(tmp_path: Path, code: Path) -> None:  # noqa: F811
    made = planned(tmp_path / "plan", code, 2)
    store = tmp_path / "store"
    send_plan(made, Store(store.as_uri()))
    (store / "shards").write_text("in the way")
    named = TeacherSpec(model="m", base_url=("http://127.0.0.1:9",))
    how = ShardRun(store.as_uri(), None, named, scratch=str(tmp_path / "disk"))
    with pytest.raises(StoreError, match=r"The store 'file://.*store' could not be (read|written): .*[Nn]ot a directory"):
        list(how.run(Shard(0, 2), say=print))


def test_a_store_that_begins_to_refuse_loses_nothing_and_a_rerun_copies_the_rest(tmp_path: Path) -> None:
    home, folder, said = tmp_path / "store", tmp_path / "work" / "shards" / "00000-of-00002", list[str]()
    journal = folder / "journal" / "host-1-0.jsonl"

    def machine(work: Any) -> None:
        with JournalSync(Store(home.as_uri()), folder, "shards/0", 3600, said.append) as sync:
            journal.parent.mkdir(parents=True, exist_ok=True)
            work(sync)

    def refused(sync: JournalSync) -> None:
        journal.write_bytes(b"one\n")
        sync.upload_changes()
        journal.write_bytes(b"one\ntwo\nhalf")
        (home / "shards" / "0").rename(home / "kept")
        (home / "shards" / "0").write_text("in the way")

    with pytest.raises(StoreError, match=r"Nothing is lost: everything not yet copied is in '.*work/shards/00000-of-00002' on "):
        machine(refused)
    (home / "shards" / "0").unlink()
    (home / "kept").rename(home / "shards" / "0")
    journal.write_bytes(b"one\ntwo\nhalf of the third\n")
    machine(lambda sync: None)
    pieces = sorted((home / "shards" / "0" / "journal").iterdir())
    assert [piece.read_bytes() for piece in pieces] == [b"one\n", b"two\nhalf of the third\n"]


def test_a_copy_that_fails_is_said_and_made_at_a_later_interval(tmp_path: Path) -> None:
    home, folder, said = tmp_path / "store", tmp_path / "work" / "shards" / "0", list[str]()
    there = home / "shards" / "0" / "journal"

    def until(ready: Callable[[], object]) -> None:
        limit = time.monotonic() + 30
        while not ready():
            assert time.monotonic() < limit
            time.sleep(0.01)

    with JournalSync(Store(home.as_uri()), folder, "shards/0", 0.02, said.append):
        there.write_text("in the way")
        (folder / "journal").mkdir(parents=True)
        (folder / "journal" / "host-1-0.jsonl").write_bytes(b"one\n")
        until(lambda: said)
        there.unlink()
        until(there.is_dir)
    assert "could not be written" in said[0]
    assert said[0].endswith("Retrying in 0 s.")
    assert [piece.read_bytes() for piece in there.iterdir()] == [b"one\n"]


def test_a_plan_in_a_store_is_not_replaced_by_another(tmp_path: Path, plan: Plan, code: Path) -> None:  # noqa: F811
    send_plan(plan, Store(URL))
    with pytest.raises(RunError, match=r"has another plan: shards: 2 in the store, 3 in this plan\. Pass another folder"):
        send_plan(planned(tmp_path / "other", code, 3), Store(URL))


def test_opt_outs_travel_with_the_plan_and_hold_on_every_machine(tmp_path: Path, code: Path, teacher: LocalTeacher) -> None:  # noqa: F811
    opt_outs = Denylist.of("path: tasks_[0-4].py\n# by mail\npath: tasks_7.py\n")
    spec = RunSpec(SeedPlan(n=12, deny=opt_outs), TeacherSpec(concurrency=8))
    network = InferenceTeacher("m", teacher.base_url, concurrency=8)
    made = write_plan(tmp_path / "plan", spec, open_source(str(code)), network, 2, str(code))
    send_plan(made, Store(URL))
    for shard, _ in made:
        assert not on_machine(tmp_path / f"disk-{shard.index}", teacher, shard)
    run(tmp_path / "whole", spec, open_source(str(code)), network)
    assert files(merged(tmp_path)) == files(tmp_path / "whole")
    paths = {row["file_path"] for row in pq.read_table(tmp_path / "merged" / "data").to_pylist()}
    assert paths
    assert not paths & {"tasks_0.py", "tasks_1.py", "tasks_2.py", "tasks_3.py", "tasks_4.py", "tasks_7.py"}

    (tmp_path / "plan" / DENYLIST).write_text("path: tasks_0.py\n")
    with pytest.raises(RunError, match=r"was made with the denylist \w+, and '.*denylist\.txt' is \w+\. Copy the file"):
        Plan.read(tmp_path / "plan")
    (tmp_path / "plan" / DENYLIST).unlink()
    with pytest.raises(RunError, match=r"denylist\.txt' is missing\. Copy the file"):
        Plan.read(tmp_path / "plan")


def test_a_dataset_is_copied_to_a_store_with_nothing_else_and_replaces_only_itself(tmp_path: Path) -> None:
    made, home = tmp_path / "made", tmp_path / "store" / "pairs"
    store = Store(home.as_uri())

    def dataset(files: int, job: str = "one") -> Path:
        shutil.rmtree(made, ignore_errors=True)
        (made / "data").mkdir(parents=True)
        (made / ".job.json").write_text(f'{{"run": "{job}"}}')
        (made / ".lock").write_text("")
        for number in range(files):
            (made / "data" / f"train-{number}.parquet").write_text(f"{number} of {files}")
        return made

    send_dataset(dataset(3), store)
    send_dataset(dataset(2), store)
    assert store.names() == [".job.json", "data/train-0.parquet", "data/train-1.parquet"]
    assert (home / "data" / "train-1.parquet").read_text() == "1 of 2"
    with pytest.raises(RunError, match=r"has another dataset: run: one in the store, two now\. Pass another folder"):
        send_dataset(dataset(1, "two"), store)
    (tmp_path / "store" / "other.txt").write_text("mine")
    with pytest.raises(RunError, match=r"is not empty: it contains other.txt"):
        check_place(Store((tmp_path / "store").as_uri()))
    (home / ".job.json").unlink()
    shutil.rmtree(home / "data")
    (home / "data").write_text("in the way")
    home.joinpath(".job.json").write_text('{"run": "one"}')
    with pytest.raises(StoreError, match=r"could not be written: .* Nothing is lost: the dataset is in '.*made'"):
        send_dataset(dataset(2), store)


def test_what_a_store_cannot_do_is_said(plan: Plan) -> None:
    with pytest.raises(UsageError, match="--batch keeps the records of its batches on one machine"):
        ShardRun(URL, teacher=replace(TeacherSpec(), batch=True))
    with pytest.raises(UsageError, match="not the URL of a store"):
        Store("nonsense://bucket/run")
    with pytest.raises(RunError, match=r"has no plan\.json\. Put a plan there"):
        list(ShardRun("memory://empty").run(Shard(0, 2), say=print))
    with pytest.raises(UsageError, match="has 2 shards, not 3"):
        list(ShardRun(URL).run(Shard(0, 3), say=print))
