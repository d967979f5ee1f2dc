"""A labelled corpus: solutions and tests with the status that they have to get. Labels were set by hand, not by this program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

DROPPED = ("tests_failed", "tests_vacuous", "tests_flaky", "tests_missing", "not_verifiable")


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        name: what is in it.
        language: of both.
        solution: the program.
        tests: its tests.
        status: one of `verify.STATUSES`, or several between which there is no difference in what is kept.
        kind: `right`, `wrong`, `vacuous`, `flaky`, `hostile`, `hanging` or `elsewhere`.
        quick: whether it is in the quick part.
    """

    name: str
    language: str
    solution: str
    tests: str
    status: str
    kind: str
    quick: bool = False


_STATUS = {"right": "passed", "wrong": "tests_failed", "vacuous": "tests_vacuous", "flaky": "tests_flaky|tests_failed"}


def adder(cases: list[Case], language: str) -> Callable[[str, str, str, str], None]:
    """A function that adds a row by its name, kind, solution and tests, with the status that its kind has."""

    def add(name: str, kind: str, solution: str, tests: str) -> None:
        cases.append(Case(name, language, solution, tests, _STATUS[kind], kind))

    return add
