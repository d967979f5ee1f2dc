"""Read the samples to score, and match each one to its problem."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.benchmarks.multipl_e import KEYS
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.sample_files import Fault, Record, files_of, records, refuse
from hf_oss_instruct.evaluation.sample_files.records import MAX_SHOWN

_ID = re.compile(r"(?:(?P<name>[A-Za-z]+)[/_])?(?P<number>\d{1,9})(?:_\w*)?")
"""A problem ID as benchmarks and tools write it: `HumanEval/2`, `HumanEval_2_name`, `2`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One text that a model generated for a problem.

    Attributes:
        task_id: the problem's id.
        number: index of the sample among those of the problem, from 0.
        text: the model's output.
        kind: `completion`, `solution`, `answer`, or `program` with tests.
        location: file and line it was read from, for error messages.
    """

    task_id: str
    number: int
    text: str
    kind: str
    location: str = field(default="", compare=False)


def read_samples(path: Path, benchmark: Benchmark | None = None) -> list[Sample]:
    """Read the samples in a file or folder, numbered within each problem.

    Args:
        path: `.jsonl` (also `.gz`), lines of `task_id` (or MultiPL-E's `name`) and `solution`, `completion`, `completions`,
            `answer` or `response`, as written by evalplus and human-eval; evalplus' `*_eval_results.json` or its folder
            (`HumanEval_0/0.py`); MultiPL-E's `.json` and `.results.json`, or a folder of them; bigcode-evaluation-harness'
            `generations.json`; inspect's logs (`.eval`, `.json`); lighteval's details (`.parquet`).
        benchmark: the problems. Required if a file identifies problems only by position or prompt.

    Raises:
        UsageError: the file does not exist.
        EvaluationError: it is empty, or has unusable records; the message counts them and names lines.
    """
    samples: list[Sample] = []
    faults: list[Fault] = []
    numbers, seen = Counter[str](), set[tuple[str, str]]()
    for item in (item for file in files_of(path) for item in records(file)):
        record = _identified(item, benchmark) if isinstance(item, Record) else item
        if isinstance(record, Record) and (twice := _duplicate(record, seen)):
            record = twice
        if isinstance(record, Fault):
            faults.append(record)
            continue
        task_id = str(record.task_id)
        for text in record.texts:
            samples.append(Sample(task_id, numbers[task_id], text, record.kind, record.location))
            numbers[task_id] += 1
    refuse(faults)
    if not samples:
        raise EvaluationError(f"The file {str(path)!r} contains no samples. Write lines with task_id and solution or completion.")
    return samples


def checked(samples: Iterable[Sample], benchmark: Benchmark, *, allow_missing: bool = False) -> tuple[list[Sample], list[str]]:
    """Return the samples with the benchmark's own IDs, and the problems without samples.

    Args:
        samples: samples of any tool.
        benchmark: the problems.
        allow_missing: whether problems may have no sample.

    Raises:
        EvaluationError: a sample matches no problem of the benchmark, or a problem has no sample and `allow_missing` is False.
    """
    names = _numbered(benchmark)
    samples = _in_language(list(samples), benchmark)
    samples = [
        sample if sample.task_id in benchmark.problems else replace(sample, task_id=_problem_of(sample.task_id, names))
        for sample in samples
    ]
    samples = _renumbered(samples)
    if unknown := [sample for sample in samples if sample.task_id not in benchmark.problems]:
        some = next(iter(benchmark.problems))
        listed = "; ".join(dict.fromkeys(f"{sample.task_id!r} ({sample.location})" for sample in unknown[:MAX_SHOWN]))
        count = len({sample.task_id for sample in unknown})
        raise EvaluationError(
            f"{count:,} problems of the samples ({len(unknown):,} of {len(samples):,} samples) are not in {benchmark.task} "
            f"({benchmark.version}), such as {listed}; its IDs look like {some!r}. Check --task and the version of --data."
        )
    answered = {sample.task_id for sample in samples}
    missing = [task_id for task_id in benchmark.problems if task_id not in answered]
    if missing and not allow_missing:
        raise EvaluationError(
            f"{len(missing)} of {len(benchmark.problems)} problems have no sample, such as {missing[0]!r}. "
            "Add them, or score the rest with --allow-missing."
        )
    return samples, missing


def _identified(record: Record, benchmark: Benchmark | None) -> Record | Fault:
    """Add the problem's ID to a record."""
    if record.task_id is not None:
        return record
    if benchmark is not None and record.position is not None:
        if task_id := _by_position(record.position, record.texts[0], benchmark):
            return replace(record, task_id=task_id)
    elif benchmark is not None and record.query is not None and (task_id := _by_quoted_prompt(record.query, benchmark)):
        # A query that holds more than the prompt is a chat message.
        bare = record.query.strip() == benchmark.problems[task_id].prompt.strip()
        return replace(record, task_id=task_id, kind="completion" if bare else "answer")
    if record.query is not None:
        what = f"has no task_id, and its query does not quote exactly one problem's prompt: {record.query[:60]!r}"
        return Fault(record.location, what, "Check --task; if the task uses other prompts, write lines with task_id and answer.")
    count = f"{len(benchmark.problems):,} of {benchmark.task}" if benchmark else "the task"
    what = f"has no problem: the number of items differs from that of the problems ({count}), and it starts with no prompt"
    return Fault(record.location, what, "Check --task, or write lines with task_id and solution.")


def _by_position(position: tuple[int, int], text: str, benchmark: Benchmark) -> str | None:
    """Find the problem by the prompt that the text starts with, else by position if the file has as many as the benchmark."""
    index, count = position
    own = list(benchmark.problems)[index] if count == len(benchmark.problems) else None
    text = text.strip()
    matching = [
        task_id
        for task_id, problem in benchmark.problems.items()
        if problem.prompt.strip() and text.startswith(problem.prompt.strip())
    ]
    if own in matching or not matching:
        return own
    # One prompt may begin with another one: the longest match is the right one.
    return max(matching, key=lambda task_id: len(benchmark.problems[task_id].prompt.strip()))


def _by_quoted_prompt(query: str, benchmark: Benchmark) -> str | None:
    """Find the only problem whose prompt a query quotes; None if there is none, or if few-shot examples quote others."""
    prompts = {task_id: problem.prompt.strip() for task_id, problem in benchmark.problems.items()}
    quoted = [task_id for task_id, prompt in prompts.items() if prompt and prompt in query]
    longest = max(quoted, key=lambda task_id: len(prompts[task_id]), default=None)
    return longest if longest and all(prompts[task_id] in prompts[longest] for task_id in quoted) else None


def _duplicate(record: Record, seen: set[tuple[str, str]]) -> Fault | None:
    """Report a sample number that occurred before, in files that number their samples."""
    if record.sample is None:
        return None
    key = (str(record.task_id), str(record.sample))
    if key in seen:
        return Fault(record.location, f"holds sample {record.sample!r} of {record.task_id!r}, which occurs twice", "Remove one.")
    seen.add(key)
    return None


def _in_language(samples: list[Sample], benchmark: Benchmark) -> list[Sample]:
    """Drop the samples of other languages from inspect's logs, whose IDs start with the language: `java/HumanEval_0_x`."""
    key = benchmark.task.partition(":")[2]
    prefixes = [sample.task_id.rpartition("/")[0] for sample in samples]
    if not key or key not in prefixes:
        return samples
    others = [prefix != key and prefix.removeprefix("mbpp-") in KEYS for prefix in prefixes]
    kept = [sample for sample, other in zip(samples, others, strict=True) if not other]
    return [replace(sample, task_id=sample.task_id.removeprefix(f"{key}/")) for sample in kept]


def _numbered(benchmark: Benchmark) -> dict[tuple[str, int], str]:
    """Map (benchmark name, problem number) to the problem's ID."""
    names: dict[tuple[str, int], str] = {}
    for task_id in benchmark.problems:
        if match := _ID.fullmatch(task_id):
            names[(match["name"] or "").lower(), int(match["number"])] = task_id
    return names


def _problem_of(task_id: str, names: Mapping[tuple[str, int], str]) -> str:
    """Translate an ID of another tool to the benchmark's own: `2`, `HumanEval_2_x`, `humaneval/2`."""
    match = _ID.fullmatch(task_id)
    if not match:
        return task_id
    kinds = [match["name"].lower()] if match["name"] else {name for name, _ in names}
    task_ids = [names[kind, int(match["number"])] for kind in kinds if (kind, int(match["number"])) in names]
    # An ambiguous or unknown ID stays as it is, and `checked` reports it.
    return task_ids[0] if len(task_ids) == 1 else task_id


def _renumbered(samples: Iterable[Sample]) -> list[Sample]:
    """Renumber samples within their problem, in order: a file may use several spellings of a problem's ID."""
    numbers = Counter[str]()
    renumbered = []
    for sample in samples:
        renumbered.append(replace(sample, number=numbers[sample.task_id]))
        numbers[sample.task_id] += 1
    return renumbered
