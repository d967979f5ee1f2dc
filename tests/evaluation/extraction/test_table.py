"""A right program passes and a wrong one fails, whatever it is wrapped in, in every language."""

from __future__ import annotations

import pytest

from hf_oss_instruct.evaluation.extraction.languages import language_of
from tests.evaluation.extraction.table import PIECES, cells, judged, written_cells

QUICK = ("python", "javascript", "php", "shell", "lua")
"""Languages whose programs start in hundredths of a second: these are run every time, the others by `make test-long`."""


def _fails(language: str) -> list[str]:
    found = judged([*cells(language), *written_cells(language)])
    assert len(found) > 100
    return [
        f"{'right' if cell.right else 'wrong'}, {cell.wrapping}: {verdict.status} {verdict.reason}"
        for cell, verdict in found
        if verdict.passed is not cell.right or not verdict.final
    ]


@pytest.mark.parametrize("language", QUICK)
def test_programs_are_judged_right_in_every_dress(language: str) -> None:
    assert _fails(language) == []


@pytest.mark.long
@pytest.mark.parametrize("language", sorted(PIECES.keys() - set(QUICK)))
def test_programs_of_slow_toolchains_are_judged_right_in_every_dress(language: str) -> None:
    assert _fails(language) == []


@pytest.mark.parametrize("language", PIECES)
def test_every_dress_becomes_one_program_with_the_tests(language: str) -> None:
    """Without running anything: no fence is left, program and tests parse together, the entry point is defined."""
    rules, pieces = language_of(language), PIECES[language]
    for cell in cells(language):
        extracted = cell.extracted
        tests = pieces.tests.lstrip().removeprefix("}") if extracted.whole else pieces.tests
        together = rules.source(f"{extracted.program}\n{tests}")
        assert together.clean, (cell.wrapping, extracted.program)
        assert "```\n" not in extracted.program or "docstring" in cell.wrapping, (cell.wrapping, extracted.program)
        assert rules.path_to(pieces.entry, together.items), (cell.wrapping, extracted.program)
        assert (pieces.slip[1] in extracted.program) or cell.right, (cell.wrapping, extracted.program)


def test_the_program_does_not_depend_on_the_wrapping() -> None:
    """What a plain fence gives is what the other wrappings of the same function give."""
    plain = ("no tag", "CRLF", "BOM", "in a list", "in a longer fence", "stub first", "usage before", "own tests in a block")
    for language in PIECES:
        extracted = {cell.wrapping: " ".join(cell.extracted.program.split()) for cell in cells(language) if cell.right}
        assert {extracted[wrapping] for wrapping in plain} == {extracted["fence"]}, language
