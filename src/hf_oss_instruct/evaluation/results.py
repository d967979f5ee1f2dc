"""What a scoring run leaves: `verdicts.jsonl`, one line a sample, written as they come; `results.json`; a table in Markdown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hf_oss_instruct.display import markdown
from hf_oss_instruct.errors import EvaluationError, RunError, UsageError
from hf_oss_instruct.evaluation.pass_at_k import interval, mean_pass_at_k
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.scoring import Verdict, counts
from hf_oss_instruct.structured import loads, read_object
from hf_oss_instruct.workdir import Lines, write_whole

VERDICTS, RESULTS, TABLE = "verdicts.jsonl", "results.json", "results.md"
KS = (1, 10, 100)
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of a task, as `results.json` holds them.

    Attributes:
        task: the task.
        version: of its data.
        source: file or repository of its data.
        problems: how many problems the benchmark has.
        samples: how many samples were judged or tried.
        scores: `base`, `plus` or `passed`, and the same `without` contaminated problems → `pass@k` → mean, low, high, problems.
        statuses: status → number of samples.
        missing: problems without a sample.
        not_evaluated: problems of which no sample could be judged, and why.
        retried: samples that were run again alone.
        graded: `outside` and `inside` the solution's process → number of problems whose answers were judged there.
        contaminated: problems that the training set touches; None if none was given.
        facts: versions, tier, limits.
    """

    task: str
    version: str
    source: str
    problems: int
    samples: int
    scores: dict[str, dict[str, dict[str, float]]]
    statuses: dict[str, int]
    missing: list[str]
    not_evaluated: dict[str, str]
    retried: int
    graded: dict[str, int] = field(default_factory=dict)
    contaminated: list[str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def summarise(
    benchmark: Benchmark,
    verdicts: Sequence[Verdict],
    missing: Sequence[str] = (),
    *,
    ks: Sequence[int] | None = None,
    contaminated: Sequence[str] | None = None,
    facts: dict[str, Any] | None = None,
) -> Score:
    """The scores out of the verdicts.

    Args:
        benchmark: the problems.
        verdicts: one for each sample.
        missing: problems without a sample; they count in no score.
        ks: the k of pass@k; 1, 10 and 100 as far as there are samples by default.
        contaminated: problems that a training set touches.
        facts: versions, tier and limits to keep.

    Raises:
        UsageError: a k is larger than some problem's number of samples.
    """
    kinds = ["base", "plus"] if any(problem.calls for problem in benchmark.problems.values()) else ["passed"]
    scores = {kind: table for kind in kinds if (table := _pass_at_ks(counts(verdicts, kind), ks))}
    if contaminated:
        clean = [verdict for verdict in verdicts if verdict.task_id not in set(contaminated)]
        scores |= {f"{kind} without": table for kind in kinds if (table := _pass_at_ks(counts(clean, kind), ks))}
    judged = {verdict.task_id for verdict in verdicts if verdict.final}
    return Score(
        benchmark.task,
        benchmark.version,
        benchmark.source,
        len(benchmark.problems),
        len(verdicts),
        scores,
        dict(Counter(verdict.status for verdict in verdicts).most_common()),
        list(missing),
        {verdict.task_id: verdict.reason for verdict in verdicts if verdict.task_id not in judged},
        sum(verdict.retried for verdict in verdicts),
        dict(Counter(graded for _, graded in {(one.task_id, one.graded) for one in verdicts if one.graded})),
        None if contaminated is None else list(contaminated),
        facts or {},
    )


def _pass_at_ks(rows: dict[str, list[bool]], ks: Sequence[int] | None) -> dict[str, dict[str, float]]:
    if not rows:
        return {}
    numbers = [(len(row), sum(row)) for row in rows.values()]
    fewest = min(n for n, _ in numbers)
    if ks and max(ks) > fewest:
        raise UsageError(
            f"pass@{max(ks)} needs {max(ks)} samples of every problem, and one has {fewest}. Ask for --k {fewest} or less."
        )
    found = {}
    for k in ks or [k for k in KS if k <= fewest]:
        mean = mean_pass_at_k(numbers, k)
        low, high = interval(mean, len(numbers))
        found[f"pass@{k}"] = {"mean": mean, "low": low, "high": high, "problems": len(numbers)}
    return found


def table(score: Score) -> list[tuple[str, ...]]:
    """Heading and rows of the results table: test set, measure, value with interval in percent, problems."""
    rows: list[tuple[str, ...]] = [("task", "tests", "measure", "score", "95 % interval", "problems")]
    for kind, measures in score.scores.items():
        for name, one in measures.items():
            value, low, high = (f"{100 * one[part]:.1f}" for part in ("mean", "low", "high"))
            rows.append((score.task, kind, name, value, f"{low}–{high}", f"{one['problems']:g} of {score.problems}"))
    return rows


def as_markdown(score: Score) -> str:
    """The table, the statuses and what was not evaluated, as Markdown."""
    heading, *rows = table(score)
    lines = [f"| {' | '.join(heading)} |", "|---|---|---|--:|--:|--:|"]
    lines += [f"| {' | '.join(map(markdown, row))} |" for row in rows]
    return "\n".join([*lines, "", *remarks(score)]) + "\n"


def remarks(score: Score) -> list[str]:
    """What has to be known beside the numbers, a sentence each."""
    counted = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in score.statuses.items())
    lines = [f"{score.samples:,} samples: {counted}. Data: {score.version}. Sandbox: {score.facts.get('sandbox', 'unknown')}."]
    if inside := score.graded.get("inside"):
        lines.append(
            f"The tests of {inside:,} problems ran in the process of the solution: one that is written to deceive them can pass."
        )
    if score.missing:
        lines.append(f"{len(score.missing):,} problems have no sample and count in no score.")
    if score.not_evaluated:
        why = next(iter(score.not_evaluated.values()))
        lines.append(f"{len(score.not_evaluated):,} problems were not evaluated and count in no score: {why}")
    if score.contaminated is not None:
        lines.append(f"The training set touches {len(score.contaminated):,} of {score.problems:,} problems.")
    return lines


