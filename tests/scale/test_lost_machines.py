"""The commands with each kind of store: a machine is lost, another goes on, and the merged dataset is that of one machine."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.scale.store import Store
from tests.support import s3
from tests.support.buckets import BucketHub
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND

from .test_merge import N, answer, code, files, planned, teacher, whole  # noqa: F401  # fixtures

HELD_AFTER = 9


@dataclass(frozen=True)
class Place:
    """A store.

    Attributes:
        url: URL of a folder of this name in it.
        contents: name of such a folder → path → bytes.
        environment: variables with which clients find it.
        secrets: what must be seen nowhere.
    """

    url: Callable[[str], str]
    contents: Callable[[str], dict[str, bytes]]
    environment: Mapping[str, str]
    secrets: tuple[str, ...]


@pytest.fixture(params=["s3", "bucket", "dataset"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    token = "hf_OpenBarley0815"
    if request.param == "s3":
        yield from in_s3(tmp_path, monkeypatch)
        return
    with BucketHub(tmp_path / "hub") as hub:
        environment = hub.environment(tmp_path / "home") | {"HF_TOKEN": token}
        if request.param == "bucket":
            pytest.importorskip("hf_xet")
            yield Place(lambda name: f"hf://buckets/me/{name}", lambda name: in_bucket(hub, f"me/{name}"), environment, (token,))
        else:
            yield Place(
                lambda name: f"hf://datasets/me/{name}", lambda name: in_dataset(hub, f"me/{name}"), environment, (token,)
            )


def in_s3(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    s3.require()
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with s3.S3Server() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)

        def contents(name: str) -> dict[str, bytes]:
            store, copies = Store(f"s3://{s3.BUCKET}/{name}"), folder / "of-s3" / name
            names = store.names()
            store.fetch({name: copies / name for name in names})
            return {name: (copies / name).read_bytes() for name in names}

        home = {"HF_HOME": str(folder / "home")}
        yield Place(lambda name: f"s3://{s3.BUCKET}/{name}", contents, server.environment() | home, (s3.KEY, s3.SECRET))


def in_bucket(hub: BucketHub, name: str) -> dict[str, bytes]:
    return hub.contents(name) if name in hub.buckets else {}


def in_dataset(hub: BucketHub, name: str) -> dict[str, bytes]:
    try:
        return hub.files(name)
    except KeyError:  # no repository yet
        return {}


def until(ready: Callable[[], object], seconds: float = 180) -> None:
    limit = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < limit
        time.sleep(0.1)


@pytest.mark.long
def test_a_run_whose_machines_share_only_a_store_is_the_dataset_of_one_machine(
    place: Place,
    tmp_path: Path,
    code: Path,  # noqa: F811
    whole: Path,  # noqa: F811
) -> None:
    lost = threading.Event()

    def held_up(body: dict[str, Any]) -> Answer:
        if len(teacher.requests) > HELD_AFTER:
            lost.wait(180)
        return answer(body)

    planned(tmp_path / "plan", code, 2)
    with LocalTeacher(held_up) as teacher:  # noqa: F811
        environment = os.environ | place.environment | {"SERVER_KEY": "open-poppy-0815"}
        model = ["--model", "m", "--base-url", teacher.base_url, "--api-key-env", "SERVER_KEY", "--concurrency", "4"]
        launch = [
            "launch",
            tmp_path / "plan",
            "--store",
            place.url("run"),
            "--yes",
            "--copy-every",
            "1",
            "--workers",
            "1",
            *model,
        ]

        def machine(disk: str) -> Any:
            return BASE.start([COMMAND, *launch, "--scratch", tmp_path / disk], env=environment, cwd=tmp_path)

        first = machine("disk-a")
        until(lambda: first.poll() is not None or any("/journal/" in name for name in place.contents("run")))
        first.kill()
        lost.set()
        answered = len(teacher.requests)
        done = machine("disk-b").wait(600)
        assert done.returncode == 0, done.stderr
        assert answered <= HELD_AFTER + 4
        assert len(teacher.requests) < N + answered  # something had been copied
    merging = [COMMAND, "merge", place.url("run"), "--out", place.url("pairs")]
    merged = BASE.run(merging, env=environment, cwd=tmp_path)
    assert f"Copied to {place.url('pairs')}" in merged.stdout, merged.stderr
    pairs = place.contents("pairs")
    assert {name: data for name, data in pairs.items() if name.endswith(".parquet")} == files(whole)
    seen = [
        *pairs.values(),
        *place.contents("run").values(),
        *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()),
    ]
    seen += [text.encode() for text in (done.stdout, done.stderr, merged.stdout, merged.stderr)]
    for secret in (*place.secrets, "open-poppy-0815"):
        assert not any(secret.encode() in text for text in seen), secret
