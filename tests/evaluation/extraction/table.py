"""Wrappings in each language, around a right and a wrong program: `python -m tests.evaluation.extraction.table [LANGUAGE …]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.evaluation.extraction import Extracted, extract
from hf_oss_instruct.evaluation.problems import Benchmark, Problem
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import score
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict
from tests.evaluation.extraction import compiled_pieces, pieces
from tests.evaluation.extraction.answers import written
from tests.evaluation.extraction.list_pieces import list_problem
from tests.evaluation.extraction.pieces import Pieces
from tests.evaluation.extraction.wrappings import wrapped, wrong

PIECES: dict[str, Pieces] = {
    "python": pieces.PYTHON,
    "javascript": pieces.JAVASCRIPT,
    "typescript": pieces.TYPESCRIPT,
    "php": pieces.PHP,
    "shell": pieces.SHELL,
    "ruby": pieces.RUBY,
    "perl": pieces.PERL,
    "lua": pieces.LUA,
    "r": pieces.R,
    "racket": pieces.RACKET,
    "go": compiled_pieces.GO,
    "java": compiled_pieces.JAVA,
    "csharp": compiled_pieces.CSHARP,
    "cpp": compiled_pieces.CPP,
    "rust": compiled_pieces.RUST,
    "d": compiled_pieces.D,
}


@dataclass(frozen=True)
class Cell:
    """A wrapping of a language's right or wrong program, and what became of it."""

    language: str
    wrapping: str
    right: bool
    kind: str
    text: str
    problem: Problem
    extracted: Extracted


def cells(language: str) -> Iterator[Cell]:
    """Every cell of a language. Wrong ones only where the slip is in the program."""
    one = PIECES[language]
    problem, tag = one.problem(language), named(language).fence
    right = list(wrapped(one, tag))
    false = {name: text for name, _, text in wrapped(wrong(one), tag)}
    for name, kind, text in right:
        yield Cell(language, name, True, kind, text, problem, extract(problem, text, kind))
        slipped = false[name] if not name.startswith("·") else text.replace(*one.slip)
        if slipped != text and name not in ("corrected", "an alternative"):
            yield Cell(language, name, False, kind, slipped, problem, extract(problem, slipped, kind))


def written_cells(language: str) -> Iterator[Cell]:
    """Answers of the language's own file, right and wrong, to the problem whose function they define."""
    squares, totals = PIECES[language].problem(language), list_problem(language)
    for name, right, wrong_text in written(language):
        problem = totals if totals.entry_point in right else squares
        for is_right, text in ((True, right), (False, wrong_text)):
            yield Cell(language, name, is_right, "answer", text, problem, extract(problem, text, "answer"))


def judged(table: list[Cell]) -> list[tuple[Cell, Verdict]]:
    """The verdicts of the scoring core; a program that comes up in several cells runs once."""
    distinct = {(cell.problem.task_id, cell.extracted.program, cell.extracted.whole): cell for cell in table}
    problems = {cell.problem.task_id: cell.problem for cell in table}
    samples = [Sample(key[0], at, cell.text, cell.kind) for at, (key, cell) in enumerate(distinct.items())]
    verdicts = dict(zip(distinct, score(Benchmark("pieces", "", "", problems), samples), strict=True))
    return [(cell, verdicts[cell.problem.task_id, cell.extracted.program, cell.extracted.whole]) for cell in table]


def main(languages: list[str]) -> int:
    """Print the table, and what did not come out as it should."""
    begun, bad, count = time.process_time(), 0, 0
    for language in languages or list(PIECES):
        found = judged([*cells(language), *written_cells(language)])
        off = [(cell, verdict) for cell, verdict in found if verdict.passed is not cell.right or not verdict.final]
        rights = sum(cell.right for cell, _ in found)
        missed = sum(cell.right for cell, _ in off)
        wrongs = len(found) - rights
        print(f"{language:11s} right {rights - missed}/{rights}  wrong {wrongs - len(off) + missed}/{wrongs}")
        for cell, verdict in off:
            side, how = "right" if cell.right else "WRONG", cell.extracted.how
            print(f"    {side}  {cell.wrapping}: {verdict.status} ({how}) {verdict.reason[:140]}")
        bad, count = bad + len(off), count + len(found)
    print(f"{count} cells, {bad} off, {time.process_time() - begun:.1f} s of this process")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
