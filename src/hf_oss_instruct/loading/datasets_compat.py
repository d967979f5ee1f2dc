"""Every private name of `datasets` in use, so that new versions are handled in one place.

A canary test asserts that the names exist, and the dependency is `datasets<6`. The changes to `datasets`: our builder is
in its table of packaged builders and `.ossi` among its suffixes; loading ours without files does not search the
working directory; and a shard of a stream without rows can be written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import datasets
import datasets.load as loading
import datasets.packaged_modules as packaged
import pyarrow as pa
from datasets.iterable_dataset import DataSourcesShufflingDisallowed, ExamplesIterable

from hf_oss_instruct.data import FORMAT_VERSION

NAME = "oss-instruct"
"""The name for `load_dataset`. It must not contain a slash, which would get into file names and shadow a Hub id."""
RUN_CONFIG_SUFFIX = ".ossi"
BUILDER = "hf_oss_instruct.loading.builder"
ROWS_VERSION = f"rows-{FORMAT_VERSION}.1"
"""Part of the cache path: it changes with the columns of rows, not with every change of our source."""
SHARDS = (1680, 240, 48, 24, 8)
"""Virtual shards of a stream: the first number that is not above its number of seeds. 1680 is the least that every world size
from 2 to 8, and 16, divides: where it does not, `datasets` lets every rank make every row, unless told to split by shards."""


def shards_for(seeds: int | None) -> int:
    """The number of virtual shards for a number of seeds, None if that is unknown."""
    return SHARDS[0] if seeds is None else next((count for count in SHARDS if count <= seeds), SHARDS[-1])


def install() -> None:
    """Add our builder to the tables of `datasets`. Idempotent."""
    packaged._PACKAGED_DATASETS_MODULES[NAME] = (BUILDER, ROWS_VERSION)
    packaged._EXTENSION_TO_MODULE[RUN_CONFIG_SUFFIX] = (NAME, {})
    packaged._MODULE_TO_EXTENSIONS[NAME] = [RUN_CONFIG_SUFFIX]
    packaged._MODULE_TO_METADATA_FILE_NAMES[NAME] = []
    packaged._MODULE_TO_METADATA_EXTENSIONS[NAME] = []
    # In place, because `datasets.load` has imported them by name.
    for known in (packaged._ALL_EXTENSIONS, packaged._ALL_ALLOWED_EXTENSIONS):
        if RUN_CONFIG_SUFFIX not in known:
            known.append(RUN_CONFIG_SUFFIX)
    factory = loading.PackagedDatasetModuleFactory
    # Wrapped once, however often this is called.
    if not hasattr(factory.get_module, "__wrapped__"):
        factory.get_module = _without_directory_scan(factory.get_module)
    if not hasattr(datasets.IterableDataset.to_parquet, "__wrapped__"):
        datasets.IterableDataset.to_parquet = _with_empty_shards(datasets.IterableDataset.to_parquet)


def _without_directory_scan(get_module: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Without `data_files`, our name means `seeds=`, `data_dir=` or a mistake, never the files in the working directory."""

    @wraps(get_module)
    def get(factory: Any) -> Any:
        if factory.name != NAME or factory.data_files is not None:
            return get_module(factory)
        return loading.DatasetModule(
            BUILDER, ROWS_VERSION, {"dataset_name": NAME, "data_files": datasets.data_files.DataFilesDict()}
        )

    return get


def _with_empty_shards(to_parquet: Callable[..., int]) -> Callable[..., int]:
    """Write a shard without rows as an empty file; the original `to_parquet`, and so `push_to_hub`, fails."""

    @wraps(to_parquet)
    def write(stream: datasets.IterableDataset, path_or_buf: Any, *args: Any, **kwargs: Any) -> int:
        try:
            return to_parquet(stream, path_or_buf, *args, **kwargs)
        except pa.ArrowInvalid as error:
            if stream.features is None or "at least one table" not in str(error):
                raise
        empty = datasets.Dataset(stream.features.arrow_schema.empty_table(), fingerprint="unset")
        kwargs.pop("batch_size", None)
        return int(empty.to_parquet(path_or_buf, **kwargs))

    return write


class OpenedConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """A builder config that is opened when its data files are known, so that its cache key can depend on their content."""

    def open(self, base_path: str, token: Any) -> None:
        """Find sources, run config and teacher."""
        raise NotImplementedError

    def cache_key(self) -> str:
        """Hash of everything that affects rows."""
        raise NotImplementedError

    def _resolve_data_files(self, base_path: str | None, download_config: datasets.DownloadConfig) -> None:
        super()._resolve_data_files(base_path, download_config)
        self.open(base_path or "", download_config.token)

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None) -> str:
        """Only the cache key: no URL, API key, concurrency or path is part of it."""
        config_id: str = super().create_config_id({"rows": self.cache_key()}, custom_features)
        return config_id


class SeedOrderExamples(ExamplesIterable):  # type: ignore[misc]
    """Rows in seed order from any subset of the virtual shards. It resumes at a seed instead of a row.

    Args:
        generate_examples_fn: called with `shards=` and `start=` besides `kwargs`; yields (position in seed order, row).
        kwargs: further arguments for it.
        shards: the virtual shards whose rows it yields.
        types: the declared features; rows already have them, so that `datasets` need not cast each row.
    """

    def __init__(
        self, generate_examples_fn: Callable[..., Any], kwargs: dict[str, Any], shards: range, types: datasets.Features
    ) -> None:
        super().__init__(generate_examples_fn, kwargs)
        self.shards, self._types = shards, types

    @property
    def is_typed(self) -> bool:
        """See `features`."""
        return True

    @property
    def features(self) -> datasets.Features:
        """The types of its rows."""
        return self._types

    def _init_state_dict(self) -> dict[str, Any]:
        self._state_dict = {"next_seed": 0, "type": type(self).__name__}
        return self._state_dict

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        start = self._state_dict["next_seed"] if self._state_dict else 0
        for key, row in self.generate_examples_fn(**self.kwargs, shards=self.shards, start=start):
            if self._state_dict:
                # Before the row is handed out: a state that is saved with this row must not repeat it.
                self._state_dict["next_seed"] = key + 1
            yield key, row

    def shuffle_data_sources(self, generator: Any) -> SeedOrderExamples:
        """Not supported, as after `take` and `skip`: seeds are in hash order already, and a shuffle buffer reads one stream."""
        raise DataSourcesShufflingDisallowed("Use shuffle_seeds= to draw the seeds in another order.")

    def shard_data_sources(self, num_shards: int, index: int, contiguous: bool = True) -> SeedOrderExamples:
        """The rows of some of the shards.

        Args:
            num_shards: number of parts.
            index: number of the part, from 0.
            contiguous: whether a part has consecutive shards, or every `num_shards`-th one.
        """
        first, end = (len(self.shards) * at // num_shards for at in (index, index + 1))
        part = self.shards[first:end] if contiguous else self.shards[index::num_shards]
        return self._of(part)

    def reshard_data_sources(self) -> SeedOrderExamples:
        """Unchanged: there are enough shards."""
        return self._of(self.shards)

    def _of(self, shards: range) -> SeedOrderExamples:
        return SeedOrderExamples(self.generate_examples_fn, self.kwargs, shards, self._types)

    @property
    def num_shards(self) -> int:
        """Number of virtual shards."""
        return len(self.shards)


class SeedOrderBuilder(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """A builder whose streams are `SeedOrderExamples`; the list `shards` in a split's arguments is what `num_proc` divides."""

    def _get_examples_iterable_for_split(self, split_generator: datasets.SplitGenerator) -> SeedOrderExamples:
        kwargs = {name: value for name, value in split_generator.gen_kwargs.items() if name != "shards"}
        shards = range(len(split_generator.gen_kwargs["shards"]))
        return SeedOrderExamples(self._generate_examples, kwargs, shards, self._info().features)
