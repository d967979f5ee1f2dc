"""Final checks before publishing: every file is a regular file inside its folder, and none contains a secret."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_oss_instruct.errors import PublishError
from hf_oss_instruct.terminal.display import error_message

SecretIn = Callable[[str, str], str | None]
"""Text and its language → the kind of secret it contains, or None."""
MAX_SHOWN = 5
"""Number of findings listed in an error."""
TEXT_SUFFIXES = (".json", ".jsonl", ".yaml", ".yml", ".md", ".jinja", ".svg", ".txt")
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt")
"""Not scanned: among a hundred thousand arbitrary strings, some match any pattern of a secret. They come from the base model."""
IDS = ("seed_id", "prompt_hash", "seed_revision", "repo_commit", "openai_fingerprint")
"""Columns of hashes, which look like API keys."""
CHUNK_CHARS = 100_000
"""Characters of a text file that are scanned together. Chunks overlap, so that a secret across a boundary is found."""


def check_regular_files(folder: Path, paths: Iterable[Path]) -> None:
    """Check that files are regular files inside a folder, after resolving symbolic links.

    Raises:
        PublishError: a link leaves the folder, or a file is not regular; the message names it.
    """
    root = folder.resolve()
    for path in paths:
        # Resolved, because any folder on the way may be a link, too.
        name, real = path.relative_to(folder).as_posix(), path.resolve()
        if not real.is_relative_to(root):
            raise PublishError(
                f"{name!r} in {str(folder)!r} is a symbolic link to {str(real)!r}, outside the folder. Copy the file "
                "into it, or remove the link."
            )
        if not stat.S_ISREG(real.stat().st_mode):
            raise PublishError(f"{name!r} in {str(folder)!r} is not a regular file. Remove it.")


def check_secrets(files: Mapping[str, Path | bytes], secret_in: SecretIn) -> None:
    """Check that no file appears to contain a secret: every string of every row of Parquet files, and text files.

    Weights and tokenizer vocabularies are not scanned.

    Raises:
        PublishError: a secret was found; the message names file, row and column.
    """
    secrets = [find for name, content in files.items() for find in _secrets_in(name, content, secret_in)]
    if secrets:
        more = f" and {len(secrets) - MAX_SHOWN:,} more" if len(secrets) > MAX_SHOWN else ""
        raise PublishError(
            f"Files appear to contain secrets: {'; '.join(secrets[:MAX_SHOWN])}{more}. Remove them (rows: with curate). "
            "Nothing was sent."
        )


def secret_of(row: Mapping[str, Any], secret_in: SecretIn) -> tuple[str, str] | None:
    """The first column of a row that contains a secret, and its kind; None if there is none."""
    lang = row.get("lang") if isinstance(row.get("lang"), str) else ""
    for name, value in row.items():
        if name in IDS:
            continue
        for text in _texts(value):
            if secret := secret_in(text, str(lang)):
                return name, secret
    return None


def rows_of(name: str, content: Path | bytes) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a Parquet file in batches, each with the number of its first row.

    Raises:
        PublishError: it cannot be read.
    """
    try:
        start = 0
        with pq.ParquetFile(pa.BufferReader(content) if isinstance(content, bytes) else content) as table:
            for batch in table.iter_batches(1000):
                yield start, pa.Table.from_batches([batch])
                start += len(batch)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise PublishError(f"{name!r} cannot be read: {error_message(error)}. Publish again.") from error


def _secrets_in(name: str, content: Path | bytes, secret_in: SecretIn) -> Iterator[str]:
    if name.endswith(".parquet"):
        for start, table in rows_of(name, content):
            for number, row in enumerate(table.to_pylist(), start):
                if secret := secret_of(row, secret_in):
                    yield f"{name}, row {number:,}, {secret[0]}: {secret[1]}"
    elif name.endswith(TEXT_SUFFIXES) and Path(name).name not in VOCABULARIES:
        text = (content if isinstance(content, bytes) else content.read_bytes()).decode("utf-8", "replace")
        for start in range(0, len(text), CHUNK_CHARS):
            if (
                secret_in(text[start : start + 2 * CHUNK_CHARS], "") == "secret"
            ):  # cards may contain an e-mail address, which is the other kind
                yield f"{name}: secret"
                break


def _texts(value: Any) -> Iterator[str]:
    """Every string in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
