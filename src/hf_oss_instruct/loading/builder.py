"""The `datasets` builder: `load_dataset("oss-instruct", data_files=…, split="train", streaming=True)`.

Rows are generated when they are read: a stream parses and checks single rows. `synthesize` and `curate` find duplicates,
because they see the whole dataset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import datasets

from hf_oss_instruct.data import Row, Seed
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.loading.arguments import OssInstructConfig, ResolvedArguments
from hf_oss_instruct.loading.datasets_compat import SeedOrderBuilder, shards_for
from hf_oss_instruct.schemas import SFT_SCHEMA, schema_of
from hf_oss_instruct.seeds.sampling import sample, shuffled
from hf_oss_instruct.synthesis.generation.concepts import pair_task
from hf_oss_instruct.synthesis.stream import rows
from hf_oss_instruct.templates import to_prompt_completion


class OssInstruct(SeedOrderBuilder):
    """OSS-Instruct rows from source code, tables of code, a Hub dataset, or a repository with a run config (`*.ossi`).

        import hf_oss_instruct
        from datasets import load_dataset

        rows = load_dataset("oss-instruct", data_files="src/**/*.py", split="train", streaming=True)
        for row in rows:
            print(row["problem"])

    The config `sft` yields prompt and completion instead of full rows. A stream generates a row when it is read, and resumes by
    seed; it does not remove duplicates, because that needs the whole dataset. In map style, every answer is journaled in the
    cache, so that an interrupted load continues.
    """

    BUILDER_CONFIG_CLASS = OssInstructConfig
    BUILDER_CONFIGS = [OssInstructConfig(name="default"), OssInstructConfig(name="sft")]  # noqa: RUF012  # as in `datasets`
    DEFAULT_CONFIG_NAME = "default"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # `datasets` puts the settings of a card's `configs:` here, which anybody may have written.
        for config in self.BUILDER_CONFIGS:
            config.refuse_settings()
        super().__init__(*args, **kwargs)
        # A card's `dataset_info` is untrusted.
        if kwargs.get("features") is None:
            self.info.features = self._info().features

    @property
    def opened(self) -> ResolvedArguments:
        """Sources, run config and teacher of the arguments."""
        opened: ResolvedArguments = self.config.opened
        return opened

    def download_and_prepare(self, *args: Any, **kwargs: Any) -> None:
        """See `datasets.DatasetBuilder.download_and_prepare`.

        Raises:
            UsageError: a run config from the Hub would decide how many paid requests are sent.
        """
        opened = self.opened
        if opened.repo_config and opened.repo_config.is_remote and not opened.teacher.embedded and not self.config.is_bounded:
            raise UsageError(
                f"The run config of {self.repo_id} would decide how many requests {opened.teacher.identity} receives. Set "
                f"a limit with n= or max_requests=, or pass streaming=True."
            )
        super().download_and_prepare(*args, **kwargs)

    def _info(self) -> datasets.DatasetInfo:
        of_pairs = schema_of(verified=bool(self.config.verify), concepts=bool(self.config.concepts))
        schema = SFT_SCHEMA if self.config.name == "sft" else of_pairs
        return datasets.DatasetInfo(features=datasets.Features.from_arrow_schema(schema))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        del dl_manager
        counts = {split: self.config.num_shards or shards_for(self.opened.seeds_in(split)) for split in self.opened.sources}
        return [
            datasets.SplitGenerator(name=split, gen_kwargs={"split": split, "of": count, "shards": list(range(count))})
            for split, count in counts.items()
        ]

    def _generate_examples(
        self, split: str, of: int, shards: Sequence[int], start: int | None = None
    ) -> Iterator[tuple[int, Row | dict[str, str]]]:
        """Yield (position in seed order, row) of some of `of` shards, from a position on; without `start`, all or an error."""
        opened, share = self.opened, Fraction(len(shards), of)
        # Every seed is looked up; with `num_proc` the shards are a list.
        own_shards = shards if isinstance(shards, range) else frozenset(shards)
        made = rows(
            (seed for seed in self._seeds(split) if seed.index >= (start or 0) and seed.index % of in own_shards),
            pair_task(opened.spec, opened.teacher),
            concurrency=max(int(opened.spec.teacher.in_flight * share), 1),
            timeout=opened.spec.teacher.timeout,
            limits=opened.spec.limits.share(share),
            verification=opened.verification,
            complete=start is None,
        )
        for row in made:
            yield row["index"], to_prompt_completion(row, opened.spec.prompt.thoughts) if self.config.name == "sft" else row

    def _seeds(self, split: str) -> Iterator[Seed]:
        plan = self.opened.spec.seeds
        seeds = (item for item in sample(self.opened.sources[split], plan) if isinstance(item, Seed))
        return seeds if self.config.shuffle_seeds is None else shuffled(seeds, self.config.shuffle_seeds)
