"""A plan: a run whose config and source are pinned, so that its shards can run on different machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.data import FORMAT_VERSION
from hf_oss_instruct.embeddings import EmbeddingModel
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.hub import HUB_ID
from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.seeds.source import Source, pinned
from hf_oss_instruct.spec.run import SETTINGS, RunSpec
from hf_oss_instruct.spec.shard import SPLIT, Shard
from hf_oss_instruct.storage.run_report import read_run_report
from hf_oss_instruct.storage.workdir import locked_for_job, write_atomically
from hf_oss_instruct.structured import checked, read_object
from hf_oss_instruct.synthesis.run import CONFIG
from hf_oss_instruct.teachers.protocol import Teacher

PLAN, SHARDS = "plan.json", "shards"
DENYLIST = "denylist.txt"
"""The opt-outs of a plan, of which the run config has only the hash."""


@dataclass(frozen=True)
class Plan:
    """A planned run in a folder.

    Attributes:
        folder: the folder: `plan.json`, `oss_instruct.yaml`, `denylist.txt` if there are opt-outs, and a folder for each shard
            in `shards/`.
        spec: the run, with source and revision pinned, and no shard.
        shards: number of shards.
        teacher: identity of the teacher.
        source: the source of its seeds as `--seeds` named it.
        concurrency: requests of one shard in flight at once.
        embedding_model: the folder of the embedding model when the run was planned, if it is one.
    """

    folder: Path
    spec: RunSpec
    shards: int
    teacher: str
    source: str
    concurrency: int
    embedding_model: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Plan:
        """Read a plan.

        Raises:
            RunError: the folder has no plan, or it cannot be read, or its denylist is missing or another one.
        """
        if not is_plan(folder):
            raise RunError(f"{str(folder)!r} has no {PLAN}. Pass a folder that `hf-oss-instruct plan` has written.")
        try:
            record = read_object(folder / PLAN, {"shards": int, "teacher": str, "source": str, "concurrency": int})
            checked(
                record, {"embedding_model": (str, type(None))} if "embedding_model" in record else {}, repr(str(folder / PLAN))
            )
        except ValueError as error:
            raise RunError(f"{error}. Plan the run again in a new folder.") from error
        return cls(
            folder,
            _with_denylist(RunSpec.from_file(folder / CONFIG), folder / DENYLIST),
            # Refuses a number that is out of range.
            Shard(0, record["shards"]).count,
            record["teacher"],
            record["source"],
            max(1, record["concurrency"]),
            record.get("embedding_model"),
        )

    def begun(self) -> list[Path]:
        """The folders of shards that were started, including those made by a split."""
        return sorted(path.parent for path in (self.folder / SHARDS).glob(f"[0-9]*-of-*/{CONFIG}"))

    def __iter__(self) -> Iterator[tuple[Shard, Path]]:
        """Every shard and its folder."""
        for index in range(self.shards):
            shard = Shard(index, self.shards)
            yield shard, self.folder_of(shard)

    def parts_of(self, shard: Shard) -> list[tuple[Shard, Path]]:
        """A shard and its folder; if it was split, those of its parts."""
        if not (self.folder / SHARDS / SPLIT / shard.name).is_dir():
            return [(shard, self.folder_of(shard))]
        begun = [(Shard.parse(folder.name.replace("-of-", "/")), folder) for folder in self.begun()]
        return [(part, folder) for part, folder in begun if shard.has(part)]

    def unfinished(self) -> list[tuple[Shard, Path]]:
        """Every shard without all of its rows, or such parts of one that was split, and their folders."""
        pieces = [piece for shard, _ in self for piece in self.parts_of(shard)]
        return [(shard, folder) for shard, folder in pieces if pending(folder) != 0]

    def open_source(self, named: str | None = None) -> Source:
        """The source of its seeds.

        Args:
            named: where it is on this machine; by default where it was when the run was planned.

        Raises:
            SeedError: it does not exist or contains no code.
        """
        name = named or self.source
        revision = self.spec.seeds.revision if HUB_ID.fullmatch(name) else None
        return open_source(name, revision=revision, reading=ReadOptions.of(self.spec.seeds))

    def spec_here(self) -> RunSpec:
        """The run with the folder of its embedding model, which all machines have at the same path.

        Raises:
            UsageError: it is missing, or is another model.
        """
        recorded = self.spec.seeds.embedding_model
        if not recorded or not self.embedding_model:
            return self.spec
        model = EmbeddingModel.named(self.embedding_model) if Path(self.embedding_model).is_dir() else None
        if model != recorded:
            raise UsageError(
                f"The plan was made with the embedding model {recorded} in {self.embedding_model!r}, and this machine has "
                f"{model or 'nothing'} there. Copy the model to that path."
            )
        return self.spec.changed(seeds={"embedding_model": model})

    def folder_of(self, shard: Shard) -> Path:
        """The folder of a shard."""
        return self.folder / SHARDS / shard.name


def _with_denylist(spec: RunSpec, path: Path) -> RunSpec:
    if not (recorded := spec.seeds.deny):
        return spec
    denylist = Denylist.from_file(path) if path.is_file() else None
    if denylist != recorded:
        raise RunError(
            f"The plan was made with the denylist {recorded.hash}, and {str(path)!r} is "
            f"{denylist.hash if denylist else 'missing'}. Copy the file from the folder in which the run was planned."
        )
    return spec.changed(seeds={"deny": denylist})


def pending(folder: Path) -> int | None:
    """How many seeds of a shard have no row or rejection yet; None before its first report."""
    try:
        pending = read_run_report(folder).get("pending")
    except ValueError:
        return None
    return pending if isinstance(pending, int) else None


def is_plan(folder: Path) -> bool:
    """Whether a folder contains a plan."""
    return (folder / PLAN).is_file()


def write_plan(folder: Path, spec: RunSpec, source: Source, teacher: Teacher, shards: int, named: str | None = None) -> Plan:
    """Plan a run: pin its source, and divide its seeds into shards.

    Args:
        folder: a new or empty folder, or that of the same plan.
        spec: the run, with its number of seeds.
        source: the source of its documents.
        teacher: who will answer.
        shards: number of shards; the rows do not depend on it.
        named: the source as `--seeds` named it, such as a path; by default its name in rows.

    Raises:
        UsageError: the number of seeds is not known, there are more shards than seeds, or the run is a shard already.
        RunError: the folder contains something else, or another plan.
    """
    requested = spec.seeds.requested
    if spec.seeds.shard:
        raise UsageError(f"--shard {spec.seeds.shard} is one shard of a plan. Leave it out here, and pass --shards.")
    if requested is None:
        raise UsageError("The number of seeds is missing. Pass --n 200000, or counts such as --languages python=40000,cpp=5000.")
    if shards > requested:
        raise UsageError(f"--shards {shards:,} is more than the {requested:,} seeds. Pass at most {requested:,}.")
    spec = replace(spec, seeds=pinned(spec.seeds, source))
    # Absolute, so that shards may be started in any folder.
    where = Path(named).absolute() if named and named != "stdlib" and Path(named).exists() else named or source.name
    model = spec.seeds.embedding_model
    model_folder = str(model.folder) if model and model.folder else None
    plan = Plan(folder, spec, Shard(0, shards).count, teacher.identity, str(where), spec.teacher.concurrency, model_folder)
    job = {"command": "plan", "config": plan.spec.as_dict(), "shards": plan.shards, "teacher": plan.teacher}
    facts = {
        "requested": requested,
        "shards": plan.shards,
        "teacher": plan.teacher,
        "source": plan.source,
        "concurrency": plan.concurrency,
    } | ({"embedding_model": model_folder} if model_folder else {})
    with locked_for_job(folder, job, SETTINGS):
        write_atomically(folder / CONFIG, plan.spec.to_yaml())
        if plan.spec.seeds.deny:
            write_atomically(folder / DENYLIST, plan.spec.seeds.deny.as_text())
        made_by = {"format_version": FORMAT_VERSION, "version": version("hf-oss-instruct")}
        # Last, so that its presence means that the plan is whole.
        write_atomically(folder / PLAN, json.dumps(made_by | facts, indent=2) + "\n")
    return plan
