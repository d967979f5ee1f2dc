"""The task of judging: each judge scores a row by the rubric, one after the other; then the row has its mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, cast

from hf_oss_instruct.data import Completion, Message, Rejection, Row, Seed, digest
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.methods.judging.rubric import Rubric
from hf_oss_instruct.schemas import seed_of
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.generation.prompting import render, template
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask
from hf_oss_instruct.teachers.protocol import Teacher


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row with the scores it has so far.

    Attributes:
        row: the row as it came.
        scores: (judge, criterion → score) of each judge whose answer could be used.
        failed: (judge, reason, detail) of the others.
        received: the last answer that could not be used.
    """

    row: Row
    scores: tuple[tuple[str, dict[str, float]], ...] = ()
    failed: tuple[tuple[str, str, str], ...] = ()
    received: str | None = None


@dataclass(frozen=True)
class Judging:
    """State shared by the tasks of judging.

    Attributes:
        rubric: criteria and scale.
        judges: the models that score.
        least: rows with a lower mean are rejected; None keeps all.
        sampling: sampling parameters of the requests.
    """

    rubric: Rubric
    judges: Sequence[Teacher]
    least: float | None = None
    sampling: Sampling = field(default_factory=Sampling)

    def described(self) -> list[str]:
        """What `run.json` lists: the task with each judge."""
        return [f"judge: {judge.identity}" for judge in self.judges]

    def settled(self, item: JudgedRow) -> Row | Rejection:
        """The outcome of a row that every judge has scored."""
        # No judge gave an answer that could be used: without a score the row cannot be kept as a judged one.
        if not item.scores:
            judge, reason, detail = item.failed[-1]
            return Rejection(seed_of(item.row), reason, f"{judge}: {detail}", item.received, columns=_columns(item, None))
        mean = self.rubric.mean(
            {criterion.name: [scores[criterion.name] for _, scores in item.scores] for criterion in self.rubric.criteria}
        )
        columns = _columns(item, mean)
        if self.least is not None and mean < self.least:
            detail = f"the judges' mean is {mean:.2f}, at least {self.least:g} wanted"
            return Rejection(seed_of(item.row), "judged_low", detail, str(item.row["solution"]), columns=columns)
        return cast(Row, dict(item.row) | columns)


def _columns(item: JudgedRow, mean: float | None) -> dict[str, Any]:
    scores = [
        {"judge": judge, "criterion": name, "score": score}
        for judge, by_criterion in item.scores
        for name, score in sorted(by_criterion.items())
    ]
    failed = [(judge, reason) for judge, reason, _ in item.failed]
    return {"judge_scores": scores, "judge_mean": mean, "judge": [judge for judge, _ in item.scores], "judges_failed": failed}


class Judge(GenerationTask[Any]):
    """Requests the scores of one judge; the next one follows.

    Args:
        judging: what all share.
        position: number of the judge.
    """

    name = "judge"

    def __init__(self, judging: Judging, position: int = 0) -> None:
        self.judging, self.position = judging, position
        self.teacher, self.sampling = judging.judges[position], judging.sampling

    def seed(self, item: JudgedRow) -> Seed:
        """See `GenerationTask.seed`."""
        return seed_of(item.row)

    def messages(self, item: JudgedRow) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        return judge_prompt(item.row, self.judging.rubric, self.teacher.identity)

    def read(self, item: JudgedRow, completion: Completion) -> Row | FollowUp | Rejection:
        """See `GenerationTask.read`."""
        scores = scores_in(completion.text, self.judging.rubric)
        return self._next(replace(item, scores=(*item.scores, (self.teacher.identity, scores))))

    def outcome(self, item: JudgedRow, completion: Completion) -> Row | FollowUp | Rejection:
        """See `GenerationTask.outcome`: an answer that cannot be used counts against the judge, not the row."""
        try:
            return self.read(item, self._readable(completion))
        except RowRejectedError as refusal:
            return self.refused(replace(item, received=completion.raw or completion.text), refusal)

    def refused(self, item: JudgedRow, refusal: RowRejectedError) -> Row | FollowUp | Rejection:
        """See `GenerationTask.refused`."""
        failed = (self.teacher.identity, refusal.reason, refusal.detail)
        return self._next(replace(item, failed=(*item.failed, failed)))

    def _next(self, item: JudgedRow) -> Row | FollowUp | Rejection:
        position = self.position + 1
        return (
            FollowUp(Judge(self.judging, position), item) if position < len(self.judging.judges) else self.judging.settled(item)
        )


def judge_prompt(row: Row, rubric: Rubric, judge: str) -> tuple[Message, ...]:
    """The request for the scores of a row.

    Problem and solution are untrusted: they stand between lines with a code that their author could not know, since it is a hash
    of their text.

    Args:
        row: has problem and solution.
        rubric: criteria and scale.
        judge: identity of the judge, which decides the order of the criteria together with the row.
    """
    problem, solution = row["problem"], row["solution"]
    criteria = rubric.order(row["seed_id"], judge)
    return render(
        template(__package__, "judge"),
        low=str(rubric.low),
        high=str(rubric.high),
        criteria="\n".join(f"- {criterion.name}: {criterion.description}" for criterion in criteria),
        code=f"#{digest('judged', problem, solution)[:12]}#",
        problem=problem,
        solution=solution,
    )


@cache
def _pattern(name: str) -> re.Pattern[str]:
    """A criterion with a number: `clarity: 4`, `**Clarity** = 4/5`, `"clarity": 4`, `| clarity | 4 |`, `Clarity - 4`."""
    spelled, quotes = name.replace("_", r"[\s_-]?"), r"[\s\"'*_`]*"
    number = r"(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)(?!\w|[\d.,]*\d)"  # not 1e9, nor 4,5
    return re.compile(rf"(?i)(?<![\w-]){spelled}(?![\w-]){quotes}(?:[:=|]+|\s[-–—]\s){quotes}{number}")


def scores_in(text: str, rubric: Rubric) -> dict[str, float]:
    """The scores in a judge's answer: of each criterion the last line that names it with a number.

    Args:
        text: lines such as `clarity: 4`, also in Markdown or JSON.
        rubric: criteria and scale.

    Raises:
        RowRejectedError: `unparsable`: a criterion has no score, or one outside the scale.
    """
    scores: dict[str, float] = {}
    for criterion in rubric.criteria:
        numbers = _pattern(criterion.name).findall(text)
        if not numbers:
            raise RowRejectedError("unparsable", f"the answer has no score for {criterion.name}")
        score = float(numbers[-1])
        if not rubric.low <= score <= rubric.high:
            raise RowRejectedError("unparsable", f"{criterion.name} is {numbers[-1]}, outside of {rubric.low} to {rubric.high}")
        scores[criterion.name] = score
    return scores
