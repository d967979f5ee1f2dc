"""Problems from concepts: a snippet gives a list of concepts, and these, without the snippet, the problem and its solution.

A problem that is made from a snippet tends to repeat it. From its concepts alone it becomes another one.

Source:
    SelfCodeAlign, arXiv 2410.24198, section 2.2 (concepts extraction and instruction generation).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import cast

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.data import Completion, Message, Row, Seed, digest
from hf_oss_instruct.errors import RowRejectedError, UsageError
from hf_oss_instruct.spec.prompts import Prompt
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.synthesis.generation.oss_instruct import OssInstructTask
from hf_oss_instruct.synthesis.generation.prompting import render, template
from hf_oss_instruct.synthesis.generation.task import FollowUp, GenerationTask
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.terminal.display import fence_for

MAX_CONCEPTS, MAX_CONCEPT_CHARS = 8, 80
"""Concepts that are used, and characters of one: anything longer is a sentence."""
CONCEPTS = "concepts"
"""Name of the task in the journal."""
# An item of a list, with any bullet or number that models write.
_ITEM = re.compile(r"\s*(?:[-*•–]|\d+[.)])\s+(.*)")


@dataclass(frozen=True, slots=True)
class SeedWithConcepts:
    """A seed with the concepts that its snippet uses."""

    seed: Seed
    concepts: tuple[str, ...]


@dataclass(frozen=True)
class ConceptsTask(GenerationTask[Seed]):
    """Requests which concepts a snippet uses.

    Attributes:
        pair: the task that makes a pair from them.
    """

    teacher: Teacher
    pair: ConceptPairTask
    sampling: Sampling = field(default_factory=Sampling)
    name = CONCEPTS

    def messages(self, item: Seed) -> tuple[Message, ...]:
        """See `GenerationTask.messages`."""
        return render(
            template(__package__, CONCEPTS),
            language=named(item.origin.lang).title,
            fence=fence_for(item.snippet),
            code=item.snippet,
        )

    def read(self, item: Seed, completion: Completion) -> FollowUp:
        """See `GenerationTask.read`."""
        return FollowUp(self.pair, SeedWithConcepts(item, concepts_in(completion.text)))


@dataclass(frozen=True)
class ConceptPairTask(OssInstructTask):
    """OSS-Instruct whose prompt has concepts in place of the snippet; its items are `SeedWithConcepts`."""

    @classmethod
    def of(cls, spec: RunSpec, teacher: Teacher) -> ConceptPairTask:
        """The task of a run; raises as `OssInstructTask.of`, and for the embedded teacher, which names no concepts."""
        if teacher.embedded:
            raise UsageError(f"--concepts needs a model, but {teacher.identity} is not one. Pass one with --model.")
        return cast(ConceptPairTask, super().of(spec, teacher))

    @classmethod
    def default_prompt(cls, *, tests: bool, as_json: bool) -> Prompt:
        """See `OssInstructTask.default_prompt`."""
        return super().default_prompt(tests=tests, as_json=as_json).about_concepts()

    @property
    def first(self) -> ConceptsTask:
        """See `OssInstructTask.first`."""
        return ConceptsTask(self.teacher, self, self.sampling)

    @property
    def pair_prompt_hash(self) -> str:
        """See `OssInstructTask.pair_prompt_hash`."""
        return digest("prompt", template(__package__, CONCEPTS), self.prompt.text)

    @property
    def prompt_text(self) -> str:
        """See `OssInstructTask.prompt_text`."""
        return f"{template(__package__, CONCEPTS).strip()}\n\n---\n\n{self.prompt.text}"

    def seed(self, item: Seed | SeedWithConcepts) -> Seed:
        """See `GenerationTask.seed`."""
        return item.seed if isinstance(item, SeedWithConcepts) else item

    def messages(self, item: SeedWithConcepts) -> tuple[Message, ...]:  # type: ignore[override]
        """See `GenerationTask.messages`."""
        listed = "\n".join(f"- {concept}" for concept in item.concepts)
        return self.prompt.messages(item.seed.snippet, concepts=listed, language=named(item.seed.origin.lang).title)

    def key(self, item: SeedWithConcepts, attempt: int = 0) -> str:  # type: ignore[override]
        """See `GenerationTask.key`: the messages are part of it, since another answer may have named other concepts."""
        identity, sampling = self.teacher_for(item.seed).identity, self._sampling(item.seed)
        return digest("concept_pair", self.messages(item), identity, sampling, attempt)

    def read(self, item: SeedWithConcepts, completion: Completion) -> Row:  # type: ignore[override]
        """See `GenerationTask.read`."""
        row = super().read(item.seed, completion)
        row["concepts"] = list(item.concepts)
        return row


def pair_task(spec: RunSpec, teacher: Teacher) -> OssInstructTask:
    """The task of a run that makes pairs: from snippets, or from their concepts. Raises as `OssInstructTask.of`."""
    return (ConceptPairTask if spec.prompt.concepts else OssInstructTask).of(spec, teacher)


def concepts_in(answer: str) -> tuple[str, ...]:
    """The concepts in an answer: the items of a list, else its lines or what commas separate.

    Raises:
        RowRejectedError: `empty` (no text), `unparsable` (there is nothing short enough to be a concept).
    """
    lines = [line for line in answer.splitlines() if line.strip()]
    if not lines:
        raise RowRejectedError("empty", "the answer names no concept")
    listed = [item[1] for line in lines if (item := _ITEM.fullmatch(line))]
    parts = listed or (lines if len(lines) > 1 else lines[0].split(","))
    # Without Markdown's emphasis and a full stop, which would make two concepts of one.
    distinct = dict.fromkeys(" ".join(part.strip(" \t*_`.;").split()) for part in parts)
    concepts = tuple(concept for concept in distinct if 0 < len(concept) <= MAX_CONCEPT_CHARS)[:MAX_CONCEPTS]
    if not concepts:
        raise RowRejectedError("unparsable", "the answer holds no list of concepts")
    return concepts
