"""The numbers of a report, from the rows alone: the contents of `report.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from hf_oss_instruct.curation.categories import WORDS
from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.extras import install_command, missing_packages
from hf_oss_instruct.progress.counts import SILENT, Progress
from hf_oss_instruct.reporting.measures import (
    categories,
    contamination,
    counts,
    diversity,
    judge_scores,
    lengths,
    outcomes,
    similarity,
    tfidf,
    verdicts,
    verified_run,
)
from hf_oss_instruct.reporting.rows import ReportRows

FORMAT_VERSION = 1
EXCERPT_CHARS = 1_200
"""Characters of a row that are quoted beside its nearest benchmark problem."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Options of a report.

    Attributes:
        lists: the benchmarks to compare with.
        tokenizer: a tokenizer of `transformers` for the lengths; a light rule by default.
        embedding_model: a text encoder of `transformers` for the categories; words by default.
    """

    lists: tuple[BenchmarkList, ...] = ()
    tokenizer: str | None = None
    embedding_model: str | None = None


def measure(rows: ReportRows, options: ReportOptions | None = None, progress: Progress = SILENT) -> dict[str, Any]:
    """All numbers of a dataset, as JSON values. The same rows and options give the same numbers.

    Args:
        rows: the dataset.
        options: benchmarks, tokenizer, model.
        progress: a progress display.

    Raises:
        UsageError: a library, tokenizer or model is missing.
    """
    options = options or ReportOptions()
    with progress.stage(f"Counting the rows of {rows.name}"):
        numbers = outline(rows) | _without_texts(rows, options)
    if not numbers["funnel"]["kept"]:
        return numbers
    with progress.stage(f"Measuring the texts of {rows.name}"):
        return numbers | _of_texts(rows, options)


def outline(rows: ReportRows) -> dict[str, Any]:
    """The counts that are fast even for millions of rows; the other parts of a report are empty."""
    return {
        "format_version": FORMAT_VERSION,
        "name": rows.name,
        "version": version("hf-oss-instruct"),
        "funnel": counts.funnel(rows),
        "composition": {},
        "cost": counts.cost(rows),
        "checks": counts.checks(rows),
        "verification": None,
        "verified_run": None,
        "judge_scores": None,
        "contamination": [],
        "trainings": [],
        "results": [],
        "lengths": None,
        "categories": None,
        "similarity": [],
        "diversity": None,
    }


def _without_texts(rows: ReportRows, options: ReportOptions) -> dict[str, Any]:
    return {
        "composition": counts.composition(rows),
        "verification": verdicts.verification(rows),
        "verified_run": verified_run.verified_run(rows),
        "judge_scores": judge_scores.judge_scores(rows),
        "contamination": contamination.contamination(rows, options.lists),
        "trainings": outcomes.trainings(rows.trainings),
        "results": outcomes.results(rows.results),
    }


def _of_texts(rows: ReportRows, options: ReportOptions) -> dict[str, Any]:
    check_libraries()
    texts = [similarity.texts_of(listed) for listed in options.lists]
    vectors = tfidf.vectors(rows, [text for problems in texts for _, text in problems], WORDS)
    comparison, distinct = similarity.BenchmarkSimilarity(vectors, options.lists, texts), diversity.distinct(rows)
    assigned = None
    if vectors:
        by_words, clusters = categories.KeywordCategories(vectors), diversity.RowClusters(vectors)
        # One pass over the vectors for all three, since they are made again each time.
        for batch in vectors.batches():
            for part in (comparison, by_words, clusters):
                part.add(batch)
        assigned = categories.counted(by_words.numbers(), categories.RULES)
        distinct |= clusters.results()
    if model := options.embedding_model:
        assigned = categories.counted(categories.by_model(rows, model), f"embeddings of {lengths.model_name(model)}")
    compared = comparison.results()
    _add_texts(rows, compared)
    return {
        "lengths": lengths.lengths(rows, options.tokenizer),
        "categories": assigned,
        "similarity": compared,
        "diversity": distinct,
    }


def _add_texts(rows: ReportRows, compared: Sequence[dict[str, Any]]) -> None:
    """Put the texts of the nearest rows beside the problems."""
    for entry in compared:
        pairs = entry.get("nearest", [])
        for pair, row in zip(pairs, rows.take([pair["row"] for pair in pairs]), strict=True):
            pair["id"] = row.get("seed_id")
            pair["row_text"] = f"{row.get(rows.problem) or ''}\n\n{row.get(rows.solution) or ''}"[:EXCERPT_CHARS]
            pair["text"] = pair["text"][:EXCERPT_CHARS]


def check_libraries() -> None:
    """Make sure that the libraries of the extra `report` are installed.

    Raises:
        UsageError: one is not.
    """
    if missing := missing_packages({"scikit-learn": "sklearn", "scipy": "scipy", "vl-convert-python": "vl_convert"}):
        raise UsageError(f"A report needs {missing}: {install_command('report')}")
