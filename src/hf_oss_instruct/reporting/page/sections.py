"""The sections of the page in words: their titles, explanations, tables, and texts side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from hf_oss_instruct.reporting.charts.figures import Figure
from hf_oss_instruct.reporting.charts.vega_lite import ReportNumbers, Sets

TITLES = {
    "funnel": ("Funnel", "From seeds to rows"),
    "composition": ("Content", "What is in it"),
    "similarity": ("Similarity", "Similarity to benchmarks"),
    "diversity": ("Diversity", "Diversity"),
    "verification": ("Verification", "Verification"),
    "judges": ("Judges", "Scores by judges"),
    "contamination": ("Contamination", "Contamination"),
    "outcomes": ("Training", "Training and scores"),
}
SIMILARITY = (
    "The mean, over the rows, of the highest TF-IDF cosine to a benchmark's problems. The Magicoder paper reports 0.105 for "
    "OSS-Instruct, 0.131 for Evol-Instruct and 0.169 for Self-Instruct on HumanEval."
)


@dataclass
class Section:
    """The content of a section.

    Attributes:
        name, short, title: identifier, name in the navigation, heading.
        text: a paragraph.
        figures: figures with their SVG.
        tables: title, head and rows of tables.
        pairs: texts of the dataset and of a benchmark side by side.
    """

    name: str
    short: str
    title: str
    text: str = ""
    figures: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[dict[str, Any]] = field(default_factory=list)


def sections(sets: Sets, figures: list[Figure], drawn: Mapping[str, Markup]) -> list[Section]:
    """The sections that have something to show, in order.

    Args:
        sets: a dataset's name → its numbers.
        figures: the figures.
        drawn: name and title of a figure → its SVG.
    """
    made = []
    for name, (short, title) in TITLES.items():
        section = Section(name, short, title)
        section.figures = [
            {
                "title": figure.title,
                "note": figure.note,
                "head": figure.head,
                "rows": figure.rows,
                "svg": drawn[figure.name + figure.title],
            }
            for figure in figures
            if figure.section == name
        ]
        for of, numbers in sets.items():
            if name in FILL:
                FILL[name](section, f" · {of}" if len(sets) > 1 else "", numbers)
        if section.figures or section.tables or section.pairs or section.text:
            made.append(section)
    return made


def _table(section: Section, title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if rows:
        section.tables.append({"title": title, "head": head, "rows": rows})


def _funnel(section: Section, of: str, numbers: ReportNumbers) -> None:
    if cost := numbers["cost"]:
        tokens = cost["prompt_tokens"] + cost["completion_tokens"]
        rows = [("requests", f"{cost['requests']:,}"), ("tokens, as the server counted them", f"{tokens:,}")]
        rows += [("cost, at the prices given", f"{cost['cost']:,.2f}")] if cost["cost"] is not None else []
        rows += [("seconds", f"{cost['seconds']:,.0f}")] if cost["seconds"] is not None else []
        _table(section, f"Cost{of}", ("", "value"), rows)
    funnel = numbers["funnel"]
    for name, title in (("documents_skipped", "Documents without a seed"), ("snippets_refused", "Snippets drawn again")):
        counts = [(reason.replace("_", " "), f"{count:,}") for reason, count in funnel[name].items()]
        _table(section, f"{title}{of}", ("why", "number"), counts)
    checks = [
        (check.get("name", ""), check.get("status", "").replace("_", " "), check.get("why", "")) for check in numbers["checks"]
    ]
    _table(section, f"Checks{of}", ("check", "status", "why"), checks)


def _similarity(section: Section, of: str, numbers: ReportNumbers) -> None:
    if numbers["similarity"]:
        section.text = SIMILARITY
    missing = [
        (similarity["benchmark"], similarity["not_done"]) for similarity in numbers["similarity"] if "not_done" in similarity
    ]
    _table(section, f"Not compared{of}", ("benchmark", "why"), missing)
    for similarity in numbers["similarity"]:
        if "not_done" in similarity:
            continue
        pairs = [
            {
                "title": f"{pair['cosine']:.3f} · {pair['problem']}",
                "row": pair["row_text"],
                "benchmark": pair["text"],
                "link": None if of else f"#row=kept-{pair['row']}",
            }
            for pair in similarity["nearest"]
        ]
        section.pairs.append({"title": f"The {len(pairs)} rows nearest to {similarity['benchmark']}{of}", "pairs": pairs})


def _diversity(section: Section, of: str, numbers: ReportNumbers) -> None:
    diversity = numbers["diversity"] or {}
    if not diversity.get("rows"):
        return
    rows = [
        ("rows", f"{diversity['rows']:,}"),
        ("distinct problems, word for word", f"{diversity['distinct_problems']:,}"),
        ("distinct tasks, near duplicates joined", f"{diversity['distinct_tasks']:,}"),
        (f"near-duplicate rate (Jaccard of word 5-grams ≥ {diversity['threshold']})", f"{diversity['near_duplicate_rate']:.2%}"),
    ]
    if "effective" in diversity:
        rows.append(
            (f"effective number of clusters, of {len(diversity['clusters'])} (exp of the entropy)", f"{diversity['effective']:,}")
        )
    _table(section, f"Distinct tasks{of}", ("", "value"), rows)
    words = [
        (f"{number}", ", ".join(cluster["words"]), f"{cluster['rows']:,}")
        for number, cluster in enumerate(diversity.get("clusters", ()), 1)
    ]
    _table(section, f"Clusters and their typical words{of}", ("", "words", "rows"), words)


def _verification(section: Section, of: str, numbers: ReportNumbers) -> None:
    verification = numbers["verification"]
    if run := numbers.get("verified_run"):
        _verified_run(section, of, run)
    if not verification:
        return
    rows = [("rows with a verdict", f"{verification['verified']:,}")]
    if flaky := verification.get("flaky"):
        rows.append(("flaky rows", f"{flaky['rows']:,}"))
        if flaky["bound"] is not None:
            rows.append((f"runs that flip, at most (95 %, {flaky['reruns']:,} reruns)", f"{flaky['bound']:.2%}"))
    if truth := verification.get("truth"):
        for name in ("false_accept_rate", "false_reject_rate", "j"):
            if truth[name] is not None:
                rows.append((name.replace("_", " "), f"{truth[name]:.3f}"))
    _table(section, f"Verdicts{of}", ("", "value"), rows)
    by_language = [
        (name, f"{counts['passed']:,}", f"{counts['kept']:,}", f"{counts['rejected']:,}")
        for name, counts in verification["by_language"].items()
    ]
    _table(section, f"Rows by language{of}", ("language", "passed", "kept", "rejected"), by_language)


def _verified_run(section: Section, of: str, run: ReportNumbers) -> None:
    languages = []
    for name, counts in run["languages"].items():
        share = f"{counts['passed'] / counts['pairs']:.1%}" if counts["pairs"] else ""
        languages.append((name, f"{counts['passed']:,}", f"{counts['pairs']:,}", share, counts["toolchain"]))
    _table(section, f"Yield by language{of}", ("language", "passed", "pairs", "yield", "toolchain"), languages)
    attempts = []
    for attempt in run["attempts"]:
        solved = f"{attempt['solved_by_then']:.1%}"
        attempts.append((f"{attempt['attempt']}", f"{attempt['tried']:,}", f"{attempt['pass_rate']:.1%}", solved))
    _table(section, f"Pass rate by attempt{of}", ("attempt", "solutions", "passed", "solved by then"), attempts)
    rows = [(f"tests: {name}", f"{count:,}") for name, count in run["tests"].items()]
    if run["mutation_score"]["mean"] is not None:
        rows.append((f"mean mutation score of {run['mutation_score']['rows']:,} rows", f"{run['mutation_score']['mean']:.2f}"))
    if (flips := run["flake_bound"])["bound"] is not None:
        rows.append((f"runs that flip, at most (95 %, {flips['reruns']:,} reruns)", f"{flips['bound']:.2%}"))
    rows += [(f"rows run in the sandbox {name}", f"{count:,}") for name, count in run["sandbox"].items()]
    rows += [(f"not verifiable here: {name.replace('_', ' ')}", f"{count:,}") for name, count in run["not_verifiable"].items()]
    _table(section, f"Tests and sandbox{of}", ("", "value"), rows)


def _judges(section: Section, of: str, numbers: ReportNumbers) -> None:
    judge_scores = numbers.get("judge_scores") or {}
    rows = [(name, f"{scores['mean']:.2f}", f"{scores['scores']:,}") for name, scores in judge_scores.get("judge", {}).items()]
    _table(section, f"Means by judge{of}", ("judge", "mean", "scores"), rows)


def _contamination(section: Section, of: str, numbers: ReportNumbers) -> None:
    rows = [
        (entry["benchmark"], rule, f"{counts.get('rejected', 0):,}", f"{counts.get('kept', 0):,}")
        for entry in numbers["contamination"]
        for rule, counts in entry["rules"].items()
    ]
    _table(section, f"Rows found by rule{of}", ("benchmark", "rule", "rejected", "kept, flagged"), rows)
    # An empty section would read as a clean dataset, also where nothing was checked.
    if not rows and not section.tables:
        done = [check for check in numbers["checks"] if check.get("name") == "decontamination"]
        status = done[0].get("status", "unknown") if done else ""
        section.text = (
            "Decontamination found no row that quotes a benchmark."
            if status == "done"
            else "Decontamination was not done"
            + (f": {done[0]['why']}" if done and done[0].get("why") else "")
            + ". Run curate to do it."
        )
    for entry in numbers["contamination"]:
        pairs = [
            {
                "title": f"{passage['problem']} · rule {passage['rule']} · {passage['words']} words in common",
                "row": passage["in_row"],
                "benchmark": passage["in_benchmark"]
                if passage["in_benchmark"] is not None
                else "(The benchmark's text is not available: pass it with --benchmarks.)",
                "link": None if of else f"#row={passage['table']}-{passage['row']}",
            }
            for passage in entry["passages"]
        ]
        if pairs:
            section.pairs.append({"title": f"Passages in common with {entry['benchmark']}{of}", "pairs": pairs})


FILL: dict[str, Callable[[Section, str, ReportNumbers], None]] = {
    "funnel": _funnel,
    "similarity": _similarity,
    "diversity": _diversity,
    "verification": _verification,
    "judges": _judges,
    "contamination": _contamination,
}
"""Section → what fills its tables and texts."""
