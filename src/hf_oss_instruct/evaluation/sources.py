"""Where a benchmark's rows come from: local files, or the Hub at a pinned commit."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.pins import COMMITS
from hf_oss_instruct.structured import any_json

SUFFIXES = (".jsonl", ".jsonl.gz", ".parquet")
RELEASES = {
    "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef": "HumanEval (openai/human-eval)",
    "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101": "HumanEval+ v0.1.10",
    "91486741f1627101021fbe50523df08eebb5b0bf5e804b633dcd5ca3c14dbd2f": "HumanEval+ v0.1.10 Mini",
    "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63": "MBPP+ v0.2.0",
    "a855b9de667baea8e2f8aa61f898767a7336872208a85222b35622545e819fe9": "MBPP+ v0.1.0",
}
"""sha256 of a release's file → its name."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a benchmark lies.

    Attributes:
        repo: the data set on the Hub.
        patterns: its files of tests there.
        names: how its files are called in a local folder, the first that is found wins.
        subset: its configuration on the Hub.
    """

    repo: str
    patterns: tuple[str, ...]
    names: tuple[str, ...]
    subset: str = "default"

    @property
    def revision(self) -> str:
        """The commit that is read if no other is asked for."""
        return COMMITS[self.repo]


@dataclass(frozen=True, slots=True)
class Row:
    """One row and the hash of its text."""

    columns: dict[str, Any]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What was read, its version, and where it was read."""

    rows: list[Row]
    version: str
    source: str


def read(source: Source, data: Path | None, revision: str | None = None) -> Rows:
    """The rows of a benchmark.

    Args:
        source: where it lies.
        data: a local file, or a folder that holds it at any depth; None for the Hub.
        revision: another commit on the Hub than the pinned one.

    Raises:
        UsageError: there is no such file.
        EvaluationError: the file or the Hub cannot be read.
    """
    if data is None:
        files, version = _fetched(source, revision or source.revision)
        return Rows([row for file in files for row in _rows(file)], version, source.repo)
    file = _found(source, data)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Rows(list(_rows(file)), RELEASES.get(digest, f"sha256:{digest}"), file.name)


def find(source: Source, folder: Path) -> Path | None:
    """A benchmark's file at any depth of a folder, or None.

    Raises:
        UsageError: there are several of one name.
    """
    for name in source.names:
        files = sorted(folder.rglob(name))
        if len(files) == 1:
            return files[0]
        if files:
            shown = ", ".join(str(file) for file in files[:3])
            raise UsageError(
                f"The folder {str(folder)!r} holds {len(files)} files {name!r} ({shown}). Name one of them with --data."
            )
    return None


def _found(source: Source, data: Path) -> Path:
    if data.is_file():
        return data
    if (file := find(source, data)) is None:
        raise UsageError(f"The folder {str(data)!r} holds no {' or '.join(source.names)}. Name the file itself with --data.")
    return file


def _fetched(source: Source, revision: str) -> tuple[list[Path], str]:
    from huggingface_hub import snapshot_download

    def fetch(offline: bool) -> list[Path]:
        folder = snapshot_download(
            source.repo,
            repo_type="dataset",
            revision=revision,
            allow_patterns=list(source.patterns),
            local_files_only=offline,
            library_name="hf-oss-instruct",
        )
        return sorted(path for path in Path(folder).rglob("*") if path.name.endswith(SUFFIXES))

    try:
        files = fetch(offline=True)
    except OSError:
        files = []
    try:
        files = files or fetch(offline=False)
    except Exception as error:  # whatever the Hub's client raises
        said = " ".join(str(error).split())[:300]
        raise EvaluationError(
            f"{source.repo}@{revision} cannot be read from the Hub: {said}. Pass local files with --data."
        ) from error
    if not files:
        raise EvaluationError(f"{source.repo}@{revision} has no file {', '.join(source.patterns)}. Pass local files with --data.")
    commit = next(path.name for path in files[0].parents if path.parent.name == "snapshots")
    return files, f"{source.repo}@{commit}"


def _rows(file: Path) -> Iterator[Row]:
    try:
        if file.name.endswith(".parquet"):
            import pyarrow.parquet as pq

            for columns in pq.read_table(file).to_pylist():
                yield Row(columns, _hash(json.dumps(columns, sort_keys=True, default=str).encode()))
        else:
            yield from _json_lines(file)
    except (OSError, EOFError, zlib.error, ValueError) as error:  # pyarrow's errors are among these
        raise EvaluationError(f"The benchmark file {str(file)!r} cannot be read: {error}. Fetch it again.") from error


def _json_lines(file: Path) -> Iterator[Row]:
    with gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            columns = any_json(line)
            if not isinstance(columns, dict):
                raise ValueError(f"line {number} is no JSON object")
            yield Row(columns, _hash(line.strip()))


def _hash(text: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(text)
