"""Records of a sample file, and faults in place of unusable ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.errors import EvaluationError

MAX_SHOWN = 3
"""Number of faults that an error message quotes; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Record:
    """The texts for one problem at one location in a file. One of `task_id`, `position` and `query` identifies the problem.

    Attributes:
        location: file and line, for error messages.
        kind: `completion`, `solution`, `answer` or `program`, see `extraction.extract`.
        texts: the model's output, one text per sample.
        task_id: the problem's ID as written in the file.
        position: index of the problem in the benchmark, and the number of problems in the file.
        query: the input of the model, which quotes the problem's prompt.
        sample: number of the sample in the file, or None.
    """

    location: str
    kind: str
    texts: Sequence[str]
    task_id: str | None = None
    position: tuple[int, int] | None = None
    query: str | None = None
    sample: Any = None


@dataclass(frozen=True, slots=True)
class Fault:
    """An unusable record.

    Attributes:
        location: file and line.
        what: the problem, as the rest of a sentence that starts with the location.
        fix: how to fix it, as a sentence.
    """

    location: str
    what: str
    fix: str


def refuse(faults: Sequence[Fault]) -> None:
    """Raise an error that counts the faults and quotes the first ones; do nothing if there are none.

    Raises:
        EvaluationError: there is a fault.
    """
    if not faults:
        return
    shown = faults[:MAX_SHOWN]
    quoted = "; ".join(f"{fault.location} {fault.what}" for fault in shown)
    more = f"; and {len(faults) - MAX_SHOWN:,} more" if len(faults) > MAX_SHOWN else ""
    count = f"{len(faults):,} records cannot be used: " if len(faults) > 1 else ""
    raise EvaluationError(f"{count}{quoted}{more}. {' '.join(dict.fromkeys(fault.fix for fault in shown))}")
