"""Tables of code files: Parquet, JSON and CSV with the columns of The Stack, CodeSearchNet and others, on disk or on the Hub.

Only the columns in use are read, batch by batch. Rows without text, only ids, get it from Software Heritage.
"""

from __future__ import annotations

import lzma
import os
import re
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from hf_oss_instruct import languages as tongues
from hf_oss_instruct.data import Document, Provenance, Skipped, storable
from hf_oss_instruct.detection import LOOKED_AT, is_ambiguous, of_file
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.formats import NAMES, PACKED, PARQUET, tables_among, unpacked
from hf_oss_instruct.hub import transport_error
from hf_oss_instruct.seeds.columns import Columns, csv_columns, json_columns, one_line, parquet_columns
from hf_oss_instruct.seeds.file_licenses import HEADER_BYTES, header_license
from hf_oss_instruct.seeds.filters import OPEN, SourceFilter
from hf_oss_instruct.seeds.reading import DEFAULT, ReadOptions
from hf_oss_instruct.seeds.software_heritage import Archive
from hf_oss_instruct.seeds.vectorized import Batch, Texts

CONTENT_HASH = re.compile(r"[0-9a-f]{32,}")


class _Tables(ABC):
    """Documents in table files; the subclasses below open local files and files on the Hub."""

    name: str
    revision: str | None
    untrusted, columnar = False, True
    converted: Mapping[str, str] = MappingProxyType({})

    def __init__(self, paths: Iterable[str], reading: ReadOptions, archive: Archive | None) -> None:
        self.paths = sorted(paths)
        self._reading, self._archive = reading, archive or Archive()

    @property
    def size(self) -> int | None:
        """About how many rows there are; None where that is not known before they are read."""
        return None

    @abstractmethod
    def _open(self, path: str) -> IO[bytes]: ...

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """See `Source`. Rows come in their own order, because listing them all would be expensive."""
        del order_seed
        for batch in self.batches(languages, assumed, OPEN):
            yield from batch.documents()

    def batches(self, languages: Collection[str] | None, assumed: str | None, source_filter: SourceFilter) -> Iterator[Batch]:
        """See `Source`."""
        numbers: Counter[str] = Counter()
        folders = {path: _language_of_folder(path) for path in self.paths}
        shelves = {folder.parent for path in self.paths for folder in _language_folders(path)}
        for path, folder in folders.items():
            if folder is None and shelves & set(PurePosixPath(path).parent.parents):
                # other folders next to this one are named after languages
                yield Batch([Skipped("unknown_language")], Texts.none(1))
                continue
            if folder and languages is not None and folder not in languages:
                continue
            first = 0
            for columns in self._columns(path):
                langs = _languages(columns, folder, assumed)
                ids = _row_ids(columns["row_id"], path, first)
                first += len(columns)
                drawn = _drawn(ids, langs, languages, numbers, source_filter)
                some = columns.take(list(drawn)) if len(drawn) < len(columns) else columns
                items = self._items(some, [(ids[row], number, langs[row]) for row, number in drawn.items()], source_filter)
                if some.texts is not None:
                    yield Batch(items, some.texts)
                else:
                    yield from self._archive.filled(items, some["blob_id"], some["encoding"], some["bytes"])

    def _items(
        self, columns: Columns, drawn: list[tuple[str, int, str | None]], source_filter: SourceFilter
    ) -> list[Provenance | Skipped]:
        """The provenance of each file, or why it is skipped. `drawn` has (id, number within its language, language) for each."""
        items: list[Provenance | Skipped] = []
        licenses = columns["licenses"]
        if columns.texts is not None and not all(licenses):
            licenses = [
                said or header_license(columns.texts.head(row, HEADER_BYTES)) or said for row, said in enumerate(licenses)
            ]
        told = zip(
            columns["repo_name"], columns["repo_commit"], columns["file_path"], licenses, columns["license_type"], strict=True
        )
        skipped = zip(columns["is_vendor"], columns["is_generated"], strict=True)
        for row, ((row_id, number, lang), origin, (vendored, generated)) in enumerate(zip(drawn, told, skipped, strict=True)):
            if row in columns.skipped:
                items.append(Skipped(columns.skipped[row], lang))
                continue
            if vendored or generated or lang is None:
                items.append(Skipped("vendored" if vendored else "generated" if generated else "unknown_language", lang))
                continue
            item = Provenance(self.name, self.revision, row_id, number, lang, *origin)
            reason = source_filter.reason(item)
            items.append(Skipped(reason, lang) if reason else item)
        return items

    def _columns(self, path: str) -> Iterator[Columns]:
        """The fields of every file in one table. Errors of the host libraries are translated here."""
        suffixes = PurePosixPath(path.lower()).suffixes
        try:
            with self._open(path) as file:
                if suffixes[-1] == PARQUET:
                    yield from parquet_columns(file, path, self._reading)
                else:
                    read = csv_columns if {".csv", ".tsv"} & set(suffixes[-2:]) else json_columns
                    yield from read(unpacked(file, path), path, self._reading)
        except Exception as error:
            if reported := self._as_seed_error(path, error):
                raise reported from error
            raise

    def _as_seed_error(self, path: str, error: Exception) -> SeedError | None:
        """Translate an error of a file, its decoder or the Hub; None for any other error."""
        from huggingface_hub.errors import GatedRepoError  # slow to import

        if isinstance(error, GatedRepoError):  # the Hub lists the files of a gated dataset, but refuses their contents
            return SeedError(f"{self.name!r} is gated. Accept its terms on its Hub page, then log in: hf auth login.")
        if isinstance(
            error, (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, zlib.error, lzma.LZMAError, transport_error())
        ):
            return SeedError(f"{path!r} in {self.name} cannot be read: {one_line(error)}. Fetch the file again, or leave it out.")
        return None


