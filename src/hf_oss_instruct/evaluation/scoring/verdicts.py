"""The verdict on a sample, as `verdicts.jsonl` stores it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

NOT_FINAL = ("sandbox_error", "not_evaluated")
"""Statuses that say nothing about the sample: excluded from every score, and retried by the next run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one sample: a line of `verdicts.jsonl`.

    Attributes:
        task_id: ID of the problem.
        sample: index of the sample among those of the problem, from 0.
        status: one of `judgement.STATUSES`, over all tests.
        base: whether it passes the base benchmark's tests; None if they are not distinguished.
        plus: whether it passes all tests of a plus benchmark, including the base tests; None if there are none.
        reason: the exception or anomaly, in one line.
        wall_s: wall time of the deciding run, in seconds.
        cpu_s: CPU time of the deciding run, in seconds.
        program: the program that was run, without tests.
        answer: the model's output.
        extracted: how the program was extracted, see `extraction.Extracted.how`.
        retried: whether it was run again alone, after it had hit the wall time limit.
        per_input: one character per call, `1` for a correct answer; inputs after a failed batch are not run and count as `0`.
        graded: `outside` if answers were compared outside the solution's process, `inside` if its tests ran there; empty if
            nothing ran.
        stderr: the end of the program's stderr.
        sandbox: name of the sandbox tier that ran it; empty if nothing ran.
        key: hash of program, tests, limits and toolchain.
    """

    task_id: str
    sample: int
    status: str
    base: bool | None
    plus: bool | None
    reason: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    program: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)
    extracted: str = ""
    retried: bool = False
    per_input: str = field(default="", repr=False)
    stderr: str = field(default="", repr=False)
    sandbox: str = ""
    key: str = ""
    graded: str = ""

    @property
    def final(self) -> bool:
        """Whether the verdict is about the sample, and not about the machine."""
        return self.status not in NOT_FINAL

    @property
    def passed(self) -> bool:
        """Whether the sample passes every test."""
        return self.status == "passed"

    @classmethod
    def from_json(cls, columns: Mapping[str, Any]) -> Verdict:
        """Create a verdict from its parsed line; unknown fields are ignored.

        Raises:
            TypeError: a field is missing or has the wrong type.
        """
        verdict = cls(**{column.name: columns[column.name] for column in fields(cls) if column.name in columns})
        for name, kind in get_type_hints(cls).items():
            if not isinstance(getattr(verdict, name), (int | float) if kind is float else kind):
                raise TypeError(f"{name} is {getattr(verdict, name)!r:.60}, and should be {getattr(kind, '__name__', kind)}")
        return verdict


def results_by_problem(verdicts: Sequence[Verdict], field_name: str) -> dict[str, list[bool]]:
    """Map each problem to whether its samples passed, by `base`, `plus` or `passed`; samples without a verdict are left out."""
    results: dict[str, list[bool]] = {}
    for verdict in verdicts:
        value = getattr(verdict, field_name)
        if verdict.final and value is not None:
            results.setdefault(verdict.task_id, []).append(value)
    return results
