"""Run one shard of a plan on this machine, whether the plan is in a folder or in a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xxhash

from hf_oss_instruct.errors import RunError, RunInterruptedError, TeacherError, UsageError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.scale.journal_sync import JournalSync
from hf_oss_instruct.scale.plan import DENYLIST, PLAN, SHARDS, Plan
from hf_oss_instruct.scale.store import Store, is_url, with_retries
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.run import SETTINGS
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.storage.cache import cache_folder
from hf_oss_instruct.storage.workdir import differences
from hf_oss_instruct.synthesis.run import CONFIG, RunResult, run
from hf_oss_instruct.teachers.resolve import open_teacher

# In the order in which they are written: the presence of the last means that all are there.
FILES = (CONFIG, DENYLIST, PLAN)
"""Files of a plan that a store has."""
COPY_EVERY_S = 300.0
"""Seconds between copies of a shard to its store."""


@dataclass(frozen=True)
class ShardRun:
    """How shards of a plan are run; the same for all of them.

    Attributes:
        plan: folder of the plan, or its URL in a store.
        seeds: the source, if its path differs on this machine.
        teacher: which teacher, where, and how many requests at once.
        limits: what all shards together may spend.
        copy_every_s: with a store, seconds between copies of a shard's new answers.
        scratch: with a store, folder on the machine's own disk for shards in work; by default in `$HF_HOME/oss-instruct/shards/`.
        shards: those that tasks run, task 0 the first one; empty for all of the plan.
        go_on: whether a task whose shard is not finished ends without an error, so that tasks after it run.

    Raises:
        UsageError: batches were requested and the plan is in a store: their records stay on this machine.
    """

    plan: str
    seeds: str | None = None
    teacher: TeacherSpec = field(default_factory=TeacherSpec)
    limits: RunLimits = field(default_factory=RunLimits)
    copy_every_s: float = COPY_EVERY_S
    scratch: str | None = None
    shards: tuple[Shard, ...] = ()
    go_on: bool = False

    def __post_init__(self) -> None:
        if is_url(self.plan) and self.teacher.batch:
            raise UsageError("--batch keeps the records of its batches on one machine. Leave it out, or use a plan in a folder.")

    def shard_of(self, rank: int, tasks: int) -> Shard:
        """The shard that one of several tasks runs."""
        return self.shards[rank] if self.shards else Shard(rank, tasks)

    def run(self, shard: Shard, *, say: Callable[[str], None], progress: Progress = SILENT) -> Iterator[tuple[Path, RunResult]]:
        """Run a shard, or the parts that it was split into: each with its folder on this machine.

        Args:
            shard: the shard.
            say: called with a sentence about each call of the store that is retried.
            progress: a progress display.

        Raises:
            UsageError: the plan has no such shard.
            StoreError: the store cannot be read or written; nothing is lost.
            OssInstructError: as `synthesis.run.run`.
        """
        store = Store(self.plan) if is_url(self.plan) else None
        plan = Plan.read(self._fetched(store, say) if store else Path(self.plan))
        if shard.count != plan.shards and not (plan.folder_of(shard) / CONFIG).is_file():
            raise UsageError(
                f"The plan {self.plan!r} has {plan.shards} shards, not {shard.count}. Pass one of 0/{plan.shards} to "
                f"{plan.shards - 1}/{plan.shards}."
            )
        planned = plan.spec_here()
        for part, out in plan.parts_of(shard):
            # Teacher and limits are the caller's: no file may name a server, a key or a price.
            spec = replace(planned, teacher=self.teacher, limits=self.limits).changed(seeds={"shard": part})
            with self._copied(store, out, say):
                result = run(out, spec, plan.open_source(self.seeds), open_teacher(self.teacher), progress=progress)
            yield out, result

    @contextmanager
    def _copied(self, store: Store | None, out: Path, say: Callable[[str], None]) -> Iterator[None]:
        if store is None:
            yield
            return
        with JournalSync(store, out, f"{SHARDS}/{out.name}", self.copy_every_s, say):
            yield

    def _fetched(self, store: Store, say: Callable[[str], None]) -> Path:
        """The plan of a store in a folder of this machine, in which its shards are run."""
        home = Path(self.scratch) if self.scratch else cache_folder("shards")
        # By its URL, because a machine may run shards of several plans.
        folder = home / xxhash.xxh3_64_hexdigest(store.url.encode())
        names = with_retries(store.names, say=say)
        if PLAN not in names:
            raise RunError(f"The store {store.url!r} has no {PLAN}. Put a plan there with launch --store, or copy its files.")
        with_retries(store.fetch, {name: folder / name for name in FILES if name in names})
        return folder


def check_finished(shard: Shard, result: RunResult) -> None:
    """Raise what kept a shard from being finished.

    Raises:
        RunInterruptedError: it was interrupted.
        TeacherError: seeds have no answer.
        OssInstructError: what stopped the run.
    """
    if result.interrupted:
        raise RunInterruptedError(f"Shard {shard} was interrupted. Everything received is kept.")
    if result.error:
        raise result.error
    if result.stats.pending:
        raise TeacherError(f"{result.stats.pending:,} seeds of shard {shard} have no answer yet: {result.stats.pending_why}")


def send_plan(plan: Plan, store: Store) -> None:
    """Write a plan to a store.

    Raises:
        RunError: the store has another plan there.
        StoreError: it cannot be read or written.
    """
    store.create()
    files = {name: (plan.folder / name).read_bytes() for name in FILES if (plan.folder / name).is_file()}
    if PLAN in (names := store.names()):
        with TemporaryDirectory() as fetched:
            with_retries(store.fetch, {name: Path(fetched) / name for name in FILES if name in names})
            changed = differences(_facts(Path(fetched)), _facts(plan.folder), SETTINGS, ("in the store", "in this plan"))
        if changed:
            raise RunError(f"The store {store.url!r} has another plan: {'; '.join(changed)}. Pass another folder with --store.")
    else:
        with_retries(store.put, files)


def _facts(folder: Path) -> dict[str, Any]:
    plan = Plan.read(folder)
    return plan.spec.as_dict() | {"shards": plan.shards, "teacher": plan.teacher}
