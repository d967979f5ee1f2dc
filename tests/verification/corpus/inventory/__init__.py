"""A second program for each language, an inventory, tested in the ways that models write tests; with subtly wrong versions of it
that every suite fails, and suites that look at nothing."""

from __future__ import annotations

from importlib import import_module

from tests.verification.corpus.cases import Case

LANGUAGES = ("python", "javascript", "typescript", "java", "php", "ruby", "go", "cpp", "shell", "rust", "csharp")
DROPPED = {
    "a generator that is not run": "tests_vacuous|tests_failed", "no case": "tests_vacuous|tests_missing",
    "a promise that nobody waits for": "tests_vacuous|tests_failed",
}  # fmt: skip
"""Statuses of vacuous suites that do not get to their end here, or that end jest's process after it called the test passed."""


def cases(language: str) -> list[Case]:
    """The rows of a language: each suite with the right program and with one of the wrong ones, in turn."""
    module = import_module(f"{__name__}.{language}")
    found = [Case(name, language, module.INVENTORY, tests, "passed", "right") for name, tests in module.FULL.items()]
    wrong = list(module.WRONG.items())
    for number, (name, tests) in enumerate(module.FULL.items()):
        what, (before, after) = wrong[number % len(wrong)]
        assert before in module.INVENTORY
        program = module.INVENTORY.replace(before, after)
        found.append(Case(f"{name}, {what}", language, program, tests, "tests_failed", "wrong"))
    vacuous = module.VACUOUS.items()
    found += [
        Case(name, language, module.INVENTORY, tests, DROPPED.get(name, "tests_vacuous"), "vacuous") for name, tests in vacuous
    ]
    return found


CASES = [case for language in LANGUAGES for case in cases(language)]
