"""The output of one stage for the tasks of the next: in a folder of each stage, a file or folder of each task."""

from __future__ import annotations

from pathlib import Path

from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.spec.shard import Shard

SIGNATURES, BUCKETS, CLUSTERS = "signatures", "buckets", "clusters"
"""Folders of the stages."""
MAX_TASKS = 5
"""Tasks that an error names."""


def outputs(folder: Path, stage: str) -> list[Path]:
    """The output of a stage, in the order of its tasks.

    Raises:
        RunError: a task has not finished, or there are outputs of pipelines with different numbers of tasks.
    """
    paths: dict[Shard, Path] = {}
    for path in sorted((folder / stage).glob("[0-9]*-of-*")):
        try:
            paths[Shard.parse(path.name.partition(".")[0].replace("-of-", "/"))] = path
        except UsageError as error:
            raise RunError(f"{str(path)!r} is not the output of a task: {error} Remove it.") from error
    if not paths:
        raise RunError(f"{str(folder / stage)!r} has no output of a task. Run the pipeline of that stage first.")
    counts = sorted({shard.count for shard in paths})
    if len(counts) > 1:
        raise RunError(
            f"{str(folder / stage)!r} has outputs of pipelines with {' and '.join(map(str, counts))} tasks. Remove those of one "
            "of them, or start again in a new folder."
        )
    missing = [number for number in range(counts[0]) if Shard(number, counts[0]) not in paths]
    if missing:
        more = f" and {len(missing) - MAX_TASKS} more" if len(missing) > MAX_TASKS else ""
        raise RunError(
            f"Tasks {', '.join(map(str, missing[:MAX_TASKS]))}{more} of {counts[0]} have not finished in "
            f"{str(folder / stage)!r}. Run their pipeline again; tasks that have finished are skipped."
        )
    return [paths[shard] for shard in sorted(paths)]
