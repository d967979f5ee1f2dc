"""Run the shards of a plan as Hugging Face Jobs, each `run-shard` on a separate machine."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import xxhash

from hf_oss_instruct.credentials import is_secret_name
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.extras import NAME, requirement
from hf_oss_instruct.hub import client, reason, retried, transport_error
from hf_oss_instruct.scale.plan import SHARDS, Plan, pending
from hf_oss_instruct.scale.run_shard import ShardRun
from hf_oss_instruct.scale.store import Store, library_of, with_retries
from hf_oss_instruct.spec.declare import options_of
from hf_oss_instruct.spec.option_types import Repeated, Switch
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.storage.run_report import RUN_REPORT
from hf_oss_instruct.terminal.console import show_line

DONE = "COMPLETED"
ENDED = (DONE, "CANCELED", "ERROR", "DELETED")
"""Stages of a Job that has ended (https://huggingface.co/docs/huggingface_hub/guides/jobs)."""
ATTEMPTS = 2
"""Jobs that are started for a shard in one launch."""
POLL_S = 15.0
LABEL = "oss-instruct-plan"
"""Label of Jobs: hash of the store's URL."""


@dataclass
class JobsExecutor:
    """Starts a Job for each shard that is not finished, and waits for all of them.

    The plan is in a store, from which each Job takes it and to which it copies what it receives, so that a Job that is lost or
    cancelled costs at most one interval. When this process is killed, the Jobs continue; the next launch starts the shards that
    are not finished and have no Job.

    Args:
        plan: the plan, as it is here.
        how: how each shard is run; its plan is a URL.
        workers: Jobs at the same time; -1 for all.
        dependencies: what `uv run --with` installs in a Job; by default this package from where it came, and the library of the
            store.
        python: Python version of the Jobs.
        flavor, timeout, namespace, image: as `huggingface_hub.run_uv_job` has them.
        env: environment variables of the Jobs, which everyone who sees a Job can read.
        secrets: names of environment variables here that Jobs get as secrets, such as the keys of an S3 store. The server's key
            and the token of the Hub are always among them.
        poll_interval: seconds between looks at the Jobs.

    Raises:
        UsageError: this package came from a folder of this machine, and no dependencies are given; `env` has a password or key;
            or a variable of `secrets` is not set.
    """

    plan: Plan
    how: ShardRun
    workers: int = -1
    dependencies: list[str] | None = None
    python: str | None = None
    flavor: str = "cpu-basic"
    timeout: int | float | str | None = None
    namespace: str | None = None
    image: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] = ()
    poll_interval: float = POLL_S

    def __post_init__(self) -> None:
        if self.dependencies is None:
            library = library_of(self.how.plan)
            self.dependencies = [_installable(), *([library] if library else [])]
        if open_to_all := [name for name in self.env if is_secret_name(name)]:
            raise UsageError(
                f"{open_to_all[0]} in env could be read by everyone who sees the Job. Export it here, and pass "
                f"--set 'secrets=[{', '.join(open_to_all)}]'."
            )
        if unset := [name for name in self.secrets if not os.environ.get(name)]:
            raise UsageError(f"The environment variable {unset[0]!r} of secrets is not set. Export it, or leave it out.")

    def run(self) -> None:
        """Run all shards that are not finished.

        Raises:
            RunError: Jobs cannot be started, or shards failed twice; the same launch runs them again.
        """
        store = Store(self.how.plan)
        waiting = deque(shard for shard, _ in self.plan if not is_finished(store, shard))
        running: dict[str, Shard] = self._running_jobs(waiting)
        started: dict[Shard, int] = {}
        failed: list[str] = []
        while waiting or running:
            while waiting and (self.workers < 0 or len(running) < self.workers):
                shard = waiting.popleft()
                started[shard] = started.get(shard, 0) + 1
                running[self._start(shard)] = shard
            time.sleep(self.poll_interval)
            for job, stage in self._ended(running).items():
                shard = running.pop(job)
                show_line(f"shard {shard}: Job {job} {stage}")
                # A Job may be lost after its last copy: the report in the store decides.
                if stage == DONE or is_finished(store, shard):
                    continue
                if started.get(shard, 0) < ATTEMPTS:
                    waiting.append(shard)
                else:
                    failed.append(f"{shard} (hf jobs logs {job})")
        if failed:
            raise RunError(f"Shards failed: {', '.join(failed)}. Read the logs; the same launch runs these shards again.")

    def _start(self, shard: Shard) -> str:
        from huggingface_hub import get_token

        token = get_token()
        variables = [*(name.rpartition("=")[2] for name in self.how.teacher.api_key_env), *self.secrets]
        # Keys are secrets and not `env`, which everyone who sees the Job can read.
        secrets = {name: os.environ[name] for name in variables} | ({"HF_TOKEN": token} if token else {})
        with _translated_errors("A Job could not be started"):
            job = client().run_uv_job(
                NAME,
                script_args=["run-shard", self.how.plan, "--shard", str(shard), *_words(self.how)],
                dependencies=self.dependencies,
                python=self.python,
                image=self.image,
                env={"HF_HUB_DISABLE_PROGRESS_BARS": "1", **self.env},
                secrets=secrets,
                flavor=self.flavor,
                timeout=self.timeout,
                labels=self._labels(shard),
                namespace=self.namespace,
            )
        show_line(f"shard {shard}: Job {job.id} {job.url}")
        return str(job.id)

    def _labels(self, shard: Shard) -> dict[str, str]:
        return {LABEL: xxhash.xxh3_64_hexdigest(self.how.plan.encode()), "shard": shard.name}

    @cached_property
    def _owner(self) -> str:
        if self.namespace:
            return self.namespace
        with _translated_errors("The Hub did not identify you"):
            return str(client().whoami()["name"])

    def _running_jobs(self, waiting: deque[Shard]) -> dict[str, Shard]:
        """Jobs of an earlier launch that are not at their end; their shards are taken from those that wait."""
        by_name, running = {shard.name: shard for shard in waiting}, {}
        with _translated_errors("Jobs cannot be listed"):
            for job in client().list_jobs(
                namespace=self._owner, labels={LABEL: xxhash.xxh3_64_hexdigest(self.how.plan.encode())}
            ):
                shard = by_name.get((job.labels or {}).get("shard", ""))
                # Only one Job for a shard: a second one would pay for the same answers.
                if shard and job.status.stage not in ENDED:
                    running[job.id] = by_name.pop(shard.name)
        for job_id, shard in running.items():
            waiting.remove(shard)
            show_line(f"shard {shard}: Job {job_id} of an earlier launch")
        return running

    def _ended(self, running: Mapping[str, Shard]) -> dict[str, str]:
        with _translated_errors("Jobs cannot be inspected"):
            inspect_job = client().inspect_job
            stages = {job: str(retried(inspect_job, job_id=job, namespace=self._owner).status.stage) for job in running}
        return {job: stage for job, stage in stages.items() if stage in ENDED}


