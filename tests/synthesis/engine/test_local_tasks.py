"""What follows a local task: a teacher that is refused there ends the run, as one that is refused at its begin."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.data import Completion, Provenance, Request, Row, Seed
from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.synthesis.engine import outcomes
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask, LocalTask
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.teachers.protocol import Teacher

PROVENANCE = Provenance("corpus", "v1", "a.py", 0, "python")
SEEDS = [Seed(f"x = {number}", number + 1, number + 1, PROVENANCE, "hash/1", 0, index=number) for number in range(4)]


class Counting(Teacher):
    """A teacher that counts its requests."""

    identity = "counting/1"

    def __init__(self) -> None:
        self.requests = 0

    async def complete(self, request: Request) -> Completion:
        self.requests += 1
        return Completion("a text", "stop")


class NoTeacher:
    """An object with the members of a teacher that its author thought of."""

    identity, requests = "own/1", 0


class Write(GenerationTask[Seed]):
    name = "write"

    def __init__(self, teacher: Any) -> None:
        self.teacher = teacher

    def messages(self, item: Seed) -> tuple[dict[str, str], ...]:
        return ({"role": "user", "content": item.snippet},)

    def read(self, item: Seed, completion: Completion) -> Row:
        return {"seed_id": item.seed_id}


class HandOn(LocalTask[Seed]):
    """A local task after which the teacher is needed for the first time."""

    name = "hand on"

    def __init__(self, task: Write) -> None:
        self._task = task

    def compute(self, item: Seed) -> FollowUp:
        return FollowUp(self._task, item)


def begin_batch(folder: Path, task: Write) -> None:
    """A batch with the requests of all seeds, which an earlier session has submitted."""
    (folder / "batches").mkdir()
    keys = {task.key(seed): [10, 10] for seed in SEEDS}
    record = {"teacher": "counting/1", "requests": keys, "file_id": "f", "batch_id": "b", "ended": False}
    (folder / "batches" / "000000-b.json").write_text(json.dumps(record))


@pytest.mark.parametrize("local", [False, True], ids=["at the begin", "after a local task"])
@pytest.mark.parametrize(
    ("teacher", "message"), [(Counting(), "went into batches"), (NoTeacher(), "subclass")], ids=["batches", "no teacher"]
)
def test_a_teacher_that_is_refused_gets_no_request_and_ends_the_run(
    tmp_path: Path, teacher: Any, message: str, local: bool
) -> None:
    task = Write(teacher)
    if isinstance(teacher, Counting):
        begin_batch(tmp_path, task)

    async def run() -> None:
        with Journal(tmp_path) as journal:
            async for _ in outcomes(SEEDS, [HandOn(task) if local else task], journal, concurrency=2):
                pass

    with pytest.raises(OssInstructError, match=message):
        asyncio.run(asyncio.wait_for(run(), 30))
    assert teacher.requests == 0
