"""Which charts a report has, in which section, and the table of numbers beside each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.code.languages import title_of
from hf_oss_instruct.reporting.charts import vega_lite
from hf_oss_instruct.reporting.charts.vega_lite import Sets, Spec
from hf_oss_instruct.reporting.measures.similarity import PUBLISHED

COMPOSITION = {
    "languages": "Languages",
    "licenses": "Licenses of the seeds",
    "repositories": "Repositories",
    "file_types": "File types",
    "operations": "Operations of Evol-Instruct",
    "rounds": "Rounds of Evol-Instruct",
}
CARD = ("funnel", "languages", "problem_tokens", "categories", "similarity-HumanEval", "map", "pass_rate")
"""Figures of which a dataset card shows a picture."""


@dataclass(frozen=True)
class Figure:
    """A chart and the numbers in it.

    Attributes:
        name: identifier, and name of its PNG file.
        section: the section of the page.
        title: a description of it.
        note: how to read it, in a sentence or two.
        spec: the chart.
        head, rows: the table of its numbers.
    """

    name: str
    section: str
    title: str
    note: str
    spec: Spec
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def file_name(self) -> str:
        """The name of its PNG file."""
        return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in self.name) + ".png"


def figures(sets: Sets) -> list[Figure]:
    """All charts for which there are numbers.

    Args:
        sets: a dataset's name → its numbers; several are compared.
    """
    return [
        figure
        for part in (
            _funnel,
            _composition,
            _lengths,
            _categories,
            _similarity,
            _map,
            _verified_run,
            _verification,
            _judges,
            _outcomes,
        )
        for figure in part(sets)
    ]


def _funnel(sets: Sets) -> Iterator[Figure]:
    counts = {
        name: {"kept": numbers["funnel"]["kept"], **numbers["funnel"]["rejected"], "pending": numbers["funnel"]["pending"]}
        for name, numbers in sets.items()
    }
    counts = {
        name: {label.replace("_", " "): rows for label, rows in by_label.items() if rows} for name, by_label in counts.items()
    }
    note = "Rows kept, and rejected rows by reason. Each rejected row is stored with its reason."
    yield from _bars("funnel", "funnel", "Kept and rejected", note, counts, good="kept")


def _composition(sets: Sets) -> Iterator[Figure]:
    for name, title in COMPOSITION.items():
        compositions = {of: numbers["composition"][name] for of, numbers in sets.items() if name in numbers["composition"]}
        counts = {
            of: _titles(composition["rows"]) if name == "languages" else composition["rows"]
            for of, composition in compositions.items()
        }
        note = " · ".join(
            f"{composition['distinct']:,} distinct" + (f" in {of}" if len(sets) > 1 else "")
            for of, composition in compositions.items()
        )
        # One bar says nothing, except which language the dataset is in.
        if any(composition["distinct"] > 1 for composition in compositions.values()) or name == "languages":
            yield from _bars(name, "composition", title, note, counts)


def _lengths(sets: Sets) -> Iterator[Figure]:
    for part in ("problem", "solution"):
        by_set = {of: numbers["lengths"] for of, numbers in sets.items() if numbers["lengths"] and part in numbers["lengths"]}
        if not by_set:
            continue
        spec = vega_lite.histogram(
            {of: lengths[part]["histogram"] for of, lengths in by_set.items()},
            "tokens",
            mean={of: lengths[part]["mean"] for of, lengths in by_set.items()},
        )
        names = "; ".join(dict.fromkeys(lengths["tokenizer"] for lengths in by_set.values()))
        note = f"Tokens: {names}. Dashed: the mean. The last bar is everything longer."
        head = ("tokens", *(f"{of}" for of in by_set)) if len(by_set) > 1 else ("tokens", "rows")
        rows = tuple(
            (measure, *(f"{lengths[part][measure]:,}" for lengths in by_set.values()))
            for measure in ("mean", "median", "p95", "max", "sum")
        )
        if spec:
            yield Figure(f"{part}_tokens", "composition", f"Length of the {part}s", note, spec, head, rows)


def _categories(sets: Sets) -> Iterator[Figure]:
    by_set = {of: numbers["categories"] for of, numbers in sets.items() if numbers["categories"]}
    methods = "; ".join(dict.fromkeys(categories["method"] for categories in by_set.values()))
    order = sorted(
        dict.fromkeys(name for categories in by_set.values() for name in categories["rows"]),
        key=lambda name: -sum(categories["rows"].get(name, 0) for categories in by_set.values()),
    )
    note = f"Magicoder's ten categories, assigned by {methods}."
    yield from _bars(
        "categories",
        "composition",
        "Categories",
        note,
        {of: {name: categories["rows"].get(name, 0) for name in order} for of, categories in by_set.items()},
    )


def _similarity(sets: Sets) -> Iterator[Figure]:
    benchmarks = dict.fromkeys(
        similarity["benchmark"] for numbers in sets.values() for similarity in numbers["similarity"] if "histogram" in similarity
    )
    for benchmark in benchmarks:
        by_set = {
            of: similarity
            for of, numbers in sets.items()
            for similarity in numbers["similarity"]
            if similarity["benchmark"] == benchmark and "histogram" in similarity
        }
        means = {of: similarity["mean_of_maxima"] for of, similarity in by_set.items()}
        spec = vega_lite.histogram(
            {of: similarity["histogram"] for of, similarity in by_set.items()}, "highest cosine", mean=means
        )
        note = "Each row's TF-IDF cosine to its nearest problem. Dashed: the mean."
        rows = [(of, f"{mean:.3f}") for of, mean in means.items()]
        if benchmark.lower() == "humaneval":
            rows += [(f"{name}, as published", f"{mean:.3f}") for name, mean in PUBLISHED.items()]
        if spec:
            title = f"Similarity to {benchmark}"
            yield Figure(f"similarity-{benchmark}", "similarity", title, note, spec, ("dataset", "mean"), tuple(rows))


def _map(sets: Sets) -> Iterator[Figure]:
    for of, numbers in sets.items():
        diversity = numbers["diversity"] or {}
        spec = vega_lite.map_of(diversity, lambda row: f"#row=kept-{row}")
        if not spec:
            continue
        title = "Map of the rows" + (f": {of}" if len(sets) > 1 else "")
        some = (
            f"{len(diversity['map']):,} of {diversity['rows']:,} rows"
            if len(diversity["map"]) < diversity["rows"]
            else "All rows"
        )
        note = (
            f"{some}; similar ones lie near each other (t-SNE on TF-IDF). Numbers and shapes are clusters. A point opens its row."
        )
        rows = tuple(
            (f"{number}", ", ".join(cluster["words"]), f"{cluster['rows']:,}")
            for number, cluster in enumerate(diversity["clusters"], 1)
        )
        yield Figure("map", "diversity", title, note, spec, ("cluster", "typical words", "rows"), rows)


def _verified_run(sets: Sets) -> Iterator[Figure]:
    runs = {of: run for of, numbers in sets.items() if (run := numbers.get("verified_run"))}
    steps = {of: {name.replace("_", " "): rows for name, rows in run["funnel"].items()} for of, run in runs.items()}
    note = "Pairs that reached each step, including the rejected ones."
    yield from _bars("verification_funnel", "verification", "Yield of verification", note, steps)
    solved = {of: [(attempt["attempt"], attempt["solved_by_then"]) for attempt in run["attempts"]] for of, run in runs.items()}
    # One attempt makes no curve.
    solved = {of: points for of, points in solved.items() if len(points) > 1}
    if spec := vega_lite.lines(solved, "solutions of a problem", "share of problems solved"):
        head = ("attempt", "solutions", "passed", "solved by then")
        rows = tuple(
            (f"{attempt['attempt']}", f"{attempt['tried']:,}", f"{attempt['pass_rate']:.1%}", f"{attempt['solved_by_then']:.1%}")
            for run in runs.values()
            for attempt in run["attempts"]
        )
        note = "Problems with a passing solution among the first k."
        yield Figure("solved_by_attempt", "verification", "Solved by attempt", note, spec, head, rows)


def _verification(sets: Sets) -> Iterator[Figure]:
    by_set = {of: numbers["verification"] for of, numbers in sets.items() if numbers["verification"]}
    for name, title in (("execution_status", "Outcomes of the solutions"), ("difficulty", "Difficulty")):
        counts = {of: verification[name] for of, verification in by_set.items() if name in verification}
        note = (
            "Rows by the outcome of their run."
            if name == "execution_status"
            else "By share of attempts that pass: easy from 75 %, medium from 40 %, hard above 0."
        )
        yield from _bars(name, "verification", title, note, counts, good="passed" if name == "execution_status" else "")
    for name, title in (("pass_rate", "Pass rate"), ("mutation_score", "Mutation score")):
        known = {of: verification[name] for of, verification in by_set.items() if name in verification}
        spec = vega_lite.histogram(
            {of: summary["histogram"] for of, summary in known.items()},
            title.lower(),
            mean={of: summary["mean"] for of, summary in known.items()},
        )
        if spec:
            note = (
                "Share of the attempts that pass." if name == "pass_rate" else "Share of changed solutions that the tests notice."
            )
            yield Figure(
                name,
                "verification",
                title,
                note,
                spec,
                ("dataset", "mean", "rows"),
                tuple((of, f"{summary['mean']:.3f}", f"{summary['rows']:,}") for of, summary in known.items()),
            )


def _judges(sets: Sets) -> Iterator[Figure]:
    by_set = {of: scores for of, numbers in sets.items() if (scores := numbers.get("judge_scores"))}
    means = {of: scores["mean"] for of, scores in by_set.items()}
    if spec := vega_lite.histogram({of: scores["histogram"] for of, scores in by_set.items()}, "mean score of a row", mean=means):
        note = "Each row's mean over judges and criteria, weighted as in the rubric. Dashed: the mean of the rows."
        rows = tuple((of, f"{scores['mean']:.2f}", f"{scores['rows']:,}") for of, scores in by_set.items())
        yield Figure("judge_scores", "judges", "Judge scores", note, spec, ("dataset", "mean", "rows"), rows)
    criteria = {of: {name: score["mean"] for name, score in scores["criterion"].items()} for of, scores in by_set.items()}
    note = "The mean of all scores that judges gave for a criterion."
    yield from _bars("judge_criteria", "judges", "Judge scores by criterion", note, criteria, of_rows=False)


def _outcomes(sets: Sets) -> Iterator[Figure]:
    runs = {
        (f"{of}: " if len(sets) > 1 else "") + training["folder"]: training
        for of, numbers in sets.items()
        for training in numbers["trainings"]
    }
    curves = {name: training["losses"] for name, training in runs.items() if training["losses"]}
    if spec := vega_lite.lines(curves, "step", "loss, nats per token"):
        rows = tuple((name, f"{points[-1][0]:,.0f}", f"{points[-1][1]:.3f}") for name, points in curves.items())
        yield Figure("loss", "outcomes", "Training loss", "", spec, ("training", "last step", "last loss"), rows)
    scored = {
        name: [(point["step"], point["score/pass@1"]) for point in run["scores"] if "step" in point and "score/pass@1" in point]
        for name, run in runs.items()
    }
    scored = {name: points for name, points in scored.items() if points}
    if spec := vega_lite.lines(scored, "step", "pass@1"):
        rows = tuple((name, f"{points[-1][0]:,.0f}", f"{points[-1][1]:.3f}") for name, points in scored.items())
        yield Figure("scores", "outcomes", "Scores while training", "", spec, ("training", "last step", "pass@1"), rows)
    lines = [
        result
        | {
            "label": f"{result['task']} {result['tests']} {result['measure']}",
            "dataset": of if len(sets) > 1 else result["folder"],
        }
        for of, numbers in sets.items()
        for result in numbers["results"]
    ]
    if spec := vega_lite.intervals(lines):
        scores = tuple(
            (line["dataset"], line["label"], f"{line['mean']:.1%}", f"{line['low']:.1%} to {line['high']:.1%}") for line in lines
        )
        note = "Points are means, lines 95 % intervals."
        yield Figure("results", "outcomes", "Scores", note, spec, ("folder", "measure", "score", "95 % interval"), scores)


def _bars(
    name: str,
    section: str,
    title: str,
    note: str,
    counts: Mapping[str, Mapping[str, float]],
    good: str = "",
    *,
    of_rows: bool = True,
) -> Iterator[Figure]:
    spec = vega_lite.bars(counts, title, good=good, of_rows=of_rows) if counts else None
    if spec:
        labels = list(dict.fromkeys(label for by_label in counts.values() for label in by_label))
        head = ("", *counts) if len(counts) > 1 else ("", "rows" if of_rows else "mean")
        rows = tuple(
            (label, *(vega_lite.number(by_label.get(label, 0), of_rows) for by_label in counts.values())) for label in labels
        )
        yield Figure(name, section, title, note, spec, head, rows)


def _titles(counts: Mapping[str, Any]) -> dict[str, Any]:
    return {title_of(name): rows for name, rows in counts.items()}
