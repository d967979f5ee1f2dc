"""Export a dataset of verified pairs to the format of a training framework."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.argument_types import as_path, check_choice
from hf_oss_instruct.errors import RunError, UsageError
from hf_oss_instruct.exports.card import card
from hf_oss_instruct.exports.harbor import write_harbor
from hf_oss_instruct.exports.rows import ExportableRows
from hf_oss_instruct.exports.tables import write_dpo, write_trl, write_verl
from hf_oss_instruct.exports.verifiers import write_verifiers
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.storage.run_report import RUN_REPORT, read_run_report
from hf_oss_instruct.storage.workdir import JOB, locked_for_job, write_atomically

REPORT = "export.json"
WRITERS: dict[str, Callable[[ExportableRows, Path], int]] = {
    "trl": write_trl,
    "dpo": write_dpo,
    "verl": write_verl,
    "harbor": write_harbor,
    "verifiers": write_verifiers,
}
"""Format → what writes it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The result of an export.

    Attributes:
        format: `trl`, `dpo`, `verl`, `harbor` or `verifiers`.
        rows: number of rows written.
        skipped: reason → number of skipped rows.
    """

    format: str
    rows: int
    skipped: dict[str, int]


def export_to(format: str, folder: Path | str, out: Path | str, *, progress: Progress = SILENT) -> Exported:
    """Export verified pairs in the format of a training framework.

    Args:
        format: `trl` (for GRPO), `dpo`, `verl`, `harbor` or `verifiers`.
        folder: what synthesize or curate wrote, or any folder with Parquet files that have tests.
        out: a new folder, or one that the same export has started or written.
        progress: a progress display, such as that of `show_progress()`; by default nothing is shown.

    Returns:
        How many rows were written, and why others were not. The same is in `export.json`, and in the card.

    Raises:
        UsageError: the format is unknown, or the folder has no rows that can be exported.
        RunError: `out` contains something else, or cannot be written.
        SandboxError: Harbor tasks are confirmed in a sandbox, and none works on this machine.
    """
    check_choice(format, tuple(WRITERS), "Unknown format {value!r}")
    folder, out = as_path("folder", folder), as_path("out", out)
    rows = ExportableRows(folder)
    with locked_for_job(out, {"command": "export", "to": format, "from": str(folder.resolve())}):
        # Tasks of an interrupted export, or of rows that are not exported any more.
        shutil.rmtree(out / "tasks", ignore_errors=True)
        with progress.stage(f"Writing {folder} for {format}", "rows") as rows.counts:
            count = WRITERS[format](rows, out)
        exported = Exported(format, count, dict(sorted(rows.skipped.items())))
        if not count:
            (out / JOB).unlink()  # the folder is free for another export
            reasons = ", ".join(f"{number:,} {reason}" for reason, number in exported.skipped.items()) or "it has no rows"
            raise UsageError(f"No row of {str(folder)!r} can be exported to {format}: {reasons}. Verified pairs have tests.")
        report: dict[str, Any] = {"format": format, "rows": count, "skipped": exported.skipped, "source": _source(folder)}
        report["state"] = _state(out)
        write_atomically(out / "README.md", card(out.resolve().name, report))
        # Last: `publish` does not accept a folder without it as an export.
        write_atomically(out / REPORT, json.dumps(report, indent=2) + "\n")
    return exported


def _state(out: Path) -> str:
    """A hash of the rows: the cache of `datasets` knows a local folder by its name and its card."""
    hashed = xxhash.xxh3_64()
    for path in sorted([*out.glob("data/*.parquet"), *out.rglob("tasks.jsonl")]):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()


def _source(folder: Path) -> dict[str, Any] | None:
    """What a run states about itself, for the card and for publishing; None for other folders."""
    if not (folder / RUN_REPORT).is_file():
        return None
    try:
        report = read_run_report(folder)
    except ValueError as error:
        raise RunError(f"{error}. Restore the file that the run wrote.") from error
    return {
        name: value
        for name, value in report.items()
        if name in ("teacher", "kept", "pending", "checks", "verification", "versions")
    }
