"""Split the shards that are behind the others, so that all workers have one."""

from __future__ import annotations

from pathlib import Path

from hf_oss_instruct.scale.plan import Plan, pending
from hf_oss_instruct.scale.split import split
from hf_oss_instruct.synthesis.run import CONFIG


def stragglers(plan: Plan, workers: int) -> list[tuple[Path, int]]:
    """The unfinished shards that were started, if there are workers without one.

    Args:
        plan: a plan in a folder.
        workers: shards that run at the same time.

    Returns:
        Their folders, and into how many each can be split: never more than it has pending seeds.
    """
    unfinished = [folder for _, folder in plan.unfinished()]
    begun = [folder for folder in unfinished if (folder / CONFIG).is_file()]
    free = workers - (len(unfinished) - len(begun))
    # Rounded up, so that no worker is left without one.
    into = -(-free // len(begun)) if begun else 0
    counts = {folder: min(into, left) for folder in begun if (left := pending(folder))}
    return [(folder, count) for folder, count in counts.items() if count >= 2]


def split_stragglers(plan: Plan, workers: int) -> None:
    """Split them.

    Raises:
        RunError: one of them is running.
    """
    for folder, into in stragglers(plan, workers):
        split(folder, into)