class LocalTables(_Tables):
    """Tables below a folder. `paths` are relative to it.

    The revision is a hash of names and contents. For a large Parquet file it covers the size, the beginning and the end, where
    the offsets and statistics of all pages are: this is fast even for a terabyte.
    """

    def __init__(
        self, root: Path, paths: Iterable[str], *, reading: ReadOptions = DEFAULT, archive: Archive | None = None
    ) -> None:
        super().__init__(paths, reading, archive)
        self._root, self._lines = root.absolute(), 0
        self.name, self.revision = storable(self._root.resolve().name), self._content_hash()

    def _open(self, path: str) -> IO[bytes]:
        place = self._root / path
        native: IO[bytes] = pa.OSFile(os.fsencode(place)) if path.lower().endswith(PARQUET) else place.open("rb")
        return native

    @cached_property
    def size(self) -> int | None:
        """Approximate number of rows; None for compressed files, whose length is unknown."""
        if any(PurePosixPath(path.lower()).suffix in PACKED for path in self.paths):
            return None
        tables = [path for path in self.paths if path.lower().endswith(PARQUET)]
        try:
            return self._lines + sum(int(pq.read_metadata(self._root / path).num_rows) for path in tables)
        except (pa.ArrowException, OSError):  # reported when it is read
            return None

    def _content_hash(self, whole_up_to: int = 2**24, ends: int = 2**20) -> str:
        content = xxhash.xxh3_128()
        for path in self.paths:
            try:
                with self._open(path) as file:
                    size = file.seek(0, os.SEEK_END)
                    content.update(b"%s\0%d\0" % (os.fsencode(path), size))
                    whole = size <= whole_up_to or not path.lower().endswith(PARQUET)
                    for start, end in [(0, size)] if whole else [(0, ends), (size - ends, size)]:
                        file.seek(start)
                        for at in range(start, end, ends):
                            content.update(block := file.read(min(ends, end - at)))
                            self._lines += 0 if path.lower().endswith(PARQUET) else block.count(b"\n")
            except OSError as error:
                raise SeedError(f"{path!r} cannot be read: {error.strerror}. Make it readable or leave it out.") from error
        if self._reading.encoding or self._reading.code_column:  # other options draw other snippets
            content.update(b"\0%r" % ((self._reading.encoding, self._reading.code_column),))
        return content.hexdigest()


