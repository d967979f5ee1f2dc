"""A plan run as Hugging Face Jobs, with the real client: machines that have nothing but a dataset repository in common."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.scale.launch import Launch
from tests.support.jobs import JobsHub
from tests.support.teacher import Answer, LocalTeacher
from tests.support.warm import BASE, COMMAND

from .test_merge import N, answer, code, files, planned  # noqa: F401  # fixtures

STORE = "hf://datasets/me/run"
HELD_AFTER = 10


def test_jobs_and_a_launch_that_are_lost_are_started_again_and_pay_only_for_what_they_had_not_copied(
    tmp_path: Path,
    code: Path,  # noqa: F811
) -> None:
    """Its dataset is that of one process."""
    go_on = threading.Event()

    def held_up(body: dict[str, Any]) -> Answer:
        if len(teacher.requests) > HELD_AFTER:
            go_on.wait(120)
        return answer(body)

    with JobsHub(tmp_path / "jobs") as hub, LocalTeacher(held_up) as teacher:
        hub.put("me/code", "data/train.jsonl", rows(code))
        environment = (
            os.environ
            | hub.environment(tmp_path / "hf")
            | {"HF_TOKEN": "hf_of_this_user", "SERVER_KEY": "sesame", "STORE_KEY": "poppy"}
        )
        model = ["--model", "m", "--base-url", teacher.base_url, "--api-key-env", "SERVER_KEY", "--concurrency", "4"]

        def command(*words: str | Path) -> None:
            done = BASE.run([COMMAND, *words], env=environment, cwd=tmp_path)
            assert done.returncode == 0, (done.stderr, [hub.log(name) for name in hub.jobs])

        seeds = ["--seeds", "me/code", "--n", str(N), "--benchmarks", "none", "--licenses", "any"]
        command("plan", *seeds, "--shards", "2", "--out", "plan", *model)
        launch = ["launch", "plan", "--on", "jobs", "--store", STORE, "--copy-every", "1", "--yes", *model]
        launch += ["--set", "poll_interval=0.2", "--set", "dependencies=[hf-oss-instruct]", "--set", "secrets=[STORE_KEY]"]

        first = BASE.start([COMMAND, *launch], env=environment, cwd=tmp_path)
        wait_for(lambda: first.poll() is not None or (copied(hub) and len(hub.jobs) == 2), hub)
        first.kill()
        lost = copied(hub)[0]
        hub.lose(shard=lost)
        shown = tmp_path / "shown"
        try:
            with shown.open("wb") as file:
                again = BASE.start([COMMAND, *launch], env=environment, cwd=tmp_path, stdout=file, stderr=file)
            wait_for(lambda: again.poll() is not None or "of an earlier launch" in shown.read_text(), hub)
            go_on.set()
            launched = again.wait(180)
        finally:
            go_on.set()
            again.kill()
            hub.close_jobs()
        assert launched.returncode == 0, (shown.read_text(), [hub.log(name) for name in hub.jobs])
        assert [asked["labels"]["shard"] for asked in hub.jobs.values()].count(lost) == 2
        secrets = {"HF_TOKEN": "hf_of_this_user", "SERVER_KEY": "sesame", "STORE_KEY": "poppy"}
        assert all(asked["secrets"] == secrets for asked in hub.jobs.values())
        visible = json.dumps([{**asked, "secrets": None} for asked in hub.jobs.values()])
        assert not [secret for secret in secrets.values() if secret in visible]
        prompts = [json.dumps(request["body"]["messages"]) for request in teacher.requests]
        assert len(set(prompts)) == N
        assert len(prompts) <= N + 4 + HELD_AFTER - 1  # in flight when it was lost, or answered after its last copy
        command("merge", STORE, "--out", "merged")
        command("synthesize", *seeds, "--out", "whole", *model)
    assert files(tmp_path / "merged") == files(tmp_path / "whole")
    assert not [path for path in tmp_path.iterdir() if "-shards-" in path.name]


def rows(code: Path) -> bytes:  # noqa: F811
    lines = [{"content": path.read_text(), "lang": "python", "path": path.name} for path in sorted(code.glob("*.py"))]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def copied(hub: JobsHub) -> list[str]:
    """Shards of which the store has answers."""
    try:
        return [path.split("/")[1] for path in hub.files("me/run") if "/journal/" in path]
    except KeyError:  # no repository yet
        return []


def wait_for(ready: Any, hub: JobsHub, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, [hub.log(name) for name in hub.jobs]
        time.sleep(0.05)


def test_what_jobs_cannot_do_is_said_before_one_is_started(tmp_path: Path, code: Path) -> None:  # noqa: F811
    plan = planned(tmp_path / "plan", code, 2)
    with pytest.raises(UsageError, match=r"Jobs share no file system\. Pass --store"):
        Launch(plan, "jobs")
    with pytest.raises(UsageError, match=r"A Job cannot read the seeds in .*my_code"):
        Launch(plan, "jobs", store=STORE)
    with pytest.raises(UsageError, match=r"JobsExecutor does not accept these settings: .*nonsense"):
        Launch(plan, "jobs", seeds="me/code", store=STORE, settings={"nonsense": 1}).executor()
    lines = Launch(plan, "jobs", seeds="me/code", store=STORE, copy_every_s=10).describe()
    assert "that is about 720 commits an hour, and the Hub accepts about 128: use hf://buckets/…, or --copy-every 56" in lines[-2]
