"""Kinds of option values that name something: languages, seed filters, benchmarks, opt-outs, a model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.benchmarks.registry import recorded
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.option_types import Names, OptionType, typed, whole

if TYPE_CHECKING:
    from hf_oss_instruct.curation.denylist import Denylist
    from hf_oss_instruct.embeddings import EmbeddingModel

CountByLanguage = tuple[tuple[str, int | None], ...]
"""Language names, each with its number of seeds, or None if it has no count."""


@dataclass(frozen=True)
class FilterNames(Names):
    """Names of seed filters; `all` for all of them."""

    def from_flag(self, value: str) -> tuple[str, ...]:
        """See `OptionType.from_flag`."""
        names = super().from_flag(value)
        return filter_names() if names == ("all",) else names

    def from_python(self, value: Sequence[str] | str) -> tuple[str, ...]:
        """See `OptionType.from_python`."""
        names = super().from_python(value)
        names = filter_names() if names == ("all",) else names
        if unknown := sorted(set(names) - set(filter_names())) if names else []:
            raise UsageError(f"Unknown seed filters: {', '.join(unknown)}. Use any of: {', '.join(filter_names())}.")
        return names


def filter_names() -> tuple[str, ...]:
    """Names of the seed filters: `parses` checks the whole document, the others check the snippet."""
    from hf_oss_instruct.curation.snippet_filters import SNIPPET_FILTERS

    return ("parses", *SNIPPET_FILTERS)


@dataclass(frozen=True)
class BenchmarkNames(Names):
    """Names of benchmarks. A run config may not name a path, which would be read on the machine of the person who runs it."""

    def from_yaml(self, value: Any) -> tuple[str, ...]:
        """See `OptionType.from_yaml`."""
        names = super().from_yaml(value)
        if paths := [name for name in names if name.startswith((".", "/", "~", "\\"))]:
            raise TypeError(f"checks.benchmarks names a path, {paths[0]!r}; a file from somebody else may not. Pass it yourself")
        return tuple(map(recorded, names))


@dataclass(frozen=True)
class LanguageCounts(OptionType):
    """Languages, each with an optional number of seeds."""

    expected = "a list of names, a dict of counts, or a string such as 'python=4000,cpp=500'"

    def from_flag(self, value: str) -> CountByLanguage:
        """See `OptionType.from_flag`."""
        counts: dict[str, int | None] = {}
        for part in filter(str.strip, value.split(",")):
            name, _, number = (piece.strip() for piece in part.partition("="))
            if number and not number.isdigit():
                raise UsageError(f"--languages {part!r}: the count must be a number. Write it as python=4000,cpp=500.")
            counts |= self.from_python({name: int(number) if number else None})
        if not counts:
            raise UsageError(f"--languages {value!r} contains no language. Write it as python,cpp or python=4000,cpp=500.")
        return tuple(counts.items())

    def from_yaml(self, value: Any) -> CountByLanguage:
        """See `OptionType.from_yaml`."""
        counts = dict.fromkeys(value) if isinstance(value, list) else typed(value or {}, dict)
        return self.from_python({str(name): n if n is None else typed(n, int, type(None)) for name, n in counts.items()})

    def to_yaml(self, value: CountByLanguage) -> dict[str, int | None] | None:
        """See `OptionType.to_yaml`."""
        return dict(value) or None

    def from_python(self, value: Mapping[str, int | None] | Sequence[str] | CountByLanguage | str) -> CountByLanguage:
        """See `OptionType.from_python`."""
        if isinstance(value, str):
            return self.from_flag(value)
        from hf_oss_instruct.code.languages import named

        pairs = (
            value.items() if isinstance(value, Mapping) else [(item, None) if isinstance(item, str) else item for item in value]
        )
        return tuple((named(name).name, number if number is None else whole(number)) for name, number in pairs)


@dataclass(frozen=True)
class OptOuts(OptionType):
    """A denylist. A run config contains only its hash, because opt-outs name people's repositories."""

    expected = "the path of a file, or a Denylist"

    def from_flag(self, value: Path) -> Denylist:
        """See `OptionType.from_flag`."""
        return self.from_python(value)

    def from_yaml(self, value: Any) -> Denylist:
        """See `OptionType.from_yaml`."""
        from hf_oss_instruct.curation.denylist import Denylist

        return Denylist(typed(value, str))

    def to_yaml(self, value: Denylist) -> str:
        """See `OptionType.to_yaml`."""
        return value.hash

    def from_python(self, value: Denylist | str | os.PathLike[str]) -> Denylist:
        """See `OptionType.from_python`."""
        from hf_oss_instruct.curation.denylist import Denylist

        return Denylist.from_file(Path(value)) if isinstance(value, str | os.PathLike) else typed(value, Denylist)


@dataclass(frozen=True)
class EmbeddingModelName(OptionType):
    """A text encoder. A run config contains name and hash of a folder, not its path."""

    expected = "a name on the Hub, a folder, or an EmbeddingModel"

    def from_flag(self, value: str) -> EmbeddingModel:
        """See `OptionType.from_flag`."""
        return self.from_python(value)

    def from_yaml(self, value: Any) -> EmbeddingModel:
        """See `OptionType.from_yaml`."""
        from hf_oss_instruct.embeddings import EmbeddingModel

        return EmbeddingModel.recorded(typed(value, str))

    def to_yaml(self, value: EmbeddingModel) -> str:
        """See `OptionType.to_yaml`."""
        return str(value)

    def from_python(self, value: EmbeddingModel | str | os.PathLike[str]) -> EmbeddingModel:
        """See `OptionType.from_python`."""
        from hf_oss_instruct.embeddings import EmbeddingModel

        return EmbeddingModel.named(os.fspath(value)) if isinstance(value, str | os.PathLike) else typed(value, EmbeddingModel)
