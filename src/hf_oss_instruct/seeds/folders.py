"""Read documents from a folder of source code, or from the standard library."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NoReturn

import xxhash

from hf_oss_instruct.code.detection import MAX_CHARS, is_ambiguous, of_file
from hf_oss_instruct.code.languages import language_of_path
from hf_oss_instruct.data import Document, Provenance, Skipped, storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.seeds.file_licenses import FolderLicenses
from hf_oss_instruct.seeds.reading import (
    DEFAULT,
    NotTextError,
    ReadOptions,
    decode,
    decode_start,
)
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.storage.formats import UTF8, is_output

VENDORED_FOLDERS = frozenset(
    "vendor vendors vendored third_party third-party thirdparty 3rdparty deps extern external node_modules bower_components "
    "site-packages dist-packages".split()
)
"""Folders that hold other people's code (after Linguist's list)."""
IGNORED_FOLDERS = frozenset({"__pycache__", "build", "dist", "target", ".git", ".hg", ".svn", ".tox", ".venv", "venv"})
"""Folders without source code. Like hidden folders, they are neither read nor counted."""
# Minified files, type declarations, and what protoc and .NET's tools write.
GENERATED_NAME = re.compile(r"(\.min\.js|_pb2(_grpc)?\.pyi?|\.pb\.(go|cc|h)|\.g\.cs|\.designer\.cs|\.d\.ts)$", re.I)
GENERATED_TEXT = re.compile(r"@generated\b|\bauto(matically )?-?generated\b|\bgenerated\b[^\n]*\bdo not (edit|modify)\b", re.I)
INSTALLED = frozenset({"site-packages", "dist-packages"})
"""Folders next to the standard library that are not part of it."""
STDLIB_TESTS = frozenset({"test", "tests", "idle_test"})
STDLIB_NAMES = sys.stdlib_module_names | {"__hello__", "__phello__"} | STDLIB_TESTS
"""What CPython's repository has in Lib/; builds and distributors add other files."""
STDLIB_OWN_LICENSE = frozenset({"optparse.py", "pstats.py", "profile.py", "wsgiref/validate.py"})
"""Files of the standard library with an additional license; they are left out."""

BLOCK_BYTES = 2**20
"""Bytes of a file that are read and hashed at a time."""


