"""Calls of functions whose signatures are made from dataclasses, as type checkers see them: `make check` runs mypy on this file.

Nothing here is executed. An ignored error that mypy does not find is an error, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import hf_oss_instruct as oss


def right(teacher: oss.Teacher, seeds: oss.SeedStream) -> Iterator[oss.Row]:
    oss.read_seeds("stdlib", 3, languages=["python"])
    oss.synthesize_to_disk(seeds, teacher, "out", prompt=None, checks=oss.Checks(rule="magicoder"), concurrency=4)
    oss.verify("rows", "out", teacher=teacher, solutions=3)
    oss.evolve("rows", "out", teacher=teacher, rounds=2, n=3)
    oss.judge_rows("rows", "out", judges=[teacher], sampling=None)
    return oss.synthesize(iter(seeds), teacher, prompt="{code}", parser=lambda completion: oss.Pair("p", "s"), style="class")


def wrong(teacher: oss.Teacher, seeds: oss.SeedStream) -> None:
    oss.synthesize()  # type: ignore[call-arg]
    oss.synthesize(seeds, teacher, promt="x")  # type: ignore[call-arg]
    oss.synthesize(seeds, teacher, concurrency="4")  # type: ignore[arg-type]
    oss.synthesize(seeds, teacher, thoughts="keep")  # type: ignore[call-arg]
    oss.synthesize_to_disk(iter(seeds), teacher, "out")  # type: ignore[arg-type]
    oss.verify("rows", "out", verify=True)  # type: ignore[call-arg]
    oss.verify("rows", "out", tester="m")  # type: ignore[arg-type]
    oss.evolve("rows", "out")  # type: ignore[call-arg]
    oss.judge_rows("rows", "out", [teacher])  # type: ignore[call-arg]
