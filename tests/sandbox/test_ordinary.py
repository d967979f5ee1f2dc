"""Right programs pass, however much of their language they use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hf_oss_instruct.sandbox.judge import judge, judge_program
from hf_oss_instruct.sandbox.limits import Limits

from .conftest import ISOLATING
from .ordinary import python_programs

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
            assert all("'spawn' or 'forkserver'" in detail for name, _, _, detail in found if "anew" in name)
