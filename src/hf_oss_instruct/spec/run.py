"""A run with all its options, and its YAML form, the run config (`oss_instruct.yaml` in a run's folder, `*.ossi` in a dataset).

A run config sets no server, key, price or path: the caller passes those (`Option.set_by`). A run config from a
repository is untrusted: it is parsed safely, and must be small and have known keys only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from hf_oss_instruct.argument_types import as_path
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.checks import Checks
from hf_oss_instruct.spec.declare import Interface, Option, options_of
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.option_types import AUTO
from hf_oss_instruct.spec.prompts import TEMPLATE, Prompt, PromptSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.seeds import ANY, MAGICODER_SEED, SeedPlan
from hf_oss_instruct.spec.settings import settings_of
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.storage.workdir import differences
from hf_oss_instruct.structured import MAX_YAML_CHARS, load_yaml

MAX_CONFIG_BYTES = MAX_YAML_CHARS
"""Maximum size of a run config in bytes."""


@dataclass(frozen=True)
class RunSpec:
    """A run: all its options.

    Attributes:
        seeds: which snippets are drawn.
        teacher: the teacher that answers.
        prompt: the prompt, and how the answer is parsed.
        sampling: sampling parameters.
        checks: which checks rows must pass.
        limits: budget, and when to give up.
        verification: whether and how pairs are verified by running them.

    Raises:
        UsageError: a part is of another class.
    """

    seeds: SeedPlan = field(default_factory=SeedPlan)
    teacher: TeacherSpec = field(default_factory=TeacherSpec)
    prompt: PromptSpec = field(default_factory=PromptSpec)
    sampling: Sampling = field(default_factory=Sampling)
    checks: Checks = field(default_factory=Checks)
    limits: RunLimits = field(default_factory=RunLimits)
    verification: VerificationSpec = field(default_factory=VerificationSpec)

    def __post_init__(self) -> None:
        for found in fields(self):
            part, value = found.default_factory, getattr(self, found.name)
            if isinstance(part, type) and not isinstance(value, part):
                raise UsageError(f"{found.name} must be a {part.__name__}, not {value!r}. Pass {part.__name__}(NAME=VALUE).")

    @property
    def hash(self) -> str:
        """Hash of the options that affect rows, except the teacher: 32 hex digits."""
        from hf_oss_instruct.data import digest

        return digest(self.as_dict())

    def changed(self, **given: Mapping[str, Any]) -> RunSpec:
        """A copy with other values, by part: `changed(seeds={"n": 3})`."""
        changed: dict[str, Any] = {
            name: self.seeds.changed(**values) if name == "seeds" else replace(getattr(self, name), **values)
            for name, values in given.items()
        }
        return replace(self, **changed)

    def as_dict(self) -> dict[str, Any]:
        """The run config as plain values, in the order of the YAML."""
        from hf_oss_instruct.data import FORMAT_VERSION

        parts = {part: _written(getattr(self, part), options) for part, options in IN_YAML.items()}
        if self.prompt.prompt.text == Prompt.default().text:
            parts["prompt"] = {"template": TEMPLATE} | {key: value for key, value in parts["prompt"].items() if key != "text"}
        # A part without values is left out, so that hashes from before it existed stay valid.
        return {"version": FORMAT_VERSION, **{part: values for part, values in parts.items() if values}}

    def to_yaml(self) -> str:
        """The run config as YAML text."""
        import yaml

        return yaml.safe_dump(self.as_dict(), sort_keys=False, allow_unicode=True, width=120)

    @classmethod
    def from_yaml(cls, text: str, name: str = "the run config") -> RunSpec:
        """Read a run config.

        Args:
            text: YAML.
            name: its name in errors.

        Raises:
            UsageError: it is not YAML, too large, from a newer version, or has an unknown key or an invalid value.
        """
        return cls().changed(**_values_in(text, name))

    @classmethod
    def from_file(cls, path: str | Path) -> RunSpec:
        """Read a run config from a file.

        Args:
            path: a run's `oss_instruct.yaml`, or an `*.ossi` file.

        Raises:
            UsageError: it cannot be read, or see `from_yaml`.
        """
        return cls().changed(**values_in(as_path("path", path)))

    def differences(self, other: RunSpec) -> list[str]:
        """Differences between two runs, such as `--n: 200 in the folder, 2000 now`; `self` is in the folder."""
        return differences(self.as_dict(), other.as_dict(), SETTINGS)

    def only_for(self, interface: Interface) -> list[tuple[str, Option]]:
        """Options that differ from their defaults although this interface may not set them, as (part, option)."""
        return [
            (part, option)
            for part, options in OPTIONS.items()
            for option in options
            if interface not in option.set_by and getattr(getattr(self, part), option.name) != option.default
        ]


OPTIONS: dict[str, tuple[Option, ...]] = {part.name: options_of(type(getattr(RunSpec(), part.name))) for part in fields(RunSpec)}
"""The options of each part of a run."""
IN_YAML = {
    part: tuple(option for option in options if option.yaml and Interface.RUN_CONFIG in option.set_by)
    for part, options in OPTIONS.items()
    if any(option.yaml for option in options)
}
"""The options that a run config may contain."""
SETTINGS = settings_of(IN_YAML)
"""Dotted key in a run config, or in a job that contains one → how errors show its value."""

MAGICODER_LANGUAGES = (
    ("python", 40_000),
    *((name, 5_000) for name in ("cpp", "java", "typescript", "shell", "csharp", "rust", "php", "swift")),
)
"""The paper's seeds: 40K Python and 5K of each of eight languages (Magicoder, section 2.1)."""


