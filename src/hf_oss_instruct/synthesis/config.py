"""What a run is made of: its YAML, which a run folder and a live data set (`*.ossi`) share.

It names no server, key, price or path: those come from whoever runs it. A file from somebody else is data: read safely, small,
and every key known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from hf_oss_instruct import languages as tongues
from hf_oss_instruct.curation.denylist import Denylist
from hf_oss_instruct.data import FORMAT_VERSION, digest
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.seeds.filters import ANY
from hf_oss_instruct.seeds.reading import MAX_DOCUMENT_BYTES, MAX_SNIPPET_CHARS
from hf_oss_instruct.seeds.sampling import MAGICODER_SEED, SeedPlan, Source, settled
from hf_oss_instruct.structured import LARGEST_YAML, load_yaml
from hf_oss_instruct.synthesis.generation import OssInstructTask
from hf_oss_instruct.synthesis.prompts import Prompt
from hf_oss_instruct.teachers.parsing import Parser, parse, parse_magicoder
from hf_oss_instruct.teachers.protocol import Sampling, Teacher

PARSERS: dict[str, Parser] = {"default": parse, "magicoder": parse_magicoder}
KEYS = {
    "": {"version", "seeds", "prompt", "sampling", "checks"},
    "seeds": {
        "dataset",
        "revision",
        "n",
        "languages",
        "sampler",
        "snippets_per_document",
        "rng_seed",
        "licenses",
        "filters",
        "one_in",
        "deny",
        "max_document_bytes",
        "max_snippet_chars",
        "encoding",
        "code_column",
    },
    "prompt": {"template", "text", "parser", "keep_reasoning"},
    "sampling": {"temperature", "top_p", "max_tokens", "send_seed", "extra_body"},
    "checks": {"duplicates", "near_duplicates", "benchmarks", "rule", "contaminated"},
}
LARGEST = LARGEST_YAML
"""Bytes of a run config that is read."""
RULES, POLICIES = ("default", "magicoder"), ("drop", "flag")
DEFAULT = "default"
"""Every benchmark that has a name (`curation.benchmarks.BENCHMARKS`)."""
DEFAULT_TEMPLATE = "oss_instruct"


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the rows of a run, but the teacher.

    Attributes:
        dataset: name of the seed source: `python-stdlib`, a Hub id, or a local folder's name.
        revision: its commit, version or content hash; None before it is opened.
        seeds: how many seeds, and how they are drawn.
        prompt: the prompt template.
        parser: `default` or `magicoder`.
        keep_reasoning: put the teacher's thoughts into the column `reasoning`.
        sampling: sampling parameters.
        duplicates: reject rows whose seed, problem or solution was seen before.
        near_duplicates: reject rows whose seed, problem or solution is nearly that of an earlier row.
        benchmarks: whose tasks no row may quote: names, Hub ids, or `name@xxh3:…` for a local list; none switches it off.
        rule: how quotes are found: `default`, or `magicoder` as in the paper.
        contaminated: `drop` rejects rows that quote a benchmark, `flag` only says so.
    """

    dataset: str = "stdlib"
    revision: str | None = None
    seeds: SeedPlan = field(default_factory=SeedPlan)
    prompt: Prompt = field(default_factory=Prompt.default)
    parser: str = "default"
    keep_reasoning: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    duplicates: bool = True
    near_duplicates: bool = True
    benchmarks: tuple[str, ...] = (DEFAULT,)
    rule: str = "default"
    contaminated: str = "drop"

    def __post_init__(self) -> None:
        if self.parser not in PARSERS:
            raise UsageError(f"Unknown parser {self.parser!r}. Use one of: {', '.join(PARSERS)}.")
        if self.rule not in RULES:
            raise UsageError(f"There is no rule {self.rule!r} of decontamination. Use one of: {', '.join(RULES)}.")
        if self.contaminated not in POLICIES:
            raise UsageError(f"Contaminated rows cannot be {self.contaminated!r}. Use one of: {', '.join(POLICIES)}.")

    @property
    def hash(self) -> str:
        """Key of the whole config, 32 hex digits."""
        return digest(self.as_dict())

    def task(self, teacher: Teacher) -> OssInstructTask:
        """What decides which row a seed becomes, with this teacher."""
        numbered = self.seeds.sampler == "magicoder"
        return OssInstructTask(
            teacher,
            self.prompt,
            self.sampling,
            PARSERS[self.parser],
            numbered=numbered,
            keep_reasoning=self.keep_reasoning,
        )

    def pinned(self, source: Source) -> RunConfig:
        """The config with the revision that the source has now, and the licences and filters that it was left to decide.

        Raises:
            RunError: the config names another revision.
        """
        if self.revision not in (None, source.revision):
            raise RunError(
                f"The run config was made from {source.name} at {self.revision}, here it is {source.revision}. Bring that "
                "revision back, or remove seeds.revision from the config and use a new --out."
            )
        return replace(self, dataset=source.name, revision=source.revision, seeds=settled(self.seeds, source))

    def as_dict(self) -> dict[str, Any]:
        """The config as plain values, in the order of the YAML."""
        seeds, ours = self.seeds, self.prompt.text == Prompt.default().text
        return {
            "version": FORMAT_VERSION,
            "seeds": {
                "dataset": self.dataset,
                "revision": self.revision,
                "n": seeds.n,
                "languages": dict(seeds.languages) or None,
                "sampler": seeds.sampler,
                "snippets_per_document": seeds.snippets_per_document or "auto",
                "rng_seed": "auto" if seeds.rng_seed is None else seeds.rng_seed,
                "licenses": seeds.licenses or "auto",
                "filters": "auto" if seeds.filters is None else list(seeds.filters),
                "one_in": seeds.one_in,
                "deny": seeds.deny.hash if seeds.deny else None,
                "max_document_bytes": seeds.max_document_bytes,
                "max_snippet_chars": seeds.max_snippet_chars,
                "encoding": seeds.encoding,
                "code_column": seeds.code_column,
            },
            "prompt": ({"template": DEFAULT_TEMPLATE} if ours else {"text": self.prompt.text})
            | {"parser": self.parser}
            | ({"keep_reasoning": True} if self.keep_reasoning else {}),
            "sampling": self.sampling.as_dict(),
            "checks": {
                "duplicates": self.duplicates,
                "near_duplicates": self.near_duplicates,
                "benchmarks": list(self.benchmarks),
                "rule": self.rule,
                "contaminated": self.contaminated,
            },
        }

    def to_yaml(self) -> str:
        """The config as YAML text."""
        return yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True, width=120)

    @classmethod
    def from_yaml(cls, text: str, name: str = "the run config") -> RunConfig:
        """Read a config.

        Raises:
            UsageError: it is no YAML, too large, from a newer version, or has a key or value that we do not know.
        """
        try:
            values = load_yaml(text)
        except ValueError as error:
            raise UsageError(
                f"{name} is no YAML that can be used: {error}. Compare it with a run's oss_instruct.yaml."
            ) from error
        return cls._from_values(values, name)

    @classmethod
    def from_file(cls, path: Path) -> RunConfig:
        """Read a config file (`oss_instruct.yaml`, `*.ossi`).

        Raises:
            UsageError: it cannot be read, or see `from_yaml`.
        """
        try:
            if path.stat().st_size > LARGEST:
                raise UsageError(
                    f"{str(path)!r} has {path.stat().st_size:,} bytes, {LARGEST:,} at most. It is hardly a run config."
                )
            return cls.from_yaml(path.read_text("utf-8"), repr(str(path)))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The run config {str(path)!r} cannot be read: {error}. Pass a YAML file.") from error

    @classmethod
    def _from_values(cls, values: Any, name: str) -> RunConfig:
        top = _known(values, "", name)
        version = top.get("version")
        if version != FORMAT_VERSION:
            raise UsageError(
                f"{name} has version {version!r}, this program reads {FORMAT_VERSION}. Upgrade, or set version: {FORMAT_VERSION}."
            )
        parts = {part: _known(top.get(part) or {}, part, name) for part in KEYS if part}
        seeds, prompt = parts["seeds"], parts["prompt"]
        if prompt.get("template", DEFAULT_TEMPLATE) != DEFAULT_TEMPLATE:
            raise UsageError(
                f"{name} names the prompt template {prompt['template']!r}. We have {DEFAULT_TEMPLATE!r}; or give its text."
            )
        per_document, licenses = seeds.get("snippets_per_document", "auto"), seeds.get("licenses", "auto")
        filters, deny, random_seed = seeds.get("filters", "auto"), seeds.get("deny"), seeds.get("rng_seed", "auto")
        try:
            return cls(
                dataset=_typed(seeds.get("dataset", "stdlib"), str),
                revision=_typed(seeds.get("revision"), str, None),
                seeds=SeedPlan(
                    n=_typed(seeds.get("n"), int, None),
                    languages=_languages(seeds.get("languages") or {}),
                    sampler=_typed(seeds.get("sampler", "hash"), str),
                    snippets_per_document=None if per_document == "auto" else _typed(per_document, int),
                    rng_seed=None if random_seed == "auto" else _typed(random_seed, int),
                    licenses=None if licenses == "auto" else _typed(licenses, str),
                    filters=None if filters == "auto" else tuple(_typed(name, str) for name in _typed(filters, list)),
                    one_in=_typed(seeds.get("one_in", 1), int),
                    deny=Denylist(_typed(deny, str)) if deny is not None else None,
                    max_document_bytes=_typed(seeds.get("max_document_bytes", MAX_DOCUMENT_BYTES), int),
                    max_snippet_chars=_typed(seeds.get("max_snippet_chars", MAX_SNIPPET_CHARS), int),
                    encoding=_typed(seeds.get("encoding"), str, None),
                    code_column=_typed(seeds.get("code_column"), str, None),
                ),
                prompt=Prompt(_typed(prompt["text"], str)) if "text" in prompt else Prompt.default(),
                parser=_typed(prompt.get("parser", "default"), str),
                keep_reasoning=_typed(prompt.get("keep_reasoning", False), bool),
                sampling=_sampling(parts["sampling"]),
                **_checks(parts["checks"]),
            )
        except TypeError as error:
            raise UsageError(f"{name}: {error}. Compare it with a run's oss_instruct.yaml.") from error

    def differences(self, other: RunConfig) -> list[str]:
        """Where two configs differ: `seeds.n: 200 there, 2000 here`, self being there."""
        there, here = _flat(self.as_dict()), _flat(other.as_dict())
        return [f"{key}: {there.get(key)} there, {here.get(key)} here" for key in there | here if there.get(key) != here.get(key)]


