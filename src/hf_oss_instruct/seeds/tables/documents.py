"""The documents in tables of code files: Parquet, JSON and CSV with the columns of The Stack, CodeSearchNet and others.

Only the columns in use are read, batch by batch. Rows without text, only ids, get it from Software Heritage.
"""

from __future__ import annotations

import lzma
import re
import zlib
from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import IO

import pyarrow as pa

from hf_oss_instruct.code.detection import MAX_CHARS, is_ambiguous, of_file
from hf_oss_instruct.code.languages import find_language, language_of_path, named
from hf_oss_instruct.data import Document, Provenance, Skipped, storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.hub import reason, transport_error
from hf_oss_instruct.seeds.file_licenses import HEADER_BYTES, header_license
from hf_oss_instruct.seeds.filters import OPEN, SourceFilter
from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.seeds.tables.columns import Columns
from hf_oss_instruct.seeds.tables.parquet import parquet_columns
from hf_oss_instruct.seeds.tables.software_heritage import Archive
from hf_oss_instruct.seeds.tables.text_files import csv_columns, json_columns
from hf_oss_instruct.seeds.vectorized import DocumentBatch, TextBuffer
from hf_oss_instruct.storage.formats import PARQUET, unpacked
from hf_oss_instruct.terminal.display import error_message

CONTENT_HASH = re.compile(r"[0-9a-f]{32,}")


class Tables(Source):
    """Documents in table files; subclasses open local files (`local.py`) and files on the Hub (`hub.py`)."""

    name: str = ""
    revision: str | None = None
    untrusted, columnar = False, True
    converted: Mapping[str, str] = MappingProxyType({})

    def __init__(self, paths: Iterable[str], reading: ReadOptions, archive: Archive | None) -> None:
        self.paths = sorted(paths)
        self._reading, self._archive = reading, archive or Archive()
        self._languages_found: set[str] = set()

    @property
    def languages_found(self) -> Collection[str]:
        """See `Source`."""
        return self._languages_found

    @abstractmethod
    def _open(self, path: str) -> IO[bytes]: ...

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """See `Source`. Rows come in their own order, because listing them all would be expensive."""
        del order_seed
        for batch in self.batches(languages, assumed, OPEN):
            yield from batch.documents()

    def batches(
        self, languages: Collection[str] | None, assumed: str | None, source_filter: SourceFilter
    ) -> Iterator[DocumentBatch]:
        """See `Source`."""
        numbers: Counter[str] = Counter()
        folders = {path: _language_of_folder(path) for path in self.paths}
        self._languages_found.update(folder for folder in folders.values() if folder)
        parents = {folder.parent for path in self.paths for folder in _language_folders(path)}
        for path, folder in folders.items():
            if folder is None and parents & set(PurePosixPath(path).parent.parents):
                # other folders next to this one are named after languages
                yield DocumentBatch([Skipped("unknown_language")], TextBuffer.none(1))
                continue
            # A table in a folder of another language is not even opened.
            if folder and languages is not None and folder not in languages:
                continue
            first = 0
            for columns in self._columns(path):
                langs = _languages(columns, folder, assumed)
                self._languages_found.update(lang for lang in set(langs) if lang)
                ids = _row_ids(columns["row_id"], path, first)
                first += len(columns)
                drawn = _row_numbers(ids, langs, languages, numbers, source_filter)
                some = columns.take(list(drawn)) if len(drawn) < len(columns) else columns
                items = self._items(some, [(ids[row], number, langs[row]) for row, number in drawn.items()], source_filter)
                if some.texts is not None:
                    yield DocumentBatch(items, some.texts)
                else:
                    yield from self._archive.filled(items, some["blob_id"], some["encoding"], some["bytes"])

    def _items(
        self, columns: Columns, drawn: list[tuple[str, int, str | None]], source_filter: SourceFilter
    ) -> list[Provenance | Skipped]:
        """The provenance of each file, or why it is skipped. `drawn` has (id, number within its language, language) for each."""
        items: list[Provenance | Skipped] = []
        licenses = columns["licenses"]
        # The column comes first; a header in the text states the license of what the table does not.
        if columns.texts is not None and not all(licenses):
            texts = columns.texts
            licenses = [given or header_license(texts.head(row, HEADER_BYTES)) or given for row, given in enumerate(licenses)]
        origins = zip(
            columns["repo_name"], columns["repo_commit"], columns["file_path"], licenses, columns["license_type"], strict=True
        )
        skipped = zip(columns["is_vendor"], columns["is_generated"], strict=True)
        for row, ((row_id, number, lang), origin, (vendored, generated)) in enumerate(zip(drawn, origins, skipped, strict=True)):
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

        # The Hub lists the files of a gated dataset, but refuses their contents.
        if isinstance(error, GatedRepoError):
            return SeedError(f"The dataset {self.name!r} cannot be read: {reason(error)}.")
        if isinstance(
            error, (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, zlib.error, lzma.LZMAError, transport_error())
        ):
            return SeedError(
                f"{path!r} in {self.name} cannot be read: {error_message(error)}. Download it again, or leave it out."
            )
        return None


def _language_folders(path: str) -> Iterator[PurePosixPath]:
    return (folder for folder in PurePosixPath(path).parents if find_language(folder.name))


def _language_of_folder(path: str) -> str | None:
    return next((named(folder.name).name for folder in _language_folders(path)), None)


def _languages(columns: Columns, folder: str | None, assumed: str | None) -> list[str | None]:
    """The language of each row: from the row, else the table's folder, else the file's name and content, else `assumed`."""
    names = columns["lang"]
    if folder or all(names):
        return [_language_named(name) if name else folder for name in names]
    return [
        _language_named(name) if name else (_language_of_path(path, columns.texts, row) if path else assumed)
        for row, (name, path) in enumerate(zip(names, columns["file_path"], strict=True))
    ]


def _row_numbers(
    ids: list[str], langs: list[str | None], languages: Collection[str] | None, numbers: Counter[str], source_filter: SourceFilter
) -> dict[int, int]:
    """Row → its number within its language, for the rows that are requested and chosen by `one_in`."""
    drawn: dict[int, int] = {}
    for row, (row_id, lang) in enumerate(zip(ids, langs, strict=True)):
        if lang is None or languages is None or lang in languages:
            # Counted before `one_in` chooses: `raw_index` is the place in the source.
            number = numbers[str(lang)]
            numbers[str(lang)] = number + 1
            if source_filter.one_in == 1 or source_filter.draws(row_id):
                drawn[row] = number
    return drawn


# Millions of rows have the same few names.
@lru_cache(maxsize=2**12)
def _language_named(name: str) -> str | None:
    language = find_language(name)
    return language.name if language else None


def _language_of_path(path: str, texts: TextBuffer | None, row: int) -> str | None:
    if texts is not None and is_ambiguous(path):
        language = of_file(path, texts.head(row, MAX_CHARS).decode(errors="replace"))
    else:
        language = language_of_path(path)
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