def magicoder() -> RunSpec:
    """The paper's run: its languages, sampler, parser, checks and random seed; one snippet per document, without filters."""
    seeds = SeedPlan(
        "bigcode/starcoderdata",
        languages=MAGICODER_LANGUAGES,
        sampler="magicoder",
        snippets_per_document=1,
        rng_seed=MAGICODER_SEED,
        licenses=ANY,
        filters=(),
        max_document_bytes=0,
        max_snippet_chars=0,
    )
    return RunSpec(seeds, prompt=PromptSpec(parser="magicoder"), checks=Checks(near_duplicates=False, rule="magicoder"))


def values_in(path: Path) -> dict[str, dict[str, Any]]:
    """The values that a run config sets, by part and option, without defaults.

    Raises:
        UsageError: as `RunSpec.from_file`.
    """
    try:
        # Before it is read, because a run config may be untrusted.
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise UsageError(
                f"{str(path)!r} has {path.stat().st_size:,} bytes, too large for a run config. "
                f"Pass a file of at most {MAX_CONFIG_BYTES:,} bytes."
            )
        return _values_in(path.read_text("utf-8"), repr(str(path)))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The run config {str(path)!r} cannot be read: {error}. Pass a YAML file.") from error


def _values_in(text: str, name: str) -> dict[str, dict[str, Any]]:
    from hf_oss_instruct.data import FORMAT_VERSION

    try:
        values = load_yaml(text)
    except ValueError as error:
        raise UsageError(f"{name} is not valid YAML: {error}. Compare it with a run's oss_instruct.yaml.") from error
    top = _known(values, {"version", *IN_YAML}, "", name)
    if (version := top.get("version")) != FORMAT_VERSION:
        raise UsageError(
            f"{name} has version {version!r}, this program reads {FORMAT_VERSION}. Upgrade, or set version: {FORMAT_VERSION}."
        )
    parts = {part: dict(_known(top.get(part) or {}, _keys(part), part, name)) for part in IN_YAML}
    if (template := parts["prompt"].pop("template", TEMPLATE)) != TEMPLATE:
        raise UsageError(f"{name} names the prompt template {template!r}. Use {TEMPLATE!r}, or the text of a template.")
    try:
        return {part: _read(parts[part], options) for part, options in IN_YAML.items()}
    except TypeError as error:
        raise UsageError(f"{name}: {error}. Compare it with a run's oss_instruct.yaml.") from error


def _keys(part: str) -> set[str]:
    return {str(option.yaml) for option in IN_YAML[part]} | ({"template"} if part == "prompt" else set())


def _known(values: Any, keys: set[str], part: str, name: str) -> Mapping[str, Any]:
    if not isinstance(values, dict):
        raise UsageError(f"{name}: {part or 'the file'} must contain keys and values, not {type(values).__name__}.")
    if unknown := sorted(map(str, values.keys() - keys)):
        where = f"{part}." if part else ""
        raise UsageError(
            f"{name} has unknown keys: {', '.join(where + key for key in unknown)}. Known keys: {', '.join(sorted(keys))}."
        )
    return values


def _read(values: Mapping[str, Any], options: tuple[Option, ...]) -> dict[str, Any]:
    return {option.name: _value(values[str(option.yaml)], option) for option in options if option.yaml in values}


def _value(value: Any, option: Option) -> Any:
    if (value is None and option.nullable) or (value == AUTO and option.auto):
        return None
    return option.kind.from_yaml(value)


def _written(part: Any, options: tuple[Option, ...]) -> dict[str, Any]:
    values = {option: getattr(part, option.name) for option in options}
    return {
        str(option.yaml): option.kind.to_yaml(value) if value is not None else AUTO if option.auto else None
        for option, value in values.items()
        if not (option.rare and value == option.default)
    }
