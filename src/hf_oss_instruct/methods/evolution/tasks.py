"""The tasks of Evol-Instruct, and the items that pass through them.

begin → evolve (a harder problem) → answer → evolve → answer → … → the row of the last round

There is an item for each row and round, so that each has its own outcome. The item of round 3 makes the requests of rounds
1 and 2, too; the journal answers them, since the items of those rounds make the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson

from hf_oss_instruct.data import Completion, Message, Rejection, Request, Row, Seed, digest
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.methods.evolution.prompts import answer_prompt, evolve_prompt, operation_of, prompt_hash
from hf_oss_instruct.methods.evolution.rejections import check_answer, check_problem
from hf_oss_instruct.schemas import SCHEMA, provenance_columns, seed_of
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.prompts import JSON
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask, LocalTask, parameters_sent
from hf_oss_instruct.teachers.json_answers import NEITHER, RESPONSE_FORMAT, TEXT, field_in, response_format_of
from hf_oss_instruct.teachers.parsing import problem_section, solution_section
from hf_oss_instruct.teachers.protocol import Teacher


@dataclass(frozen=True, slots=True)
class EvolvingRow:
    """A row on its way to the requested round.

    Attributes:
        source: the row that the rounds began with.
        wanted: number of the round whose row this becomes; 0 for the source itself.
        parent: the row to evolve: that of the last round that gave one, at first the source.
        round: number of the round at work, from 1.
        problem: the evolved problem; empty until there is one.
    """

    source: Row
    wanted: int
    parent: Row
    round: int = 1
    problem: str = ""

    @classmethod
    def to_round(cls, source: Row, wanted: int) -> EvolvingRow:
        """A row at the beginning of its way."""
        return cls(source, wanted, source)

    def after(self, parent: Row) -> EvolvingRow:
        """The next round, which evolves this row."""
        return replace(self, parent=parent, round=self.round + 1, problem="")


@dataclass(frozen=True)
class Evolution:
    """State shared by the tasks of one evolution.

    Attributes:
        spec: rounds, operations and `max_similarity`.
        teacher: who evolves.
        solver: who solves.
        sampling: sampling parameters of all requests.
        as_json: whether answers are requested as JSON objects, with a schema.
    """

    spec: EvolutionSpec
    teacher: Teacher
    solver: Teacher
    sampling: Sampling = field(default_factory=Sampling)
    as_json: bool = False

    def operation(self, item: EvolvingRow) -> str:
        """The operation of the round at work."""
        return operation_of(item.source["seed_id"], item.round, self.spec.operations)

    def lineage(self, item: EvolvingRow) -> dict[str, Any]:
        """The columns `schemas.LINEAGE_COLUMNS` of the row that the round at work gives."""
        # The source may have evolved rows: their rounds add up.
        rounds = (item.source.get("round") or 0) + item.round
        return {"parent_id": item.parent["seed_id"], "round": rounds, "operation": self.operation(item)}

    def described(self) -> list[str]:
        """What `run.json` lists: the tasks with the teacher of each."""
        return [f"evolve: {self.teacher.identity}", f"answer: {self.solver.identity}"]


class _RoundTask(GenerationTask[EvolvingRow]):
    """A request of a round. A round that fails is skipped: the next one evolves the parent again, as in WizardLM.

    Attributes:
        asks_for: the part of a pair that its answer is.
    """

    asks_for: str

    def __init__(self, evolution: Evolution) -> None:
        self.evolution, self.sampling = evolution, evolution.sampling

    def request(self, item: EvolvingRow) -> Request:
        """See `GenerationTask.request`."""
        request = super().request(item)
        if not self.evolution.as_json:
            return request
        return replace(request, sampling=request.sampling | {RESPONSE_FORMAT: response_format_of(self.asks_for)})

    def form(self, completion: Completion) -> str | None:
        """See `GenerationTask.form`."""
        if not self.evolution.as_json:
            return None
        try:
            return TEXT if field_in(self._readable(completion).text, self.asks_for) is None else JSON
        except RowRejectedError:  # cut, withheld, or an object without the field
            return NEITHER

    def answer_in(self, text: str, section: Callable[[str], str]) -> str:
        """What an answer says: the field of a JSON object if one was requested and returned, else its section."""
        field = field_in(text, self.asks_for) if self.evolution.as_json else None
        return section(text) if field is None else field

    def seed(self, item: EvolvingRow) -> Seed:
        """See `GenerationTask.seed`: the parent's, with the id of the evolved row."""
        lineage = self.evolution.lineage(item)
        # The id depends on the lineage alone, so that every session and every item of later rounds gives the row the same one.
        return replace(seed_of(item.parent), seed_id=digest("evolved", *lineage.values()))

    def refused(self, item: EvolvingRow, refusal: RowRejectedError) -> FollowUp | Rejection:
        """See `GenerationTask.refused`."""
        if item.round < item.wanted:
            return FollowUp(Evolve(self.evolution), item.after(item.parent))
        lineage = self.evolution.lineage(item)
        return Rejection(self.seed(item), refusal.reason, refusal.detail, item.problem or None, columns=lineage)

    def outcome(self, item: EvolvingRow, completion: Completion) -> Row | FollowUp | Rejection:
        """See `GenerationTask.outcome`."""
        result = super().outcome(item, completion)
        if not isinstance(result, Rejection):
            return result
        failed = self.refused(item, RowRejectedError(result.reason, result.detail))
        # `refused` does not see the answer, which rejected rows are stored with.
        return replace(failed, received=result.received) if isinstance(failed, Rejection) else failed


