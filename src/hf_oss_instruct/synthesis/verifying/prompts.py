"""Prompts for verification: tests, further solutions, repairs."""

from __future__ import annotations

from collections.abc import Sequence

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.data import Message
from hf_oss_instruct.synthesis.generation.prompting import render, template
from hf_oss_instruct.terminal.display import code_block, one_line

CONVENTIONS = {
    "python": "Write functions `def test_…():` without arguments that use plain `assert`.",
    "javascript": "Use `node:test` and `node:assert`: each test is a call `test('name', () => { … })`.",
    "typescript": "Use `node:test` and `node:assert`: each test is a call `test('name', () => { … })`.",
    "java": "Write one class whose static methods use `assert` or throw; its `main` calls each in a statement of its own.",
    "cpp": "Write functions `void test_…()` that use `assert`; `main` calls each of them in a statement of its own.",
    "go": "Write functions `func Test…(t *testing.T)` of the package `testing`.",
    "rust": "Write functions `fn …()` with `#[test]` that use `assert!` and `assert_eq!`.",
    "php": "Write functions that throw an exception where something is wrong, and call each of them in a statement of its own.",
    "ruby": "Write methods that raise an error where something is wrong, and call each of them in a statement of its own.",
    "shell": "Write functions that return a status other than 0 if something is wrong, and call each in a line of its own.",
    "csharp": "Write one class whose static methods throw if something is wrong; its `Main` calls each in its own statement.",
    "swift": "Write functions that use `assert`, and call each of them in a statement of its own.",
}
"""Language → how tests are written without a framework."""
MAX_FAILURES, MAX_FAILURE_CHARS = 3, 2000
"""Failing tests shown in a repair, and characters of each."""


def tests_prompt(problem: str, signatures: str, language: str) -> tuple[Message, ...]:
    """The request for tests, from problem and signatures.

    Args:
        problem: the problem.
        signatures: the signatures of the solution's functions and classes; empty if there are none.
        language: as in `languages.LANGUAGES`.
    """
    return _filled(
        "tests",
        problem=problem,
        signatures=code_block(signatures, named(language).fence) if signatures else "(none is given: use what the problem names)",
        language=named(language).title,
        convention=CONVENTIONS.get(language, "Use plain assertions and no framework."),
    )


def solve_prompt(problem: str, signatures: str, language: str) -> tuple[Message, ...]:
    """The request for another solution, from the problem and the interface.

    Args:
        problem: the problem.
        signatures: the signatures that the solution must have; empty if there are none.
        language: as in `languages.LANGUAGES`.
    """
    return _filled(
        "solve",
        problem=problem,
        signatures=code_block(signatures, named(language).fence) if signatures else "(as the problem describes it)",
        language=named(language).title,
    )


def repair_prompt(problem: str, solution: str, failures: Sequence[tuple[str, str]], language: str) -> tuple[Message, ...]:
    """The request for a repair.

    Args:
        problem: the problem.
        solution: the program that fails.
        failures: each failing test, and what happened.
        language: as in `languages.LANGUAGES`.
    """
    shown = [
        f"{one_line(reason, 500) or 'it failed'}\n\n{code_block(test[:MAX_FAILURE_CHARS], named(language).fence)}"
        for test, reason in failures[:MAX_FAILURES]
    ]
    return _filled("repair", problem=problem, solution=code_block(solution, named(language).fence), failures="\n\n".join(shown))


def _filled(name: str, **values: str) -> tuple[Message, ...]:
    return render(template(__package__, name), **values)
