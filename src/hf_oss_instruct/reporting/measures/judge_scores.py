"""Scores that judges gave the rows: their distribution, and their means by criterion and by judge."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.reporting.measures.counts import MAX_LISTED, MAX_NAME_CHARS
from hf_oss_instruct.reporting.rows import ReportRows, batches
from hf_oss_instruct.schemas import JUDGING
from hf_oss_instruct.terminal.display import one_line

WIDTHS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0)
"""Widths of a histogram's bins, in points; the first that needs at most `BINS` of them is taken."""
BINS = 24
_SCORES, _MEAN, _ = JUDGING
_BY = ("criterion", "judge")


def judge_scores(rows: ReportRows) -> dict[str, Any] | None:
    """Statistics of the judges' scores of the kept rows; None if no row was judged.

    Returns:
        `rows` with a mean score, their `mean`, a `histogram` of the mean scores (lists of from, to, rows), and `criterion` and
        `judge` (name → `mean`, `scores`).
    """
    means = rows.column(_MEAN.name)
    # Other datasets may have a column of this name.
    if means is None or means.type != _MEAN.type:
        return None
    values = means.drop_null().to_numpy()  # (judged rows,)
    values = values[np.isfinite(values)]  # (finite scores,)
    if not len(values):
        return None
    summary = {"rows": len(values), "mean": round(float(values.mean()), 4), "histogram": _histogram(values)}
    return summary | _by_name(rows)


def _histogram(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[Any]]:
    """Bins around multiples of their width, so that an integer score is in the middle of its bin."""
    span = float(values.max() - values.min())
    width = next((candidate for candidate in WIDTHS if span / candidate < BINS), span / BINS)
    numbers = np.floor(values / width + 0.5)  # (judged rows,): the bin of each
    first = numbers.min()
    counts = np.bincount((numbers - first).astype(np.int64))  # (bins,)
    return [
        [round(float(number - 0.5) * width, 4), round(float(number + 0.5) * width, 4), int(count)]
        for number, count in enumerate(counts, int(first))
    ]


def _by_name(rows: ReportRows) -> dict[str, dict[str, Any]]:
    """Means by criterion and by judge, the names in the order of their frequency."""
    sums: dict[str, Counter[str]] = {name: Counter() for name in _BY}
    counts: dict[str, Counter[str]] = {name: Counter() for name in _BY}
    known = _SCORES.name in rows.kept.schema.names and rows.kept.schema.field(_SCORES.name).type == _SCORES.type
    for batch in batches(rows.kept, [_SCORES.name]) if known else ():
        listed = batch[_SCORES.name].flatten()
        table = pa.table({name: pc.struct_field(listed, name) for name in (*_BY, "score")})
        table = table.filter(pc.is_finite(table["score"]))
        for name in _BY:
            for group in table.group_by(name).aggregate([("score", "sum"), ("score", "count")]).to_pylist():
                label = one_line(str(group[name]), MAX_NAME_CHARS)
                sums[name][label] += group["score_sum"]
                counts[name][label] += group["score_count"]
    return {
        name: {
            label: {"mean": round(sums[name][label] / count, 4), "scores": count}
            for label, count in counts[name].most_common(MAX_LISTED)
        }
        for name in _BY
    }
