"""The generation task OSS-Instruct: a seed snippet becomes a problem with its solution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import orjson

from hf_oss_instruct.data import Completion, Message, Pair, Request, Row, Seed, digest
from hf_oss_instruct.errors import RowRejectedError, UsageError
from hf_oss_instruct.reasoning import strip_end_tokens
from hf_oss_instruct.schemas import SCHEMA, provenance_columns
from hf_oss_instruct.seeds.sampling import SeedStream
from hf_oss_instruct.spec.prompts import JSON, Prompt
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.teacher import COMMENT_FUNCTION
from hf_oss_instruct.spec.verification import ANSWER
from hf_oss_instruct.storage.cache import cache_folder
from hf_oss_instruct.synthesis.generation import restyle
from hf_oss_instruct.synthesis.generation.task import GenerationTask, parameters_sent
from hf_oss_instruct.synthesis.journal.lines import OSS_INSTRUCT
from hf_oss_instruct.teachers.json_answers import (
    NEITHER,
    RESPONSE_FORMAT,
    form_of,
    parse_json,
    parse_json_with_tests,
    response_format,
)
from hf_oss_instruct.teachers.parsing import Parser, parse, parse_magicoder, parse_with_tests
from hf_oss_instruct.teachers.protocol import Teacher, check_teacher

PARSERS: dict[str, Parser] = {"default": parse, "magicoder": parse_magicoder}
_EMPTY_ROW = dict.fromkeys(SCHEMA.names)


@dataclass(frozen=True)
class OssInstructTask(GenerationTask[Seed]):
    """Everything that determines the row of a seed.

    Attributes:
        teacher: the teacher that answers.
        prompt: the prompt template.
        sampling: sampling parameters.
        parser: how its answer is parsed.
        numbered: whether the server's random seed is rng_seed + index, as in the paper, instead of a hash of the seed's id.
        keep_reasoning: whether to store the teacher's reasoning in the column `reasoning`.
        schema: the `response_format` of its requests, if the answer is to be JSON.
        style: the form that solutions are rewritten to, None to leave them as they are.

    Source:
        Magicoder, arXiv 2312.02120, section 2.1.
    """

    teacher: Teacher
    prompt: Prompt = field(default_factory=Prompt.default)
    sampling: Sampling = field(default_factory=Sampling)
    parser: Parser = parse
    numbered: bool = False
    keep_reasoning: bool = False
    schema: Mapping[str, Any] | None = None
    style: str | None = None
    name = OSS_INSTRUCT

    @classmethod
    def of(cls, spec: RunSpec, teacher: Teacher) -> OssInstructTask:
        """The task of a run, with the teacher that was opened for it.

        Raises:
            UsageError: the answer is to be JSON, and teacher or `extra_body` rule that out.
        """
        verification, prompt, parser = spec.verification, spec.prompt.prompt, PARSERS[spec.prompt.parser]
        # The embedded teacher cannot write tests apart: its doctests come with the pair.
        with_tests = verification.verify and (verification.tests == ANSWER or (teacher.embedded and verification.tests is None))
        as_json = spec.prompt.answer_format == JSON
        if prompt == Prompt.default():
            prompt = cls.default_prompt(tests=with_tests, as_json=as_json)
        if spec.prompt.style is not None:
            check_style(teacher, tests=with_tests)
        if as_json:
            check_schema(teacher, spec.sampling)
            # JSON replaces the parser of the options: that one says how sections are read.
            parser = parse_json_with_tests if verification.verify else parse_json
        return cls(
            teacher,
            prompt,
            spec.sampling,
            parse_with_tests if verification.verify and parser is parse else parser,
            numbered=spec.seeds.sampler == "magicoder",
            keep_reasoning=spec.prompt.stores_reasoning,
            schema=response_format(tests=with_tests) if as_json else None,
            style=spec.prompt.style,
        )

    @classmethod
    def default_prompt(cls, *, tests: bool, as_json: bool) -> Prompt:
        """The prompt of runs that set no template."""
        if as_json:
            return Prompt.for_json(tests=tests)
        return Prompt.with_tests() if tests else Prompt.default()

    @property
    def first(self) -> GenerationTask[Seed]:
        """The task that a seed begins with: this one, unless another request comes before it."""
        return self

    @property
    def tasks(self) -> tuple[GenerationTask[Any], ...]:
        """The tasks from a seed to a finished pair."""
        if self.style is None:
            return (self.first,)
        return self.first, restyle.RestyleTask(self.teacher, self.style, self.sampling, self.keep_reasoning)

    @property
    def prompt_hash(self) -> str:
        """Hash of the prompts that lead to a row."""
        before = self.pair_prompt_hash
        return before if self.style is None else restyle.prompt_hash(before, self.style)

    @property
    def pair_prompt_hash(self) -> str:
        """Hash of the prompts that lead to the pair, before it is rewritten to another style."""
        return self.prompt.hash

    @property
    def prompt_text(self) -> str:
        """The prompts that lead to a row, for the card."""
        return self.prompt.text

    @property
    def journal_home(self) -> Path:
        """The cache folder for answers of this teacher to this prompt and sampling, for runs without a folder."""
        # Without the style, and with one random seed for all rows: runs that make the same pairs share their answers.
        name = digest(self.teacher.identity, self.pair_prompt_hash, self._as_sent(0))
        return cache_folder("journal", name)

    def messages(self, item: Seed) -> tuple[Message, ...]:
        """The prompt with the snippet in it."""
        return self.prompt.messages(item.snippet)

    def request(self, item: Seed) -> Request:
        """The request for a seed."""
        seed = self.seed(item)
        return Request(seed, self.messages(item), self._sampling(seed))

    def key(self, item: Seed, attempt: int = 0) -> str:
        """The key of the answer in the journal: a hash of seed id, prompt, teacher, sampling parameters and attempt."""
        # Seed and template determine the messages, which need not be built for a key.
        return digest(item.seed_id, self.prompt.hash, self.teacher_for(item).identity, self._sampling(item), attempt)

    def read(self, item: Seed, completion: Completion) -> Row:
        """The row of a problem and its solution; the columns of later tasks and checks are null."""
        pair = self.parser(completion)
        # `_readable` has removed end tokens at the end of the answer; a model may also write one between its sections.
        pair = Pair(strip_end_tokens(pair.problem).strip(), pair.solution, pair.tests)
        if not pair.problem:
            raise RowRejectedError("empty", "the problem is nothing but an end token")
        columns = _EMPTY_ROW | provenance_columns(item)
        columns |= {
            "problem": pair.problem,
            "solution": pair.solution,
            "teacher": self.teacher_for(item).identity,
            "prompt_hash": self.prompt_hash,
            "openai_fingerprint": completion.fingerprint,
            "sampling": orjson.dumps(parameters_sent(self._sampling(item), completion), option=orjson.OPT_SORT_KEYS).decode(),
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "reasoning": completion.reasoning if self.keep_reasoning else None,
            "tests": pair.tests,
        }
        return cast(Row, columns)

    def _sampling(self, seed: Seed) -> dict[str, Any]:
        number = seed.rng_seed + seed.index if self.numbered else int(seed.seed_id[:7], 16)
        return self._as_sent(number)

    def _as_sent(self, number: int) -> dict[str, Any]:
        sent = self.sampling.as_sent(number)
        return sent if self.schema is None else sent | {RESPONSE_FORMAT: dict(self.schema)}

    def form(self, completion: Completion) -> str | None:
        """See `GenerationTask.form`."""
        if self.schema is None:
            return None
        try:
            return form_of(self._readable(completion).text)
        except RowRejectedError:  # cut, withheld, or no completion at all
            return NEITHER


def check_seeds(seeds: Any, teacher: Any) -> None:
    """Check that seeds and teacher are objects that can work together, as far as that is known before the first seed.

    Raises:
        UsageError: one is a name, or the teacher cannot use the seeds that `read_seeds` draws.
    """
    if isinstance(seeds, str | Path):
        raise UsageError(f"seeds must be the result of read_seeds, not {seeds!r}. Pass read_seeds({str(seeds)!r}, n=100).")
    if not isinstance(seeds, Iterable):
        raise UsageError(f"seeds must be the result of read_seeds, not {type(seeds).__name__}. Pass read_seeds(FOLDER, n=100).")
    check_teacher(teacher)
    if isinstance(seeds, SeedStream):
        check_sampler(teacher, seeds.plan)


def with_sampler(spec: RunSpec, teacher: Teacher, *, given: bool) -> RunSpec:
    """The run with a sampler that its teacher can use: the given one, else `functions` for the embedded teacher.

    Args:
        spec: the run.
        teacher: the teacher that answers.
        given: whether the user has chosen the sampler.

    Returns:
        The run, with another sampler if necessary.

    Raises:
        UsageError: the embedded teacher cannot use the given one.
    """
    if teacher.embedded and not given:
        return spec.changed(seeds={"sampler": "functions"})
    check_sampler(teacher, spec.seeds)
    return spec


def check_sampler(teacher: Teacher, plan: SeedPlan) -> None:
    """Refuse a plan whose seeds the embedded teacher cannot use.

    Raises:
        UsageError: it needs documented functions, and the plan draws other snippets.
    """
    if teacher.embedded and plan.sampler != "functions":
        raise UsageError(
            f"The embedded teacher {COMMENT_FUNCTION} needs documented functions, not the sampler {plan.sampler!r}. "
            "Pass a model (--model, model=), or draw functions (--sampler functions, sampler='functions')."
        )


def check_style(teacher: Teacher, *, tests: bool) -> None:
    """Refuse to rewrite pairs where that cannot work.

    Raises:
        UsageError: the teacher is not a model, or tests come with the pair, which call the solution in its first form.
    """
    if teacher.embedded:
        raise UsageError(f"--style needs a model, but {teacher.identity} is not one. Pass one with --model.")
    if tests:
        raise UsageError("--tests answer gives tests of the solution before it is rewritten. Use --tests apart with --style.")


def check_schema(teacher: Teacher, sampling: Sampling) -> None:
    """Refuse to request JSON if no schema can be sent.

    Raises:
        UsageError: the teacher takes none, or `extra_body` has one already.
    """
    if not teacher.takes_schema:
        raise UsageError(
            f"--answer-format json needs a server that accepts a JSON schema, but {teacher.identity} is not one. Pass a model on "
            "a server, or leave out the option."
        )
    if RESPONSE_FORMAT in (sampling.extra_body or {}):
        raise UsageError("extra_body has a response_format, and so does --answer-format json. Leave out one of them.")
