"""Rewrite a pair so that its solution has a certain form: functions alone, a script that reads its input, or a class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import orjson

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.data import Completion, Message, Row, digest
from hf_oss_instruct.spec.prompts import CLASS, FUNCTION, SCRIPT
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.generation.prompting import render, template
from hf_oss_instruct.synthesis.generation.solution_form import check_form
from hf_oss_instruct.synthesis.generation.task import GenerationTask, parameters_sent
from hf_oss_instruct.teachers.parsing import parse
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.terminal.display import fence_for

RESTYLE = "restyle"
"""Name of the task in the journal."""
FORMS = {
    FUNCTION: "functions alone. They take arguments and return results; nothing reads input, prints or runs on its own.",
    SCRIPT: "a whole program. It reads its input from standard input and prints its result to standard output, and nothing else.",
    CLASS: "one class. Its constructor takes what stays the same between calls, and its methods do the rest; nothing prints.",
}
"""Style → its description in the prompt."""


@dataclass(frozen=True)
class RestyleTask(GenerationTask[Row]):
    """Requests a pair in another form. The row keeps its provenance; its problem and solution are new.

    Attributes:
        teacher: who rewrites.
        style: one of `FORMS`.
        sampling: sampling parameters.
        keep_reasoning: whether to store the teacher's reasoning about the rewritten pair in the column `reasoning`.
    """

    teacher: Teacher
    style: str
    sampling: Sampling = field(default_factory=Sampling)
    keep_reasoning: bool = False
    name = RESTYLE

    def messages(self, item: Row) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        problem, solution = item["problem"], item["solution"]
        return render(
            template(__package__, RESTYLE),
            language=named(item["lang"]).title,
            form=FORMS[self.style],
            fence=fence_for(f"{problem}\n{solution}"),
            problem=problem,
            solution=solution,
        )

    def read(self, item: Row, completion: Completion) -> Row:
        """See `GenerationTask.read`. Tokens are those of both answers."""
        pair = parse(completion)
        check_form(pair.solution, item["lang"], self.style)
        sent = self.request(item).sampling
        row = dict(item) | {
            "problem": pair.problem,
            "solution": pair.solution,
            "teacher": self.teacher_for(item).identity,
            "openai_fingerprint": completion.fingerprint,
            "sampling": orjson.dumps(parameters_sent(sent, completion), option=orjson.OPT_SORT_KEYS).decode(),
            "reasoning": completion.reasoning if self.keep_reasoning else None,
            "flags": [*(item["flags"] or []), f"style:{self.style}"],
            # Tests that came with the pair call the solution in its first form.
            "tests": None,
        }
        for name in ("prompt_tokens", "completion_tokens"):
            counts = [count for count in (item[name], getattr(completion, name)) if count is not None]
            row[name] = sum(counts) if counts else None
        return cast(Row, row)


def prompt_hash(before: str, style: str) -> str:
    """Hash of the prompts that lead to a rewritten row.

    Args:
        before: hash of the prompts of the pair.
        style: the style.
    """
    return digest("prompt", before, FORMS[style], template(__package__, RESTYLE))
