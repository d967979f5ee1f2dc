"""The output of a scoring run: `verdicts.jsonl` (one line per sample, written immediately), `results.json`, a Markdown table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.errors import EvaluationError, RunError, UsageError
from hf_oss_instruct.evaluation.generation import GENERATION, SAMPLES
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.pass_at_k import interval, mean_pass_at_k
from hf_oss_instruct.evaluation.scoring.verdicts import Verdict, results_by_problem
from hf_oss_instruct.storage.formats import SCORES, output_in
from hf_oss_instruct.storage.workdir import (
    JOB,
    JsonlAppender,
    check_replaceable,
    difference,
    different_run_error,
    write_atomically,
)
from hf_oss_instruct.structured import loads, read_object
from hf_oss_instruct.terminal.display import markdown

VERDICTS, RESULTS, TABLE = "verdicts.jsonl", "results.json", "results.md"
UNFINISHED = ("oss_instruct.yaml", JOB)
"""Files by which a run that has no report yet is recognized."""
KS = (1, 10, 100)
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of a task, as stored in `results.json`.

    Attributes:
        task: name of the task.
        version: version of its data.
        source: file or repository of its data.
        problems: number of problems in the benchmark.
        samples: number of samples that were judged, successfully or not.
        scores: `base`, `plus` or `passed`, and the same `without` contaminated problems → `pass@k` → mean, low, high, problems.
        statuses: status → number of samples.
        missing: problems without a sample.
        not_evaluated: problems of which no sample could be judged, and why.
        retried: number of samples that were run a second time, alone.
        graded: `outside` or `inside` the solution's process → number of problems judged there.
        contaminated: problems that the training set quotes; None if no training set was given.
        facts: versions, sandbox tier, limits.
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
    """Compute the scores from the verdicts.

    Args:
        benchmark: the problems.
        verdicts: the verdict on each sample.
        missing: problems without a sample; they are excluded from every score.
        ks: values of k for pass@k; by default 1, 10 and 100, up to the number of samples.
        contaminated: problems that a training set quotes.
        facts: versions, sandbox tier and limits to store.

    Raises:
        UsageError: a k is larger than the number of samples of some problem.
    """
    # Problems with calls are those of HumanEval+ and MBPP+.
    kinds = ["base", "plus"] if any(problem.calls for problem in benchmark.problems.values()) else ["passed"]
    scores = {kind: table for kind in kinds if (table := _pass_at_ks(results_by_problem(verdicts, kind), ks))}
    if contaminated:
        clean = [verdict for verdict in verdicts if verdict.task_id not in set(contaminated)]
        scores |= {f"{kind} without": table for kind in kinds if (table := _pass_at_ks(results_by_problem(clean, kind), ks))}
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
        dict(Counter(graded for _, graded in {(verdict.task_id, verdict.graded) for verdict in verdicts if verdict.graded})),
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
            f"pass@{max(ks)} needs {max(ks)} samples per problem, and one problem has {fewest}. Use a k of {fewest} or less."
        )
    table = {}
    for k in ks or [k for k in KS if k <= fewest]:
        mean = mean_pass_at_k(numbers, k)
        low, high = interval(mean, len(numbers))
        table[f"pass@{k}"] = {"mean": mean, "low": low, "high": high, "problems": len(numbers)}
    return table


def table(score: Score) -> list[tuple[str, ...]]:
    """Build the header and rows of the results table; scores and intervals are in percent."""
    rows: list[tuple[str, ...]] = [("task", "tests", "measure", "score", "95 % interval", "problems")]
    for kind, measures in score.scores.items():
        for name, numbers in measures.items():
            value, low, high = (f"{100 * numbers[part]:.1f}" for part in ("mean", "low", "high"))
            rows.append((score.task, kind, name, value, f"{low}–{high}", f"{numbers['problems']:g} of {score.problems}"))
    return rows


def as_markdown(score: Score) -> str:
    """Format the table, the statuses and the unevaluated problems as Markdown."""
    heading, *rows = table(score)
    lines = [f"| {' | '.join(heading)} |", "|---|---|---|--:|--:|--:|"]
    lines += [f"| {' | '.join(map(markdown, row))} |" for row in rows]
    return "\n".join([*lines, "", *remarks(score)]) + "\n"


def remarks(score: Score) -> list[str]:
    """List what a reader must know about the numbers, one sentence each."""
    counted = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in score.statuses.items())
    lines = [f"{score.samples:,} samples: {counted}. Data: {score.version}. Sandbox: {score.facts.get('sandbox', 'unknown')}."]
    if inside := score.graded.get("inside"):
        lines.append(
            f"The tests of {inside:,} problems ran in the solution's process, so a solution written to deceive them can pass."
        )
    if score.missing:
        lines.append(f"{len(score.missing):,} problems have no sample and are excluded from every score.")
    if score.not_evaluated:
        reason = next(iter(score.not_evaluated.values()))
        lines.append(f"{len(score.not_evaluated):,} problems were not evaluated and are excluded from every score: {reason}")
    if score.contaminated is not None:
        lines.append(f"The training set quotes {len(score.contaminated):,} of {score.problems:,} problems.")
    return lines


def check_folder(out: Path, replaced: Sequence[str] = (TABLE, VERDICTS), own: str = RESULTS) -> None:
    """Refuse a folder with anything but scores, before anything is written.

    Args:
        out: the folder, which may be missing.
        replaced: names of files that are written.
        own: name of a file by which an earlier run of the same command is recognized.

    Raises:
        RunError: the message says what is there.
    """
    kind = output_in(out) or ("a run" if any((out / name).exists() for name in UNFINISHED) else None)
    if kind not in (None, SCORES):
        raise RunError(f"The folder {str(out)!r} contains {kind}. Use a new folder, or one in it, for the scores.")
    check_replaceable(out, replaced, (own,))


def identity_of(path: Path, samples: Iterable[Sample], out: Path) -> dict[str, Any]:
    """Name and hash of samples, by which a folder belongs to them; only the name if they lie in it, where they may grow.

    Args:
        path: file or folder that they were read from.
        samples: the samples.
        out: folder of the scores.
    """
    if path.resolve().is_relative_to(out.resolve()):
        return {"samples": path.name}
    hashed = xxhash.xxh3_128()
    for sample in samples:
        fields = (sample.task_id, str(sample.number), sample.kind, sample.text)
        hashed.update(json.dumps(fields).encode())
    return {"samples": path.name, "samples_hash": hashed.hexdigest()}


def claim(out: Path, benchmark: Benchmark, samples: Mapping[str, Any]) -> None:
    """Reserve a folder for this benchmark and these samples, before anything else is written.

    Args:
        out: the folder.
        benchmark: the problems.
        samples: see `identity_of`.

    Raises:
        RunError: it contains results of another task, of another version of its data or of other samples, or something else.
    """
    check_folder(out)
    path, own = out / RESULTS, {"task": benchmark.task, "version": benchmark.version}
    try:
        existing = read_object(path, {"task": str, "version": str}) if path.exists() else own
    except ValueError as error:
        raise RunError(f"{error}. Move the files of this folder away, or choose another folder.") from error
    if {name: existing[name] for name in own} != own:
        raise RunError(
            f"The folder {str(out)!r} contains results of {existing['task']} on {existing['version']}, not of {own['task']} on "
            f"{own['version']}. Choose another one."
        )
    if (out / GENERATION).exists() and "samples_hash" in samples:
        raise different_run_error(out, [difference("samples", f"{SAMPLES} of evaluate", _shown(samples))])
    if not path.exists() or (existing.get("pending") and not (out / VERDICTS).exists()):
        facts = {"facts": dict(samples)} if "samples_hash" in samples else {}
        write_atomically(path, json.dumps({"format_version": FORMAT_VERSION, **own, **facts, "pending": True}) + "\n")
        return
    there = existing.get("facts")
    # Earlier versions recorded no hash.
    if isinstance(there, dict) and there.get("samples_hash") and there["samples_hash"] != samples.get("samples_hash"):
        raise different_run_error(out, [difference("samples", _shown(there), _shown(samples))])


def _shown(samples: Mapping[str, Any]) -> str:
    return " ".join([str(samples.get("samples")), *(f"({value[:12]})" for value in [samples.get("samples_hash")] if value)])


@contextmanager
def open_verdicts(out: Path | None) -> Iterator[tuple[dict[str, Verdict], Any]]:
    """Give the verdicts that a folder already contains, by key, and a function that appends one.

    A line truncated by a kill is removed; each verdict is on disk before the next one is requested.
    """
    if out is None:
        yield {}, lambda verdict: None
        return
    known = {verdict.key: verdict for verdict in read_verdicts(out / VERDICTS, torn=True)} if (out / VERDICTS).exists() else {}
    with JsonlAppender(out / VERDICTS) as lines:
        yield known, lambda verdict: None if verdict.key in known else lines.append(asdict(verdict))


def write(out: Path, score: Score, verdicts: Sequence[Verdict]) -> None:
    """Write the verdicts in the order of the samples, the scores and the table; each file is replaced atomically.

    Args:
        out: folder of the run.
        score: the scores.
        verdicts: the verdict on each sample.
    """
    lines = "".join(json.dumps(asdict(verdict)) + "\n" for verdict in verdicts)
    facts = {"format_version": FORMAT_VERSION, **asdict(score)}
    # The results last: until then, those in the folder say `pending`.
    for name, text in ((VERDICTS, lines), (TABLE, as_markdown(score)), (RESULTS, json.dumps(facts, indent=2) + "\n")):
        write_atomically(out / name, text)


def read_verdicts(path: Path, *, torn: bool = False) -> list[Verdict]:
    """Read the verdicts of a run's folder or of its `verdicts.jsonl`.

    Args:
        path: folder or file.
        torn: whether the last line may be truncated, as after a kill.

    Raises:
        UsageError: the file does not exist.
        EvaluationError: a line is not a verdict.
    """
    path = path / VERDICTS if path.is_dir() else path
    if not path.exists():
        raise UsageError(f"{str(path)!r} does not exist. Pass a folder that score wrote.")
    verdicts = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            verdicts.append(Verdict.from_json(loads(line)))
        except (ValueError, TypeError, AttributeError) as error:
            # Only the last line can be torn, and only if a kill left it without its line feed.
            if torn and number == len(lines):
                break
            raise EvaluationError(
                f"{path}, line {number} is not a verdict: {error}. Remove the line; score judges the sample again."
            ) from error
    return verdicts
