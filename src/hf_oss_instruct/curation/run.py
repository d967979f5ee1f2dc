"""Curate a dataset with text columns: every row is kept, or written to `rejected/` with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.benchmarks.registry import DECONTAMINATED
from hf_oss_instruct.curation import checks
from hf_oss_instruct.curation.annotations import DETAIL, REASON, not_rejected
from hf_oss_instruct.curation.duplicates import exact, near
from hf_oss_instruct.curation.earlier_report import EarlierReport
from hf_oss_instruct.curation.pairs import TableColumns, columns_of, pair_rows
from hf_oss_instruct.curation.preference import preference_table
from hf_oss_instruct.curation.rows import as_text, every_text_column, read, without_reserved
from hf_oss_instruct.data import FORMAT_VERSION, digest
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.schemas import SFT_SCHEMA
from hf_oss_instruct.storage.run_report import RUN_REPORT, RunReport, write_run_report
from hf_oss_instruct.storage.shards import Shards
from hf_oss_instruct.storage.workdir import Setting, format_value, locked_for_job, write_atomically
from hf_oss_instruct.templates import to_prompt_completion

CONFIG, CARD = "oss_instruct.yaml", "README.md"


def _benchmarks(names: Sequence[str]) -> str:
    return "default" if set(names) == set(DECONTAMINATED) else format_value(names)


SETTINGS = {
    **{name: Setting(f"--{name}") for name in ("steps", "columns", "threshold", "rule", "contaminated", "deny")},
    "benchmarks": Setting("--benchmarks", text=_benchmarks),
}
"""How errors show the options of a curation whose folder belongs to another."""


def curate(
    source: str,
    out: Path,
    *,
    steps: Iterable[str] | None = None,
    columns: Sequence[str] | None = None,
    options: checks.CurationOptions | None = None,
    card: Callable[[str, RunReport], str] | None = None,
    progress: Progress = SILENT,
) -> RunReport:
    """Check every row of a dataset, and write those that pass, those that do not, and a report.

    Args:
        source: a run folder; tables (Parquet, JSON Lines, JSON, CSV), files or folders of them; or the id of a dataset on
            the Hub.
        out: a new or empty folder: `data/`, `sft/` (where there are problem and solution, in columns as `verify` finds them),
            `preference/` (of verified rows), `rejected/`, `run.json`; of a run
            also its `oss_instruct.yaml`, so that it can be published. The same call on the same folder does all of it again,
            which is how an interrupted job resumes.
        steps: names of `checks.STEPS`; all of them by default.
        columns: the text columns to check; by default those of `seed`, `problem` and `solution` that exist, else those with
            problems and solutions.
        options: options of the checks; `columns` is set here.
        card: name of the folder and report → its README.md.
        progress: a progress display.

    Returns:
        The report.

    Raises:
        UsageError: a step or column does not exist.
        SeedError: the source cannot be read, or a text column is not UTF-8.
        RunError: `out` contains something else, is in use, or cannot be written.
    """
    options = options or checks.CurationOptions()
    # Without a list nothing can be denied: the check is left out, so that `run.json` does not call it done.
    chosen = [step for step in checks.select_steps(steps) if options.deny or step.name != "denied"]
    with progress.stage(f"Reading {source}"):
        table, renamed = without_reserved(read(source), ours=(Path(source) / RUN_REPORT).is_file())
        before = EarlierReport(source)
        pair = _pair_columns(table, before)
        options = replace(options, columns=text_columns(table, columns, pair))
        table = as_text(table, options.columns)
        # Checks name earlier rows by their ids.
        table = table if "seed_id" in table.column_names else table.append_column("seed_id", _ids(table, options.columns))
    with locked_for_job(out, _job(source, chosen, columns, options), SETTINGS):
        marked, entries = run_steps(table, chosen, options, progress)
        config = Path(source) / CONFIG
        report = _report(source, before, options.columns, table, marked, entries) | {"columns_renamed": renamed}
        report |= {"pair_columns": before.pair_columns} if before.pair_columns else {}
        marks = [name for name in (REASON, DETAIL) if name in marked.column_names and name not in table.column_names]
        with progress.stage(f"Writing {out}"):
            files = {CONFIG: config.read_bytes()} if config.is_file() else {}
            return _write(out, marked, marks, pair, report, files, card)


def _job(
    source: str, steps: Sequence[checks.CurationStep], columns: Sequence[str] | None, options: checks.CurationOptions
) -> dict[str, Any]:
    """The facts that identify a curation."""
    return {
        "command": "curate",
        "source": str(Path(source).resolve()) if Path(source).exists() else source,
        "steps": [step.name for step in steps],
        "columns": list(columns) if columns else None,
        "threshold": options.threshold,
        "benchmarks": [listed.name for listed in options.lists],
        "rule": options.rule,
        "contaminated": "drop" if options.drop else "flag",
        "deny": options.deny.hash if options.deny else None,
    }


def run_steps(
    table: pa.Table, steps: Sequence[checks.CurationStep], options: checks.CurationOptions, progress: Progress = SILENT
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Run some checks one after the other.

    Args:
        table: rows in seed order.
        steps: the checks, in the order in which they run.
        options: their options.
        progress: a progress display.

    Returns:
        The annotated table, and an entry for `run.json` for each check.
    """
    entries, rejected = [], dict[str, int]()
    for number, step in enumerate(steps, 1):
        before = not_rejected(table)  # (rows,)
        with progress.stage(f"Check {number} of {len(steps)}: {step.what}") as counts:
            counts.outcomes, counts.reasons = {"rows left": int(before.sum())}, rejected
            table = step.make(options)(table)
        rejected_now = before & ~not_rejected(table)  # (rows,)
        rejected = rejected | ({step.name: int(rejected_now.sum())} if rejected_now.any() else {})
        more: dict[str, Any] = {"rejected": int(rejected_now.sum())}
        if step.name == "near_duplicates":
            more["cluster_sizes"] = near.cluster_sizes(table[DETAIL].filter(pa.array(rejected_now)).to_pylist())
        entries.append(checks.report_entry(step, options, **more))
    return table, entries


