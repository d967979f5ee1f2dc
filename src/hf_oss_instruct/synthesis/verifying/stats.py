"""Statistics of verification for `run.json` and the card: the funnel, yields, the quality of tests, and confidence intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AFTER_TESTS = ("tests_failed", "tests_flaky", "tests_vacuous", "passed")
"""Statuses of rows whose tests were run, in the order of the funnel."""


@dataclass
class VerificationStats:
    """Counts over the rows that verification settled, kept or not.

    Attributes:
        statuses: `execution_status` → rows.
        causes: cause of `not_verifiable` → rows; `context` is the embedded teacher's, see `count_incomplete`.
        languages: language → rows, and those that passed.
        solved: for each attempt, rows in which it passed every test, and rows that some attempt up to it solved.
        tried: for each attempt, rows that have it.
        solutions: status of a solution → solutions.
        marks: mark of a test (`weak`, `repeated`, `flaky`) → tests.
        tests: all tests.
        scores: sum of the mutation scores, and rows that have one.
        reruns: runs that looked for flaky tests, in rows without any.
        tiers, toolchains: sandbox tier → rows; language → what ran it.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    languages: dict[str, Counter[str]] = field(default_factory=dict)
    tried: Counter[int] = field(default_factory=Counter)
    solved: Counter[int] = field(default_factory=Counter)
    first_solved: Counter[int] = field(default_factory=Counter)
    solutions: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    tests: int = 0
    scores: float = 0.0
    scored: int = 0
    reruns: int = 0
    tiers: Counter[str] = field(default_factory=Counter)
    toolchains: dict[str, str] = field(default_factory=dict)

    def count(self, facts: Mapping[str, Any], language: str, cause: str) -> None:
        """Count a row by its columns.

        Args:
            facts: the columns of verification.
            language: of the row.
            cause: why it cannot be verified, if it cannot.
        """
        status = str(facts["execution_status"])
        self.statuses[status] += 1
        self.causes.update([cause] if cause else [])
        self.languages.setdefault(language, Counter()).update(["pairs", *([status] if status == "passed" else [])])
        solutions = facts["solutions"] or []
        passed = [number for number, solution in enumerate(solutions, 1) if solution["status"] == "passed"]
        self.tried.update(range(1, len(solutions) + 1))
        self.solved.update(passed)
        self.first_solved.update(passed[:1])
        self.solutions.update(solution["status"] for solution in solutions)
        if facts["test_results"]:
            self.tests += len(facts["test_results"])
            self.marks.update(mark for mark in facts["test_marks"] or () if mark)
        if (score := facts["mutation_score"]) is not None:
            self.scores += score
            self.scored += 1
        # The bound on flakiness is for tests that never changed their result.
        if not facts["flaky"]:
            self.reruns += facts["reruns"] or 0
        if facts["sandbox"]:
            self.tiers[facts["sandbox"]] += 1
        if facts["toolchain"]:
            self.toolchains[language] = facts["toolchain"]

    def count_incomplete(self, language: str) -> None:
        """Count a function that the embedded teacher gives no pair for, because it needs its class or module."""
        self.statuses["not_verifiable"] += 1
        self.causes["context"] += 1
        self.languages.setdefault(language, Counter()).update(["pairs"])

    def report(self, kept: int) -> dict[str, Any]:
        """The entry `verification` of `run.json`.

        Args:
            kept: rows that every check kept.
        """
        pairs = self.statuses.total()
        return {
            "funnel": self._funnel(pairs) | {"kept": kept},
            "statuses": dict(sorted(self.statuses.items())),
            "not_verifiable": dict(sorted(self.causes.items())),
            "languages": {
                name: {"pairs": counts["pairs"], "passed": counts["passed"]} for name, counts in sorted(self.languages.items())
            },
            "attempts": self._attempts(pairs),
            "solutions": dict(sorted(self.solutions.items())),
            "tests": {"run": self.tests, **{mark: self.marks[mark] for mark in ("weak", "repeated", "flaky")}},
            "mutation_score": {"mean": round(self.scores / self.scored, 4) if self.scored else None, "rows": self.scored},
            # The rule of three: no change in n reruns bounds the rate of changes by 3/n, at 95 % confidence.
            "flake_bound": {"reruns": self.reruns, "bound": round(min(3 / self.reruns, 1.0), 6) if self.reruns else None},
            "sandbox": dict(sorted(self.tiers.items())),
            "toolchains": dict(sorted(self.toolchains.items())),
        }

    def _funnel(self, pairs: int) -> dict[str, int]:
        verifiable = pairs - self.statuses["not_verifiable"]
        with_tests = sum(self.statuses[status] for status in AFTER_TESTS)
        not_failed = with_tests - self.statuses["tests_failed"]
        return {
            "pairs": pairs,
            "verifiable": verifiable,
            "with_tests": with_tests,
            "solution_passes": not_failed,
            "tests_worth_passing": self.statuses["passed"],
        }

    def _attempts(self, pairs: int) -> list[dict[str, Any]]:
        """By attempt: how many rows have it, in how many it passes, and the share of rows solved by then."""
        attempts, solved = [], 0
        for number in sorted(self.tried):
            solved += self.first_solved[number]
            passed, tried = self.solved[number], self.tried[number]
            entry = {"attempt": number, "tried": tried, "passed": passed, "pass_rate": round(passed / tried, 4)}
            attempts.append(entry | {"solved_by_then": round(solved / pairs, 4)})
        return attempts
