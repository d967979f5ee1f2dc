"""The `datasets` builder: `load_dataset("oss-instruct", data_files=…, split="train", streaming=True)`.

Rows are made when they are read. A stream parses and checks single rows; duplicates are looked for by `synthesize` and
`curate`, which see the whole set. This is its first form: local files, one shard.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets

from hf_oss_instruct.data import SCHEMA, SFT_SCHEMA, Row, Seed
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.synthesis.engine import synthesize
from hf_oss_instruct.synthesis.mining import CommentFunctionTeacher
from hf_oss_instruct.synthesis.sampling import SeedPlan, sample
from hf_oss_instruct.synthesis.seeds import open_files
from hf_oss_instruct.synthesis.teacher import InferenceTeacher, Sampling, Teacher, key_from
from hf_oss_instruct.templates import to_prompt_completion

NOT_IN_THE_CACHE_KEY = frozenset({"base_url", "api_key_env", "concurrency"})
"""What does not change rows must not change where `datasets` caches them; nor may a secret get there."""


@dataclass
class OssInstructConfig(datasets.BuilderConfig):
    """What `load_dataset("oss-instruct", …)` takes beside `data_files`.

    Attributes:
        teacher: `comment-function` (embedded, no model), or any object with the `Teacher` protocol.
        model: model name; with it the teacher is reached over the network.
        base_url: OpenAI-compatible server of `model`; None for Inference Providers.
        api_key_env: name of the environment variable with that server's key.
        n: number of seeds; None for one of every document.
        sampler: `hash`, `functions` or `magicoder`; by default what fits the teacher.
        rng_seed: the random number of the draw.
        temperature, max_tokens: sampling parameters, the paper's by default.
        concurrency: requests in flight at once; at most so many are made ahead of the row that is read.
    """

    teacher: Any = "comment-function"
    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    n: int | None = None
    sampler: str | None = None
    rng_seed: int = 0
    temperature: float = 0.0
    max_tokens: int = 2500
    concurrency: int = 16

    def create_config_id(self, config_kwargs: dict[str, Any], custom_features: datasets.Features | None = None) -> str:
        """The cache key: everything that changes rows, and nothing else."""
        kwargs = {key: value for key, value in config_kwargs.items() if key not in NOT_IN_THE_CACHE_KEY}
        if not isinstance(kwargs.get("teacher", ""), str):
            kwargs["teacher"] = kwargs["teacher"].identity
        config_id: str = super().create_config_id(kwargs, custom_features)
        return config_id

    def open_teacher(self) -> Teacher:
        """The teacher that these values name.

        Raises:
            UsageError: a name we do not know, or a server without a model.
        """
        if not isinstance(self.teacher, str):
            teacher: Teacher = self.teacher
            return teacher
        if self.model:
            key = key_from(self.api_key_env, self.base_url)
            return InferenceTeacher(self.model, self.base_url, api_key=key, concurrency=self.concurrency)
        if self.base_url:
            raise UsageError("base_url= needs model=, the model's name on that server.")
        if self.teacher != "comment-function":
            raise UsageError(f"Unknown teacher {self.teacher!r}. Use 'comment-function', model=NAME, or a Teacher object.")
        return CommentFunctionTeacher()


class OssInstruct(datasets.GeneratorBasedBuilder):
    """OSS-Instruct rows from local files of source code, parquet or JSONL.

        import hf_oss_instruct
        from datasets import load_dataset

        rows = load_dataset("oss-instruct", data_files="src/**/*.py", split="train", streaming=True)
        next(iter(rows))["problem"]

    The config `sft` gives prompt and completion instead of full rows.
    """

    BUILDER_CONFIG_CLASS = OssInstructConfig
    BUILDER_CONFIGS = [OssInstructConfig(name="default"), OssInstructConfig(name="sft")]  # noqa: RUF012  # the host's own form
    DEFAULT_CONFIG_NAME = "default"

    def _info(self) -> datasets.DatasetInfo:
        schema = SFT_SCHEMA if self.config.name == "sft" else SCHEMA
        return datasets.DatasetInfo(features=datasets.Features.from_arrow_schema(schema))

    def _split_generators(self, dl_manager: Any) -> list[datasets.SplitGenerator]:
        del dl_manager
        if not self.config.data_files:
            raise SeedError('No seed files. Pass data_files=, such as data_files="src/**/*.py".')
        return [
            datasets.SplitGenerator(name=split, gen_kwargs={"files": tuple(map(str, files))})
            for split, files in self.config.data_files.items()
        ]

    def _generate_examples(self, files: tuple[str, ...]) -> Iterator[tuple[int, Any]]:
        config, teacher = self.config, self.config.open_teacher()
        sampler = config.sampler or ("functions" if isinstance(teacher, CommentFunctionTeacher) else "hash")
        plan = SeedPlan(config.n, sampler=sampler, rng_seed=config.rng_seed)
        source = open_files([Path(file) for file in files], keep_metadata=sampler == "magicoder")
        rows: Iterator[Row] = synthesize(
            (item for item in sample(source, plan) if isinstance(item, Seed)),
            teacher,
            sampling=Sampling(config.temperature, max_tokens=config.max_tokens),
            concurrency=config.concurrency,
        )
        for row in rows:
            yield row["index"], to_prompt_completion(row) if config.name == "sft" else row
