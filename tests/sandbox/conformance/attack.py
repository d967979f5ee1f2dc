"""What an attack is: a program, the guarantee it breaks, and how harm is seen; the same eyes look at a bare subprocess and at a tier."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .scene import Scene

LIMITS: Mapping[str, float] = {
    "cpu_s": 4, "wall_s": 6, "memory_mib": 256, "processes": 32, "disk_mib": 16, "output_bytes": 65_536,
}  # fmt: skip
"""Limits of every run; an attack on a limit says its own."""


@dataclass(frozen=True)
class Outcome:
    """What one run of a program left for its caller to see.

    Attributes:
        status: the `Execution.status`; for a bare subprocess `ok`, `failed` or `timeout` (of the suite's own safety).
        seconds: wall time from the call to the answer.
        typed: what was found in the input of the caller's terminal; `shown`: what its screen received.
    """

    status: str
    stdout: str = ""
    stderr: str = ""
    seconds: float = 0.0
    typed: str = ""
    shown: str = ""


Harm = Callable[["Scene", Outcome], bool]


def says_hit(scene: Scene, outcome: Outcome) -> bool:
    """The program says on a line of its own that it got through (a traceback that quotes its source does not count)."""
    return scene.hit in outcome.stdout.splitlines()


def tells_the_secret(scene: Scene, outcome: Outcome) -> bool:
    """What only the host knew is in the output."""
    return scene.secret in outcome.stdout + outcome.stderr


def reaches(limit: float) -> Harm:
    """The program got further than the limit; it prints `REACHED n` at each step, so that being killed hides nothing."""
    return lambda _, outcome: max(map(int, re.findall(r"^REACHED (\d+)$", outcome.stdout, re.M)), default=0) > limit


@dataclass(frozen=True)
class Attack:
    """One hostile program.

    Attributes:
        name: a short claim of what it does.
        guarantee: the name in `GUARANTEES` that it breaks.
        language: as in the language table.
        source: the program; `@NAME@` stands for a canary of the scene.
        harm: whether it got through.
        limits: what differs from `LIMITS`.
        victim: a second, innocent program that runs after it.
        needs: conditions (`runners.CONDITIONS`) without which even a bare subprocess cannot do it.
        kernel: whether a kernel may lack the interface it uses: where a bare subprocess fails, nothing is claimed.
        terminal: whether the caller has a terminal.
        machine_wide: whether a tier without a control group sees it only in a total of the whole machine, which other processes
            change too: it did harm where three runs did.
    """

    name: str
    guarantee: str
    language: str
    source: str
    harm: Harm = says_hit
    limits: Mapping[str, float] = field(default_factory=dict)
    victim: str | None = None
    needs: tuple[str, ...] = ()
    kernel: bool = False
    terminal: bool = False
    machine_wide: bool = False
