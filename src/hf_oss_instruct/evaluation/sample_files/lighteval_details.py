"""Read lighteval's details (`--save-details`), of our tasks and others whose documents identify the problem."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.sample_files.json_files import from_object
from hf_oss_instruct.evaluation.sample_files.records import Fault, Record
from hf_oss_instruct.structured import any_json


def from_parquet(file: Path) -> Iterator[Record | Fault]:
    """Yield a record for each document; a table without documents is read like JSON lines.

    Raises:
        EvaluationError: it is not a parquet file.
    """
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(file).to_pylist()
    except (OSError, ValueError) as error:
        raise EvaluationError(f"The file {str(file)!r} is not a readable Parquet file: {error}. Regenerate the file.") from error
    for number, row in enumerate(rows, 1):
        location = f"{file.name}, row {number}"
        if "doc" in row:
            yield _record(location, _struct(row["doc"]), _struct(row.get("model_response")))
        else:
            yield from from_object(location, row)


def _record(location: str, document: dict[str, Any], response: dict[str, Any]) -> Record | Fault:
    specific, query, texts = _struct(document.get("specific")), document.get("query"), response.get("text")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return Fault(location, "has no answers in model_response.text", "Run lighteval with --save-details on a generative task.")
    task_id = specific.get("task_id")
    if isinstance(task_id, str | int) and not isinstance(task_id, bool):
        return Record(location, specific.get("kind") or "completion", texts, str(task_id))
    if isinstance(query, str):
        return Record(location, "completion", texts, query=query)
    return Fault(location, "is a document without task_id and query", "Score the details of tasks that quote a problem's prompt.")


def _struct(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = any_json(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}
