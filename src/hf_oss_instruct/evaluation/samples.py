"""Which completions are scored: evalplus' JSON lines, MultiPL-E's result files, lighteval's details."""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.structured import any_json

KINDS = {
    "solution": "solution",
    "completion": "completion",
    "completions": "completion",
    "answer": "answer",
    "response": "answer",
}
"""Field of a line → what it holds, as `extraction.extract` calls it."""

MOST_LINES = 1000
"""Lines of a text whose new lines are not escaped."""
_ID = re.compile(r"(?:(?P<name>[A-Za-z]+)[/_])?(?P<number>\d{1,9})(?:_\w*)?")
"""An id as benchmarks and tools write it: `HumanEval/2`, `HumanEval_2_name`, `2`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One text that a model wrote for a problem.

    Attributes:
        task_id: the problem's id.
        number: which of the problem's samples, from 0.
        text: what the model wrote.
        kind: `completion`, `solution` or `answer`.
    """

    task_id: str
    number: int
    text: str
    kind: str


def read_samples(path: Path) -> list[Sample]:
    """The samples in a file or folder, numbered within their problem.

    Args:
        path: `.jsonl` (also `.gz`), lines of `task_id` (or MultiPL-E's `name`) and `solution`, `completion`, `completions` or
            `answer`; a MultiPL-E result file or a folder of them (`.json`, `.json.gz`);
            evalplus' folder (`HumanEval_0/0.py`); lighteval's details (`.parquet`).

    Raises:
        UsageError: there is no such file.
        EvaluationError: it is empty, broken or of another format; the message names the line.
    """
    files = sorted(file for file in path.rglob("*") if file.is_file() and _is_samples(file)) if path.is_dir() else [path]
    if not path.exists() or not files:
        raise UsageError(
            f"There is no file of samples {str(path)!r}. Name a .jsonl file, a MultiPL-E folder or a details parquet."
        )
    found, numbers = [], Counter[str]()
    seen: set[tuple[str, str]] = set()
    for place, columns in (item for file in files for item in _records(file)):
        for task_id, kind, text in _texts(place, columns):
            if "sample" in columns and not _first(seen, task_id, columns["sample"]):
                raise EvaluationError(f"{place}: sample {columns['sample']!r} of {task_id!r} is there twice. Remove one of them.")
            found.append(Sample(task_id, numbers[task_id], text, kind))
            numbers[task_id] += 1
    if not found:
        raise EvaluationError(f"The file {str(path)!r} holds no sample. Write lines with task_id and solution or completion.")
    return found


def checked(samples: Iterable[Sample], benchmark: Benchmark, *, allow_missing: bool = False) -> tuple[list[Sample], list[str]]:
    """The samples, and the problems that have none.

    Raises:
        EvaluationError: a sample is for no problem of the benchmark, or a problem has none and that is not allowed.
    """
    names = _numbered(benchmark)
    samples = [
        sample if sample.task_id in benchmark.problems else replace(sample, task_id=_problem_of(sample.task_id, names))
        for sample in samples
    ]
    samples = _renumbered(samples)
    asked = {sample.task_id for sample in samples}
    if unknown := sorted(asked - benchmark.problems.keys()):
        some = next(iter(benchmark.problems))
        raise EvaluationError(
            f"{len(unknown)} problems of the samples are not in {benchmark.task} ({benchmark.version}), such as {unknown[0]!r}; "
            f"its own are called like {some!r}. Check --task and the version of --data."
        )
    missing = [task_id for task_id in benchmark.problems if task_id not in asked]
    if missing and not allow_missing:
        raise EvaluationError(
            f"{len(missing)} of {len(benchmark.problems)} problems have no sample, such as {missing[0]!r}. "
            "Add them, or score the rest with --allow-missing."
        )
    return samples, missing


def _numbered(benchmark: Benchmark) -> dict[tuple[str, int], str]:
    """Benchmark's name, and number of a problem → its id."""
    found: dict[tuple[str, int], str] = {}
    for task_id in benchmark.problems:
        if match := _ID.fullmatch(task_id):
            found[(match["name"] or "").lower(), int(match["number"])] = task_id
    return found


def _problem_of(task_id: str, names: Mapping[tuple[str, int], str]) -> str:
    """The benchmark's own id for one that other tools write: a number alone, `HumanEval_2_x`, `humaneval/2`."""
    match = _ID.fullmatch(task_id)
    if not match:
        return task_id
    kinds = [match["name"].lower()] if match["name"] else {name for name, _ in names}
    found = [names[kind, int(match["number"])] for kind in kinds if (kind, int(match["number"])) in names]
    return found[0] if len(found) == 1 else task_id


