"""Several teachers, each for its share of the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

from hf_oss_instruct.data import Completion, Request, Seed, digest
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.teachers.protocol import Teacher

BITS = 64
"""Bits of the hash that chooses."""


class MixedTeacher(Teacher):
    """Several teachers, each for its share of the seeds.

    A hash of the seed's id chooses, so the choice depends neither on the order of seeds nor on that of teachers, nor on who
    answers first. All requests about a seed go to the same teacher, and rows and keys have that teacher's identity.

    Args:
        parts: teachers with their shares, positive numbers whose sum counts as 1.

    Attributes:
        teachers: the teachers.
        shares: identity → share of the seeds.
    """

    def __init__(self, parts: Sequence[tuple[Teacher, Fraction]]) -> None:
        # Sorted, so that the order in which the user names teachers changes neither identity nor choice.
        parts, whole = sorted(parts, key=lambda part: part[0].identity), sum(share for _, share in parts)
        self.teachers = [teacher for teacher, _ in parts]
        written = {teacher.identity: f"{float(share / whole):.6g}" for teacher, share in parts}
        self.shares = {name: float(share) for name, share in written.items()}
        self.identity = ",".join(f"{name}={share}" for name, share in written.items())
        # As written, so that the identity decides the choice.
        bounds = list(accumulate(map(Fraction, written.values())))
        self._bounds = [bound * 2**BITS / bounds[-1] for bound in bounds]

    def for_seed(self, seed: Seed) -> Teacher:
        """See `Teacher.for_seed`."""
        drawn = int(digest("teacher", seed.seed_id)[: BITS // 4], 16)
        return next(teacher for teacher, bound in zip(self.teachers, self._bounds, strict=True) if drawn < bound)

    async def complete(self, request: Request) -> Completion:
        """See `Teacher.complete`."""
        return await self.for_seed(request.seed).complete(request)

    def begin(self, journal: Path) -> None:
        """See `Teacher.begin`."""
        for teacher in self.teachers:
            teacher.begin(journal)

    async def close(self) -> None:
        """Close all teachers."""
        for teacher in self.teachers:
            await teacher.close()


def shares_in(model: str) -> list[tuple[str, Fraction]]:
    """The models and shares in `a=0.7,b=0.3`; a plain name is one model with share 1.

    Raises:
        UsageError: a share is missing or not a positive number, or a model is named twice.
    """
    parts = [part.strip() for part in model.split(",")]
    if len(parts) == 1 or "=" not in model:
        return [(model, Fraction(1))]
    shares = [_share(part, model) for part in parts]
    if len(dict(shares)) < len(shares):
        raise UsageError(f"--model {model!r} contains a model twice. Give each model one share, as in a=0.7,b=0.3.")
    return shares


def _share(part: str, model: str) -> tuple[str, Fraction]:
    name, _, number = part.rpartition("=")
    try:
        share = Fraction(number)
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not name or share <= 0:
        raise UsageError(f"--model {model!r}: {part!r} is not a model with a share above 0. Write it as a=0.7,b=0.3.")
    return name, share
