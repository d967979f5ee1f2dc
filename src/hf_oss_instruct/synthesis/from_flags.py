"""What the flags of a command open: the run, the source of its seeds, its teacher."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.teacher import COMMENT_FUNCTION

if TYPE_CHECKING:
    from hf_oss_instruct.seeds.source import Source
    from hf_oss_instruct.spec.flags import RunFlags
    from hf_oss_instruct.spec.run import RunSpec
    from hf_oss_instruct.teachers.protocol import Teacher


def open_run(flags: RunFlags) -> tuple[RunSpec, Source, Teacher]:
    """The run, seed source and teacher that the flags name.

    Raises:
        UsageError: they contradict each other, or do not say where the seeds are.
        SeedError: the seeds cannot be read.
    """
    from hf_oss_instruct.teachers.resolve import open_named_teacher

    teacher = open_named_teacher(flags.spec.teacher, extra_body=flags.spec.sampling.extra_body is not None)
    spec, source = open_seeds(flags)
    if teacher.embedded and spec.seeds.sampler != "functions":
        raise UsageError(
            f"The embedded teacher {COMMENT_FUNCTION} needs documented functions, not the sampler {spec.seeds.sampler!r}. "
            "Name a real teacher with --model, or pass --sampler functions."
        )
    return spec, source, teacher


def open_seeds(flags: RunFlags) -> tuple[RunSpec, Source]:
    """The run and seed source that the flags name; errors as of `open_run`."""
    from hf_oss_instruct.seeds.folders import HUB_ID, STDLIB_NAME, open_named, open_source
    from hf_oss_instruct.seeds.reading import ReadOptions
    from hf_oss_instruct.synthesis.repo_config import INSIDE, open_inside

    spec, plan = flags.spec, flags.spec.seeds
    name, reading = flags.seeds or plan.source, ReadOptions.of(plan)
    named_by_config = flags.config if not flags.seeds else None
    if named_by_config and name.startswith(INSIDE):
        return spec, open_inside(named_by_config.parent, name, reading=reading)
    on_the_hub = HUB_ID.fullmatch(name) is not None
    if named_by_config and not on_the_hub and name not in ("stdlib", STDLIB_NAME):
        raise UsageError(f"The run config was made from the local folder {name!r}. Say where it is: --seeds PATH.")
    revision = flags.revision or (plan.revision if name == plan.source else None)
    source = (open_named if named_by_config else open_source)(name, revision=revision, reading=reading)
    if flags.revision or source.name != plan.source or on_the_hub:  # a branch stands for the commit that was opened
        spec = replace(spec, seeds=replace(plan, source=source.name, revision=None))
    return spec, source
