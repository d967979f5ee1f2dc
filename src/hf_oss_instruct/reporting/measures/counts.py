"""The composition of a dataset: the funnel with every reason, languages, licenses, repositories, file types, cost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.reporting.rows import ReportRows, is_list
from hf_oss_instruct.storage.arrow import flat, holds_text
from hf_oss_instruct.terminal.display import one_line

MAX_LISTED = 30
"""Values of a column that the report lists; the others are counted together."""
MAX_NAME_CHARS = 200


def funnel(rows: ReportRows) -> dict[str, Any]:
    """Counts from seeds to rows: `requested = kept + sum(rejected) + pending`.

    They are counted from the rows. What leaves no row here (documents without a seed, pending seeds, rejected rows that were not
    published) is taken from `run.json`.
    """
    kept = rows.kept.count_rows()
    # A dataset that was published without its rejected rows has only their counts, in `run.json`.
    reasons = rows.column("reason", rejected=True)
    rejected = _counted(reasons) if reasons is not None else numbers_in(rows.run.get("rejected"))
    pending = number(rows.run.get("pending"))
    counts: dict[str, Any] = {
        "requested": kept + sum(rejected.values()) + pending,
        "kept": kept,
        "rejected": rejected,
        "pending": pending,
    }
    for name in ("documents_skipped", "snippets_refused"):
        counts[name] = numbers_in(rows.run.get(name))
    return counts


def composition(rows: ReportRows) -> dict[str, Any]:
    """Languages, licenses, repositories and file types of the kept rows: value → rows, the most frequent first."""
    named = {"languages": "lang", "licenses": "licenses", "repositories": "repo_name", "sources": "seed_dataset"}
    named |= {"operations": "operation", "rounds": "round"}  # of evolved rows
    columns = {name: rows.column(column, lists=True) for name, column in named.items()}
    paths = rows.column("file_path")
    columns["file_types"] = _suffixes(paths) if paths is not None and holds_text(paths.type) else None
    return {name: summary(column) for name, column in columns.items() if column is not None and len(column)}


def summary(column: pa.Array) -> dict[str, Any]:
    """Distinct values of a column, the most frequent ones with their rows, and how many rows have another."""
    counts = Counter(_counted(column))
    top = dict(counts.most_common(MAX_LISTED))
    return {"distinct": len(counts), "rows": top, "others": counts.total() - sum(top.values())}


def cost(rows: ReportRows) -> dict[str, Any] | None:
    """Requests, tokens as the server counted them, money and time of the run; None without a `run.json`."""
    if "requests_sent" not in rows.run:
        return None
    tokens = numbers_in(rows.run.get("tokens"))
    spent, seconds = rows.run.get("cost"), rows.run.get("seconds")
    return {
        "teacher": one_line(str(rows.run.get("teacher", "unknown")), MAX_NAME_CHARS),
        "requests": number(rows.run.get("requests_sent")),
        "prompt_tokens": tokens.get("prompt", 0),
        "completion_tokens": tokens.get("completion", 0),
        "cost": spent if isinstance(spent, (int, float)) else None,
        "seconds": seconds if isinstance(seconds, (int, float)) else None,
        "finish_reasons": numbers_in(rows.run.get("finish_reasons")),
    }


def checks(rows: ReportRows) -> list[dict[str, str]]:
    """Which checks were made, and why others were not."""
    listed = rows.run.get("checks")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [
        {name: one_line(str(entry[name]), MAX_NAME_CHARS) for name in ("name", "status", "why", "rule") if entry.get(name)}
        for entry in entries
    ]


def _counted(values: pa.Array) -> dict[str, int]:
    """Value → rows, the most frequent first, ties by name; of a list each value counts."""
    if is_list(values.type):
        missing = len(values) - pc.sum(pc.greater(pc.fill_null(pc.list_value_length(values), 0), 0).cast(pa.int64())).as_py()
        values = flat(values.flatten())
    else:
        missing, values = values.null_count, values.drop_null()
    counts: Counter[str] = Counter()
    for counted in pc.value_counts(values).to_pylist() if len(values) else ():
        counts[one_line(str(counted["values"]), MAX_NAME_CHARS) or "empty"] += counted["counts"]
    if missing:
        counts["not stated"] += missing
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _suffixes(paths: pa.Array) -> pa.Array:
    """The suffix of each path in lower case; the whole name of a file without one."""
    names = pc.replace_substring_regex(pc.utf8_lower(paths), r"^.*[/\\]", "")
    return pc.replace_substring_regex(names, r"^.+(\.[^.]{1,12})$", r"\1")


def number(value: Any) -> int:
    """A count in an untrusted file; 0 for what is none."""
    # `True` is an `int`.
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def numbers_in(value: Any, *, zeros: bool = False) -> dict[str, int]:
    """The counts in an object of an untrusted file: name → count; those that are 0 only on request."""
    mapping = value if isinstance(value, dict) else {}
    return {
        one_line(name, MAX_NAME_CHARS): number(count)
        for name, count in mapping.items()
        if number(count) or (zeros and count == 0)
    }
