"""What a benchmark is made of: problems, each with what a model is asked and how an answer is graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Calls:
    """A problem's tests as calls of its function; the right answers stay outside the sandbox.

    Attributes:
        inputs: positional arguments of each call, those of the base benchmark first.
        base: how many of the inputs are the base benchmark's; None if this form of the data does not say.
        tolerance: absolute tolerance for floats, 0 for exact.
        expected: what each call returns, or None if the reference solution has to be asked.
        oracle: name in `oracles.ORACLES` of the rule that compares, `equal` for equality.
        adapter: statements after the program that make what the function returns a plain value.
    """

    inputs: Sequence[Sequence[Any]] = field(repr=False)
    base: int | None
    tolerance: float = 0.0
    expected: Sequence[Any] | None = field(default=None, repr=False)
    oracle: str = "equal"
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. It is graded by `calls` if it has them, else by running `tests` after the program.

    Attributes:
        task_id: its id in the benchmark, such as `HumanEval/0`.
        language: the language's name in `languages.LANGUAGES`.
        prompt: what a completion continues.
        entry_point: name of the function to write.
        stop_tokens: texts at which a completion ends.
        fingerprint: hash of the row that it was read from, tests included.
        reference: a whole program that solves it, or None.
        calls: tests as calls.
        tests: tests as the rest of a program. Where they begin with a closing brace, a completion ends before it.
    """

    task_id: str
    language: str
    prompt: str
    entry_point: str
    stop_tokens: tuple[str, ...]
    fingerprint: str
    reference: str | None = None
    calls: Calls | None = None
    tests: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Problems with the name and version of the data they come from.

    Attributes:
        task: the task's name, such as `humaneval_plus` or `multipl_e:java`.
        version: release name, or `repository@commit`, or `sha256:…` of a file that is no release we know.
        source: file or repository that was read.
        problems: id → problem, in the data's order.
    """

    task: str
    version: str
    source: str
    problems: dict[str, Problem] = field(repr=False)
