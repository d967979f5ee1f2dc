"""What decides which row a seed becomes: teacher, prompt, sampling parameters, parser."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import orjson

from hf_oss_instruct.data import SCHEMA, Completion, Pair, Rejection, Request, Row, Seed, digest, provenance_columns
from hf_oss_instruct.display import one_line
from hf_oss_instruct.errors import Refusal
from hf_oss_instruct.reasoning import split_reasoning, strip_end_tokens
from hf_oss_instruct.spec.prompts import Prompt
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.teachers.finish_reason import Ending, ending
from hf_oss_instruct.teachers.parsing import Parser, parse, parse_magicoder
from hf_oss_instruct.teachers.protocol import Teacher

PARSERS: dict[str, Parser] = {"default": parse, "magicoder": parse_magicoder}


@dataclass(frozen=True)
class OssInstructTask:
    """Everything that decides which row a seed becomes.

    Attributes:
        teacher: who answers.
        prompt: what it is asked.
        sampling: sampling parameters.
        parser: how its answer is read.
        keep_reasoning: whether the teacher's thoughts become the column `reasoning`.
        numbered: the server's random seed is rng_seed + index, as in the paper, instead of a hash of the seed's id.
    """

    teacher: Teacher
    prompt: Prompt = field(default_factory=Prompt.default)
    sampling: Sampling = field(default_factory=Sampling)
    parser: Parser = parse
    numbered: bool = False
    keep_reasoning: bool = False

    @classmethod
    def of(cls, spec: RunSpec, teacher: Teacher) -> OssInstructTask:
        """What a run says of it, with the teacher that was opened for it."""
        return cls(
            teacher,
            spec.prompt.prompt,
            spec.sampling,
            PARSERS[spec.prompt.parser],
            numbered=spec.seeds.sampler == "magicoder",
            keep_reasoning=spec.prompt.keep_reasoning,
        )

    @property
    def journal_home(self) -> Path:
        """Where answers to this teacher, prompt and sampling are kept when no run folder holds them."""
        name = digest(self.teacher.identity, self.prompt.hash, self.sampling.as_sent(0))
        home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
        return Path(home).expanduser() / "oss-instruct" / "journal" / name

    def request(self, seed: Seed) -> Request:
        """The question that a seed becomes."""
        return Request(seed, self.prompt.messages(seed.snippet), self._sampling(seed))

    def key(self, seed: Seed, attempt: int = 0) -> str:
        """The key of the answer in the journal: 32 hex digits."""
        return digest(seed.seed_id, self.prompt.hash, self.teacher.identity, self._sampling(seed), attempt)

    def outcome(self, seed: Seed, completion: Completion) -> Row | Rejection:
        """What an answer makes of a seed."""
        try:
            thoughts, answer = split_reasoning(completion.text)
            pair = self._pair(completion if answer == completion.text else replace(completion, text=answer))
            reasoning = "\n\n".join(filter(None, (completion.reasoning, thoughts)))
            return self._row(seed, completion, pair, reasoning or None)
        except Refusal as refusal:
            return Rejection(seed, refusal.reason, refusal.detail, completion.raw or completion.text)

    def _pair(self, completion: Completion) -> Pair:
        """The pair in an answer without thoughts; raises `Refusal` where there is none."""
        if completion.raw is not None:
            raise Refusal("unparsable", f"the answer is no chat completion: {one_line(completion.raw)}")
        silent = ending(completion.finish_reason) is Ending.UNKNOWN
        if silent and (completion.completion_tokens or 0) >= self.sampling.max_tokens:
            raise Refusal("truncated", f"the answer has {completion.completion_tokens:,} tokens, as many as it may have")
        pair = self.parser(replace(completion, text=strip_end_tokens(completion.text)))
        pair = Pair(strip_end_tokens(pair.problem).strip(), pair.solution)
        if not pair.problem:
            raise Refusal("empty", "the problem is nothing but an end token")
        return pair

    def _sampling(self, seed: Seed) -> dict[str, Any]:
        number = seed.rng_seed + seed.index if self.numbered else int(seed.seed_id[:7], 16)
        return self.sampling.as_sent(number)

    def _row(self, seed: Seed, completion: Completion, pair: Pair, reasoning: str | None) -> Row:
        """The row of an accepted pair; columns of later checks are null."""
        columns = dict.fromkeys(SCHEMA.names) | provenance_columns(seed)
        columns |= {
            "problem": pair.problem,
            "solution": pair.solution,
            "teacher": self.teacher.identity,
            "prompt_hash": self.prompt.hash,
            "openai_fingerprint": completion.fingerprint,
            "sampling": orjson.dumps(_as_sent(self._sampling(seed), completion), option=orjson.OPT_SORT_KEYS).decode(),
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "reasoning": reasoning if self.keep_reasoning else None,
        }
        return cast(Row, columns)


def _as_sent(sampling: dict[str, Any], completion: Completion) -> dict[str, Any]:
    """The sampling parameters that the server took: without those it does not know."""
    if not completion.changes:
        return sampling
    names = {name: completion.changes.get(name, name) for name in sampling}
    return {new: sampling[name] for name, new in names.items() if new is not None}
