"""What `load_dataset("oss-instruct", …)` takes, and what it stands for once everything it names was found."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, make_dataclass
from pathlib import Path
from typing import Any

import datasets

from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.loading.datasets_compat import ROWS_VERSION, RUN_CONFIG_SUFFIX, OpenedConfig
from hf_oss_instruct.seeds.folders import open_files, open_source
from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.repo_config import RepoConfig, read_repo_config
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.seeds.tables import HubTables
from hf_oss_instruct.spec.declare import Door
from hf_oss_instruct.spec.run import OPTIONS, RunSpec
from hf_oss_instruct.synthesis.verifying import Verification, open_verification
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.teachers.resolve import open_teacher

DOOR = {part: tuple(option for option in options if Door.LOAD_DATASET in option.set_by) for part, options in OPTIONS.items()}
"""The options of a run that are arguments of `load_dataset`, by part."""
Arguments: Any = make_dataclass(
    "Arguments",
    [(option.keyword, Any, field(default=None)) for options in DOOR.values() for option in options],
    bases=(OpenedConfig,),
)


@dataclass
class OssInstructConfig(Arguments):  # type: ignore[misc]
    """What `load_dataset("oss-instruct", …)` takes beside `data_files` and `data_dir`.

    Every option of a run that `load_dataset` may set, under the name of its flag; None leaves what a run config says, or the
    default. Values have Python's types: `languages={"python": 10}` or `["python"]`, `filters=()` for none, a text or a `Prompt`
    for `prompt`, a file or a `Denylist` for `deny`, `comment-function` or an object with the `Teacher` protocol for `teacher`.
    `concurrency` and limits are of the whole dataset, shared out among its shards (ranks, DataLoader workers, `num_proc`).

    Attributes:
        shuffle_seeds: a random number; the seeds come in an order drawn by hash, before any request. Reads all seeds first.
        num_shards: virtual shards of a stream, each made by one rank and DataLoader worker, and a file each of `push_to_hub`; by
            default what fits the number of seeds (`datasets_compat.SHARDS`).
    """

    shuffle_seeds: int | None = None
    num_shards: int | None = None
    opened: Opened | None = field(default=None, init=False, repr=False, compare=False)

    def open(self, base_path: str, token: Any) -> None:
        """See `OpenedConfig.open`.

        Raises:
            UsageError: the arguments, or the run config, contradict each other or name what is not allowed.
            SeedError: there are no seed files, or they cannot be read.
        """
        repo_config = self._repo_config(base_path, token)
        if self.num_shards is not None and self.num_shards < 1:
            raise UsageError(f"num_shards must be at least 1, not {self.num_shards}.")
        spec = self._spec(repo_config.spec if repo_config else RunSpec())
        teacher = open_teacher(spec.teacher, environment=not (repo_config and repo_config.is_remote))
        if teacher.embedded:
            spec = self._for_the_embedded_teacher(spec)
        verification = open_verification(spec, teacher)
        self.opened = Opened(spec, teacher, self._sources(repo_config, spec), repo_config, verification)
        if self.shuffle_seeds is not None and spec.seeds.requested is None and self._on_the_hub():
            raise UsageError("shuffle_seeds= reads all seeds first, and a Hub dataset may be very large. Pass n= as well.")

    def cache_key(self) -> str:
        """See `OpenedConfig.cache_key`: sources, draw, prompt, sampling, parser, teacher, and the shape of our rows."""
        assert self.opened
        run, sources = self.opened.spec.as_dict(), self.opened.sources
        origin = {split: (source.name, source.revision) for split, source in sources.items()}
        version = self.opened.repo_config.version if self.opened.repo_config else None
        verification = self.opened.verification
        more = [[*verification.described(), verification.spec.packages, verification.spec.tier]] if verification else []
        return digest(ROWS_VERSION, run, origin, self.shuffle_seeds, self.opened.teacher.identity, version, *more)

    @property
    def is_bounded(self) -> bool:
        """Whether the caller said how much may be asked at most."""
        assert self.opened
        counted = isinstance(self.languages, dict) and None not in self.languages.values()
        return self.n is not None or counted or self.opened.spec.limits.bounded

    def _on_the_hub(self) -> bool:
        assert self.opened
        return any(isinstance(source, HubTables) for source in self.opened.sources.values())

    def refuse_settings(self) -> None:
        """A card's `configs:` may say where a run config lies, not what only the caller decides.

        Raises:
            UsageError: it says more.
        """
        own = {field.name for field in fields(datasets.BuilderConfig)} | {"opened"}
        said = [field.name for field in fields(self) if field.name not in own and getattr(self, field.name) != field.default]
        if said:
            raise UsageError(f"The dataset's card sets {', '.join(said)}. Only the caller may: pass it to load_dataset.")

    def _repo_config(self, base_path: str, token: Any) -> RepoConfig | None:
        paths = [str(path) for paths in (self.data_files or {}).values() for path in paths]
        configs = [path for path in paths if path.endswith(RUN_CONFIG_SUFFIX)]
        if ((configs or base_path) and len(configs) != len(paths)) or len(configs) > 1:
            shown = ", ".join(repr(path) for path in paths[:3])
            raise UsageError(
                f"A live dataset is read through one run config (*.ossi), here are {shown}. Name one with data_files=."
            )
        return read_repo_config(configs[0], base_path, token) if configs else None

    def _spec(self, base: RunSpec) -> RunSpec:
        """The run config's or the default run, with the caller's arguments over it."""
        given = {
            part: {option.name: value for option in options if (value := getattr(self, option.keyword)) is not None}
            for part, options in DOOR.items()
        }
        for elsewhere in ("source", "revision"):  # where the seeds are now; the run config's own stand in the cache key
            given["seeds"].pop(elsewhere, None)
        return base.changed(**given)

    def _for_the_embedded_teacher(self, spec: RunSpec) -> RunSpec:
        if self.sampler not in (None, "functions"):
            raise UsageError(
                f"The embedded teacher needs the sampler 'functions', not {self.sampler!r}. Pass model= for another."
            )
        return spec.changed(seeds={"sampler": "functions"})

    def _sources(self, repo_config: RepoConfig | None, run: RunSpec) -> dict[str, Source]:
        """Split → where its seeds come from."""
        reading = ReadOptions.of(run.seeds)
        if self.seeds is not None and (self.data_dir or (self.data_files and not repo_config)):
            raise UsageError("seeds= and data_files= or data_dir= both say where the seeds are. Leave one of them out.")
        spec = self.seeds if self.seeds is not None else self.data_dir if not self.data_files else None
        if spec is not None:
            return {"train": open_source(spec, revision=self.seeds_revision, reading=reading)}
        if repo_config:
            return {"train": repo_config.open_seeds()}
        if not self.data_files:
            raise SeedError(
                'Nothing says where the seeds are. Pass data_files="src/**/*.py", data_dir="src", seeds="stdlib", or a Hub id '
                "with seeds=."
            )
        if remote := [path for paths in self.data_files.values() for path in paths if "://" in str(path)]:
            raise UsageError(f"{str(remote[0])!r} is not on this machine. Name a Hub dataset with seeds='ns/name'.")
        return {
            str(split): open_files([Path(path) for path in paths], reading=reading) for split, paths in self.data_files.items()
        }


@dataclass(frozen=True)
class Opened:
    """What a config stands for once everything it names was found.

    Attributes:
        spec: the run.
        teacher: who answers.
        sources: split → where its seeds come from.
        repo_config: the run config's file, where there was one.
        verification: how pairs are verified; None if they are not.
    """

    spec: RunSpec
    teacher: Teacher
    sources: dict[str, Source]
    repo_config: RepoConfig | None
    verification: Verification | None = None

    def seeds_in(self, split: str) -> int | None:
        """About how many seeds a split has; None where that is not known before they are read."""
        wanted = self.spec.seeds.requested
        return self.sources[split].size if wanted is None else wanted
