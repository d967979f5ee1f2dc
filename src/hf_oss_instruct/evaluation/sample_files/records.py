"""What a file of samples is made of: records, and faults where there should have been one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.errors import EvaluationError

SHOWN = 3
"""Faults that an error message quotes; the others are counted."""


@dataclass(frozen=True, slots=True)
class Record:
    """The texts that a file holds for one problem in one place. One of `task_id`, `position` and `query` says for which problem.

    Attributes:
        place: file and line, for error messages.
        kind: `completion`, `solution`, `answer` or `program`, as `extraction.extract` calls it.
        texts: what the model wrote, a text for each sample.
        task_id: the problem's id as the file writes it.
        position: index of the problem in the benchmark, and the number of problems in the file.
        query: what the model was asked, which quotes the problem's prompt.
        sample: the number that the file gives the sample, or None.
    """

    place: str
    kind: str
    texts: Sequence[str]
    task_id: str | None = None
    position: tuple[int, int] | None = None
    query: str | None = None
    sample: Any = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A place that should hold a sample and does not.

    Attributes:
        place: file and line.
        what: what is wrong there, as the rest of a sentence that begins with the place.
        fix: what to do about it, a sentence.
    """

    place: str
    what: str
    fix: str


def refuse(faults: Sequence[Fault]) -> None:
    """Raise an error that counts the faults and quotes the first ones; do nothing if there are none.

    Raises:
        EvaluationError: there is a fault.
    """
    if not faults:
        return
    shown = faults[:SHOWN]
    quoted = "; ".join(f"{fault.place} {fault.what}" for fault in shown)
    more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
    count = f"{len(faults):,} records cannot be used: " if len(faults) > 1 else ""
    raise EvaluationError(f"{count}{quoted}{more}. {' '.join(dict.fromkeys(fault.fix for fault in shown))}")
