"""Write rows as Parquet shards for `load_dataset` and the Hub's dataset viewer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hf_oss_instruct.errors import RunError

FINAL_COMPRESSION = {"compression": "zstd", "use_content_defined_chunking": True, "write_page_index": True}
TEMPORARY_COMPRESSION = {"compression": "lz4", "use_dictionary": False}
"""Compression of final files, and of temporary ones: a third of the time, twice the size."""
ROWS_PER_GROUP = 1000
ROWS_PER_FILE = 50_000
UNFINISHED = ".unfinished-"


class Shards:
    """Writes `FOLDER/train-00000-of-0000N.parquet`; writes no file without rows, because `datasets` cannot read an empty split.

    The files get their names when all of them are whole; until then the shards of an earlier run stay as they are. Equal rows
    give identical bytes: no timestamps, and row groups that depend only on the rows.

    Args:
        folder: where they go.
        schema: their columns.
        scratch: whether they are only read back by `unfinished`, and never finished.
    """

    def __init__(self, folder: Path, schema: pa.Schema, *, scratch: bool = False) -> None:
        self.folder, self._schema, self._options = folder, schema, TEMPORARY_COMPRESSION if scratch else FINAL_COMPRESSION
        self._group: list[Mapping[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._unfinished: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self._rows_in_file = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row.

        Raises:
            RunError: the disk is full or the folder cannot be written.
        """
        self._group.append(row)
        if len(self._group) == ROWS_PER_GROUP:
            self._collect()

    def add_table(self, table: pa.Table) -> None:
        """Append the rows of a table; columns that the schema lacks are dropped.

        Raises:
            RunError: as `add`.
        """
        self._collect()
        # After the single rows that came before it.
        self._tables.append(table.select(self._schema.names).cast(self._schema))
        self._write_groups()

    def finish(self) -> list[Path]:
        """Finish the files, replacing those of an earlier run.

        Raises:
            RunError: as `add`.
        """
        self._collect()
        self._write_groups(last=True)
        self._close_file()
        total = len(self._unfinished)
        finished = [self.folder / f"train-{number:05d}-of-{total:05d}.parquet" for number in range(total)]
        for temporary, path in zip(self._unfinished, finished, strict=True):
            temporary.replace(path)
        # Last, so that a process that is killed before leaves too many files rather than too few.
        for path in set(self.folder.glob("train-*-of-*.parquet")) - set(finished):
            path.unlink()
        return finished

    def abandon(self) -> None:
        """Remove unfinished files."""
        try:
            self._close_file()
        except RunError:
            pass
        # By their names, which also finds those of a session that was killed.
        for path in self.folder.glob(f"{UNFINISHED}*"):
            path.unlink()

    def unfinished(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """Yield some or all columns of the rows added so far, in batches.

        Raises:
            RunError: as `add`.
        """
        self._collect()
        self._write_groups(last=True)
        self._close_file()
        for path in self._unfinished:
            # Without threads: each would keep 10 MB of decoded data.
            for batch in pq.ParquetFile(path).iter_batches(ROWS_PER_GROUP, columns=columns, use_threads=False):
                yield pa.Table.from_batches([batch])

    def mapped(self, columns: list[str]) -> pa.Table:
        """Return some columns of the rows added so far, as a memory-mapped table.

        Raises:
            RunError: as `add`.
        """
        schema = pa.schema([self._schema.field(name) for name in columns])
        return mapped(self.unfinished(columns), schema, self.folder / f"{UNFINISHED}mapped.arrow")

    def _collect(self) -> None:
        if self._group:
            group, self._group = self._group, []
            self._tables.append(pa.Table.from_pylist(group, schema=self._schema))
            self._write_groups()

    def _write_groups(self, last: bool = False) -> None:
        while (rows := sum(map(len, self._tables))) >= ROWS_PER_GROUP or (last and rows):
            together = pa.concat_tables(self._tables)
            # Groups of equal size, however the rows came in: they depend on the rows only, and so do the bytes of the file.
            self._tables = [together.slice(ROWS_PER_GROUP)]
            self._write(together.slice(0, ROWS_PER_GROUP))

    def _write(self, group: pa.Table) -> None:
        try:
            if self._writer is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                path = self.folder / f"{UNFINISHED}{len(self._unfinished):05d}.parquet"
                self._unfinished.append(path)
                self._writer = pq.ParquetWriter(path, self._schema, **self._options)
            self._writer.write_table(group, row_group_size=ROWS_PER_GROUP)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        self._rows_in_file += len(group)
        if self._rows_in_file >= ROWS_PER_FILE:
            self._close_file()

    def _close_file(self) -> None:
        writer, self._writer, self._rows_in_file = self._writer, None, 0
        try:
            if writer is not None:
                writer.close()
        except OSError as error:
            raise _cannot_write(self.folder, error) from error


def mapped(portions: Iterable[pa.Table], schema: pa.Schema, path: Path) -> pa.Table:
    """Write rows to a temporary file and return them as a memory-mapped table.

    Args:
        portions: the rows.
        schema: their columns.
        path: the file; it has no name any more when this returns, and is removed when the table is freed.

    Raises:
        RunError: the disk is full or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            for portion in portions:
                writer.write_table(portion)
        with pa.memory_map(str(path)) as file:
            return pa.ipc.open_file(file).read_all()
    except OSError as error:
        raise _cannot_write(path.parent, error) from error
    finally:
        path.unlink(missing_ok=True)


def _cannot_write(folder: Path, error: OSError) -> RunError:
    return RunError(f"{str(folder)!r} cannot be written: {error}. Free disk space and repeat the command or call.")
