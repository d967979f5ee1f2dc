"""Results of running the rows: yield, pass rates, mutation scores, flaky rows, difficulty; errors if the truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds

from hf_oss_instruct.reporting.measures.counts import summary
from hf_oss_instruct.reporting.rows import ReportRows, column_of

VERIFIED = ("execution_status", "pass_rate", "mutation_score", "flaky")
# 1.01, because 1 is easy too; 1e-9 separates 0 from the smallest share.
DIFFICULTY = {"easy": (0.75, 1.01), "medium": (0.4, 0.75), "hard": (1e-9, 0.4), "unsolved": (0.0, 1e-9)}
"""Name → share of the attempts that pass, from and below."""
BINS = 10
TRUTH = "correct"
"""A boolean column that says whether a row is really correct, if that is known."""
PASSED = "passed"


def verification(rows: ReportRows) -> dict[str, Any] | None:
    """What is known from running solutions against tests; None if no row was run.

    Returns:
        `verified` (rows with a verdict), `execution_status`, histograms of `pass_rate` and `mutation_score`, `flaky` rows and a
        bound on how often tests flip, `by_language`, `difficulty`, and `truth` (false
        accept and false reject rate) if there is a column `correct`.
    """
    columns = {name: rows.column(name) for name in VERIFIED}
    known = {name: column for name, column in columns.items() if column is not None and column.null_count < len(column)}
    if not known:
        return None
    verdict = known.get("execution_status", known.get("pass_rate"))
    verified = len(verdict) - verdict.null_count if verdict is not None else 0
    result: dict[str, Any] = {"rows": rows.kept.count_rows(), "verified": verified}
    if "execution_status" in known:
        result["execution_status"] = summary(known["execution_status"])["rows"]
    for name in ("pass_rate", "mutation_score"):
        if name in known and (numbers := _numbers(known[name])) is not None and len(numbers):
            result[name] = {"rows": len(numbers), "mean": round(float(numbers.mean()), 4), "histogram": _histogram(numbers)}
            if name == "pass_rate":
                result["difficulty"] = {
                    label: int(np.count_nonzero((numbers >= low) & (numbers < high))) for label, (low, high) in DIFFICULTY.items()
                }
    if (flakiness := _flakiness(rows.kept)) is not None:
        result["flaky"] = flakiness
    if (truth := _truth(rows)) is not None:
        result["truth"] = truth
    return result | {"by_language": _yield(rows)}


def _flakiness(table: pds.Dataset) -> dict[str, Any] | None:
    """Rows with a flaky test; if there are none, the bound on the rate of tests that flip: 3 / runs at 95 % ("rule of three")."""
    flaky, reruns = column_of(table, "flaky"), column_of(table, "reruns")
    if (
        flaky is None
        or flaky.null_count == len(flaky)
        or not (pa.types.is_boolean(flaky.type) or pa.types.is_integer(flaky.type))
    ):
        return None
    judged = len(flaky) - flaky.null_count
    rows = pc.sum(pc.greater(flaky.cast(pa.float64(), safe=False), 0)).as_py()
    runs = judged if reruns is None or not pa.types.is_integer(reruns.type) else pc.sum(reruns).as_py() or 0
    bound = round(min(1.0, 3 / runs), 6) if runs and not rows else None
    return {"rows": rows, "of": judged, "reruns": runs, "bound": bound}


def _yield(rows: ReportRows) -> dict[str, dict[str, int]]:
    """Language → rows kept with the status `passed`, rows kept, rows that verification rejected."""
    counts_of: dict[str, dict[str, int]] = {}
    for table, column in ((rows.kept, "execution_status"), (rows.rejected, "reason")):
        languages, verdicts = column_of(table, "lang"), column_of(table, column)
        if languages is None or verdicts is None:
            continue
        both = pa.table({"lang": languages, column: verdicts})
        grouped = both.group_by(["lang", column]).aggregate([([], "count_all")])
        for group in grouped.to_pylist():
            counts = counts_of.setdefault(str(group["lang"]), {"passed": 0, "kept": 0, "rejected": 0})
            if column == "reason":
                counts["rejected"] += group["count_all"] if str(group[column]).startswith(("tests_", "not_verifiable")) else 0
            else:
                counts["kept"] += group["count_all"]
                counts["passed"] += group["count_all"] if group[column] == PASSED else 0
    return dict(sorted(counts_of.items(), key=lambda item: -item[1]["kept"]))


def _truth(rows: ReportRows) -> dict[str, Any] | None:
    """False accepts among the wrong rows, false rejects among the right ones, and J = 1 - FAR - FRR."""
    counts = np.zeros((2, 2), np.int64)  # (2, 2): [truly right][accepted]
    for accepted, table in ((1, rows.kept), (0, rows.rejected)):
        column = column_of(table, TRUTH)
        if column is None or not pa.types.is_boolean(column.type):
            continue
        for value in pc.value_counts(column.drop_null()).to_pylist():
            counts[int(value["values"])][accepted] += value["counts"]
    if not counts.sum():
        return None
    rates = {
        "false_accept_rate": counts[0][1] / counts[0].sum() if counts[0].sum() else None,
        "false_reject_rate": counts[1][0] / counts[1].sum() if counts[1].sum() else None,
    }
    rounded: dict[str, Any] = {name: None if rate is None else round(float(rate), 4) for name, rate in rates.items()}
    known = None not in rounded.values()
    j = round(1 - rounded["false_accept_rate"] - rounded["false_reject_rate"], 4) if known else None
    return rounded | {"j": j, "wrong": int(counts[0].sum()), "right": int(counts[1].sum())}


def _numbers(column: pa.Array) -> np.ndarray[Any, Any] | None:
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return None
    numbers = column.drop_null().cast(pa.float64(), safe=False).to_numpy()
    return np.asarray(numbers[np.isfinite(numbers)])


def _histogram(numbers: np.ndarray[Any, Any]) -> list[list[Any]]:
    """Lists of (from, to, rows); 1 lies in the last bin."""
    bins = np.clip(numbers * BINS, 0, BINS - 1).astype(np.int64)  # (rows,)
    counts = np.bincount(bins, minlength=BINS)  # (BINS,)
    return [[number / BINS, (number + 1) / BINS, int(rows)] for number, rows in enumerate(counts)]
