"""Load a benchmark's rows from local files, or from the Hub at a pinned commit."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.benchmarks.fetch import fetch
from hf_oss_instruct.benchmarks.registry import HubBenchmark
from hf_oss_instruct.benchmarks.rows import read_rows
from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.hub import reason

RELEASES = {
    "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef": "HumanEval (openai/human-eval)",
    "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101": "HumanEval+ v0.1.10",
    "91486741f1627101021fbe50523df08eebb5b0bf5e804b633dcd5ca3c14dbd2f": "HumanEval+ v0.1.10 Mini",
    "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63": "MBPP+ v0.2.0",
    "a855b9de667baea8e2f8aa61f898767a7336872208a85222b35622545e819fe9": "MBPP+ v0.1.0",
}
"""SHA-256 of a release file → name of the release."""


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """One row and the hash of its text."""

    columns: dict[str, Any]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class BenchmarkRows:
    """The rows that were read, their version, and their source."""

    rows: list[BenchmarkRow]
    version: str
    source: str


def read(source: HubBenchmark, data: Path | None, revision: str | None = None) -> BenchmarkRows:
    """Read the rows of a benchmark.

    Args:
        source: the benchmark, or a part of one.
        data: a local file, or a folder that contains it at any depth; None for the Hub.
        revision: commit on the Hub, instead of the pinned one.

    Raises:
        UsageError: the file does not exist.
        EvaluationError: the file or the Hub cannot be read.
    """
    if data is None:
        files, version = _fetched(source, revision or source.revision)
        return BenchmarkRows([row for file in files for row in _rows(file)], version, source.repo)
    file = _found(source, data)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return BenchmarkRows(list(_rows(file)), RELEASES.get(digest, f"sha256:{digest}"), file.name)


def find(source: HubBenchmark, folder: Path) -> Path | None:
    """Find a benchmark's file at any depth of a folder; None if there is none.

    Raises:
        UsageError: several files have the same name.
    """
    for name in source.local_names:
        files = sorted(folder.rglob(name))
        if len(files) == 1:
            return files[0]
        if files:
            shown = ", ".join(str(file) for file in files[:3])
            raise UsageError(
                f"The folder {str(folder)!r} contains {len(files)} files {name!r} ({shown}). Pass one of them with --data."
            )
    return None


def _found(source: HubBenchmark, data: Path) -> Path:
    if data.is_file():
        return data
    if (file := find(source, data)) is None:
        raise UsageError(
            f"The folder {str(data)!r} contains no {' or '.join(source.local_names)}. Pass the file itself with --data."
        )
    return file


def _fetched(source: HubBenchmark, revision: str) -> tuple[list[Path], str]:
    try:
        files = fetch(source.repo, revision, source.scored_files)
    except UsageError:
        raise
    except Exception as error:  # the Hub client can raise anything
        raise EvaluationError(
            f"{source.repo}@{revision} cannot be read: {reason(error)}. Pass local files with --data."
        ) from error
    if not files:
        raise EvaluationError(
            f"{source.repo}@{revision} has no file {', '.join(source.scored_files)}. Pass local files with --data."
        )
    # huggingface_hub keeps files in `snapshots/COMMIT/`.
    commit = next(path.name for path in files[0].parents if path.parent.name == "snapshots")
    return files, f"{source.repo}@{commit}"


def _rows(file: Path) -> Iterator[BenchmarkRow]:
    try:
        for row in read_rows(file):
            if not isinstance(row.value, dict):
                raise ValueError(f"line {row.number} is not a JSON object")
            # Parquet rows have no text of their own.
            text = json.dumps(row.value, sort_keys=True, default=str).encode() if row.line is None else row.line
            yield BenchmarkRow(row.value, _hash(text))
    except (OSError, EOFError, zlib.error, ValueError) as error:  # pyarrow's errors are among these
        raise EvaluationError(f"The benchmark file {str(file)!r} cannot be read: {error}. Download it again.") from error


def _hash(text: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(text)
