"""Tables of code files: parquet and JSONL in the shapes of The Stack v1, v3 and starcoderdata, on disk or on the Hub.

Only the columns in use are read, batch by batch. A flat table has one file per row; a nested one has a repository per row
with a list `files`. Each field below is looked for under the names that the real data sets use.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from hf_oss_instruct import languages as tongues
from hf_oss_instruct.data import Document, Provenance, Skipped, storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.synthesis.transports import http_error

SUFFIXES = (".parquet", ".jsonl", ".jsonl.gz")
FIELDS: dict[str, tuple[str, ...]] = {
    "content": ("content",),
    "row_id": ("hexsha", "content_id", "blob_id", "id", "row_id"),
    "lang": ("lang", "language"),
    "repo_name": ("max_stars_repo_name", "repo_name", "repo_path", "repo"),
    "repo_commit": ("max_stars_repo_head_hexsha", "commit_id", "revision_id", "repo_commit"),
    "file_path": ("max_stars_repo_path", "file_path", "path"),
    "licenses": ("max_stars_repo_licenses", "detected_licenses", "licenses", "license"),
    "license_type": ("license_type",),
    "is_vendor": ("is_vendor",),
    "is_generated": ("is_generated",),
}
"""Field → column names it goes by: v1 and starcoderdata first, then v3 and v2, then plain words."""
CONTENT_HASH = re.compile(r"[0-9a-f]{32,}")
IDS_ONLY = ("blob_id", "content_id")
STARCODER_METADATA = re.compile(r"(<reponame>[^<\n]*)?(<filename>[^<\n]*)?(<gh_stars>[^<\n]*)?\n?")
"""starcoderdata opens a text with `<reponame>NAME<filename>PATH<gh_stars>RANGE` and a newline, each part optional."""


def is_table(name: str) -> bool:
    """Whether a file name is one of a table we read."""
    return name.lower().endswith(SUFFIXES)


class _Tables(ABC):
    """Documents out of table files; the two kinds below say where the bytes are."""

    name: str
    revision: str | None

    def __init__(self, paths: Iterable[str], keep_metadata: bool) -> None:
        self.paths = sorted(paths)
        self._keep_metadata = keep_metadata

    @abstractmethod
    def _open(self, path: str) -> IO[bytes]: ...

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        """See `sampling.Source`; tables come in their own order, since they are not listed cheaply."""
        del order_seed
        numbers: Counter[str] = Counter()
        folders = {path: _language_of_folder(path) for path in self.paths}
        shelves = {folder.parent for path in self.paths for folder in _language_folders(path)}
        for path, folder in folders.items():
            if folder is None and shelves & set(PurePosixPath(path).parent.parents):
                yield Skipped("unknown_language")  # it stands beside folders that are named after languages
                continue
            if folder and languages is not None and folder not in languages:
                continue
            for number, found in enumerate(self._rows(path)):
                fields = {field: _plain(field, value) for field, value in found.items()}
                lang = _language(fields, folder, assumed)
                if lang is not None and languages is not None and lang not in languages:
                    continue
                if reason := _left_out(fields, lang):
                    yield Skipped(reason, lang)
                else:
                    yield self._document(fields, str(lang), numbers[str(lang)], _row_id(fields, path, number))
                numbers[str(lang)] += 1

    def _rows(self, path: str) -> Iterator[dict[str, Any]]:
        """The fields of every file in one table; hosts' errors become ours here."""
        from huggingface_hub.errors import GatedRepoError

        read = _parquet_rows if path.lower().endswith(".parquet") else _json_rows
        try:
            with self._open(path) as file:
                yield from read(file, path)
        except GatedRepoError as error:  # the Hub shows what a gated data set holds, and keeps only the contents back
            raise SeedError(f"{self.name!r} is gated. Accept its terms on its Hub page, then log in: hf auth login.") from error
        except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, zlib.error, http_error()) as error:
            raise SeedError(
                f"{path!r} in {self.name} cannot be read: {_one_line(error)}. Fetch the file again, or leave it out."
            ) from error

    def _document(self, fields: dict[str, Any], lang: str, number: int, row_id: str) -> Document:
        content = fields.get("content") or ""
        if not self._keep_metadata and content.startswith("<"):
            content = content[STARCODER_METADATA.match(content).end() :]  # type: ignore[union-attr]  # matches the empty string
        origin = Provenance(
            dataset=self.name,
            revision=self.revision,
            row_id=row_id,
            raw_index=number,
            lang=lang,
            repo_name=fields.get("repo_name"),
            repo_commit=fields.get("repo_commit"),
            file_path=fields.get("file_path"),
            licenses=fields.get("licenses"),
            license_type=fields.get("license_type"),
        )
        return Document(content, origin)


