"""The last look at what is about to be published: every file is a regular file of its folder, and none holds a secret."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_oss_instruct.errors import PublishError

SecretIn = Callable[[str, str], str | None]
"""Text and its language → what secret it holds, None for none."""
SHOWN = 5
"""Finds that an error names."""
TEXT = (".json", ".jsonl", ".yaml", ".yml", ".md", ".jinja", ".svg", ".txt")
VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "merges.txt")
"""Text files of a hundred thousand random words, among which any pattern of a secret is found; they come from the base model."""
IDS = ("seed_id", "prompt_hash", "seed_revision", "repo_commit", "openai_fingerprint")
"""Columns of a run that are hashes: they look like keys, and are made by us."""
PIECE = 100_000
"""Characters of a text file that are looked at together."""


def regular(folder: Path, paths: Iterable[Path]) -> None:
    """See that files are regular ones and lie inside of a folder, links in their paths resolved.

    Raises:
        PublishError: one is a link that leads out of the folder, or no regular file; the message names it.
    """
    root = folder.resolve()
    for path in paths:
        name, real = path.relative_to(folder).as_posix(), path.resolve()
        if not real.is_relative_to(root):
            raise PublishError(
                f"{name!r} in {str(folder)!r} is a symbolic link to {str(real)!r}, outside of the folder. Copy the file "
                "into it, or remove the link."
            )
        if not stat.S_ISREG(real.stat().st_mode):
            raise PublishError(f"{name!r} in {str(folder)!r} is no regular file. Remove it.")


def check_secrets(files: Mapping[str, Path | bytes], secret_in: SecretIn) -> None:
    """See that no file holds what looks like a secret: every text of every row of a parquet file, and text files.

    Weights and tokenizer vocabularies are not looked at.

    Raises:
        PublishError: one does; the message names file, row and column.
    """
    found = [find for name, content in files.items() for find in _finds(name, content, secret_in)]
    if found:
        more = f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
        raise PublishError(
            f"Files hold what looks like secrets: {'; '.join(found[:SHOWN])}{more}. Remove them (rows: with curate). "
            "Nothing was sent."
        )


def secret_of(row: Mapping[str, Any], secret_in: SecretIn) -> tuple[str, str] | None:
    """The first column of a row that holds a secret, and what it is; None if there is none."""
    lang = row.get("lang") if isinstance(row.get("lang"), str) else ""
    for name, value in row.items():
        if name in IDS:
            continue
        for text in _texts(value):
            if secret := secret_in(text, str(lang)):
                return name, secret
    return None


def rows_of(name: str, content: Path | bytes) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a parquet file in portions, each with the number of its first row.

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
        raise PublishError(f"{name!r} cannot be read: {' '.join(str(error).split())}. Run the same command again.") from error


def _finds(name: str, content: Path | bytes, secret_in: SecretIn) -> Iterator[str]:
    if name.endswith(".parquet"):
        for start, table in rows_of(name, content):
            for number, row in enumerate(table.to_pylist(), start):
                if found := secret_of(row, secret_in):
                    yield f"{name}, row {number:,}, {found[0]}: {found[1]}"
    elif name.endswith(TEXT) and Path(name).name not in VOCABULARIES:
        text = (content if isinstance(content, bytes) else content.read_bytes()).decode("utf-8", "replace")
        for start in range(0, len(text), PIECE):
            if secret_in(text[start : start + 2 * PIECE], "") == "secret":  # a card may name an address
                yield f"{name}: secret"
                break


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(key)
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