class Evolve(_RoundTask):
    """Requests a harder problem."""

    name, asks_for = "evolve", "problem"

    def __init__(self, evolution: Evolution) -> None:
        super().__init__(evolution)
        self.teacher = evolution.teacher

    def messages(self, item: EvolvingRow) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        operation, as_json = self.evolution.operation(item), self.evolution.as_json
        return evolve_prompt(item.parent["problem"], operation, item.parent["lang"], as_json=as_json)

    def read(self, item: EvolvingRow, completion: Completion) -> FollowUp:
        """See `GenerationTask.read`."""
        problem = self.answer_in(completion.text, problem_section)
        check_problem(problem, item.parent["problem"], self.evolution.spec.max_similarity)
        return FollowUp(AnswerProblem(self.evolution), replace(item, problem=problem))


class AnswerProblem(_RoundTask):
    """Requests the solution of an evolved problem."""

    name, asks_for = "answer", "solution"

    def __init__(self, evolution: Evolution) -> None:
        super().__init__(evolution)
        self.teacher = evolution.solver

    def messages(self, item: EvolvingRow) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        return answer_prompt(item.problem, item.parent["lang"], as_json=self.evolution.as_json)

    def read(self, item: EvolvingRow, completion: Completion) -> Row | FollowUp:
        """See `GenerationTask.read`."""
        solution, parent = self.answer_in(completion.text, solution_section), item.parent
        check_answer(solution, item.problem, parent["solution"], parent["lang"])
        row = self._row(item, solution, completion)
        return row if item.round == item.wanted else FollowUp(Evolve(self.evolution), item.after(row))

    def _row(self, item: EvolvingRow, solution: str, completion: Completion) -> Row:
        """The evolved row. Snippet and license are its parent's; tests are not, since the problem is another."""
        sent = parameters_sent(self.request(item).sampling, completion)
        columns: dict[str, Any] = dict.fromkeys(SCHEMA.names)
        columns |= provenance_columns(self.seed(item)) | self.evolution.lineage(item)
        columns |= {
            "problem": item.problem,
            "solution": solution,
            "teacher": self.teacher_for(item).identity,
            "prompt_hash": prompt_hash(self.evolution.operation(item), as_json=self.evolution.as_json),
            "openai_fingerprint": completion.fingerprint,
            "sampling": orjson.dumps(sent, option=orjson.OPT_SORT_KEYS).decode(),
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
        }
        return cast(Row, columns)


class StartEvolution(LocalTask[EvolvingRow]):
    """The first step: hands parents that are kept on as they are, and rejects rows without a problem before any request."""

    name = "begin"

    def __init__(self, evolution: Evolution) -> None:
        self.evolution = evolution

    def seed(self, item: EvolvingRow) -> Seed:
        """See `LocalTask.seed`."""
        return seed_of(item.source)

    def compute(self, item: EvolvingRow) -> Row | FollowUp | Rejection:
        """See `LocalTask.compute`."""
        if not item.source["problem"].strip():
            return Rejection(seed_of(item.source), "empty", "there is no problem to evolve")
        return FollowUp(Evolve(self.evolution), item) if item.wanted else item.source