def _pair_columns(table: pa.Table, before: EarlierReport) -> TableColumns | None:
    """The columns that hold problems and solutions: those that an earlier run names, else those of a usual name.

    Chats count only where a run has read pairs from them: of others, pairs would leave turns out.
    """
    try:
        columns = columns_of(table.column_names, before.pair_columns)
    except UsageError:
        return None
    return columns if before.pair_columns or not columns.chat else None


def text_columns(table: pa.Table, columns: Sequence[str] | None, pair: TableColumns | None = None) -> tuple[str, ...]:
    """The columns to check.

    Args:
        table: rows.
        columns: those that the caller names, if any.
        pair: the columns with problems and solutions, if there are any.

    Raises:
        UsageError: one is missing or contains no text, or there is none.
    """
    texts = every_text_column(table, or_bytes=True)
    usual = tuple(name for name in exact.COMPARED if name in texts)
    of_pair = tuple(name for name in (pair.problem, pair.solution) if name in texts) if pair else ()
    wanted = tuple(columns) if columns else usual or of_pair
    missing = [name for name in wanted if name not in texts]
    if missing or not wanted:
        what = f"no text column {missing[0]!r}" if missing else f"none of the text columns {', '.join(exact.COMPARED)}"
        raise UsageError(f"The rows have {what}. Their text columns: {', '.join(texts) or 'none'}. Choose some with --columns.")
    return wanted


def _ids(table: pa.Table, columns: Sequence[str]) -> pa.Array:
    """An id for each row: a hash of its texts and of the number of equal rows before it."""
    seen: Counter[str] = Counter()
    ids = []
    for texts in zip(*(table[name].to_pylist() for name in columns), strict=True):
        key = digest(*texts)
        ids.append(digest(key, seen[key]) if seen[key] else key)
        seen[key] += 1
    return pa.array(ids, pa.string())


def _report(
    source: str,
    before: EarlierReport,
    columns: Sequence[str],
    table: pa.Table,
    marked: pa.Table,
    entries: list[dict[str, Any]],
) -> RunReport:
    done = {entry["name"] for entry in entries}
    earlier = [entry for entry in before.checks if entry["name"] not in done]
    left_out = [
        checks.skipped_entry(step.name, "left out with --steps") for step in checks.STEPS if step.name not in {*done, "denied"}
    ]
    known = {entry["name"] for entry in earlier}
    kept = int(not_rejected(marked).sum())
    rejected = (
        Counter(reason for reason in marked[REASON].to_pylist() if reason) if REASON in marked.column_names else Counter[str]()
    )
    return {
        "format_version": FORMAT_VERSION,
        "source": Path(source).resolve().name if Path(source).exists() else source,
        "source_counts": before.counts or None,
        **before.of_the_run,
        "columns": list(columns),
        "requested": len(table),
        "kept": kept,
        "rejected": dict(rejected.most_common()),
        "pending": 0,
        "versions": {"hf-oss-instruct": version("hf-oss-instruct")},
        "checks": [*entries, *earlier, *(entry for entry in left_out if entry["name"] not in known)],
        **_verification(before, kept),
    }


def _verification(before: EarlierReport, kept: int) -> RunReport:
    """What verification found, of a run whose pairs were verified; its funnel ends with the rows that curation keeps."""
    if not (verification := before.verification):
        return {}
    return {"verification": verification | {"funnel": verification["funnel"] | {"kept": kept}}}


def _write(
    out: Path,
    marked: pa.Table,
    marks: Sequence[str],
    pair: TableColumns | None,
    report: RunReport,
    files: dict[str, bytes],
    card: Callable[[str, RunReport], str] | None,
) -> RunReport:
    """Write the tables, then the card, and the report last: a folder without one is not finished.

    Args:
        out: the folder.
        marked: all rows, with the results of the checks.
        marks: columns of results that kept rows do not get.
        pair: the columns with problems and solutions, if there are any.
        report: the report, to which the counts of pairs are added.
        files: further files, by name.
        card: as of `curate`.
    """
    keep = pa.array(not_rejected(marked))  # (rows,)
    kept, rejected = marked.filter(keep), marked.filter(pc.invert(keep))
    kept = kept.drop_columns(marks)
    parts, counts = [("data", kept), ("rejected", rejected)], RunReport(pairs=0)
    if pair:
        pairs = [to_prompt_completion(row) for row in pair_rows(kept, pair) if row["problem"] and row["solution"]]
        parts.append(("sft", pa.Table.from_pylist(pairs, SFT_SCHEMA)))
        counts["pairs"] = len(pairs)
    if pair and "verification" in report and (preferences := preference_table(kept, pair)) is not None:
        parts.append(("preference", preferences))
        counts["preferences"] = len(preferences)
    # The folder must not look finished while its tables are replaced.
    (out / RUN_REPORT).unlink(missing_ok=True)
    for name, part in parts:
        shards = Shards(out / name, part.schema)
        shards.abandon()  # left by a run that was killed
        shards.add_table(part)
        shards.finish()
    report.update(counts)
    for name, content in files.items():
        write_atomically(out / name, content)
    if card:
        write_atomically(out / CARD, card(out.resolve().name, report))
    write_run_report(out, report)
    return report
