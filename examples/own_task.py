"""A generation task of your own, chained behind OSS-Instruct: a reviewer flags every pair. The prompt is the text file beside it.

For a real reviewer, replace the stub: InferenceTeacher("my-model", "http://localhost:8080/v1"). `docs/tasks.md` says what a task
gets for free, and how to run it over a finished dataset.
"""

from dataclasses import dataclass
from pathlib import Path

from hf_oss_instruct import CommentFunctionTeacher, Completion, GenerationTask, Teacher, read_seeds, synthesize
from hf_oss_instruct.errors import RowRejectedError

PROMPT = Path(__file__).with_suffix(".txt").read_text("utf-8")


@dataclass(frozen=True)
class Review(GenerationTask):
    teacher: Teacher
    name = "review"

    def messages(self, row):
        return [{"role": "user", "content": PROMPT.replace("{solution}", row["solution"])}]

    def read(self, row, completion):
        word = completion.text.strip().lower()
        if word not in ("pure", "impure"):
            raise RowRejectedError("unparsable", f"the reviewer said {word[:40]!r}")
        return row | {"flags": [*(row["flags"] or []), f"review:{word}"]}


class Stub(Teacher):
    identity = "stub/1"

    async def complete(self, request):
        return Completion("impure" if "open(" in request.messages[0]["content"] else "pure", finish_reason="stop")


for row in synthesize(read_seeds("stdlib", n=5, sampler="functions"), CommentFunctionTeacher(), then=[Review(Stub())]):
    print(row["flags"], row["problem"].splitlines()[0])