class FolderSource(Source):
    """Source files below a folder, languages by suffix.

    Vendored, generated, binary, undecodable and too large files are skipped with that reason, and so are files and folders that
    this user may not read; links and hidden folders are not followed.

    Args:
        root: the folder.
        paths: only these files, relative to `root`; all files by default.
        name: name of the dataset in rows; the folder's own name by default.
        revision: by default a hash of all paths and contents, so that a changed folder counts as another source.
        stdlib: leave tests out, and record CPython's path and license.
        reading: how files are read.
    """

    name: str = ""
    untrusted = False

    def __init__(
        self,
        root: Path,
        *,
        paths: Iterable[PurePosixPath] | None = None,
        name: str | None = None,
        revision: str | None = None,
        stdlib: bool = False,
        reading: ReadOptions = DEFAULT,
    ) -> None:
        self._converted: dict[str, str] = {}
        self.root = root.absolute()
        self.name = name or storable(self.root.resolve().name)
        self._revision, self._stdlib, self._reading = revision, stdlib, reading
        self._licenses = FolderLicenses(self.root)
        left_alone = IGNORED_FOLDERS | (INSTALLED if stdlib else set())
        paths_found, self._closed_folders = _walk(self.root, left_alone) if paths is None else (sorted(paths), 0)
        self.files = [(path, lang.name) for path in paths_found if (lang := language_of_path(path))]
        """Each file with the language of its suffix."""

    @property
    def size(self) -> int:
        """Number of files."""
        return len(self.files)

    @property
    def converted(self) -> Mapping[str, str]:
        """File → its encoding, for the files read so far that are not UTF-8."""
        return self._converted

    @cached_property
    def revision(self) -> str | None:  # computed on first use: it reads every file
        """Version of the standard library, or a hash over all paths and contents."""
        if self._revision:
            return self._revision
        content = xxhash.xxh3_128()
        for path, _ in self.files:
            # Vendored files give no seeds, so another version of a dependency does not change the source.
            if not VENDORED_FOLDERS & set(path.parts):
                self._hash(path, content)
        if self._reading.encoding:
            # Another encoding gives other snippets.
            content.update(b"\0" + self._reading.encoding.encode())
        return content.hexdigest()

    @property
    def languages_found(self) -> Collection[str]:
        """See `Source`: the languages of all files."""
        return {lang for _, _, lang in self._languages if lang}

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """See `Source`. The language is known from the suffix, or from the content if several languages share the suffix."""
        del assumed
        yield from [Skipped("unreadable_folder")] * self._closed_folders
        numbers: Counter[str] = Counter()
        chosen: list[tuple[PurePosixPath, str | None, int]] = []
        for path, own, lang in self._languages:
            if languages is None or (lang or own) in languages:
                # Numbered before they are put into another order: `raw_index` is the place in the source.
                chosen.append((path, lang, numbers[lang or ""]))
                numbers[lang or ""] += 1
        if order_seed is not None:
            chosen.sort(key=lambda file: xxhash.xxh3_64_intdigest(os.fsencode(str(file[0])), order_seed))
        for path, lang, number in chosen:
            yield self._document(path, lang, number) if lang else Skipped("other_language")

    @cached_property
    def _languages(self) -> list[tuple[PurePosixPath, str, str | None]]:
        """Each file, the language of its suffix, and the language of its content (None if unknown)."""
        entries = []
        for path, own in self.files:
            lang: str | None = own
            if is_ambiguous(path) and not self._skip_reason(path):
                with suppress(PermissionError):  # skipped when its turn comes
                    language = of_file(path, decode_start(self._read(path, MAX_CHARS)))
                    lang = language.name if language else None
            entries.append((path, own, lang))
        return entries

    def _document(self, path: PurePosixPath, lang: str, number: int) -> Document | Skipped:
        if reason := self._skip_reason(path):
            return Skipped(reason, lang)
        limit = self._reading.max_document_bytes
        try:
            # One byte more than allowed shows that a file is too large, without reading the rest of it.
            data = self._read(path, limit + 1 if limit else -1)
        except PermissionError:
            return Skipped("unreadable", lang)
        if self._reading.is_too_large(len(data)):
            return Skipped("too_large", lang)
        try:
            content, encoding = decode(data, self._reading.encoding)
        except NotTextError as error:
            return Skipped(error.reason, lang)
        if encoding != UTF8:
            self._converted[str(path)] = encoding
        # Only at the top, where generators leave their mark: further down the same words may be about something else.
        if GENERATED_TEXT.search("\n".join(content[:4000].split("\n")[:10])):
            return Skipped("generated", lang)
        return Document(content, self._origin(path, lang, number, content))

    def _skip_reason(self, path: PurePosixPath) -> str | None:
        if not str(path).isprintable():
            return "odd_name"
        if self._stdlib and STDLIB_TESTS & set(path.parts):
            return "test"
        if self._stdlib and PurePosixPath(path.parts[0]).stem not in STDLIB_NAMES:
            return "not_of_cpython"
        if self._stdlib and str(path) in STDLIB_OWN_LICENSE:
            return "own_license"
        if VENDORED_FOLDERS & set(path.parts):
            return "vendored"
        return "generated" if GENERATED_NAME.search(path.name) else None

    def _origin(self, path: PurePosixPath, lang: str, number: int, content: str) -> Provenance:
        here = Provenance(self.name, self.revision, str(path), number, lang, file_path=str(path))
        if not self._stdlib:
            return replace(here, licenses=self._licenses.of(path, content))
        return Provenance(
            *(here.dataset, here.revision, here.row_id, here.raw_index, here.lang),
            repo_name="python/cpython",
            file_path=f"Lib/{path}",
            licenses=("PSF-2.0",),
            license_type="permissive",
        )

    def _read(self, path: PurePosixPath, size: int = -1) -> bytes:
        """The first bytes of a file.

        Raises:
            PermissionError: this user may not read it.
            SeedError: it cannot be read for another reason.
        """
        try:
            with (self.root / path).open("rb") as file:
                return file.read(size)
        except PermissionError:
            raise
        except OSError as error:
            _unreadable(error)

    def _hash(self, path: PurePosixPath, content: xxhash.xxh3_128) -> None:
        try:
            with (self.root / path).open("rb") as file:
                # With its size, so that the same bytes in other files give another hash.
                content.update(b"%s\0%d\0" % (os.fsencode(str(path)), os.fstat(file.fileno()).st_size))
                while block := file.read(BLOCK_BYTES):
                    content.update(block)
        except PermissionError:
            content.update(b"%s\0unreadable\0" % os.fsencode(str(path)))
        except OSError as error:
            _unreadable(error)


def _walk(root: Path, left_alone: Set[str]) -> tuple[list[PurePosixPath], int]:
    """Files below a folder in path order, without symbolic links, and the number of folders that this user may not read."""
    paths: list[PurePosixPath] = []
    closed: list[str] = []

    def note(error: OSError) -> None:
        if not isinstance(error, PermissionError) or Path(error.filename) == root:
            _unreadable(error)
        closed.append(error.filename)

    for folder, inner, names in os.walk(root, onerror=note):
        here = PurePosixPath(Path(folder).relative_to(root).as_posix())
        try:
            # Regular files only: a link may lead out of the folder, and reading a pipe may never end.
            paths += [here / name for name in names if stat.S_ISREG(os.lstat(os.path.join(folder, name)).st_mode)]
        except PermissionError as error:  # it may be listed, but not entered
            note(PermissionError(error.errno, error.strerror, folder))
            inner.clear()
        # In place, because `os.walk` goes into what is left in this list.
        inner[:] = [
            name for name in inner if name not in left_alone and not name.startswith(".") and not _is_output(Path(folder, name))
        ]
    return sorted(paths), len(closed)


def _is_output(folder: Path) -> bool:
    try:
        return is_output(folder)
    except PermissionError:  # the walk comes to it, and counts it
        return False


def _unreadable(error: OSError) -> NoReturn:
    raise SeedError(f"{str(error.filename)!r} cannot be read: {error.strerror}. Make it readable or move it away.") from error
