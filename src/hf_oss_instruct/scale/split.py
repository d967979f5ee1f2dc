"""Split a shard that is slower than the others, without losing its answers."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.spec.shard import SPLIT, Shard
from hf_oss_instruct.storage.run_report import JOURNAL, VERDICTS, RunReport, write_run_report
from hf_oss_instruct.storage.workdir import OWNER, locked, write_atomically
from hf_oss_instruct.synthesis.export import RecordedRun
from hf_oss_instruct.synthesis.journal.journal import Journal
from hf_oss_instruct.synthesis.run import CONFIG


def split(folder: Path, into: int) -> list[Path]:
    """Replace a shard by smaller ones with the answers that it has.

    Shard 2/3 becomes 2/6 and 5/6. Stop the shard first. Its folder is moved to `split/` next to it; after a kill, the same call
    writes the smaller shards that are missing.

    Args:
        folder: the folder of the shard.
        into: number of smaller shards, at least 2.

    Returns:
        The folders of the smaller shards, next to the old one.

    Raises:
        UsageError: `into` is less than 2, or there would be too many shards.
        RunError: `folder` is not a run, is running, is finished, or a folder of that name exists.
    """
    if into < 2:
        raise UsageError(f"--into {into} does not split a shard. Pass at least 2.")
    moved = folder.parent / SPLIT / folder.name
    resumed = moved.is_dir() and not folder.exists()
    run = RecordedRun.open(moved if resumed else folder)
    old = run.spec.seeds.shard or Shard(0, 1)
    folders = {part: folder.parent / part.name for part in old.parts(into)}
    if not resumed:
        if run.report.get("pending") == 0:
            raise RunError(f"{str(folder)!r} is finished: there is nothing to split. Merge it with the others.")
        if existing := [str(path) for path in (*folders.values(), moved) if path.exists()]:
            raise RunError(f"{existing[0]!r} exists already. Move it away, and split again.")
        # Nobody can run the old shard once it has moved; a kill from here on is resumed from its new place.
        with locked(folder):
            moved.parent.mkdir(exist_ok=True)
            folder.rename(moved)
            # The lock's own file has moved along.
            (moved / OWNER).unlink(missing_ok=True)
    for part, path in folders.items():
        if not path.exists():
            _write_part(replace(run, folder=moved), part, path, first=part.index == old.index)
    return list(folders.values())


def _write_part(run: RecordedRun, part: Shard, out: Path, *, first: bool) -> None:
    """Write the folder of a smaller shard, with the answers to its own seeds; the first one keeps the requests sent so far."""
    # Built under another name, so that a shard with its name is whole.
    building = out.with_name(f".{out.name}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    with ExitStack() as stack:
        old, new = (stack.enter_context(Journal(folder / JOURNAL)) for folder in (run.folder, building))
        for entry in old.answers():
            # An answer without a seed may belong to any part.
            if entry.seed is None or entry.seed.index in part:
                new.append(entry.key, entry.answer, entry.seed, entry.task)
    if (run.folder / VERDICTS).exists():
        # All of them: they are found by hash, so those of other parts do no harm.
        shutil.copyfile(run.folder / VERDICTS, building / VERDICTS)
    kept = ("format_version", "teacher", "tasks", "started", "versions") + (("requests_sent", "seconds") if first else ())
    recorded: Mapping[str, Any] = run.report
    report = {name: recorded[name] for name in kept if name in recorded}
    write_run_report(building, cast(RunReport, report))
    write_atomically(building / CONFIG, run.spec.changed(seeds={"shard": part}).to_yaml())
    building.rename(out)
