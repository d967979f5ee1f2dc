"""Opt-outs: repositories, paths and rows that must not be used.

    # opted out by mail, 2026-11-02
    repo: octocat/hello-world
    path: octocat/hello-world/src/secret.py
    path: vendor/**
    id: 3fa1…

A line names a repository, a path (in one repository, or in any), or an id: of a row in its source, or of a seed. A line
without a prefix is a repository if it has the form `owner/name`, else an id. `*`, `?` and `**` match as in a shell.
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
    """A list of opt-outs.

    Attributes:
        hash: hash of its entries, whatever their order. A run config records it.
        entries: kind and pattern; None if only the hash is known, as in a run config.
    """

    hash: str
    # Not compared, since a config that was read from YAML has only the hash; not in `repr`, since entries name people.
    entries: frozenset[tuple[str, str]] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, text: str, name: str = "the denylist") -> Denylist:
        """Parse a list.

        Raises:
            UsageError: a line is neither a repository, a path nor an id.
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
        """Read a list from a file.

        Raises:
            UsageError: it cannot be read as UTF-8 text, or see `of`.
        """
        try:
            return cls.of(Path(path).read_text("utf-8"), repr(str(path)))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The denylist {str(path)!r} cannot be read: {error}. Pass a UTF-8 text file.") from error

    def as_text(self) -> str:
        """The list in the form of a file, without comments.

        Raises:
            UsageError: only the hash is known.
        """
        self.check()
        return "".join(f"{kind}: {value}\n" for kind, value in sorted(self.entries or ()))

    def check(self) -> None:
        """Check that the entries are known.

        Raises:
            UsageError: only the hash is known.
        """
        if self.entries is None:
            raise UsageError(f"The run used the denylist {self.hash}. Pass that list again: --deny FILE.")

    def denies(self, origin: Provenance, seed_id: str | None = None) -> bool:
        """Whether the list contains a document, or a seed drawn from it.

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
    """Combine patterns into one; the empty string never matches."""
    # Names of repositories ignore case on GitHub, paths do not.
    patterns = [translate(value.lower() if kind == "repo" else value.lstrip("/")) for value in sorted(values)]
    # `(?=.)`: `repo: *` must not match rows without a repository, whose name is read as empty. `(?!)` matches nothing.
    return re.compile("(?!)|" + "|".join(f"(?:(?=.){pattern})" for pattern in patterns) if patterns else "(?!)")


def denied_rows(table: pa.Table, denylist: Denylist) -> list[bool]:
    """(rows,): whether the list denies a row.

    Args:
        table: any table; its columns `repo_name`, `file_path`, `seed_id` and `row_id` are checked if they exist.
        denylist: the opt-outs.

    Raises:
        UsageError: the table has none of these columns.
    """
    names = ("repo_name", "file_path", "seed_id", "row_id")
    if not set(names) & set(table.column_names):
        raise UsageError(f"The table has none of the columns {', '.join(names)}. Rename those to compare with the denylist.")
    columns = [_words(table.column(name)) if name in table.column_names else [None] * len(table) for name in names]
    return [denylist._denies(repo, path, ids) for repo, path, *ids in zip(*columns, strict=True)]  # type: ignore[arg-type]


def _words(column: pa.ChunkedArray) -> list[str | None]:
    """Text and numbers as text; None for other values, which cannot be names."""
    values = column.to_pylist()
    return [value if isinstance(value, str) else str(value) if isinstance(value, int) else None for value in values]
