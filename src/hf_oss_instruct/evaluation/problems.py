"""Benchmarks and their problems, each with a prompt and the tests that grade an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Calls:
    """A problem's tests as calls of its function; the expected values stay outside the sandbox.

    Attributes:
        inputs: positional arguments of each call, with those of the base benchmark first.
        base: number of inputs from the base benchmark; None if this form of the data does not say.
        tolerance: absolute tolerance for floats, 0 for exact.
        expected: the expected value of each call, or None if the reference solution must be run.
        oracle: name of the comparison rule in `oracles.ORACLES`; `equal` for equality.
        adapter: statements to append to the program, which make the function return a plain value.
    """

    inputs: Sequence[Sequence[Any]] = field(repr=False)
    base: int | None
    tolerance: float = 0.0
    expected: Sequence[Any] | None = field(default=None, repr=False)
    oracle: str = "equal"
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, graded by its `calls` if it has them, else by running `tests` after the program.

    Attributes:
        task_id: its ID in the benchmark, such as `HumanEval/0`.
        language: the language's name in `languages.LANGUAGES`.
        prompt: the text that a completion continues.
        entry_point: name of the function to write.
        stop_tokens: stop sequences of a completion.
        fingerprint: hash of the row that it was read from, tests included.
        reference: a whole program that solves it, or None.
        calls: tests as calls.
        tests: tests as the rest of a program. If they start with a closing brace, a completion must end before it.
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
        version: release name, or `repository@commit`, or `sha256:…` of a file that is not a known release.
        source: file or repository it was read from.
        problems: ID → problem, in the order of the data.
    """

    task: str
    version: str
    source: str
    problems: dict[str, Problem] = field(repr=False)
