"""Tables of code files: parquet and JSONL in the shapes of The Stack v1, v2, v3 and starcoderdata, on disk or on the Hub.

Only the columns in use are read, batch by batch. Rows that hold ids only get their text from Software Heritage.
"""

from __future__ import annotations

import os
import re
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO

import pyarrow as pa
import xxhash

from hf_oss_instruct import languages as tongues
from hf_oss_instruct.data import Document, Provenance, Skipped, storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.synthesis.columns import Columns, json_columns, one_line, parquet_columns
from hf_oss_instruct.synthesis.picking import Batch, Texts
from hf_oss_instruct.synthesis.sieve import OPEN, Gate
from hf_oss_instruct.synthesis.software_heritage import Archive
from hf_oss_instruct.synthesis.transports import http_error

SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz")
CONTENT_HASH = re.compile(r"[0-9a-f]{32,}")


def is_table(name: str) -> bool:
    """Whether a file name is one of a table we read."""
    return name.lower().endswith(SUFFIXES)


class _Tables(ABC):
    """Documents out of table files; the two kinds below say where the bytes are."""

    name: str
    revision: str | None
    of_strangers = False
    """Whether the code is other people's: then only permissive code is taken, unless the plan says otherwise."""

    def __init__(self, paths: Iterable[str], keep_metadata: bool, archive: Archive | None) -> None:
        self.paths = sorted(paths)
        self._keep_metadata, self._archive = keep_metadata, archive or Archive()

    @abstractmethod
    def _open(self, path: str) -> IO[bytes]: ...

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """See `sampling.Source`; tables come in their own order, since they are not listed cheaply."""
        del order_seed
        for batch in self.batches(languages, assumed, OPEN):
            yield from batch.documents()

    def batches(self, languages: Collection[str] | None, assumed: str | None, gate: Gate) -> Iterator[Batch]:
        """The same as `documents`, many at a time, without what the gate refuses; only of what it lets in is content fetched."""
        numbers: Counter[str] = Counter()
        folders = {path: _language_of_folder(path) for path in self.paths}
        shelves = {folder.parent for path in self.paths for folder in _language_folders(path)}
        for path, folder in folders.items():
            if folder is None and shelves & set(PurePosixPath(path).parent.parents):
                # it stands beside folders that are named after languages
                yield Batch([Skipped("unknown_language")], Texts.none(1))
                continue
            if folder and languages is not None and folder not in languages:
                continue
            number = 0
            for columns in self._columns(path):
                told = self._told(columns, languages, _languages(columns, folder, assumed), numbers, path, number, gate)
                number += len(columns)
                if columns.texts is not None:
                    yield Batch(list(told.values()), columns.texts.only(list(told)))
                else:
                    known = ([columns[field][row] for row in told] for field in ("blob_id", "encoding", "bytes"))
                    yield from self._archive.filled(list(told.values()), *known)

    def _told(
        self,
        columns: Columns,
        languages: Collection[str] | None,
        langs: list[str | None],
        numbers: Counter[str],
        path: str,
        first: int,
        gate: Gate,
    ) -> dict[int, Provenance | Skipped]:
        """Row → where its file comes from, or why it is left out; without the rows that are not asked for or not drawn."""
        told: dict[int, Provenance | Skipped] = {}
        row_ids, vendored, generated = columns["row_id"], columns["is_vendor"], columns["is_generated"]
        fields = [columns[name] for name in ("repo_name", "repo_commit", "file_path", "licenses", "license_type")]
        folder = PurePosixPath(path).parent.as_posix()
        for row, lang in enumerate(langs):
            if lang is not None and languages is not None and lang not in languages:
                continue
            raw_index = numbers[str(lang)]
            numbers[str(lang)] = raw_index + 1
            row_id = _row_id(row_ids[row], path, folder, first + row)
            if not gate.draws(row_id):
                continue
            if vendored[row] or generated[row] or lang is None:
                told[row] = Skipped("vendored" if vendored[row] else "generated" if generated[row] else "unknown_language", lang)
            else:
                origin = Provenance(self.name, self.revision, row_id, raw_index, lang, *[field[row] for field in fields])
                reason = gate.reason(origin)
                told[row] = Skipped(reason, lang) if reason else origin
        return told

    def _columns(self, path: str) -> Iterator[Columns]:
        """The fields of every file in one table; hosts' errors become ours here."""
        from huggingface_hub.errors import GatedRepoError

        read = parquet_columns if path.lower().endswith(".parquet") else json_columns
        try:
            with self._open(path) as file:
                yield from read(file, path, not self._keep_metadata)
        except GatedRepoError as error:  # the Hub shows what a gated data set holds, and keeps only the contents back
            raise SeedError(f"{self.name!r} is gated. Accept its terms on its Hub page, then log in: hf auth login.") from error
        except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, zlib.error, http_error()) as error:
            raise SeedError(
                f"{path!r} in {self.name} cannot be read: {one_line(error)}. Fetch the file again, or leave it out."
            ) from error


