"""`run.json`, the report of a run or of a curated dataset: its name, its fields, and how it is read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, cast

from hf_oss_instruct.storage.workdir import JOB, write_atomically
from hf_oss_instruct.structured import read_object

RUN_REPORT = "run.json"
RUN_REPORT_OPENS = b'{\n  "format_version"'
"""How each begins, by which a folder of this tool is recognized."""
JOURNAL, VERDICTS = "journal", "verdicts.jsonl"
"""Names of the answers and of the verdicts in a run's folder."""


class Tokens(TypedDict):
    """Tokens of all answers, in prompts and in completions."""

    prompt: int
    completion: int


class TeacherShare(TypedDict):
    """One teacher of a mixture: its share of the seeds, and the rows kept from its answers."""

    share: float
    rows: int


class RunReport(TypedDict, total=False):
    """The fields of `run.json`. Each command writes those that it knows; `requested = kept + rejected + pending`.

    Attributes:
        format_version: the version of this format, which goes up when a field changes its meaning.
        source, source_counts: of a curated, verified, judged or evolved dataset, what was read, and the counts of that report.
        columns: the columns of the source that hold problem and solution.
        requested, kept, pending: counts of rows; the pending ones have no answer yet.
        rejected: reason → rows.
        documents_skipped, snippets_refused: reason → documents without a seed, and snippets that a filter replaced by another.
        requests_sent: requests, with retries.
        tokens: as the server counted them.
        finish_reasons: finish reason → answers.
        answer_forms: form → answers, if JSON was requested.
        parameters_changed: parameter → its value or new name, if a server rejected it; None if it was left out.
        cost: in the unit of the prices that were given; None without prices.
        seconds: of all sessions together.
        started: time of the first session, in ISO 8601.
        versions: of Python and of packages.
        config_hash, prompt_hash: of the run config and of the prompt template.
        teacher: identity of the teacher.
        teachers: identity → share, if several are mixed.
        tasks: the generation tasks after the first one, or of a judge.
        journal_lines_dropped: damaged lines of the journal, whose answers were requested again.
        diversity: near duplicates and distinct tasks.
        balance: `languages` and `categories` → seeds of each, where seeds were balanced; `embedding_model` of the clusters.
        checks: an entry for each check, with name, version and status, `why` it was not done, and check-specific facts.
        sandbox: tiers in which programs ran.
        verification: the funnel and all that running solutions with tests has found.
        preferences, pairs: rows of `preference/` and of `sft/`.
        judging, evolution: statistics of judges' scores, and of the rows that were evolved.
        columns_renamed: columns of the source that had the name of one of our columns → their names here.
        pair_columns: `problem` and `solution` → columns that hold them.
        shards: of a merged run, how many.
    """

    format_version: int
    source: str
    source_counts: dict[str, Any] | None
    columns: list[str]
    requested: int
    kept: int
    rejected: dict[str, int]
    pending: int
    documents_skipped: dict[str, int]
    snippets_refused: dict[str, int]
    requests_sent: int
    tokens: Tokens
    finish_reasons: dict[str, int]
    answer_forms: dict[str, int]
    parameters_changed: dict[str, str | None]
    cost: float | None
    seconds: float
    started: str
    versions: dict[str, str]
    config_hash: str
    teacher: str
    prompt_hash: str
    teachers: dict[str, TeacherShare]
    tasks: list[str]
    journal_lines_dropped: int
    diversity: dict[str, Any] | None
    balance: dict[str, Any]
    checks: list[dict[str, Any]]
    sandbox: str | None
    verification: dict[str, Any]
    preferences: int
    pairs: int
    judging: dict[str, Any]
    evolution: dict[str, Any]
    columns_renamed: dict[str, str]
    pair_columns: dict[str, str]
    shards: int


def write_run_report(folder: Path, report: RunReport) -> None:
    """Write the report of a folder. It is written last: a folder without one is not finished.

    Raises:
        RunError: the disk is full, or the folder cannot be written.
    """
    write_atomically(folder / RUN_REPORT, json.dumps(report, indent=2) + "\n")


def missing_tables(folder: Path) -> str:
    """Why a run's folder lacks tables that are to be read: the sentence for an error, or nothing for a folder with tables."""
    is_run, has_journal, is_job = (folder / RUN_REPORT).exists(), (folder / JOURNAL).is_dir(), (folder / JOB).exists()
    name, rows = _first_table(folder)
    if rows and not (folder / name).is_dir() and (has_journal or is_job):
        return (
            f"{str(folder)!r} has lost its folder {name}/ (rows by {RUN_REPORT}: {rows:,}). Restore it, or write it again with "
            "the command that made it."
        )
    has_tables = (folder / "data").is_dir() or (is_run and (folder / "rejected").is_dir())
    if has_tables or not has_journal or not (is_run or is_job):
        return ""
    export = ", or write its rows so far with export" if is_run else ""
    return f"{str(folder)!r} is a run without tables: it is not finished. Continue it with the command that began it{export}."


def _first_table(folder: Path) -> tuple[str, int]:
    """The table that a finished run has in any case, and its number of rows by the report: 0 if it does not say."""
    try:
        report = read_run_report(folder, {"kept": int, "rejected": dict})
    except ValueError:
        return "data", 0
    rejected = sum(count for count in report["rejected"].values() if isinstance(count, int))
    return ("data", report["kept"]) if report["kept"] else ("rejected", rejected)


def read_run_report(folder: Path, required: Mapping[str, type | tuple[type, ...]] | None = None) -> RunReport:
    """Read the report of a folder, which may come from anywhere: only required fields are sure to be there and of their type.

    Args:
        folder: the folder of a run.
        required: field → its type or types.

    Raises:
        ValueError: it cannot be read, is not an object, or lacks a field; the message names file, field and value.
    """
    return cast(RunReport, read_object(folder / RUN_REPORT, required))
