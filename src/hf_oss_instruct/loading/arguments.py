"""What `load_dataset("oss-instruct", …)` takes, and what it stands for once everything it names was found."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import datasets

from hf_oss_instruct import languages as tongues
from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.loading.datasets_compat import RECIPE_SUFFIX, ROWS_VERSION, OpenedConfig
from hf_oss_instruct.seeds.folders import open_files, open_source
from hf_oss_instruct.seeds.sampling import Source
from hf_oss_instruct.seeds.tables import HubTables
from hf_oss_instruct.synthesis.budget import Limits
from hf_oss_instruct.synthesis.config import RunConfig
from hf_oss_instruct.synthesis.prompts import Prompt
from hf_oss_instruct.synthesis.repo_config import Recipe, read_recipe
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.teachers.resolve import TeacherChoice, is_embedded

OVER_THE_RECIPE = {
    "seeds": (
        *("n", "sampler", "rng_seed", "snippets_per_document", "licenses", "filters"),
        *("max_document_bytes", "max_snippet_chars", "encoding", "code_column"),
    ),
    "sampling": ("temperature", "top_p", "max_tokens", "send_seed", "extra_body"),
}
"""Arguments that replace the run config's own values, by the part of it where they stand."""


@dataclass
class OssInstructConfig(OpenedConfig):
    """What `load_dataset("oss-instruct", …)` takes beside `data_files` and `data_dir`.

    None leaves what a recipe says, or the default.

    Attributes:
        seeds: a seed source in place of files: `stdlib`, a path, or a Hub id.
        seeds_revision: branch, tag or commit of a Hub id.
        n: number of seeds; by default one of every document.
        languages: language names, or name → number of seeds.
        sampler: `hash`, `functions` or `magicoder`; by default what fits the teacher.
        snippets_per_document: at most so many of one document.
        rng_seed: the random number of the draw.
        max_document_bytes, max_snippet_chars, encoding, code_column: how documents are read, as `SeedPlan` takes them.
        licenses: `any`, `permissive`, or SPDX names with commas; by default `permissive` for the Hub, `any` for what is local.
        filters: names of seed filters (`sieve.FILTERS`), `()` for none; by default all.
        shuffle_seeds: a random number; the seeds come in an order drawn by hash, before any request. Reads all seeds first.
        prompt: the prompt template, as text or `Prompt`.
        parser: `default` or `magicoder`.
        keep_reasoning: put the teacher's thoughts into the column `reasoning`, which is null otherwise.
        temperature, top_p, max_tokens: sampling parameters, the paper's by default.
        send_seed, extra_body: whether a random seed is sent, and further fields of the request, as `Sampling` takes them.
        teacher: an object with the `Teacher` protocol, or `comment-function` (embedded, no model).
        model, base_url, api_key_env: a model by name, its OpenAI-compatible server (None for Inference Providers), and the name
            of the environment variable with that server's key.
        concurrency: requests in flight at once for the whole data set, shared out among its shards (ranks, DataLoader workers,
            `num_proc`); at most so many are made ahead of the row that is read.
        num_shards: virtual shards of a stream, each made by one rank and DataLoader worker, and a file each of `push_to_hub`; by
            default what fits the number of seeds (`host.SHARDS`).
        max_requests, max_total_tokens, max_cost, price_in, price_out: what one pass may spend, as `budget.Limits` takes them;
            shared out in the same way.
    """

    seeds: str | None = None
    seeds_revision: str | None = None
    n: int | None = None
    languages: dict[str, int | None] | list[str] | None = None
    sampler: str | None = None
    snippets_per_document: int | None = None
    rng_seed: int | None = None
    max_document_bytes: int | None = None
    max_snippet_chars: int | None = None
    encoding: str | None = None
    code_column: str | None = None
    licenses: str | None = None
    filters: tuple[str, ...] | None = None
    shuffle_seeds: int | None = None
    prompt: str | Prompt | None = None
    parser: str | None = None
    keep_reasoning: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    send_seed: bool | None = None
    extra_body: dict[str, Any] | None = None
    teacher: Any = None
    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    concurrency: int = 16
    num_shards: int | None = None
    max_requests: int | None = None
    max_total_tokens: int | None = None
    max_cost: float | None = None
    price_in: float | None = None
    price_out: float | None = None
    opened: Opened | None = field(default=None, init=False, repr=False, compare=False)

    def open(self, base_path: str, token: Any) -> None:
        """See `OpenedConfig.open`.

        Raises:
            UsageError: the arguments, or the recipe, contradict each other or name what is not allowed.
            SeedError: there are no seed files, or they cannot be read.
        """
        recipe = self._recipe(base_path, token)
        if self.num_shards is not None and self.num_shards < 1:
            raise UsageError(f"num_shards must be at least 1, not {self.num_shards}.")
        choice = TeacherChoice(self.teacher, self.model, self.base_url, self.api_key_env, self.concurrency)
        teacher = choice.open(environment=not (recipe and recipe.is_remote))
        run = self._run(recipe.config if recipe else RunConfig(), teacher)
        limits = Limits(self.max_requests, self.max_total_tokens, self.max_cost, self.price_in, self.price_out)
        self.opened = Opened(run, teacher, self._sources(recipe, run), limits, recipe)
        if self.shuffle_seeds is not None and run.seeds.requested is None and self._on_the_hub():
            raise UsageError("shuffle_seeds= reads all seeds first, and a Hub data set has no end in sight. Pass n= beside it.")

    def cache_key(self) -> str:
        """See `OpenedConfig.cache_key`: sources, draw, prompt, sampling, parser, teacher, and the shape of our rows."""
        assert self.opened
        run, sources = self.opened.run.as_dict(), self.opened.sources
        origin = {split: (source.name, source.revision) for split, source in sources.items()}
        recipe = self.opened.recipe.version if self.opened.recipe else None
        return digest(ROWS_VERSION, run, origin, self.shuffle_seeds, self.opened.teacher.identity, recipe)

    @property
    def is_bounded(self) -> bool:
        """Whether the caller said how much may be asked at most."""
        counted = isinstance(self.languages, dict) and None not in self.languages.values()
        return self.n is not None or counted or any((self.max_requests, self.max_total_tokens, self.max_cost))

    def _on_the_hub(self) -> bool:
        assert self.opened
        return any(isinstance(source, HubTables) for source in self.opened.sources.values())

    def refuse_settings(self) -> None:
        """A card's `configs:` may say where a recipe lies, not what only the caller decides.

        Raises:
            UsageError: it says more.
        """
        own = {field.name for field in fields(datasets.BuilderConfig)} | {"opened"}
        said = [field.name for field in fields(self) if field.name not in own and getattr(self, field.name) != field.default]
        if said:
            raise UsageError(f"The data set's card sets {', '.join(said)}. Only the caller may: pass it to load_dataset.")

    def _recipe(self, base_path: str, token: Any) -> Recipe | None:
        paths = [str(path) for paths in (self.data_files or {}).values() for path in paths]
        recipes = [path for path in paths if path.endswith(RECIPE_SUFFIX)]
        if ((recipes or base_path) and len(recipes) != len(paths)) or len(recipes) > 1:
            shown = ", ".join(repr(path) for path in paths[:3])
            raise UsageError(f"A live data set is read through one recipe (*.ossi), here are {shown}. Name one with data_files=.")
        return read_recipe(recipes[0], base_path, token) if recipes else None

    def _run(self, run: RunConfig, teacher: Teacher) -> RunConfig:
        """The run config: the recipe's or the default one, with the caller's arguments over it."""
        changes = {part: {name: getattr(self, name) for name in names} for part, names in OVER_THE_RECIPE.items()}
        given = {part: {name: value for name, value in named.items() if value is not None} for part, named in changes.items()}
        if self.languages is not None:
            counts = self.languages if isinstance(self.languages, dict) else dict.fromkeys(self.languages)
            given["seeds"]["languages"] = tuple((tongues.named(name).name, number) for name, number in counts.items())
            if any(number is not None for number in counts.values()):
                given["seeds"].setdefault("n", None)
        if self.filters is not None:
            given["seeds"]["filters"] = tuple(self.filters)
        if is_embedded(teacher) and given["seeds"].setdefault("sampler", "functions") != "functions":
            raise UsageError(
                f"The embedded teacher needs the sampler 'functions', not {self.sampler!r}. Pass model= for another."
            )
        return replace(
            run,
            seeds=replace(run.seeds, **given["seeds"]),
            sampling=replace(run.sampling, **given["sampling"]),
            prompt=Prompt(self.prompt) if isinstance(self.prompt, str) else self.prompt or run.prompt,
            parser=self.parser or run.parser,
            keep_reasoning=run.keep_reasoning if self.keep_reasoning is None else self.keep_reasoning,
        )

    def _sources(self, recipe: Recipe | None, run: RunConfig) -> dict[str, Source]:
        """Split → where its seeds come from."""
        reading = run.seeds.reading
        if self.seeds is not None and (self.data_dir or (self.data_files and not recipe)):
            raise UsageError("seeds= and data_files= or data_dir= both say where the seeds are. Leave one of them out.")
        spec = self.seeds if self.seeds is not None else self.data_dir if not self.data_files else None
        if spec is not None:
            return {"train": open_source(spec, revision=self.seeds_revision, reading=reading)}
        if recipe:
            return {"train": recipe.open_seeds()}
        if not self.data_files:
            raise SeedError(
                'Nothing says where the seeds are. Pass data_files="src/**/*.py", data_dir="src", seeds="stdlib", or a Hub id '
                "with seeds=."
            )
        if remote := [path for paths in self.data_files.values() for path in paths if "://" in str(path)]:
            raise UsageError(f"{str(remote[0])!r} is not on this machine. Name a Hub data set with seeds='ns/name'.")
        return {
            str(split): open_files([Path(path) for path in paths], reading=reading) for split, paths in self.data_files.items()
        }


@dataclass(frozen=True)
class Opened:
    """What a config stands for once everything it names was found.

    Attributes:
        run: seeds, prompt and sampling.
        teacher: who answers.
        sources: split → where its seeds come from.
        limits: what one pass may spend.
        recipe: the run config's file, where there was one.
    """

    run: RunConfig
    teacher: Teacher
    sources: dict[str, Source]
    limits: Limits
    recipe: Recipe | None

    def seeds_in(self, split: str) -> int | None:
        """About how many seeds a split has; None where that is not known before they are read."""
        wanted = self.run.seeds.requested
        size: int | None = getattr(self.sources[split], "size", None)
        return size if wanted is None else wanted
