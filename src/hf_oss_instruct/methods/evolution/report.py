"""The report of `evolve`: `run.json`, the card, and rows before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq

from hf_oss_instruct.curation.duplicates.minhash import similarities
from hf_oss_instruct.curation.earlier_report import EarlierReport
from hf_oss_instruct.curation.run import CONFIG
from hf_oss_instruct.data import FORMAT_VERSION
from hf_oss_instruct.methods.evolution.tasks import Evolution
from hf_oss_instruct.publishing.cards.dataset_card import curated_card
from hf_oss_instruct.spec.declare import in_yaml
from hf_oss_instruct.storage.run_report import RunReport, write_run_report
from hf_oss_instruct.storage.workdir import write_atomically
from hf_oss_instruct.synthesis.output import answer_forms, verification_facts
from hf_oss_instruct.synthesis.run_stats import RunStats
from hf_oss_instruct.synthesis.tables import SourceRows


def report_of(
    rows: SourceRows, evolution: Evolution, stats: RunStats, checks: Sequence[dict[str, Any]], facts: RunReport
) -> RunReport:
    """The contents of `run.json`, without what is read from the tables.

    Args:
        rows: the source.
        evolution: how its rows were evolved.
        stats: the outcomes of the items.
        checks: entries of the checks.
        facts: requests and times, see `TableRun.facts`.
    """
    tokens, run = facts["tokens"], EarlierReport(rows.source)
    return {
        "format_version": FORMAT_VERSION,
        "source": rows.name,
        "source_counts": run.counts or None,
        **run.of_the_run,
        "columns": rows.columns.read,
        "requested": stats.requested,
        "kept": stats.kept,
        "rejected": dict(stats.rejected.most_common()),
        "pending": stats.pending,
        **facts,
        "cost": stats.limits.cost(tokens["prompt"], tokens["completion"]),
        # As in the column `teacher` of the rows: who wrote the solutions.
        "teacher": evolution.solver.identity,
        "diversity": stats.diversity,
        "checks": list(checks),
        "sandbox": None,
        **verification_facts(stats),
        **(answer_forms(stats) if evolution.as_json else {}),
        "evolution": in_yaml(evolution.spec),
    }


def write_report(out: Path, rows: SourceRows, report: RunReport) -> RunReport:
    """Write the card and, last, `run.json` of a folder whose tables are finished.

    Args:
        out: the folder.
        rows: the source.
        report: the contents of `run.json`, see `report_of`.

    Returns:
        The report, with statistics of the rows before and after.
    """
    kept, rejected = _read(out / "data"), _read(out / "rejected")
    report["evolution"] |= {
        "operations_chosen": _counted(kept, rejected, "operation"),
        "rounds_done": _counted(kept, rejected, "round"),
        "before_and_after": before_and_after(rows, kept),
        "solved_at_first": {
            "before": _solved_at_first(EarlierReport(rows.source).verification),
            "after": _solved_at_first(report.get("verification")),
        },
    }
    config = Path(rows.source) / CONFIG
    if config.is_file():
        write_atomically(out / CONFIG, config.read_bytes())
    write_atomically(out / "README.md", curated_card(out.resolve().name, report, "evolve"))
    write_run_report(out, report)
    return report


def before_and_after(rows: SourceRows, kept: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The source and each round: rows, mean words of problem and solution, mean similarity of problems to their parents'.

    Args:
        rows: the source.
        kept: the kept rows.
    """
    evolved = [row for row in kept if row["round"] and row["parent_id"]]
    parents = {row["seed_id"]: row for row in rows} | {row["seed_id"]: row for row in evolved}
    both = [(row, parents[row["parent_id"]]) for row in evolved if row["parent_id"] in parents]
    # Each evolved problem is followed by its parent's, so even indices are compared with odd ones.
    texts = [str(row["problem"]) for pair in both for row in pair]
    alike = similarities(texts, range(0, len(texts), 2), range(1, len(texts), 2))
    by_round: dict[int, list[float]] = {}
    for (row, _), similarity in zip(both, alike, strict=True):
        by_round.setdefault(row["round"], []).extend([] if similarity is None else [similarity])
    groups = {0: list(parents[row["seed_id"]] for row in rows)}
    for row in evolved:
        groups.setdefault(row["round"], []).append(row)
    return [
        {
            "round": round,
            "rows": len(group),
            "problem_words": _mean([len(str(row["problem"]).split()) for row in group]),
            "solution_words": _mean([len(str(row["solution"]).split()) for row in group]),
            "similarity_to_parent": _mean(by_round.get(round, [])),
        }
        for round, group in sorted(groups.items())
    ]


def _solved_at_first(verification: Mapping[str, Any] | None) -> float | None:
    """The share of rows whose first solution passed its tests: the lower, the harder. None if nothing was verified."""
    attempts = (verification or {}).get("attempts")
    return attempts[0]["pass_rate"] if attempts else None


def _mean(numbers: Sequence[float]) -> float | None:
    return round(fmean(numbers), 4) if numbers else None


def _counted(kept: Sequence[Mapping[str, Any]], rejected: Sequence[Mapping[str, Any]], column: str) -> dict[str, dict[str, int]]:
    """By operation or round: kept rows, and rejected ones by reason."""
    counts: dict[str, Counter[str]] = {}
    for row in kept:
        if row[column]:
            counts.setdefault(str(row[column]), Counter())["kept"] += 1
    for row in rejected:
        if row[column]:
            counts.setdefault(str(row[column]), Counter())[row["reason"]] += 1
    return {name: dict(counts[name].most_common()) for name in sorted(counts)}


def _read(folder: Path) -> list[dict[str, Any]]:
    """The columns of all rows in a folder of tables that a report is made of."""
    wanted = ("seed_id", "problem", "solution", "parent_id", "round", "operation", "reason")
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("train-*.parquet")):
        present = pq.read_schema(path).names
        rows += pq.read_table(path, columns=[name for name in wanted if name in present]).to_pylist()
    return rows
