"""The quality of tests: their results on stubs, mutants and an equivalent of the solution, and on the same program again."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from typing import Any

from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.verification.python_runs import is_graded_outside
from hf_oss_instruct.verification.quality.equivalents import equivalent
from hf_oss_instruct.verification.quality.mutants import mutants
from hf_oss_instruct.verification.quality.stubs import stubs
from hf_oss_instruct.verification.running import run_all
from hf_oss_instruct.verification.runs import LIMITS, Run, SuiteResult
from hf_oss_instruct.verification.suites.core import Suite

CHANCE = re.compile(
    r"[Rr]andom|Math\.rand|time|Time\b|date|Date\b|Instant|uuid|UUID|Guid|secrets|[Ss]huffle|Thread|async|go func|rand\b|"
    r"HashMap|hash\(|\bid\(|set\(|\{['\"\d]"
)
"""Constructs whose result may differ each time; then there are `MORE_RERUNS`."""
MORE_RERUNS = 8
ZONES = ("UTC-12", "UTC+11", "UTC-5:30", "UTC+3")
"""Time zones of reruns, as POSIX writes them."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Facts about a suite.

    Attributes:
        stubs: for each stub, a character for each test: `1` if it passes, `0` if not, `?` if the process had ended before it.
        mutants: for each mutant that compiles and is not equivalent, the same.
        operators: for each of these, its operator and line.
        reruns: for each rerun, the same.
        equivalent: the same for the equivalent program; empty if there is none.
        own: the same for the solution in the run beside these.
        sandbox_error: the sandbox failure, if nothing is known.
    """

    stubs: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    reruns: tuple[str, ...] = ()
    equivalent: str = ""
    own: str = ""
    sandbox_error: str = ""

    @property
    def passes_a_stub(self) -> bool:
        """Whether all that the solution passes also passes on a stub."""
        return any(self._passes_all(stub) for stub in self.stubs)

    @property
    def killed(self) -> int:
        """How many mutants fail a test that the solution passes."""
        return sum(not self._passes_all(mutant) for mutant in self.mutants)

    @property
    def mutation_score(self) -> float | None:
        """Share of mutants that were killed; None without mutants."""
        return self.killed / len(self.mutants) if self.mutants else None

    @property
    def flaky(self) -> tuple[int, ...]:
        """Tests whose results differ between runs of the same program."""
        return tuple(
            index for index, bit in enumerate(self.own) if len({bit, *(rerun[index] for rerun in self.reruns)} - {"?"}) > 1
        )

    @property
    def reads_source(self) -> bool:
        """Whether a test fails on the equivalent program and never on the solution."""
        steady = set(range(len(self.own))) - set(self.flaky)
        return bool(self.equivalent) and any(self.own[index] == "1" and self.equivalent[index] == "0" for index in steady)

    def marks(self) -> tuple[str, ...]:
        """For each test `weak`, `repeated`, `flaky` or nothing.

        `weak` passes on every stub and kills no mutant while others do; `repeated` has the results of an earlier test on all
        stubs and mutants.
        """
        programs = [*self.stubs, *self.mutants]
        patterns = ["".join(program[index] for program in programs) for index in range(len(self.own))]
        kills = ["0" in "".join(mutant[index] for mutant in self.mutants) for index in range(len(self.own))]
        marks = []
        for index, pattern in enumerate(patterns):
            on_stubs = pattern[: len(self.stubs)]
            if index in self.flaky:
                marks.append("flaky")
            elif programs and "0" not in on_stubs and not kills[index] and (any(kills) or not self.mutants):
                marks.append("weak")
            else:
                marks.append("repeated" if programs and pattern in patterns[:index] else "")
        return tuple(marks)

    def _passes_all(self, other: str) -> bool:
        return all(theirs == "1" for own, theirs in zip(self.own, other, strict=True) if own == "1")


def measure(
    suite: Suite,
    solution: str,
    *,
    most_mutants: int = 8,
    most_stubs: int | None = None,
    reruns: int = 2,
    limits: Limits = LIMITS,
    tier: str | None = None,
    packages: tuple[str, ...] = (),
) -> Quality:
    """Measure a suite by a solution that passes it.

    Args:
        suite: the tests.
        solution: the program.
        most_mutants: how many mutants at most.
        most_stubs: how many stubs at most; all by default.
        reruns: how often the solution is run again; the equivalent program takes the place of the second.
        limits: of each run.
        tier: as of `run_program`.
        packages: as of `run_program`; for Python.

    Raises:
        SandboxError: this machine has no sandbox.
        ToolchainMissingError: a compiler or interpreter is not installed.
    """
    language = suite.language
    empty = stubs(solution, language)[:most_stubs]
    changed = mutants(solution, language, most_mutants, program=suite.is_pairs)
    other = equivalent(solution, language)
    parts = [solution, suite.run_preamble, suite.preamble, *suite.more, *(test.text for test in suite.tests)]
    if reruns and any(map(CHANCE.search, parts)):
        reruns += MORE_RERUNS
    again = [Run(0, reversed=index % 2 == 0, tz=ZONES[index % len(ZONES)]) for index in range(reruns)]
    # One compilation for all programs. A seed of hashes belongs to a process of Python, so that reruns
    # with others are calls of their own there.
    if suite.language != "python" or suite.is_pairs:
        programs = [solution, other, *empty, *(mutant.text for mutant in changed)]
        runs = [Run(), Run(1), *(Run(index, variant=True) for index in range(2, len(programs))), *again]
        ran = run_all(suite, programs, runs, limits, tier=tier, packages=packages)
        own, of_equivalent, of_others, of_again = ran[0], ran[1], ran[2 : len(programs)], ran[len(programs) :]
        in_order = again
    else:
        programs = [solution, *empty, *(mutant.text for mutant in changed)]
        runs = [Run(), *(Run(index, variant=True) for index in range(1, len(programs)))]
        run = functools.partial(
            run_all,
            suite,
            limits=limits,
            tier=tier,
            packages=packages,
            guarded=not is_graded_outside(suite, tier, packages),  # then the verdict depends on no run here
        )
        own, *of_others = run(programs, runs)
        of_again = run([solution], again[::2], hash_seed=1) if again else []
        with_equivalent = [Run(0), *(replace(again_run, program=1) for again_run in again[1::2])]
        of_equivalent, *others = run([other, solution], with_equivalent, hash_seed=2)
        of_again, in_order = [*of_again, *others], [*again[::2], *again[1::2]]
    sandbox_error = next(
        (result.sandbox_error for result in [own, of_equivalent, *of_others, *of_again] if result.sandbox_error), ""
    )
    of_stubs, of_mutants = of_others[: len(empty)], of_others[len(empty) :]
    kept = [(result, mutant) for result, mutant in zip(of_mutants, changed, strict=True) if result.compiled]
    return Quality(
        tuple(_bits(result) for result in of_stubs if result.compiled),
        tuple(_bits(result) for result, _ in kept),
        tuple(f"{mutant.operator} {mutant.line}" for _, mutant in kept),
        tuple(_bits(result, run.reversed) for result, run in zip(of_again, in_order, strict=True)),
        _bits(of_equivalent) if of_equivalent.compiled else "",
        _bits(own),
        sandbox_error,
    )


def _bits(ran: SuiteResult, is_reversed: bool = False) -> str:
    """A character for each test: `1` if it passed, `0` if it failed or ended the process, `?` if it was not run."""
    bits = ["?" if outcome is None else "01"[outcome.passed] for outcome in ran.outcomes]
    missing = [index for index, bit in enumerate(bits) if bit == "?"]
    if missing and not any(outcome is not None and outcome.detail == "timeout" for outcome in ran.outcomes):
        # The first test without a result ended the process.
        bits[missing[-1 if is_reversed else 0]] = "0"
    return "".join(bits) if not ran.load_error else "0" * len(bits)


def from_json(columns: dict[str, Any]) -> Quality:
    """A quality out of plain JSON values."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()}
    return Quality(**values)
