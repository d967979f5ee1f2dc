"""Which repositories, paths and rows were asked to be left out, and a table without them.

    # opted out by mail, 2026-11-02
    repo: octocat/hello-world
    path: octocat/hello-world/src/secret.py
    path: vendor/**
    id: 3fa1…

A line names a repository, a path (of a repository, or of any), or an id: the row's own in its source, or a seed's. A line
without a word before it is a repository if it is `owner/name`, else an id. `*` and `?` match as in a shell, `**` likewise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from hf_oss_instruct.data import Provenance, digest
from hf_oss_instruct.errors import UsageError

KINDS = ("repo", "path", "id")
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Denylist:
    """What was asked to be left out.

    Attributes:
        hash: key of its entries; the same entries in any order have the same. A run config records it.
        entries: kind and pattern; None where only the hash is known, as in a run config.
    """

    hash: str
    entries: frozenset[tuple[str, str]] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, text: str, name: str = "the denylist") -> Denylist:
        """A list written as above.

        Raises:
            UsageError: a line says nothing that can be denied.
        """
        entries = set()
        for number, line in enumerate(text.splitlines(), 1):
            if not (line := line.partition("#")[0].strip()):
                continue
            kind, colon, value = (part.strip() for part in line.partition(":"))
            if not colon:
                kind, value = ("repo" if REPOSITORY.fullmatch(line) else "id"), line
            if kind not in KINDS or not value or " " in value:
                raise UsageError(f"Line {number} of {name} is {line!r}. Write repo: OWNER/NAME, path: PATH or id: ID.")
            entries.add((kind, value))
        return cls(digest("deny", sorted(entries)), frozenset(entries))

    @classmethod
    def from_file(cls, path: str | Path) -> Denylist:
        """A list in a file.

        Raises:
            UsageError: it cannot be read as UTF-8 text, or see `of`.
        """
        try:
            return cls.of(Path(path).read_text("utf-8"), repr(str(path)))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The denylist {str(path)!r} cannot be read: {error}. Pass a UTF-8 text file.") from error

    def check(self) -> None:
        """See that the list itself is there.

        Raises:
            UsageError: only its hash is.
        """
        if self.entries is None:
            raise UsageError(f"The run was made with the denylist {self.hash}. Pass the list again: --deny FILE.")

    def denies(self, origin: Provenance, seed_id: str | None = None) -> bool:
        """Whether a document, or a seed of it, was asked to be left out.

        Raises:
            UsageError: the list itself was not given, only its hash.
        """
        return self._denies(origin.repo_name, origin.file_path, (origin.row_id, seed_id))

    def _denies(self, repo: str | None, path: str | None, ids: tuple[str | None, ...]) -> bool:
        by_repo, by_path, by_id = self._rules
        if by_repo.fullmatch((repo or "").lower()) or any(by_id.fullmatch(name or "") for name in ids):
            return True
        plain = (path or "").lstrip("/")
        return bool(by_path.fullmatch(plain) or (repo and by_path.fullmatch(f"{repo}/{plain}")))

    @cached_property
    def _rules(self) -> tuple[re.Pattern[str], ...]:
        self.check()
        return tuple(_any_of(kind, [value for found, value in self.entries or () if found == kind]) for kind in KINDS)


def _any_of(kind: str, values: list[str]) -> re.Pattern[str]:
    """One pattern for all; nothing matches the empty string."""
    patterns = [translate(value.lower() if kind == "repo" else value.lstrip("/")) for value in sorted(values)]
    return re.compile("(?!)|" + "|".join(f"(?:(?=.){pattern})" for pattern in patterns) if patterns else "(?!)")


def denied_rows(table: pa.Table, denylist: Denylist) -> list[bool]:
    """For each row of a table whether the list denies it.

    Args:
        table: any columns; `repo_name`, `file_path`, `seed_id` and `row_id` are looked at where they are there.
        denylist: what was asked to be left out.

    Raises:
        UsageError: the table has none of these columns, so that nothing could be found in it.
    """
    names = ("repo_name", "file_path", "seed_id", "row_id")
    if not set(names) & set(table.column_names):
        raise UsageError(f"The table has none of the columns {', '.join(names)}; a denylist finds nothing in it.")
    columns = [_words(table.column(name)) if name in table.column_names else [None] * len(table) for name in names]
    return [denylist._denies(repo, path, ids) for repo, path, *ids in zip(*columns, strict=True)]  # type: ignore[arg-type]


def _words(column: pa.ChunkedArray) -> list[str | None]:
    """Text as it is and numbers as text; anything else names nothing."""
    values = column.to_pylist()
    return [value if isinstance(value, str) else str(value) if isinstance(value, int) else None for value in values]