MAGICODER_LANGUAGES = (
    ("python", 40_000),
    *((name, 5_000) for name in ("cpp", "java", "typescript", "shell", "csharp", "rust", "php", "swift")),
)
"""The paper's seeds: 40K Python and 5K of each of eight languages (Magicoder, section 2.1)."""


def magicoder() -> RunConfig:
    """The paper's run: its languages, sampler, parser, checks and random seed, one snippet of each document, none refused."""
    seeds = SeedPlan(
        languages=MAGICODER_LANGUAGES,
        sampler="magicoder",
        snippets_per_document=1,
        rng_seed=MAGICODER_SEED,
        licenses=ANY,
        filters=(),
        max_document_bytes=0,
        max_snippet_chars=0,
    )
    return replace(
        RunConfig(), dataset="bigcode/starcoderdata", seeds=seeds, parser="magicoder", near_duplicates=False, rule="magicoder"
    )


def _known(values: Any, part: str, name: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise UsageError(f"{name}: {part or 'the file'} must hold keys and values, not {type(values).__name__}.")
    if unknown := sorted(map(str, values.keys() - KEYS[part])):
        where = f"{part}." if part else ""
        raise UsageError(
            f"{name} has unknown keys: {', '.join(where + key for key in unknown)}. Known are: {', '.join(sorted(KEYS[part]))}."
        )
    return values


def _typed(value: Any, *kinds: type | None) -> Any:
    allowed = tuple(type(None) if kind is None else kind for kind in kinds)
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise TypeError(f"{value!r} should be {' or '.join('null' if kind is None else kind.__name__ for kind in kinds)}")
    return value


def _checks(values: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {"duplicates": bool, "near_duplicates": bool, "rule": str, "contaminated": str}
    read = {name: _typed(values[name], kind) for name, kind in kinds.items() if name in values}
    if "benchmarks" in values:
        names = tuple(_typed(name, str) for name in _typed(values["benchmarks"], list))
        if paths := [name for name in names if name.startswith((".", "/", "~", "\\"))]:
            raise TypeError(f"checks.benchmarks names a path, {paths[0]!r}; a file from somebody else may not. Use --benchmarks")
        read["benchmarks"] = names
    return read


def _sampling(values: Mapping[str, Any]) -> Sampling:
    kinds: dict[str, tuple[type | None, ...]] = {"send_seed": (bool,), "extra_body": (dict, None)}
    return Sampling(**{name: _typed(value, *kinds.get(name, (int, float, None))) for name, value in values.items()})


def _languages(values: Any) -> tuple[tuple[str, int | None], ...]:
    counts = dict.fromkeys(values) if isinstance(values, list) else _typed(values, dict)
    return tuple((tongues.named(str(name)).name, _typed(n, int, None)) for name, n in counts.items())


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return flat