class LocalTables(_Tables):
    """Parquet or JSONL files below a folder; `paths` are relative to it.

    The revision is a hash over names and contents. Of a large parquet file it takes the size, the beginning and the end, where
    the offsets and statistics of all pages are: cheap on a terabyte.
    """

    def __init__(self, root: Path, paths: Iterable[str], *, keep_metadata: bool = False, archive: Archive | None = None) -> None:
        super().__init__(paths, keep_metadata, archive)
        self._root = root.absolute()
        self.name, self.revision = storable(self._root.resolve().name), self._content_hash()

    def _open(self, path: str) -> IO[bytes]:
        return (self._root / path).open("rb")

    def _content_hash(self, whole_up_to: int = 2**24, ends: int = 2**20) -> str:
        content = xxhash.xxh3_128()
        for path in self.paths:
            try:
                with self._open(path) as file:
                    size = file.seek(0, os.SEEK_END)
                    content.update(b"%s\0%d\0" % (os.fsencode(path), size))
                    whole = size <= whole_up_to or not path.lower().endswith(".parquet")
                    for start, end in [(0, size)] if whole else [(0, ends), (size - ends, size)]:
                        file.seek(start)
                        for at in range(start, end, ends):
                            content.update(file.read(min(ends, end - at)))
            except OSError as error:
                raise SeedError(f"{path!r} cannot be read: {error.strerror}. Make it readable or leave it out.") from error
        return content.hexdigest()


class HubTables(_Tables):
    """A data set on the Hub, read in place: only the byte ranges of the columns in use travel.

    Args:
        repo_id: such as `bigcode/the-stack`.
        revision: branch, tag or commit; rows record the commit it stands for now.
        keep_metadata: see `seeds.open_source`.
        endpoint: another Hub than huggingface.co.
        archive: where the text of rows that hold ids only lies.
    """

    of_strangers = True

    def __init__(
        self,
        repo_id: str,
        revision: str | None = None,
        *,
        keep_metadata: bool = False,
        endpoint: str | None = None,
        archive: Archive | None = None,
    ) -> None:
        from huggingface_hub import HfApi, HfFileSystem
        from huggingface_hub.errors import (
            HFValidationError,
            OfflineModeIsEnabled,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        api = HfApi(endpoint=endpoint, library_name="hf-oss-instruct")
        try:
            info = api.dataset_info(repo_id, revision=revision)
        except RevisionNotFoundError as error:
            raise SeedError(f"{repo_id!r} has no revision {revision!r}. Leave --revision out for the newest.") from error
        except (RepositoryNotFoundError, HFValidationError) as error:
            raise SeedError(
                f"There is no folder {repo_id!r} here and no such data set on the Hub that you may read. "
                "Check the spelling, or log in: hf auth login."
            ) from error
        except (http_error(), OfflineModeIsEnabled, OSError) as error:
            raise SeedError(
                f"The Hub cannot be asked for {repo_id!r}: {one_line(error)}. Try again, or use --seeds stdlib."
            ) from error
        self._files = HfFileSystem(endpoint=endpoint)
        self._root = f"datasets/{repo_id}@{info.sha}"
        super().__init__((file.rfilename for file in info.siblings or () if is_table(file.rfilename)), keep_metadata, archive)
        self.name, self.revision = repo_id, info.sha
        if not self.paths:
            raise SeedError(f"{repo_id!r} holds no parquet or JSONL files. Name a data set of code in one of these formats.")

    def _open(self, path: str) -> IO[bytes]:
        handle: IO[bytes] = self._files.open(f"{self._root}/{path}", "rb")
        return handle


def _language_folders(path: str) -> Iterator[PurePosixPath]:
    return (folder for folder in PurePosixPath(path).parents if tongues.find(folder.name))


def _language_of_folder(path: str) -> str | None:
    return next((tongues.named(folder.name).name for folder in _language_folders(path)), None)


def _languages(columns: Columns, folder: str | None, assumed: str | None) -> list[str | None]:
    """What each row says, then its table's folder, then its file's suffix; only where all are silent, what is assumed."""
    return [
        _language_named(said) if said else folder or (_language_of_path(path) if path else assumed)
        for said, path in zip(columns["lang"], columns["file_path"], strict=True)
    ]


@cache
def _language_named(name: str) -> str | None:
    language = tongues.find(name)
    return language.name if language else None


def _language_of_path(path: str) -> str | None:
    language = tongues.of_path(path)
    return language.name if language else None


def _row_id(row_id: str | None, path: str, folder: str, number: int) -> str:
    """The row's own id. One that is no content hash (starcoderdata's) counts within its folder; a row without has its place."""
    if not row_id:
        return storable(f"{path}:{number}")
    return row_id if folder == "." or CONTENT_HASH.fullmatch(row_id) else storable(f"{folder}/{row_id}")