class LocalTables(_Tables):
    """Parquet or JSONL files below a folder; `paths` are relative to it.

    The revision is a hash over names and contents. Of a large parquet file it takes the size, the beginning and the end, where
    the offsets and statistics of all pages are: cheap on a terabyte.
    """

    def __init__(self, root: Path, paths: Iterable[str], *, keep_metadata: bool = False) -> None:
        super().__init__(paths, keep_metadata)
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
    """

    def __init__(
        self, repo_id: str, revision: str | None = None, *, keep_metadata: bool = False, endpoint: str | None = None
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
                f"The Hub cannot be asked for {repo_id!r}: {_one_line(error)}. Try again, or use --seeds stdlib."
            ) from error
        self._files = HfFileSystem(endpoint=endpoint)
        self._root = f"datasets/{repo_id}@{info.sha}"
        super().__init__((file.rfilename for file in info.siblings or () if is_table(file.rfilename)), keep_metadata)
        self.name, self.revision = repo_id, info.sha
        if not self.paths:
            raise SeedError(f"{repo_id!r} holds no parquet or JSONL files. Name a data set of code in one of these formats.")

    def _open(self, path: str) -> IO[bytes]:
        handle: IO[bytes] = self._files.open(f"{self._root}/{path}", "rb")
        return handle


def _parquet_rows(file: IO[bytes], path: str) -> Iterator[dict[str, Any]]:
    table = pq.ParquetFile(file, buffer_size=2**18)
    schema = table.schema_arrow
    outer = _columns(schema.names)
    nested = None if "content" in outer else _files_struct(schema)
    inner = None if nested is None else _columns(nested.field(i).name for i in range(nested.num_fields))
    _require_content(outer if inner is None else inner, schema.names, path)
    leaves = {leaf.path for leaf in map(table.schema.column, range(len(table.schema)))}
    wanted = [leaf for leaf in leaves if leaf.split(".")[0] in outer.values() or _inner_leaf(leaf) in (inner or {}).values()]
    # Small batches: a row of The Stack v3 is a whole repository.
    size = 64 if nested is None else 4
    for group in range(table.num_row_groups):
        for batch in table.iter_batches(batch_size=size, row_groups=[group], columns=wanted, use_threads=False):
            for row in batch.to_pylist():
                yield from _files_of(row, outer, inner)
        pa.default_memory_pool().release_unused()  # it would keep several row groups' worth


def _json_rows(file: IO[bytes], path: str) -> Iterator[dict[str, Any]]:
    lines: IO[bytes] = gzip.open(file) if path.lower().endswith(".gz") else file  # type: ignore[assignment]
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            why = getattr(error, "msg", _one_line(error))
            raise SeedError(f"Line {number} of {path!r} is no JSON: {why}. Mend the line, or leave it out.") from error
        if not isinstance(row, dict):
            raise SeedError(f"Line {number} of {path!r} is no JSON object. Each line must be one, with a key 'content'.")
        files = [file for file in _list(row.get("files")) if isinstance(file, dict)]
        outer, inner = _columns(row), _columns(name for file in files for name in file)
        nested = "files" in row and "content" not in outer
        if files or not nested:
            _require_content(inner if nested else outer, row, path)
        yield from _files_of(row | {"files": files}, outer, inner if nested else None)


def _files_of(row: dict[str, Any], outer: dict[str, str], inner: dict[str, str] | None) -> Iterator[dict[str, Any]]:
    """The fields of each file in a row: of a repository's files, or of the one that the row is."""
    shared = {field: row[column] for field, column in outer.items()}
    if inner is None:
        yield shared
        return
    for file in row["files"] or ():
        if file is not None:
            yield shared | {field: file.get(column) for field, column in inner.items()}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(field: str, value: Any) -> Any:
    """A value as the type that its field has; a value of another type says nothing."""
    if field in ("is_vendor", "is_generated"):
        return value is True
    if field == "row_id" and isinstance(value, int):
        return str(value)
    if field == "licenses" and isinstance(value, list):
        return tuple(storable(name) for name in value if isinstance(name, str))
    text = storable(value) if isinstance(value, str) and value else None
    return (text,) if text and field == "licenses" else text


