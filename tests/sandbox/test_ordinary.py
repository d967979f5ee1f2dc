"""Right programs pass, however much of their language they use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hf_oss_instruct.evaluation.scoring.scoring import WHOLE_PROGRAM_LIMITS
from hf_oss_instruct.sandbox.judging.judge import judge
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Limits

from .conftest import ISOLATING
from .judging.test_sentinel import needs_toolchain
from .ordinary import MAINS, Parts, parts, python_programs

ROOM = Limits(cpu_s=10, wall_s=60)


def failures(tier: str, file: str = "python.txt") -> list[tuple[str, str, str, str]]:
    """Name, way of judging, status and detail of every program that did not pass."""

    def judged(program):
        called = judge(program.text, "solve", [[3]], [program.value], limits=ROOM, tier=tier)
        whole = judge_program(program.text, f"assert solve(3) == {program.value!r}", limits=ROOM, tier=tier)
        return [
            (program.name, way, found.status, found.detail or (found.execution.stderr[-1500:] if found.execution else ""))
            for way, found in (("judge", called), ("judge_program", whole))
            if found.status != "passed"
        ]

    with ThreadPoolExecutor(2) as pool:
        return [one for found in pool.map(judged, python_programs(file)) for one in found]


def test_ordinary_python_programs_pass(isolating: str) -> None:
    assert len(python_programs()) >= 30
    assert failures(isolating) == []


def test_processes_that_are_started_anew_work_or_are_refused_in_words() -> None:
    for tier in ISOLATING:
        found = failures(tier, "spawned.txt")
        if tier == "bubblewrap":
            assert found == []
        else:
            assert len(found) == 2 * len(python_programs("spawned.txt"))
            anew = [detail for name, _, _, detail in found if "anew" in name]
            assert ["'spawn' or 'forkserver'" in detail for detail in anew] == [True] * 4, anew


@pytest.mark.parametrize("language", MAINS)
def test_ordinary_programs_of_other_languages_pass(language: str) -> None:
    """All of a language's programs in one text, in the best tier of this machine; D compiles slowly, so every other one of it."""
    needs_toolchain(language)
    own = parts(language)
    assert len(own.parts) >= 8
    assert judged(own, list(range(1, len(own.parts) + 1, 2 if language == "d" else 1)), ISOLATING[0]) == ""


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize("language", MAINS)
def test_each_of_them_passes_alone_in_each_tier(language: str, number: int, isolating: str) -> None:
    needs_toolchain(language)
    assert judged(parts(language), [number], isolating) == ""


def judged(own: Parts, numbers: list[int], tier: str) -> str:
    """What is wrong with some programs of a language; nothing if they pass."""
    text, tests = own.program(numbers)
    found = judge_program(text, tests, own.language, WHOLE_PROGRAM_LIMITS, tier=tier)
    said = found.execution.stderr + found.execution.stdout if found.execution else ""
    return "" if found.status == "passed" else f"{found.status}: {found.detail} {said[-1500:]}"
