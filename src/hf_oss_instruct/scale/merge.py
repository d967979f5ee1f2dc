"""Merge the shards of a run into one dataset: the dataset that one process would have written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.scale.plan import Plan, is_plan
from hf_oss_instruct.spec.run import SETTINGS, RunSpec
from hf_oss_instruct.spec.shard import MAX_SHARDS, Shard
from hf_oss_instruct.storage.run_report import RunReport
from hf_oss_instruct.storage.workdir import differences, locked_for_job
from hf_oss_instruct.synthesis.export import RecordedRun, write_dataset
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.synthesis.sessions import earlier_report
from hf_oss_instruct.terminal.display import plural

MAX_NAMED = 5
"""Shards that an error names; more are counted."""
VERSION = "hf-oss-instruct"


def merge(
    sources: Sequence[Path],
    out: Path,
    *,
    partial: bool = False,
    progress: Progress = SILENT,
) -> RunStats:
    """Write the dataset of all shards of a run.

    The shards' journals and verdicts are read in the order of the seeds, and every check is made over all rows: exact and near
    duplicates, benchmarks. The files are byte for byte those of one run without shards, given the same answers. No request
    is sent, and no program is run. Texts, hashes and indexes are on disk, in `out` and in temporary files in the folder that
    `TMPDIR` names: memory grows by a few bytes a row, by about 100 for a near duplicate, and by about 300 for a row that
    another check of the whole dataset rejects or flags.

    Args:
        sources: the folder of a plan, or the folders of all shards. Shards may have been split further: 1/2, 0/4 and 2/4
            together are a whole run.
        out: a new or empty folder, or that of an earlier merge of the same shards.
        partial: merge what there is, although shards are missing or have pending seeds; these are counted as pending.
        progress: a progress display.

    Returns:
        The counts.

    Raises:
        RunError: a shard is missing, not finished, or has a damaged journal; shards overlap, or were made with different
            configs, teachers or versions; or `out` contains something else, is in use, or cannot be written.
    """
    runs = _found(sources)
    spec = _same_run(runs)
    _check_cover(runs, partial)
    if not partial:
        _check_finished(runs)
    stats = RunStats(spec.seeds.requested or 0)
    for run in runs:
        # Only shard 0 counts them, although every shard reads all documents, so that none counts twice.
        stats.skipped.update(_counts(run.report, "documents_skipped"))
        stats.refused.update(_counts(run.report, "snippets_refused"))
    with locked_for_job(out, {"command": "merge", "config": spec.as_dict(), "teacher": runs[0].report["teacher"]}, SETTINGS):
        write_dataset(runs, out, spec, stats, _totals(runs), progress=progress)
    if stats.pending and not partial:
        raise RunError(
            f"The answers to {plural(stats.pending, 'seed')} of finished shards cannot be read: lines of their journals are "
            f"damaged. {str(out)!r} has the others. Run the shards again, which only requests these, and merge again."
        )
    return stats


def _found(sources: Sequence[Path]) -> list[RecordedRun]:
    """The shards that were started."""
    if len(sources) == 1 and is_plan(sources[0]):
        if not (folders := Plan.read(sources[0]).begun()):
            raise RunError(f"No shard of the plan {str(sources[0])!r} has started. Run synthesize --shard 0/N first.")
    else:
        folders = list(sources)
    return [RecordedRun.open(folder) for folder in folders]


def _same_run(runs: Sequence[RecordedRun]) -> RunSpec:
    """The config that all shards share, without the shard.

    Raises:
        RunError: two shards have different configs, teachers, tasks or versions.
    """
    first, *others = runs
    there = _identity(first)
    for run in others:
        here = _identity(run)
        # A shard that was killed before its first report has no version.
        if None in (there[VERSION], here[VERSION]):
            here[VERSION] = there[VERSION]
        if changed := differences(there, here, SETTINGS, ("in the first", "in the second")):
            raise RunError(
                f"{str(first.folder)!r} and {str(run.folder)!r} are not shards of the same run: {'; '.join(changed)}. "
                "Merge shards that were made with the same config, teacher and version."
            )
    return first.spec.changed(seeds={"shard": None})


def _identity(run: RecordedRun) -> dict[str, Any]:
    """The properties that the shards of a run share."""
    versions = run.report.get("versions")
    return {
        **run.spec.changed(seeds={"shard": None}).as_dict(),
        "teacher": run.report["teacher"],
        "tasks": run.report.get("tasks", []),
        "format_version": run.report.get("format_version"),
        VERSION: versions.get(VERSION) if isinstance(versions, dict) else None,
    }


def _check_cover(runs: Sequence[RecordedRun], partial: bool) -> None:
    """Check that every seed belongs to exactly one shard.

    Raises:
        RunError: shards are missing and not `partial`; or two shards overlap.
    """
    shards = [run.spec.seeds.shard or Shard(0, 1) for run in runs]
    # Some shards may have been split: all are compared in the smallest parts that each of them consists of.
    finest = lcm(*(shard.count for shard in shards))
    if finest > MAX_SHARDS:
        counts = _listed({shard.count for shard in shards})
        raise RunError(f"The numbers of shards, {counts}, have no small common multiple. Merge the shards of one plan.")
    owner = np.full(finest, -1)  # (finest,): which shard has the seeds of each of the smallest parts
    for number, shard in enumerate(shards):
        part = owner[shard.index :: shard.count]  # (finest / shard.count,)
        if (taken := part[part >= 0]).size:
            raise RunError(
                f"{str(runs[taken[0]].folder)!r} (shard {shards[taken[0]]}) and {str(runs[number].folder)!r} (shard {shard}) "
                "have the same seeds. Leave one of them out."
            )
        owner[shard.index :: shard.count] = number
    if not partial and (missing := [f"{index}/{finest}" for index in np.flatnonzero(owner < 0)]):
        raise RunError(f"Shards are missing: {_listed(missing)}. Run them, or pass --partial to merge the rows so far.")


def _check_finished(runs: Sequence[RecordedRun]) -> None:
    """Check that no shard has pending seeds.

    Raises:
        RunError: one has.
    """
    if unfinished := [str(run.spec.seeds.shard or "0/1") for run in runs if run.report.get("pending") != 0]:
        raise RunError(
            f"Shards are not finished: {_listed(unfinished)}. Run the same synthesize command again to finish each, or pass "
            "--partial to merge the rows so far."
        )


def _listed(names: Iterable[object]) -> str:
    """The first names, and how many more there are."""
    ordered = sorted(map(str, names), key=lambda name: (len(name), name))
    more = len(ordered) - MAX_NAMED
    return ", ".join(ordered[:MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _totals(runs: Sequence[RecordedRun]) -> RunReport:
    """Requests, seconds, cost and start of all shards together."""
    known = [earlier_report(run.folder) for run in runs]
    costs = [run.report.get("cost") for run in runs]
    numbers = [cost for cost in costs if isinstance(cost, int | float)]
    return {
        "requests_sent": sum(report.get("requests_sent", 0) for report in known),
        "seconds": sum(report.get("seconds", 0) for report in known),
        "tasks": known[0].get("tasks", []),
        "shards": len(runs),
        **({"started": min(started)} if (started := [report["started"] for report in known if "started" in report]) else {}),
        # Without the cost of some shards the sum would look like the cost of all.
        **({"cost": sum(numbers)} if len(numbers) == len(costs) else {}),
    }


def _counts(report: Mapping[str, Any], name: str) -> Mapping[str, int]:
    """Counts of a report, as far as they are well formed."""
    counts = report.get(name)
    return {key: n for key, n in counts.items() if isinstance(n, int)} if isinstance(counts, dict) else {}
