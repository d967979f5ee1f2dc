"""Copies of a shard in a store: a lost machine loses at most the answers received since its last copy.

A shard runs on the machine's own disk. Files that only grow, the journal and the verdicts, are copied in pieces, each a file of
its own with the lines that are new, so that nothing is copied twice and a piece that a kill has cut is a journal with a damaged
last line. Another machine that runs the shard fetches the pieces first, and requests only what they do not answer.

| in the store | in the shard's folder |
|---|---|
| `journal/STEM.MACHINE-OFFSET.jsonl` | lines of `journal/STEM.jsonl` |
| `verdicts/MACHINE-OFFSET.jsonl` | lines of `verdicts.jsonl` |
| `.running` | none: which machine works on it |
| all others | the same |
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from hf_oss_instruct.errors import RunError
from hf_oss_instruct.scale.plan import SHARDS
from hf_oss_instruct.scale.store import Store, StoreError, with_retries
from hf_oss_instruct.storage.run_report import JOURNAL, RUN_REPORT, VERDICTS
from hf_oss_instruct.storage.workdir import OWNER, write_atomically
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.synthesis.requests.reservations import FILE as RESERVED
from hf_oss_instruct.synthesis.run import CONFIG

REWRITTEN_FILES = (CONFIG, RUN_REPORT, RESERVED)
"""Files that are written again, and copied each time: what a run needs to continue, in addition to its answers."""
MAX_PIECE_BYTES = 64 << 20
"""Bytes of a piece at most. A line is at most half of that."""
VERDICT_PIECES = "verdicts"
"""Folder in the store with the pieces of `verdicts.jsonl`."""


@dataclass
class _Copied:
    """The record of this machine's copies, on disk next to the shards' folders, so that a later session copies only what is new.

    Attributes:
        path: the file that keeps this.
        machine: name of this machine in names of pieces: random, since host names and process ids repeat.
        bytes_of: growing file → bytes of it that are in the store.
        fetched: pieces that were copied here.
    """

    path: Path
    machine: str = field(default_factory=lambda: secrets.token_hex(4))
    bytes_of: dict[str, int] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> _Copied:
        try:
            record = read_object(path, {"machine": str, "bytes_of": dict, "fetched": list})
        except ValueError:  # it is not there, or damaged: pieces are copied again, under a new name
            return cls(path)
        return cls(path, record["machine"], record["bytes_of"], set(record["fetched"]))

    def write(self) -> None:
        known = {"machine": self.machine, "bytes_of": self.bytes_of, "fetched": sorted(self.fetched)}
        write_atomically(self.path, json.dumps(known))


class JournalSync:
    """Copies a shard's folder to a store: periodically while the block runs, and at its end.

    Entering downloads the copies of other machines, and fails before any request is sent if the store cannot be written. A copy
    that fails during the block is reported, and repeated at the next interval; the last one is tried for about a minute.

    Args:
        store: the store of the plan.
        folder: the shard's folder here.
        name: its name in the store, `shards/00000-of-00064`.
        every_s: seconds between copies.
        say: called with a sentence about each failed copy.

    Raises:
        StoreError: the store cannot be read or written. Everything that is not in it stays in the folder.
        RunError: another process of this machine runs the shard.
    """

    def __init__(self, store: Store, folder: Path, name: str, every_s: float, say: Callable[[str], None]) -> None:
        self._store, self._folder, self._name, self._every_s, self._say = store, folder, name, every_s, say
        state = folder.parent.parent / "copied"
        state.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(state / f"{folder.name}.lock", timeout=0)
        self._copied = _Copied.read(state / f"{folder.name}.json")
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._at_intervals, name=f"copy {name}", daemon=True)
        self._small: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        try:
            self._lock.acquire()
        except Timeout:
            raise RunError(f"{str(self._folder)!r} is in use by another process. Wait for it to finish.") from None
        try:
            with_retries(self._fetch)
            # Also shows that the store can be written, before anything is paid for.
            with_retries(self._store.put, {f"{self._name}/{OWNER}": f"process {os.getpid()} on {socket.gethostname()}".encode()})
        except BaseException:
            self._lock.release()
            raise
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        # The last copy waits for the one that may be under way: two at once would record each other's sizes.
        self._thread.join()
        try:
            with_retries(self._finish)
        except StoreError as refused:
            raise StoreError(
                f"{str(refused).rstrip('.')}. Nothing is lost: everything not yet copied is in {str(self._folder)!r} on "
                f"{socket.gethostname()}. Run the same command there again when the store is writable."
            ) from refused
        finally:
            self._lock.release()

    def upload_changes(self) -> None:
        """Copy new data.

        Raises:
            StoreError: the store refused.
        """
        while self._upload_next():
            pass

    def _upload_next(self) -> bool:
        """Copy new data, at most `MAX_PIECE_BYTES` of each file; whether that was cut off."""
        sizes, pieces = {}, {}
        for path in self._growing():
            local = path.relative_to(self._folder).as_posix()
            start = self._copied.bytes_of.get(local, 0)
            if lines := _whole_lines(path, start):
                pieces[f"{self._name}/{self._piece(path, start)}"] = lines
                sizes[local] = start + len(lines)
        small = {name: (self._folder / name).read_bytes() for name in REWRITTEN_FILES if (self._folder / name).is_file()}
        changed = {f"{self._name}/{name}": data for name, data in small.items() if self._small.get(name) != data}
        if changed or pieces:
            self._store.put(changed | pieces)
            self._small |= small
            # After the copy: a kill in between copies the same lines again, to a piece of the same name.
            self._copied.bytes_of |= sizes
            self._copied.write()
        return any(len(lines) > MAX_PIECE_BYTES // 2 for lines in pieces.values())

    def _growing(self) -> Iterator[Path]:
        """Files that only grow, without those that came from the store."""
        for path in sorted((self._folder / JOURNAL).glob("*.jsonl")):
            if f"{JOURNAL}/{path.name}" not in self._copied.fetched:
                yield path
        if (path := self._folder / VERDICTS).is_file():
            yield path

    def _piece(self, path: Path, start: int) -> str:
        mark = f"{self._copied.machine}-{start:015d}.jsonl"
        return f"{VERDICT_PIECES}/{mark}" if path.name == VERDICTS else f"{JOURNAL}/{path.stem}.{mark}"

    def _at_intervals(self) -> None:
        while not self._done.wait(self._every_s):
            try:
                self.upload_changes()
            except (StoreError, OSError) as error:
                self._say(f"{error} Retrying in {self._every_s:,.0f} s.")

    def _fetch(self) -> None:
        # Pieces of this machine were cut from files that are still in its folder.
        here = f".{self._copied.machine}-"
        stored = {name.removeprefix(f"{self._name}/") for name in self._store.names(self._name)}
        new = sorted(name for name in stored - self._copied.fetched if _is_piece(name) and here not in f".{Path(name).name}")
        wanted = {
            name: self._folder / name
            for name in [*REWRITTEN_FILES, *new]
            if name in stored and not (self._folder / name).exists()
        }
        self._store.fetch({f"{self._name}/{name}": path for name, path in wanted.items()})
        if pieces := [name for name in new if name.startswith(VERDICT_PIECES)]:
            _append(self._folder / VERDICTS, [self._folder / name for name in pieces])
            # What came from the store is not copied back.
            self._copied.bytes_of[VERDICTS] = (self._folder / VERDICTS).stat().st_size
        self._copied.fetched |= set(new)
        self._copied.write()

    def _finish(self) -> None:
        """Copy new data and the tables, and remove files that are no longer in the folder."""
        self.upload_changes()
        paths = [path for path in sorted(self._folder.rglob("*")) if path.is_file()]
        names = {path.relative_to(self._folder).as_posix(): path for path in paths}
        whole = {name: path for name, path in names.items() if not _is_local(name) and name not in REWRITTEN_FILES}
        stored = {name.removeprefix(f"{self._name}/") for name in self._store.names(self._name)}
        kept = {*whole, *(name for name in REWRITTEN_FILES if name in names)}
        obsolete = [name for name in sorted(stored) if not _is_piece(name) and name not in kept]
        self._store.put(
            {f"{self._name}/{name}": path for name, path in whole.items()}, [f"{self._name}/{name}" for name in obsolete]
        )


def fetch_recorded(store: Store, folder: Path) -> list[Path]:
    """Download the parts of a store's shards that a merge reads: their configs, reports, journals and verdicts.

    Args:
        store: the store of the plan.
        folder: a new folder.

    Returns:
        The folders of the shards.

    Raises:
        StoreError: it cannot be read.
    """
    names = [name for name in with_retries(store.names, SHARDS) if _is_recorded(name.split("/", 2)[-1])]
    with_retries(store.fetch, {name: folder / name for name in names})
    shards = sorted({folder / SHARDS / name.split("/")[1] for name in names})
    for shard in shards:
        _append(shard / VERDICTS, sorted((shard / VERDICT_PIECES).glob("*.jsonl")))
    return [shard for shard in shards if (shard / CONFIG).is_file()]


def _is_recorded(name: str) -> bool:
    return _is_piece(name) or name in (CONFIG, RUN_REPORT)


def _is_piece(name: str) -> bool:
    return name.startswith((f"{JOURNAL}/", f"{VERDICT_PIECES}/")) and name.endswith(".jsonl")


def _is_local(name: str) -> bool:
    """Whether a file of the folder is not copied as it is: locks, what is copied in pieces, and the pieces."""
    return name == VERDICTS or any(part.startswith(".") for part in Path(name).parts) or _is_piece(name)


def _whole_lines(path: Path, start: int) -> bytes:
    """The lines of a growing file from an offset on, without one that is being written."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(MAX_PIECE_BYTES)
    return data[: data.rfind(b"\n") + 1]


def _append(path: Path, pieces: Sequence[Path]) -> None:
    """Add files to the end of one, and remove them."""
    if pieces:
        with path.open("ab") as file:
            for piece in pieces:
                file.write(piece.read_bytes())
                piece.unlink()
