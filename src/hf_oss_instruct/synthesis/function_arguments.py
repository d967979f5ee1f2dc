"""Arguments that public functions such as `synthesize` and `evolve` have in common; `with_arguments_of` builds the signatures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.data import Row, Seed
from hf_oss_instruct.spec.declare import argument, arguments, same_option, taken_from
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.option_types import OptionType, typed
from hf_oss_instruct.spec.prompts import Prompt, PromptSpec
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.teacher import TeacherSpec
from hf_oss_instruct.spec.verification import VerificationSpec
from hf_oss_instruct.synthesis.generation.task import GenerationTask
from hf_oss_instruct.teachers.protocol import Teacher


@dataclass(frozen=True)
class Tasks(OptionType):
    """Generation tasks for the rows of a run."""

    expected = "a list of GenerationTask objects"

    def from_python(self, value: Sequence[GenerationTask[Row]]) -> tuple[GenerationTask[Row], ...]:
        """See `OptionType.from_python`."""
        return tuple(typed(task, GenerationTask) for task in value)


@arguments
class RunArguments:
    """Arguments of every function that sends requests."""

    sampling: Sampling | None = argument(
        "Sampling parameters. Default: temperature 0 and at most 2,500 tokens, as in the paper.", default=None
    )
    limits: RunLimits | None = argument("Limits on requests, tokens and cost. Default: none.", default=None)
    concurrency: int = same_option(TeacherSpec, "concurrency")
    timeout: float | None = same_option(TeacherSpec, "timeout")

    def run_spec(self, **parts: Any) -> RunSpec:
        """The run that these arguments describe; `parts` are its other parts, by name, None for the default.

        Raises:
            UsageError: a part is of another class.
        """
        parts |= {"sampling": self.sampling, "limits": self.limits}
        given = {name: part for name, part in parts.items() if part is not None}
        # Not by name: `teacher` is an object here, and the name of one in a `TeacherSpec`.
        return RunSpec(teacher=TeacherSpec(concurrency=self.concurrency, timeout=self.timeout), **given)


@arguments
class PairArguments(RunArguments, PromptSpec):
    """Arguments of `synthesize` and `synthesize_to_disk`."""

    prompt: Prompt | str | None = same_option(PromptSpec, "prompt")  # type: ignore[assignment]
    seeds: Iterable[Seed] = argument("Seed snippets, such as `read_seeds` returns.", kw_only=False)
    teacher: Teacher = argument("The teacher that answers.", kw_only=False)
    verification: VerificationSpec | None = argument(
        "Whether and how each pair is run with tests: `VerificationSpec(verify=True)`. Default: not at all.", default=None
    )
    then: Sequence[GenerationTask[Row]] = argument(
        "Generation tasks for each row, such as a judge, in this order. They come after its verification and before the checks "
        "of a folder, so that duplicates cost requests, too.",
        default=(),
        kind=Tasks(),
    )

    def pair_spec(self, *, without: Sequence[str] = (), **parts: Any) -> RunSpec:
        """The run that these arguments describe, see `run_spec`, with default values of the options `without`."""
        prompt = taken_from(self, PromptSpec, without=without)
        return self.run_spec(prompt=prompt, verification=self.verification, **parts)
