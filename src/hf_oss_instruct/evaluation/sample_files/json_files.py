"""Read JSON and JSON lines: evalplus, human-eval, bigcode-evaluation-harness, MultiPL-E, and custom files."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.sample_files import inspect_logs
from hf_oss_instruct.evaluation.sample_files.records import Fault, Record
from hf_oss_instruct.structured import any_json

KINDS = {
    "solution": "solution",
    "completion": "completion",
    "completions": "completion",
    "answer": "answer",
    "response": "answer",
}
"""Field of an object → its kind, see `extraction.extract`."""

MAX_STRING_LINES = 1000
"""Maximum number of lines of a string with unescaped newlines."""


def from_lines(file: Path) -> Iterator[Record | Fault]:
    """Yield the records of JSON lines, which may be compressed."""
    for number, value in _parsed(_content(file).split(b"\n")):
        location = f"{file.name}, line {number}"
        if isinstance(value, ValueError):
            yield Fault(location, f"is not JSON: {value}", "Fix or remove the line.")
        else:
            yield from from_object(location, value)


def from_json(file: Path) -> Iterator[Record | Fault]:
    """Yield the records of a file with one JSON value, which may be compressed.

    It is an object as in a JSON line, a list of them, an inspect log, evalplus' `*_eval_results.json`, or
    bigcode-evaluation-harness' `generations.json`, a list of texts for each problem in the benchmark's order.
    """
    try:
        # Some tools do not escape newlines in strings.
        value = any_json(_content(file), strict=False)
    except ValueError as error:
        yield Fault(file.name, f"is not JSON: {error}", "Regenerate the file; JSON lines belong in a .jsonl file.")
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            location = f"{file.name}, item {number + 1} of {len(value):,}"
            yield from (
                _generations(location, item, (number, len(value))) if isinstance(item, list) else from_object(location, item)
            )
    elif isinstance(value, dict) and isinstance(value.get("eval"), dict):
        yield from inspect_logs.from_log(file) if "task" in value["eval"] else _evalplus_results(file.name, value["eval"])
    else:
        yield from from_object(f"{file.name}, line 1", value)


def from_object(location: str, value: Any) -> Iterator[Record | Fault]:
    """Yield the record of one JSON object. Unknown fields, such as `passed` in human-eval's results, are ignored."""
    if not isinstance(value, dict):
        yield Fault(location, f"is not a JSON object but {type(value).__name__}", "Write task_id and solution in each line.")
        return
    # `bool` is an `int`, but no ID.
    task_id = _task_id(value)
    if isinstance(task_id, bool) or not isinstance(task_id, str | int) or task_id == "":
        yield Fault(location, f"has no task_id but {task_id!r:.80}", "Write the problem's id, such as 'HumanEval/0'.")
    elif isinstance(results := value.get("results"), list):  # MultiPL-E: what its evaluation ran, tests included
        programs = [
            result["program"] for result in results if isinstance(result, dict) and isinstance(result.get("program"), str)
        ]
        if len(programs) == len(results):
            yield Record(location, "program", programs, str(task_id))
        else:
            yield Fault(location, "has a result without a program", "Pass the file that contains the completions.")
    else:
        yield _record(location, str(task_id), value)


def _record(location: str, task_id: str, columns: dict[str, Any]) -> Record | Fault:
    field = next((name for name in KINDS if name in columns), None)
    if field is None:
        what = f"has none of {', '.join(KINDS)}, only {', '.join(columns)}"
        return Fault(location, what, "Write solution or completion.")
    texts = columns[field] if isinstance(columns[field], list) else [columns[field]]
    texts = ["" if text is None else text for text in texts]  # a server's null is an empty answer
    if invalid := _first_non_string(texts):
        return Fault(location, f"has {invalid} as {field}, which is not a string", f"Write a string to {field}.")
    return Record(location, KINDS[field], texts, task_id, sample=columns.get("sample"))


def _task_id(columns: dict[str, Any]) -> Any:
    for name in ("task_id", "name"):
        if name in columns:
            return columns[name]
    identifier = columns.get("_identifier")  # evalplus': "HumanEval/0 (line 1 in samples.jsonl)"
    return identifier.partition(" ")[0] if isinstance(identifier, str) else None


def _first_non_string(texts: list[Any]) -> str:
    """Return the first value that is not a string, quoted for an error."""
    return next((f"{text!r:.80}" for text in texts if not isinstance(text, str)), "")


def _generations(location: str, texts: list[Any], position: tuple[int, int]) -> Iterator[Record | Fault]:
    if invalid := _first_non_string(texts):
        yield Fault(location, f"has {invalid}, which is not a string", "Write a list of strings for each problem.")
    elif texts:
        yield Record(location, "solution", texts, position=position)


def _evalplus_results(name: str, problems: dict[str, Any]) -> Iterator[Record | Fault]:
    """Yield the records of evalplus' `{"eval": {"HumanEval/0": [{"solution": …, "plus_status": …}, …]}}`."""
    for task_id, samples in problems.items():
        if not isinstance(samples, list):  # before 0.2, evalplus stored only counts
            yield Fault(f"{name}, eval, {task_id!r}", "contains no solutions", "Pass the sample file that evalplus was run on.")
            continue
        for number, sample in enumerate(samples, 1):
            location = f"{name}, eval, {task_id!r}, item {number}"
            yield from from_object(location, {"task_id": task_id} | sample if isinstance(sample, dict) else sample)


def _content(file: Path) -> bytes:
    try:
        return gzip.decompress(file.read_bytes()) if file.name.endswith(".gz") else file.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise EvaluationError(f"The file {str(file)!r} cannot be read: {error}. Regenerate the file.") from error


def _parsed(lines: list[bytes]) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each line, or the `ValueError` of one that is not JSON.

    A line that ends inside a string continues in the next one: some tools do not escape newlines.
    """
    pending: list[bytes] = []
    for number, line in enumerate(lines, 1):
        if not pending and not line.strip():
            continue
        pending.append(line)
        first = number - len(pending) + 1
        try:
            yield first, any_json(b"\n".join(pending), strict=False)
        except ValueError as error:
            if "Unterminated string" in str(error) and number < len(lines) and len(pending) < MAX_STRING_LINES:
                continue
            yield first, error
        pending = []
