"""Open the source of seeds that the flags of a command name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hf_oss_instruct.errors import UsageError

if TYPE_CHECKING:
    from hf_oss_instruct.seeds.source import Source
    from hf_oss_instruct.spec.flags import RunFlags
    from hf_oss_instruct.spec.run import RunSpec


def open_seeds(flags: RunFlags) -> tuple[RunSpec, Source]:
    """The run and seed source that the flags name.

    Raises:
        UsageError: the flags contradict each other, or do not say where the seeds are.
        SeedError: the seeds cannot be read.
    """
    from hf_oss_instruct.hub import HUB_ID
    from hf_oss_instruct.seeds.reading import ReadOptions
    from hf_oss_instruct.seeds.repo_config import FOLDER_PREFIX, open_inside
    from hf_oss_instruct.seeds.resolve import STDLIB_NAME, open_named, open_source

    spec, plan = flags.spec, flags.spec.seeds
    name, reading = flags.seeds or plan.source, ReadOptions.of(plan)
    named_by_config = flags.config if not flags.seeds else None
    if named_by_config and name.startswith(FOLDER_PREFIX):
        return spec, open_inside(named_by_config.parent, name, reading=reading)
    on_the_hub = HUB_ID.fullmatch(name) is not None
    if named_by_config and not on_the_hub and name not in ("stdlib", STDLIB_NAME):
        raise UsageError(f"The run config was made from the local folder {name!r}. Pass its path: --seeds PATH.")
    revision = flags.revision or (plan.revision if name == plan.source else None)
    source = (open_named if named_by_config else open_source)(name, revision=revision, reading=reading)
    # Record the commit, not the branch.
    if flags.revision or source.name != plan.source or on_the_hub:
        spec = replace(spec, seeds=replace(plan, source=source.name, revision=None))
    return spec, source
