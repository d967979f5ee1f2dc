"""A plan: a run whose config and source are pinned, so that its shards can run on different machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from hf_oss_instruct.data import FORMAT_VERSION
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.seeds.source import Source, pinned
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.shard import Shard
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.synthesis.run import CONFIG
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.workdir import owned, write_whole

PLAN, SHARDS = "plan.json", "shards"


@dataclass(frozen=True)
class Plan:
    """A planned run in a folder.

    Attributes:
        folder: the folder: `plan.json`, `oss_instruct.yaml`, and a folder for each shard in `shards/`.
        spec: the run, with source and revision pinned, and no shard.
        shards: number of shards.
        teacher: identity of the teacher.
    """

    folder: Path
    spec: RunSpec
    shards: int
    teacher: str

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """Read a plan.

        Raises:
            RunError: the folder has no plan, or it cannot be read.
        """
        if not is_plan(folder):
            raise RunError(f"{str(folder)!r} has no {PLAN}. Name a folder that `hf-oss-instruct plan` has written.")
        try:
            found = read_object(folder / PLAN, {"shards": int, "teacher": str})
        except ValueError as error:
            raise RunError(f"{error}. Plan the run again in a new folder.") from error
        return cls(folder, RunSpec.from_file(folder / CONFIG), Shard(0, found["shards"]).count, found["teacher"])

    def begun(self) -> list[Path]:
        """The folders of shards that were begun, also of those that a split made."""
        return sorted(path.parent for path in (self.folder / SHARDS).glob(f"*-of-*/{CONFIG}"))

    def __iter__(self) -> Iterator[tuple[Shard, Path]]:
        """Every shard and its folder."""
        for index in range(self.shards):
            shard = Shard(index, self.shards)
            yield shard, self.folder / SHARDS / shard.name


def is_plan(folder: Path) -> bool:
    """Whether a folder contains a plan."""
    return (folder / PLAN).is_file()


def write_plan(folder: Path, spec: RunSpec, source: Source, teacher: Teacher, shards: int) -> Plan:
    """Plan a run: pin its source, and divide its seeds into shards.

    Args:
        folder: a new or empty folder, or that of the same plan.
        spec: the run, with its number of seeds.
        source: the source of its documents.
        teacher: who will answer.
        shards: number of shards; the rows do not depend on it.

    Raises:
        UsageError: the number of seeds is not known, there are more shards than seeds, or the run is a shard already.
        RunError: the folder contains something else, or another plan.
    """
    requested = spec.seeds.requested
    if spec.seeds.shard:
        raise UsageError(f"--shard {spec.seeds.shard} is one shard of a plan. Leave it out here, and pass --shards.")
    if requested is None:
        raise UsageError("How many seeds? Pass --n 200000, or counts such as --languages python=40000,cpp=5000.")
    if shards > requested:
        raise UsageError(f"--shards {shards:,} is more than the {requested:,} seeds. Pass at most {requested:,}.")
    spec = replace(spec, seeds=pinned(spec.seeds, source))
    plan = Plan(folder, spec, Shard(0, shards).count, teacher.identity)
    job = {"command": "plan", "config": plan.spec.as_dict(), "shards": plan.shards, "teacher": plan.teacher}
    with owned(folder, job):
        write_whole(folder / CONFIG, plan.spec.to_yaml())
        facts = {"format_version": FORMAT_VERSION, "version": version("hf-oss-instruct"), "requested": requested}
        write_whole(folder / PLAN, json.dumps(facts | {"shards": plan.shards, "teacher": plan.teacher}, indent=2) + "\n")
    return plan
