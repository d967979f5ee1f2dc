"""Open the run that the flags of a command describe: its seeds and its teacher."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hf_oss_instruct.errors import UsageError

if TYPE_CHECKING:
    from hf_oss_instruct.seeds.source import Source
    from hf_oss_instruct.spec.flags import RunFlags
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.teachers.protocol import Teacher


def open_run(flags: RunFlags, *, batches: bool = True) -> tuple[RunSpec, Source, Teacher]:
    """The run, seed source and teacher that the flags name.

    Args:
        flags: the flags of the command.
        batches: whether requests may go into batches. If not, --batch is only checked, for the command that follows a preview.

    Raises:
        UsageError: they contradict each other, or do not say where the seeds are.
        SeedError: the seeds cannot be read.
    """
    from hf_oss_instruct.seeds.from_flags import open_seeds
    from hf_oss_instruct.synthesis.generation.oss_instruct import with_sampler
    from hf_oss_instruct.teachers.resolve import open_teacher, with_teachers, without_batches

    extra_body = flags.spec.sampling.extra_body is not None
    teacher = open_teacher(flags.spec.teacher, extra_body=extra_body)
    verification = flags.spec.verification
    if flags.spec.teacher.batch and teacher.embedded and not (verification.solver or verification.tester):
        raise UsageError(
            f"--batch needs a model on a server with a batch API, but {teacher.identity} has none. Pass a model with --model."
        )
    if flags.spec.teacher.batch and not batches:
        flags = replace(flags, spec=replace(flags.spec, teacher=without_batches(flags.spec.teacher, extra_body=extra_body)))
        teacher = open_teacher(flags.spec.teacher, extra_body=extra_body)
    spec, source = open_seeds(flags)
    return with_teachers(with_sampler(spec, teacher, given=flags.sampler_given)), source, teacher
