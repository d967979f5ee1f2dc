"""A plan in an S3 store, with a server that speaks S3: lost machines, a store that stops, and keys that must not be seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct import hub
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.scale.launch import Launch
from hf_oss_instruct.scale.run_shard import ShardRun, check_finished, send_plan
from hf_oss_instruct.scale.store import Store, StoreError, library_of
from hf_oss_instruct.scale.upload import check_place
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.spec.teacher import TeacherSpec
from tests.support import s3
from tests.support.teacher import Answer, LocalTeacher

from .test_merge import N, answer, code, planned  # noqa: F401  # fixtures

s3.require()
URL = f"s3://{s3.BUCKET}/one"
SHARD = Shard(0, 2)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.S3Server]:
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()  # an instance keeps the endpoint and keys that it was made with
    with s3.S3Server() as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def copied(store: Store) -> list[str]:
    return [name for name in store.names("shards") if "/journal/" in name]


def on_machine(disk: Path, url: str, every_s: float = 60) -> list[str]:
    said: list[str] = []
    named = TeacherSpec(model="m", base_url=(url,), concurrency=4)
    for _, result in ShardRun(URL, None, named, RunLimits(), every_s, str(disk)).run(SHARD, say=said.append):
        check_finished(SHARD, result)
    return said


def test_a_store_that_stops_for_a_while_is_copied_to_when_it_is_back(
    server: s3.S3Server,
    tmp_path: Path,
    code: Path,  # noqa: F811
) -> None:
    send_plan(planned(tmp_path / "plan", code, 2), Store(URL))
    stopped, back = threading.Event(), threading.Event()

    def answered(body: dict[str, Any]) -> Answer:
        if len(teacher.requests) == 8:
            server.stop()
            stopped.set()
        back.wait(60 if len(teacher.requests) > 12 else 0)
        return answer(body)

    said: list[str] = []
    with LocalTeacher(answered) as teacher:
        machine = threading.Thread(target=lambda: said.extend(on_machine(tmp_path / "disk", teacher.base_url, 0.2)))
        machine.start()
        assert stopped.wait(60)
        time.sleep(0.5)  # copies are due
        server.start()
        back.set()
        machine.join(120)
        assert len(teacher.requests) == SHARD.size(N)
        pieces = copied(Store(URL))
        Store(URL).fetch({name: tmp_path / "seen" / name for name in pieces})
        lines = [line for name in pieces for line in (tmp_path / "seen" / name).read_bytes().splitlines()]
        assert len(lines) == len(set(lines))
        assert not on_machine(tmp_path / "elsewhere", teacher.base_url)
        assert len(teacher.requests) == SHARD.size(N)


def test_what_s3_refuses_is_said_before_the_first_request(
    server: s3.S3Server,
    tmp_path: Path,
    code: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import s3fs

    plan = planned(tmp_path / "plan", code, 2)
    missing = Store("s3://nobodys-bucket/one")
    for sent in (lambda: send_plan(plan, missing), lambda: check_place(missing)):
        with pytest.raises(
            StoreError, match=r"'s3://nobodys-bucket/one' could not be written: The specified bucket does not exist"
        ):
            sent()
    assert not missing._fs.exists("nobodys-bucket")
    with pytest.raises(RunError, match=r"'s3://nobodys-bucket/one' has no plan\.json"):
        list(ShardRun("s3://nobodys-bucket/one").run(SHARD, say=print))
    send_plan(plan, Store(URL))

    nobody = "http://127.0.0.1:9"
    server.check_keys(True)
    with pytest.raises(StoreError, match="could not be read: The AWS Access Key Id you provided does not exist"):
        on_machine(tmp_path / "disk", nobody)
    server.check_keys(False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(StoreError, match="could not be read: Unable to locate credentials"):
        on_machine(tmp_path / "disk", nobody)


def test_a_store_that_nobody_answers_for_is_said_while_it_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr(hub, "ATTEMPTS", 2)
    said: list[str] = []
    with pytest.raises(StoreError, match="Could not connect to the endpoint"):
        list(ShardRun(URL).run(SHARD, say=said.append))
    assert [text for text in said if text.endswith("Retrying.")]


def test_passwords_and_missing_libraries_are_refused_before_anything_is_written(tmp_path: Path, code: Path) -> None:  # noqa: F811
    plan = planned(tmp_path / "plan", code, 2)
    for url in ("sftp://me:sesame@host/run", "s3://bucket/run?token=sesame"):
        with pytest.raises(UsageError, match="has a password or key in it") as refused:
            Launch(plan, "slurm", store=url, settings={"time": "1:0:0", "partition": "cpu"})
        assert "sesame" not in str(refused.value)
    for url, library in (
        ("gs://bucket/run", "gcsfs"),
        ("az://box/run", "adlfs"),
        ("abfs://box@me.dfs.core.windows.net/run", "adlfs"),
    ):
        assert library_of(url) == library
        with pytest.raises(UsageError, match=rf"needs a library that is not installed\. Install it with: pip install {library}"):
            Store(url)


def test_jobs_get_keys_of_a_store_as_secrets_and_its_library(
    tmp_path: Path,
    code: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = planned(tmp_path / "plan", code, 2)

    def started(**settings: Any) -> Any:
        return Launch(plan, "jobs", seeds="me/code", store=URL, settings=settings).executor()

    with pytest.raises(
        UsageError, match=r"AWS_SECRET_ACCESS_KEY in env could be read .*--set 'secrets=\[AWS_SECRET_ACCESS_KEY\]'"
    ):
        started(dependencies=["hf-oss-instruct"], env={"AWS_SECRET_ACCESS_KEY": "sesame"})
    monkeypatch.delenv("STORE_KEY", raising=False)
    with pytest.raises(UsageError, match="'STORE_KEY' of secrets is not set"):
        started(dependencies=["hf-oss-instruct"], secrets=["STORE_KEY"])
