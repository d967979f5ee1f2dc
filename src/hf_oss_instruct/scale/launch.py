"""Start the shards of a plan: on this machine, Slurm or Ray with datatrove's executors, or as Hugging Face Jobs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.scale.jobs import JobsExecutor, is_finished
from hf_oss_instruct.scale.plan import SHARDS, Plan
from hf_oss_instruct.scale.run_shard import COPY_EVERY_S, ShardRun
from hf_oss_instruct.scale.store import Store, is_url
from hf_oss_instruct.scale.stragglers import split_stragglers, stragglers
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.shard import SPLIT, Shard
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.terminal.console import show_line

LOGS = "logs"
"""Folder of a plan in which datatrove keeps logs, statistics and the list of completed shards."""
EXECUTORS = {
    "local": "LocalPipelineExecutor",
    "slurm": "SlurmPipelineExecutor",
    "ray": "RayPipelineExecutor",
    "jobs": "JobsExecutor",
}
TITLES = {"jobs": "Hugging Face Jobs"}
MAX_NAMED = 5
"""Shards that an error names; more are counted."""
COMMITS_AN_HOUR = 128
"""Commits to a repository an hour that the Hub accepts (its error 429 says so); buckets have no commits."""
NEEDED = {"slurm": ("time", "partition")}
"""Settings that datatrove requires."""


@dataclass(frozen=True)
class Launch:
    """How the shards of a plan are started.

    Attributes:
        plan: the plan.
        on: `local`, `slurm`, `ray` or `jobs`.
        teacher: which teacher, where, and how many requests of one shard at once.
        limits: what all shards together may spend.
        workers: shards that run at the same time; None for all.
        seeds: the source, if its path differs on the machines that run the shards.
        settings: further arguments of the executor, such as `partition` and `time` of Slurm.
        store: URL of a store through which machines without a shared file system work; `jobs` needs one.
        copy_every_s: with a store, seconds between copies of a shard's new answers.
        scratch: with a store, folder on the disk of each machine for shards in work.
        split_stragglers: whether unfinished shards that were started are to be split, so that every worker has one.

    Raises:
        UsageError: the executor is unknown, a setting that it needs is missing, or the store cannot be used.
    """

    plan: Plan
    on: str
    teacher: TeacherSpec = field(default_factory=TeacherSpec)
    limits: RunLimits = field(default_factory=RunLimits)
    workers: int | None = None
    seeds: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    store: str | None = None
    copy_every_s: float = COPY_EVERY_S
    scratch: str | None = None
    split_stragglers: bool = False

    def __post_init__(self) -> None:
        if self.on not in EXECUTORS:
            raise UsageError(f"{self.on!r} is not an executor. Use one of: {', '.join(EXECUTORS)}.")
        if missing := [name for name in NEEDED.get(self.on, ()) if name not in self.settings]:
            example = {"time": "04:00:00", "partition": "cpu"}
            words = " ".join(f"--set {name}={example[name]}" for name in missing)
            raise UsageError(f"--on {self.on} needs {' and '.join(missing)}. Pass {words}.")
        if self.store and not is_url(self.store):
            raise UsageError(f"--store {self.store!r} is not a URL. Write hf://datasets/NAME/RUN or s3://BUCKET/RUN.")
        if self.store:
            # Shows that its library is installed, and that no password is in the URL.
            Store(self.store)
            if self.split_stragglers:
                raise UsageError("--split-stragglers needs the shards in the plan's folder. Leave out --store.")
        if self.on == "jobs" and not self.store:
            raise UsageError("Jobs share no file system. Pass --store hf://buckets/NAME/RUN, which they read and write.")
        # A plan has the absolute path of a source on this machine.
        if self.on == "jobs" and Path(self.seeds or self.plan.source).is_absolute():
            raise UsageError(
                f"A Job cannot read the seeds in {self.seeds or self.plan.source!r}. Publish them as a dataset, and plan the run "
                "from that."
            )

    @property
    def how(self) -> ShardRun:
        """How each shard is run."""
        where = self.store or str(self.plan.folder.absolute())
        # datatrove's local executor ends all shards with the first that fails; others do not.
        go_on = self.on == "local"
        return ShardRun(
            where, self.seeds, self.teacher, self.limits, self.copy_every_s, self.scratch, shards=self._pieces(), go_on=go_on
        )

    @property
    def at_once(self) -> int:
        """Shards that may run at the same time."""
        return self.workers or self.plan.shards

    def _pieces(self) -> tuple[Shard, ...]:
        """What tasks run, if that is not every shard of the plan."""
        if self.store or (self.on != "local" and not any((self.plan.folder / SHARDS / SPLIT).glob("*"))):
            return ()
        return tuple(shard for shard, _ in self.plan.unfinished())

    def executor(self) -> Any:
        """An executor, ready to `run()`.

        Raises:
            UsageError: datatrove is not installed, or the executor does not know a setting.
        """
        try:
            return self._jobs() if self.on == "jobs" else self._datatrove()
        except TypeError as error:
            raise UsageError(f"{EXECUTORS[self.on]} does not accept these settings: {error}. See its documentation.") from error

    def run(self) -> None:
        """Start the shards, and wait for them unless Slurm runs them.

        Raises:
            RunError: shards on this machine are not finished; the same launch continues them.
        """
        if self.split_stragglers:
            split_stragglers(self.plan, self.at_once)
        if not self.store and not self.plan.unfinished():
            show_line("All shards are finished.")
            return
        # Made only now, because a split changes the shards that it starts.
        self.executor().run()
        if self.on == "local" and (left := self._unfinished()):
            more = f" and {len(left) - MAX_NAMED:,} more" if len(left) > MAX_NAMED else ""
            raise RunError(
                f"Unfinished shards: {', '.join(map(str, left[:MAX_NAMED]))}{more}. The reasons are above and in "
                f"{str(self.plan.folder / LOGS)!r}. The same launch continues them; merge --partial merges the rows so far."
            )

    def _unfinished(self) -> list[Shard]:
        if not self.store:
            return [shard for shard, _ in self.plan.unfinished()]
        store = Store(self.store)
        return [shard for shard, _ in self.plan if not is_finished(store, shard)]

    def _jobs(self) -> JobsExecutor:
        return JobsExecutor(self.plan, self.how, self.workers or -1, **self.settings)

    def _datatrove(self) -> Any:
        try:
            import datatrove.executor as executors

            from hf_oss_instruct.scale.local import LocalExecutor
            from hf_oss_instruct.scale.steps import RunShard
        except ImportError as error:
            raise UsageError(f"launch needs datatrove ({error}). Install it with: {install_command('scale')}") from error
        # The machines of a Ray cluster may share nothing but the store.
        shared = self.store if self.on == "ray" and self.store else str(self.plan.folder.absolute())
        how, logs, options = self.how, LOGS, dict[str, Any]()
        # To datatrove, shards that are not finished are completed, too.
        if self.on == "local":
            options = {"skip_completed": False}
        elif how.shards:  # what datatrove knows as completed are numbers of tasks, which mean other shards after a split
            logs = f"{LOGS}/{xxhash.xxh3_64_hexdigest(repr(how.shards).encode())}"
        options |= {"logging_dir": f"{shared}/{logs}"} | dict(self.settings)
        # sbatch may start in another folder, and with another environment.
        if self.on == "slurm":
            # datatrove's default for `qos` is `normal`, which not every cluster has.
            options = {"env_command": f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH", "qos": ""} | options
            options.setdefault("slurm_logs_folder", str((self.plan.folder / logs / "slurm").absolute()))
        executor = LocalExecutor if self.on == "local" else getattr(executors, EXECUTORS[self.on])
        return executor([RunShard(how)], tasks=len(how.shards) or self.plan.shards, workers=self.workers or -1, **options)

    def describe(self) -> list[str]:
        """What will be started, as lines."""
        spec, servers = self.plan.spec, ", ".join(map(redacted, self.teacher.base_url))
        at_once = min(self.workers or self.plan.shards, self.plan.shards)
        lines = [
            f"{spec.seeds.requested:,} seeds, {self.plan.shards:,} shards, in {str(self.plan.folder)!r}",
            f"shards at the same time: {at_once:,}, each with up to {self.teacher.in_flight:,} requests in flight: "
            f"{at_once * self.teacher.in_flight:,} together",
            f"teacher {self.plan.teacher}{f' at {servers}' if servers else ''}",
            f"on {self.on}: {TITLES.get(self.on) or f'{EXECUTORS[self.on]} of datatrove'}"
            + "".join(f", {name}={value}" for name, value in sorted(self.settings.items())),
            *self._copies(at_once),
            *self._describe_stragglers(),
        ]
        limits = {name: getattr(self.limits, name) for name in ("max_requests", "max_total_tokens", "max_cost")}
        spending = ", ".join(f"{name} {value:,}" for name, value in limits.items() if value is not None)
        return [*lines, f"limits of all shards together: {spending or 'none'}"]

    def _describe_stragglers(self) -> list[str]:
        if self.store or not (behind := stragglers(self.plan, self.at_once)):
            return []
        count, into = len(behind), max(into for _, into in behind)
        if self.split_stragglers:
            return [f"split first, into {into:,} each: {', '.join(folder.name for folder, _ in behind)}"]
        what, them = ("1 unfinished shard", "it") if count == 1 else (f"{count:,} unfinished shards", "them")
        return [f"{what}, fewer than can run: --split-stragglers splits {them}, into {into:,} each"]

    def _copies(self, at_once: int) -> list[str]:
        if not self.store:
            return []
        lines = [f"copied to {self.store} every {self.copy_every_s:,.0f} s, the most that a lost machine loses"]
        commits = at_once * 3600 / self.copy_every_s
        if self.store.startswith("hf://datasets/") and commits > COMMITS_AN_HOUR:
            seconds = at_once * 3600 / COMMITS_AN_HOUR
            lines.append(
                f"that is about {commits:,.0f} commits an hour, and the Hub accepts about {COMMITS_AN_HOUR}: use "
                f"hf://buckets/…, or --copy-every {seconds:,.0f}"
            )
        return lines