def is_finished(store: Store, shard: Shard) -> bool:
    """Whether the store has all rows of a shard.

    Raises:
        StoreError: it cannot be read.
    """
    report = f"{SHARDS}/{shard.name}/{RUN_REPORT}"
    if report not in with_retries(store.names, f"{SHARDS}/{shard.name}"):
        return False
    with TemporaryDirectory() as folder:
        with_retries(store.fetch, {report: Path(folder, RUN_REPORT)})
        return pending(Path(folder)) == 0


def _installable() -> str:
    if named := requirement():
        return named
    raise UsageError(
        f"{NAME} was installed from a local folder, which a Job cannot read. Pass a source that it can read: "
        f"--set 'dependencies=[\"{NAME} @ git+https://…\"]'."
    )


def _words(how: ShardRun) -> list[str]:
    """The options of `run-shard` that say the same as `how`."""
    words = ["--copy-every", f"{how.copy_every_s:g}", *(["--seeds", how.seeds] if how.seeds else [])]
    words += ["--scratch", how.scratch] if how.scratch else []
    for part in (how.teacher, how.limits):
        for option in options_of(type(part)):
            value = getattr(part, option.name)
            if not option.flag or value == option.default:
                continue
            many = value if isinstance(option.kind, Repeated) else [value]
            words += [option.flag] if isinstance(option.kind, Switch) else [w for item in many for w in (option.flag, str(item))]
    return words


@contextmanager
def _translated_errors(failed: str) -> Iterator[None]:
    """Raise errors of the Hub as ours."""
    try:
        yield
    except (transport_error(), OSError, ValueError) as error:
        raise RunError(f"{failed}: {reason(error)}. Running Jobs continue; the same launch finds them.") from error