def claim(out: Path, benchmark: Benchmark) -> None:
    """Mark a folder as this benchmark's, before anything else is written.

    Raises:
        RunError: it holds results of another task or of another version of its data.
    """
    path, own = out / RESULTS, {"task": benchmark.task, "version": benchmark.version}
    try:
        theirs = read_object(path, {"task": str, "version": str}) if path.exists() else own
    except ValueError as error:
        raise RunError(f"{error}. Remove it, or choose another folder with --out.") from error
    if {name: theirs[name] for name in own} != own:
        raise RunError(
            f"The folder {str(out)!r} holds results of {theirs['task']} on {theirs['version']}, not of {own['task']} on "
            f"{own['version']}. Choose another with --out."
        )
    if not path.exists():
        write_whole(path, json.dumps({"format_version": FORMAT_VERSION, **own, "pending": True}) + "\n")


@contextmanager
def recording(out: Path | None) -> Iterator[tuple[dict[str, Verdict], Any]]:
    """The verdicts that a folder holds already, by key, and a function that adds one to it.

    A line that a kill has torn is cut off; a verdict is on disk before the next is asked for.
    """
    if out is None:
        yield {}, lambda verdict: None
        return
    known = {verdict.key: verdict for verdict in read_verdicts(out / VERDICTS, torn=True)} if (out / VERDICTS).exists() else {}
    with Lines(out / VERDICTS) as lines:
        yield known, lambda verdict: None if verdict.key in known else lines.append(asdict(verdict))


def write(out: Path, score: Score, verdicts: Sequence[Verdict]) -> None:
    """Leave the verdicts in the order of the samples, the scores and the table; each file is replaced as a whole."""
    lines = "".join(json.dumps(asdict(verdict)) + "\n" for verdict in verdicts)
    facts = {"format_version": FORMAT_VERSION, **asdict(score)}
    for name, text in ((VERDICTS, lines), (TABLE, as_markdown(score)), (RESULTS, json.dumps(facts, indent=2) + "\n")):
        write_whole(out / name, text)


def read_verdicts(path: Path, *, torn: bool = False) -> list[Verdict]:
    """The verdicts of a run's folder or of its `verdicts.jsonl`.

    Args:
        path: folder or file.
        torn: whether the last line may be broken, as a kill leaves it.

    Raises:
        UsageError: there is no such file.
        EvaluationError: a line is no verdict.
    """
    path = path / VERDICTS if path.is_dir() else path
    if not path.exists():
        raise UsageError(f"There is no {str(path)!r}. Name the folder that score wrote with --out.")
    found = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(Verdict.from_json(loads(line)))
        except (ValueError, TypeError, AttributeError) as error:
            if torn and number == len(lines):
                break
            raise EvaluationError(
                f"{path}, line {number} is no verdict: {error}. Remove the line; score makes it again."
            ) from error
    return found