def _columns(names: Iterable[str]) -> dict[str, str]:
    """Field → the column that holds it, for the fields that are there."""
    present = set(names)
    return {field: column for field, columns in FIELDS.items() for column in columns[::-1] if column in present}


def _files_struct(schema: pa.Schema) -> pa.StructType | None:
    kinds = (pa.types.is_list, pa.types.is_large_list)
    if "files" not in schema.names or not any(is_kind(schema.field("files").type) for is_kind in kinds):
        return None
    inside = schema.field("files").type.value_type
    return inside if pa.types.is_struct(inside) else None


def _inner_leaf(leaf: str) -> str | None:
    """`files.list.element.content` → `content`: the parquet path of a column inside the list."""
    parts = leaf.split(".")
    return parts[3] if parts[0] == "files" and len(parts) > 3 else None


def _require_content(columns: dict[str, str], names: Iterable[str], path: str) -> None:
    if "content" in columns:
        return
    if any(column in IDS_ONLY for column in columns.values()):
        raise SeedError(
            f"{path!r} holds ids without content, as The Stack v2 and stack-edu do; the text lies at Software Heritage and is "
            "not read yet. Use The Stack v1, The Stack v3 (HuggingFaceCode/stack-v3-train) or starcoderdata."
        )
    raise SeedError(
        f"{path!r} has no column 'content'; it has {', '.join(sorted(names))}. Rename the column that holds the code."
    )


def _language_folders(path: str) -> Iterator[PurePosixPath]:
    return (folder for folder in PurePosixPath(path).parents if tongues.find(folder.name))


def _language_of_folder(path: str) -> str | None:
    return next((tongues.named(folder.name).name for folder in _language_folders(path)), None)


def _language(fields: dict[str, Any], folder: str | None, assumed: str | None) -> str | None:
    """What the row says, then its table's folder, then its file's suffix; only where all are silent, what is assumed."""
    language = tongues.find(fields.get("lang"))
    if fields.get("lang") or folder:
        return language.name if language else None if fields.get("lang") else folder
    if path := fields.get("file_path"):
        language = tongues.of_path(path)
        return language.name if language else None
    return assumed


def _left_out(fields: dict[str, Any], lang: str | None) -> str | None:
    if fields.get("is_vendor"):
        return "vendored"
    if fields.get("is_generated"):
        return "generated"
    return "unknown_language" if lang is None else None


def _row_id(fields: dict[str, Any], path: str, number: int) -> str:
    """The row's own id. One that is no content hash (starcoderdata's) counts within its folder; a row without has its place."""
    row_id, folder = fields.get("row_id"), PurePosixPath(path).parent.as_posix()
    if not row_id:
        return storable(f"{path}:{number}")
    return str(row_id) if folder == "." or CONTENT_HASH.fullmatch(row_id) else storable(f"{folder}/{row_id}")


def _one_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
