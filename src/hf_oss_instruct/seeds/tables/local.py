"""Tables in a local folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from hf_oss_instruct.data import storable
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.seeds.reading import DEFAULT, ReadOptions
from hf_oss_instruct.seeds.tables.documents import Tables
from hf_oss_instruct.seeds.tables.software_heritage import Archive
from hf_oss_instruct.storage.formats import OPENERS, PARQUET


class LocalTables(Tables):
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
        file = self._root / path
        # As bytes, because the name of a file need not be valid Unicode.
        native: IO[bytes] = pa.OSFile(os.fsencode(file)) if path.lower().endswith(PARQUET) else file.open("rb")
        return native

    @cached_property
    def size(self) -> int | None:
        """Approximate number of rows; None for compressed files, whose length is unknown."""
        if any(PurePosixPath(path.lower()).suffix in OPENERS for path in self.paths):
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
                        for index in range(start, end, ends):
                            content.update(block := file.read(min(ends, end - index)))
                            # Counted along with the hash, since a table of text has about one row in a line.
                            self._lines += 0 if path.lower().endswith(PARQUET) else block.count(b"\n")
            except OSError as error:
                raise SeedError(f"{path!r} cannot be read: {error.strerror}. Make it readable or leave it out.") from error
        # Other options draw other snippets.
        if self._reading.encoding or self._reading.code_column:
            content.update(b"\0%r" % ((self._reading.encoding, self._reading.code_column),))
        return content.hexdigest()