class HubTables(_Tables):
    """A dataset on the Hub, read in place: only the byte ranges of the columns in use are downloaded.

    Args:
        repo_id: such as `bigcode/the-stack`.
        revision: branch, tag or commit; rows record the commit.
        reading: how documents are read.
        endpoint: another Hub than huggingface.co.
        archive: where to fetch the text of rows that have only ids.
    """

    untrusted = True

    def __init__(
        self,
        repo_id: str,
        revision: str | None = None,
        *,
        reading: ReadOptions = DEFAULT,
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
                f"There is no folder {repo_id!r} here and no such dataset on the Hub that you may read. "
                "Check the spelling, or log in: hf auth login."
            ) from error
        except (transport_error(), OfflineModeIsEnabled, OSError) as error:
            raise SeedError(
                f"The Hub cannot be asked for {repo_id!r}: {one_line(error)}. Try again, or use --seeds stdlib."
            ) from error
        self._files = HfFileSystem(endpoint=endpoint)
        self._root = f"datasets/{repo_id}@{info.sha}"
        super().__init__(tables_among(file.rfilename for file in info.siblings or ()), reading, archive)
        self.name, self.revision = repo_id, info.sha
        if not self.paths:
            raise SeedError(f"{repo_id!r} holds no tables. Name a dataset of code in {NAMES}.")

    def _open(self, path: str) -> IO[bytes]:
        handle: IO[bytes] = self._files.open(f"{self._root}/{path}", "rb")
        return handle


def _language_folders(path: str) -> Iterator[PurePosixPath]:
    return (folder for folder in PurePosixPath(path).parents if tongues.find(folder.name))


def _language_of_folder(path: str) -> str | None:
    return next((tongues.named(folder.name).name for folder in _language_folders(path)), None)


def _languages(columns: Columns, folder: str | None, assumed: str | None) -> list[str | None]:
    """The language of each row: from the row, else the table's folder, else the file's name and content, else `assumed`."""
    said = columns["lang"]
    if folder or all(said):
        return [_language_named(name) if name else folder for name in said]
    return [
        _language_named(name) if name else (_language_of_path(path, columns.texts, row) if path else assumed)
        for row, (name, path) in enumerate(zip(said, columns["file_path"], strict=True))
    ]


def _drawn(
    ids: list[str], langs: list[str | None], languages: Collection[str] | None, numbers: Counter[str], source_filter: SourceFilter
) -> dict[int, int]:
    """Row → its number within its language, for the rows that are requested and chosen by `one_in`."""
    drawn: dict[int, int] = {}
    for row, (row_id, lang) in enumerate(zip(ids, langs, strict=True)):
        if lang is None or languages is None or lang in languages:
            number = numbers[str(lang)]
            numbers[str(lang)] = number + 1
            if source_filter.one_in == 1 or source_filter.draws(row_id):
                drawn[row] = number
    return drawn


@lru_cache(maxsize=2**12)
def _language_named(name: str) -> str | None:
    language = tongues.find(name)
    return language.name if language else None


def _language_of_path(path: str, texts: Texts | None, row: int) -> str | None:
    if texts is not None and is_ambiguous(path):
        language = of_file(path, texts.head(row, LOOKED_AT).decode(errors="replace"))
    else:
        language = tongues.of_path(path)
    return language.name if language else None


def _row_ids(ids: list[str | None], path: str, first: int) -> list[str]:
    """Row ids. One that is not a content hash (starcoderdata) gets its folder in front; a missing one is the position."""
    folder = PurePosixPath(path).parent.as_posix()
    return [
        storable(f"{path}:{number}")
        if not row_id
        else row_id
        if folder == "." or CONTENT_HASH.fullmatch(row_id)
        else storable(f"{folder}/{row_id}")
        for number, row_id in enumerate(ids, first)
    ]
