"""One part of a run whose seeds are divided among several processes or machines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.option_types import OptionType, typed

MAX_SHARDS = 100_000
"""Maximum number of shards."""
SPLIT = "split"
"""Folder next to the shards into which a shard is moved when it is split."""


@dataclass(frozen=True, order=True)
class Shard:
    """Every `count`-th seed of a run, from seed `index` on.

    The rows of all shards together do not depend on `count`, because a seed's position in the run does not.

    Attributes:
        index: number of the shard, from 0.
        count: number of shards.

    Raises:
        UsageError: `index` is not in 0 … `count` − 1, or there are too many shards.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MAX_SHARDS:
            raise UsageError(
                f"A run has 1 to {MAX_SHARDS:,} shards, not {self.count:,}. Pass I/N with such an N, counted from 0/N."
            )
        if not 0 <= self.index < self.count:
            first, last = f"0/{self.count}", f"{self.count - 1}/{self.count}"
            valid = first if self.count == 1 else f"{first} {'or' if self.count == 2 else 'to'} {last}"
            raise UsageError(f"Shard {self.index} of {self.count} does not exist: shards are counted from 0. Pass {valid}.")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse `3/64`.

        Raises:
            UsageError: it is not of this form.
        """
        # Six digits suffice for the largest number of shards.
        if not (match := re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())):
            raise UsageError(f"{text!r} is not a shard. Write I/N, such as 0/64 for the first of 64.")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @property
    def name(self) -> str:
        """The name of its folder: `00003-of-00064`."""
        return f"{self.index:05d}-of-{self.count:05d}"

    def __contains__(self, place: int) -> bool:
        return place % self.count == self.index

    def parts(self, into: int) -> list[Shard]:
        """The shards with the same seeds, `into` of them."""
        return [Shard(self.index + number * self.count, self.count * into) for number in range(into)]

    def has(self, other: Shard) -> bool:
        """Whether all seeds of the other shard are among its own."""
        return other.count % self.count == 0 and other.index % self.count == self.index

    def size(self, total: int) -> int:
        """How many of `total` seeds belong to this shard."""
        return len(range(self.index, total, self.count))


@dataclass(frozen=True)
class ShardOf(OptionType):
    """A shard, written `I/N`."""

    yaml_types = (str,)
    expected = "a string such as '0/64'"

    def to_yaml(self, value: Shard) -> str:
        """See `OptionType.to_yaml`."""
        return str(value)

    def from_yaml(self, value: Any) -> Shard:
        """See `OptionType.from_yaml`."""
        return Shard.parse(typed(value, str))

    def from_python(self, value: Shard | str) -> Shard:
        """See `OptionType.from_python`."""
        return Shard.parse(value) if isinstance(value, str) else typed(value, Shard)
