"""What is verified: a row with its solutions and tests, as it goes from task to task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hf_oss_instruct.data import Row
from hf_oss_instruct.verification.programs import program_in


@dataclass(frozen=True, slots=True)
class Solution:
    """A solution as it was written.

    Attributes:
        text: Markdown or code, as the teacher gave it.
        program: the program in it; empty if there is none.
        teacher: who wrote it.
        rejection: why there is no program: a reason of `data.REASONS`, or `other_language`.
    """

    text: str
    program: str
    teacher: str
    rejection: str = ""

    @classmethod
    def of(cls, text: str, teacher: str, language: str) -> Solution:
        """A solution in a language; of another one it is not run.

        Args:
            text: Markdown or code, as the teacher gave it.
            teacher: identity of who wrote it.
            language: the language that it should be in, as in `languages.LANGUAGES`.
        """
        program = program_in(text, language)
        if program.language != language:
            return cls(text, "", teacher, "other_language")
        return cls(text, program.text, teacher, "" if program.text.strip() else "empty")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row on its way through verification.

    Attributes:
        row: the row as it came.
        language: of its solution, as in `languages.LANGUAGES`.
        solutions: in the order in which they were written, the row's own first.
        signatures: what a tester may see of the row's own solution.
        tests: text of a suite, several texts, or None as long as there are none.
        tester: who wrote the tests; None if they came with the row.
        repairs: the requested number.
        broken: the solution to repair, and each failing test with what happened.
    """

    row: Row
    language: str
    solutions: tuple[Solution, ...]
    signatures: str = ""
    tests: str | Sequence[str] | None = None
    tester: str | None = None
    repairs: int = 0
    broken: tuple[str, tuple[tuple[str, str], ...]] | None = None

    def with_solution(self, solution: Solution) -> Candidate:
        """The candidate with one more solution."""
        return replace(self, solutions=(*self.solutions, solution), broken=None)