def _renumbered(samples: Iterable[Sample]) -> list[Sample]:
    """Samples numbered within their problem, in their order: a problem may have been called by several names."""
    numbers = Counter[str]()
    found = []
    for sample in samples:
        found.append(replace(sample, number=numbers[sample.task_id]))
        numbers[sample.task_id] += 1
    return found


def _is_samples(file: Path) -> bool:
    program = file.suffix == ".py" and file.stem.isdigit() and _ID.fullmatch(file.parent.name) is not None
    return ".json" in file.name or program


def _first(seen: set[tuple[str, str]], task_id: str, number: Any) -> bool:
    key = (task_id, str(number))
    return key not in seen and not seen.add(key)  # type: ignore[func-returns-value]


def _records(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each record stands, and its columns."""
    if file.name.endswith(".parquet"):
        yield from _details(file)
        return
    if file.suffix == ".py":  # evalplus' folders: HumanEval_0/0.py
        yield str(file), {"task_id": file.parent.name, "solution": file.read_text("utf-8", "replace")}
        return
    try:
        content = gzip.decompress(file.read_bytes()) if file.name.endswith(".gz") else file.read_bytes()
        lines = [content] if file.name.removesuffix(".gz").endswith(".json") else content.split(b"\n")
    except (OSError, EOFError, zlib.error) as error:
        raise EvaluationError(f"The file {str(file)!r} cannot be read: {error}. Write it again.") from error
    for number, columns in _parsed(file.name, lines):
        place = f"{file.name}, line {number}"
        if not isinstance(columns, dict):
            raise EvaluationError(
                f"{place} is no JSON object but {type(columns).__name__}. Write task_id and solution in each line."
            )
        yield place, columns


def _parsed(name: str, lines: list[bytes]) -> Iterator[tuple[int, Any]]:
    """Number and value of each line; a line that ends inside a string goes on in the next: some tools write a bare new line."""
    begun: list[bytes] = []
    for number, line in enumerate(lines, 1):
        if not begun and not line.strip():
            continue
        begun.append(line)
        first = number - len(begun) + 1
        try:
            yield first, any_json(b"\n".join(begun), strict=False)
        except ValueError as error:
            if "Unterminated string" in str(error) and number < len(lines) and len(begun) < MOST_LINES:
                continue
            raise EvaluationError(f"{name}, line {first} is not JSON: {error}. Mend or remove the line.") from error
        begun = []


def _texts(place: str, columns: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Problem, kind and text of each sample of a record."""
    task_id = columns.get("task_id", columns.get("name"))
    if isinstance(task_id, bool) or not isinstance(task_id, str | int) or task_id == "":
        raise EvaluationError(f"{place} has no task_id but {task_id!r}. Write the problem's id, such as 'HumanEval/0'.")
    task_id = str(task_id)
    if isinstance(results := columns.get("results"), list):  # MultiPL-E: what its evaluation ran, tests included
        if prompt_less := [one for one in results if not isinstance(one, dict) or "program" not in one]:
            raise EvaluationError(f"{place}: a result has no program but {str(prompt_less[0])[:80]!r}.")
        yield from ((task_id, "program", one["program"]) for one in results)
        return
    for field, kind in KINDS.items():
        if field in columns:
            texts = columns[field] if isinstance(columns[field], list) else [columns[field]]
            texts = ["" if text is None else text for text in texts]  # a server's null is an empty answer
            if odd := [text for text in texts if not isinstance(text, str)]:
                raise EvaluationError(f"{place}: {field} is {str(odd[0])[:80]!r} and no text.")
            yield from ((task_id, kind, text) for text in texts)
            return
    raise EvaluationError(f"{place} has none of {', '.join(KINDS)}, only {', '.join(columns)}. Write solution or completion.")


def _details(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lighteval's details: the answers of each document that names its problem, as those of our tasks do."""
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(file).to_pylist()
    except (OSError, ValueError) as error:
        raise EvaluationError(f"The file {str(file)!r} is no parquet that can be read: {error}. Write it again.") from error
    for number, row in enumerate(rows, 1):
        document, response = (_struct(row.get(name)) for name in ("doc", "model_response"))
        specific = _struct(document.get("specific"))
        if "task_id" not in specific or "text" not in response:
            raise EvaluationError(
                f"Row {number} of {file.name} is not of one of our lighteval tasks: its document names no task_id."
            )
        kind = specific.get("kind", "completion")
        yield f"{file.name}, row {number}", {"task_id": specific["task_id"], kind: list(response["text"])}


def _struct(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = any_json(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
