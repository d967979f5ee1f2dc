"""The tasks of Evol-Instruct, and what goes through them.

begin → evolve (a harder problem) → answer → evolve → answer → … → the row of the last round

There is an item for each row and round, so that each has its own outcome. The item of round 3 asks the questions of rounds
1 and 2, too; the journal answers them, since the items of those rounds ask the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson

from hf_oss_instruct.data import Completion, Message, Rejection, Row, Seed, digest
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.methods.evolution.prompts import answer_prompt, evolve_prompt, operation_of, prompt_hash
from hf_oss_instruct.methods.evolution.rejections import check_answer, check_problem
from hf_oss_instruct.schemas import SCHEMA, provenance_columns, seed_of
from hf_oss_instruct.spec.evolution import EvolutionSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.generation import FollowUp, GenerationTask, LocalTask, parameters_sent
from hf_oss_instruct.teachers.parsing import problem_section, solution_section
from hf_oss_instruct.teachers.protocol import Teacher


@dataclass(frozen=True, slots=True)
class Evolving:
    """A row on its way to the round whose row is wanted.

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
    def to_round(cls, source: Row, wanted: int) -> Evolving:
        """A row at the beginning of its way."""
        return cls(source, wanted, source)

    def after(self, parent: Row) -> Evolving:
        """The next round, which evolves this row."""
        return replace(self, parent=parent, round=self.round + 1, problem="")


@dataclass(frozen=True)
class Evolution:
    """What the tasks of one evolution share.

    Attributes:
        spec: rounds, operations and what is rejected.
        teacher: who evolves.
        solver: who solves.
        sampling: sampling parameters of all requests.
    """

    spec: EvolutionSpec
    teacher: Teacher
    solver: Teacher
    sampling: Sampling = field(default_factory=Sampling)

    def operation(self, item: Evolving) -> str:
        """The operation of the round at work."""
        return operation_of(item.source["seed_id"], item.round, self.spec.operations)

    def lineage(self, item: Evolving) -> dict[str, Any]:
        """The columns `schemas.LINEAGE_COLUMNS` of the row that the round at work gives."""
        rounds = (item.source.get("round") or 0) + item.round
        return {"parent_id": item.parent["seed_id"], "round": rounds, "operation": self.operation(item)}

    def described(self) -> list[str]:
        """What `run.json` lists: the tasks with the teacher of each."""
        return [f"evolve: {self.teacher.identity}", f"answer: {self.solver.identity}"]


class _RoundTask(GenerationTask[Evolving]):
    """A question of a round. A round that fails is skipped: the next one evolves the parent again, as in WizardLM."""

    def __init__(self, evolution: Evolution) -> None:
        self.evolution, self.sampling = evolution, evolution.sampling

    def seed(self, item: Evolving) -> Seed:
        """See `GenerationTask.seed`: the parent's, with the id of the evolved row."""
        lineage = self.evolution.lineage(item)
        return replace(seed_of(item.parent), seed_id=digest("evolved", *lineage.values()))

    def refused(self, item: Evolving, refusal: RowRejectedError) -> FollowUp | Rejection:
        """See `GenerationTask.refused`."""
        if item.round < item.wanted:
            return FollowUp(Evolve(self.evolution), item.after(item.parent))
        lineage = self.evolution.lineage(item)
        return Rejection(self.seed(item), refusal.reason, refusal.detail, item.problem or None, columns=lineage)

    def outcome(self, item: Evolving, completion: Completion) -> Row | FollowUp | Rejection:
        """See `GenerationTask.outcome`."""
        found = super().outcome(item, completion)
        if not isinstance(found, Rejection):
            return found
        failed = self.refused(item, RowRejectedError(found.reason, found.detail))
        return replace(failed, received=found.received) if isinstance(failed, Rejection) else failed


class Evolve(_RoundTask):
    """Asks for a harder problem."""

    name = "evolve"

    def __init__(self, evolution: Evolution) -> None:
        super().__init__(evolution)
        self.teacher = evolution.teacher

    def messages(self, item: Evolving) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        return evolve_prompt(item.parent["problem"], self.evolution.operation(item), item.parent["lang"])

    def read(self, item: Evolving, completion: Completion) -> FollowUp:
        """See `GenerationTask.read`."""
        problem = problem_section(completion.text)
        check_problem(problem, item.parent["problem"], self.evolution.spec.max_similarity)
        return FollowUp(Answer(self.evolution), replace(item, problem=problem))


class Answer(_RoundTask):
    """Asks for the solution of an evolved problem."""

    name = "answer"

    def __init__(self, evolution: Evolution) -> None:
        super().__init__(evolution)
        self.teacher = evolution.solver

    def messages(self, item: Evolving) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        return answer_prompt(item.problem, item.parent["lang"])

    def read(self, item: Evolving, completion: Completion) -> Row | FollowUp:
        """See `GenerationTask.read`."""
        solution, parent = solution_section(completion.text), item.parent
        check_answer(solution, item.problem, parent["solution"], parent["lang"])
        row = self._row(item, solution, completion)
        return row if item.round == item.wanted else FollowUp(Evolve(self.evolution), item.after(row))

    def _row(self, item: Evolving, solution: str, completion: Completion) -> Row:
        """The evolved row. Snippet and license are its parent's; tests are not, since the problem is another."""
        sent = parameters_sent(self.request(item).sampling, completion)
        columns: dict[str, Any] = dict.fromkeys(SCHEMA.names)
        columns |= provenance_columns(self.seed(item)) | self.evolution.lineage(item)
        columns |= {
            "problem": item.problem,
            "solution": solution,
            "teacher": self.teacher_for(item).identity,
            "prompt_hash": prompt_hash(self.evolution.operation(item)),
            "openai_fingerprint": completion.fingerprint,
            "sampling": orjson.dumps(sent, option=orjson.OPT_SORT_KEYS).decode(),
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
        }
        return cast(Row, columns)


class Begin(LocalTask[Evolving]):
    """The first step: hands parents that are kept on as they are, and rejects rows without a problem before anybody is asked."""

    name = "begin"

    def __init__(self, evolution: Evolution) -> None:
        self.evolution = evolution

    def seed(self, item: Evolving) -> Seed:
        """See `LocalTask.seed`."""
        return seed_of(item.source)

    def compute(self, item: Evolving) -> Row | FollowUp | Rejection:
        """See `LocalTask.compute`."""
        if not item.source["problem"].strip():
            return Rejection(seed_of(item.source), "empty", "there is no problem to evolve")
        return FollowUp(Evolve(self.evolution), item) if item.wanted else item.source
