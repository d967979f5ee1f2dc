"""The rubric that judges score by: criteria with weights, and a scale."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from hf_oss_instruct.argument_types import as_path
from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.structured import MAX_YAML_CHARS, load_yaml

MAX_CRITERIA = 20
MAX_SCALE = 1000
"""The most a scale may reach, up or down."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Criterion:
    """What is judged.

    Attributes:
        name: a word, as judges repeat it.
        description: the meaning of the best score.
        weight: its weight in the mean; 0 records a score that does not count.
    """

    name: str
    description: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Rubric:
    """Criteria and the scale of their scores.

    Attributes:
        low: the lowest score.
        high: the highest score.
        criteria: what is judged.
    """

    low: int
    high: int
    criteria: tuple[Criterion, ...]

    @classmethod
    def from_values(cls, values: Any, name: str = "The rubric") -> Rubric:
        """The YAML form of a rubric.

        Args:
            values: `scale` (two whole numbers) and `criteria` (name → `description` and, optionally, `weight`).
            name: its name in errors.

        Raises:
            UsageError: a key is unknown, the scale is reversed, there are no criteria or no weights, or a value is invalid.
        """
        top = _mapping(values, {"scale", "criteria"}, name, required={"criteria"})
        low, high = _scale(top.get("scale", [1, 5]), name)
        listed = top["criteria"]
        if not isinstance(listed, Mapping) or not 1 <= len(listed) <= MAX_CRITERIA:
            raise UsageError(f"{name}: criteria must be 1 to {MAX_CRITERIA} names with their descriptions.")
        criteria = tuple(_criterion(word, found, name) for word, found in listed.items())
        if not any(criterion.weight for criterion in criteria):
            raise UsageError(f"{name}: every weight is 0, so the mean is undefined. Give a criterion a weight above 0.")
        return cls(low, high, criteria)

    @classmethod
    def from_file(cls, path: str | Path) -> Rubric:
        """The rubric in a YAML file.

        Raises:
            UsageError: it cannot be read, or see `from_values`.
        """
        try:
            with as_path("rubric", path).open("rb") as file:
                # A character has at most four bytes, so this is enough to find out whether a file is too large.
                text = file.read(4 * MAX_YAML_CHARS).decode("utf-8")
            values = load_yaml(text)
        except (OSError, ValueError) as error:
            raise UsageError(f"The rubric {str(path)!r} cannot be read: {error}. Compare it with the default.") from error
        return cls.from_values(values, f"The rubric {str(path)!r}")

    @classmethod
    def default(cls) -> Rubric:
        """The rubric of this package."""
        return _default()

    @classmethod
    def of(cls, given: Rubric | Mapping[str, Any] | str | Path | None) -> Rubric:
        """The rubric that a caller means: one, its values, a file, or the default."""
        if given is None:
            return cls.default()
        if isinstance(given, Rubric):
            return given
        return cls.from_values(given) if isinstance(given, Mapping) else cls.from_file(given)

    def as_dict(self) -> dict[str, Any]:
        """The rubric as plain values, as in its YAML."""
        criteria = {
            criterion.name: {"description": criterion.description, "weight": criterion.weight} for criterion in self.criteria
        }
        return {"scale": [self.low, self.high], "criteria": criteria}

    def order(self, row_id: str, judge: str) -> tuple[Criterion, ...]:
        """The criteria in the order in which a judge sees them for a row: shuffled by a hash, since judges favor positions."""
        return tuple(sorted(self.criteria, key=lambda criterion: digest("order", row_id, judge, criterion.name)))

    def mean(self, scores: Mapping[str, list[float]]) -> float:
        """The weighted mean over criteria of the mean over judges.

        Args:
            scores: criterion → its score by each judge.
        """
        total = sum(criterion.weight for criterion in self.criteria)
        return (
            sum(criterion.weight * sum(scores[criterion.name]) / len(scores[criterion.name]) for criterion in self.criteria)
            / total
        )


@cache
def _default() -> Rubric:
    text = files(__package__).joinpath("rubric.yaml").read_text("utf-8")
    return Rubric.from_values(load_yaml(text), "The default rubric")


def _mapping(values: Any, known: set[str], name: str, required: set[str]) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise UsageError(f"{name} must contain keys and values ({', '.join(sorted(known))}), not {type(values).__name__}.")
    if unknown := sorted(map(str, values.keys() - known)):
        raise UsageError(f"{name} has unknown keys: {', '.join(unknown)}. Known keys: {', '.join(sorted(known))}.")
    if missing := sorted(required - values.keys()):
        raise UsageError(f"{name} lacks {', '.join(missing)}. Compare it with the default.")
    return values


def _scale(value: Any, name: str) -> tuple[int, int]:
    # Not isinstance, which takes True for an integer.
    whole = isinstance(value, list) and len(value) == 2 and all(type(bound) is int and abs(bound) <= MAX_SCALE for bound in value)
    if not whole:
        raise UsageError(f"{name}: scale is {value!r:.80}, and should be two whole numbers such as [1, 5].")
    if value[0] >= value[1]:
        raise UsageError(f"{name}: scale is {value}. Put the lowest score first and a higher one after it.")
    return value[0], value[1]


def _criterion(word: Any, value: Any, name: str) -> Criterion:
    if not isinstance(word, str) or not _NAME.fullmatch(word):
        raise UsageError(f"{name}: the criterion {word!r:.80} should be a name in lower case, such as self_containedness.")
    values = _mapping(value, {"description", "weight"}, f"{name}, criterion {word}", required={"description"})
    description, weight = values["description"], values.get("weight", 1)
    if not isinstance(description, str) or not description.strip():
        raise UsageError(f"{name}: the description of {word} is {description!r:.80}, and should be a sentence.")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= MAX_SCALE:
        raise UsageError(f"{name}: the weight of {word} is {weight!r:.80}, and should be a number from 0 to {MAX_SCALE}.")
    return Criterion(word, " ".join(description.split()), float(weight))
