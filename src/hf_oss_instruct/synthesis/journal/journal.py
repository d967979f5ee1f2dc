"""The journal: answers of teachers, on disk before they are used, so that nothing is paid for twice.

A folder of append-only files, one per writing process (`<host>-<pid>-<n>.jsonl`), all read on open. Each line has the
CRC-32 of its record; a damaged line is dropped and counted, and its request is sent again. Records contain no clock
value, no URL and no key.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

from hf_oss_instruct.data import Seed
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.schemas import seed_of
from hf_oss_instruct.storage.line_files import LineFiles
from hf_oss_instruct.storage.packed import NumberMap
from hf_oss_instruct.synthesis.journal import shared_answers
from hf_oss_instruct.synthesis.journal.lines import OSS_INSTRUCT, Answer, answer_of, encode_line, key_of, record_of


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An answer.

    Attributes:
        key: key of the request.
        task: name of the generation task that sent it.
        seed: the seed of the item; None in journals that other programs wrote.
        answer: the completion, or the refusal.
    """

    key: str
    task: str
    seed: Seed | None
    answer: Answer


class Journal:
    """A map from keys to answers.

    Args:
        folder: where this process writes; created with the first answer.
        also: folders with answers of other runs. Answers found there are copied to `folder` when they are used.

    Attributes:
        dropped: number of damaged lines.
    """

    def __init__(self, folder: Path, also: Iterable[Path] = ()) -> None:
        self.folder, self.dropped = folder, 0
        self._files, self._locations = LineFiles(), NumberMap()
        self._writer: int | None = None
        self._own, self._end = folder, 0
        self._shared_folder, self._claimed = shared_answers.canonical(folder), set[str]()
        # Subscribe before reading the files, so that nothing written meanwhile is missed.
        self._mailbox = shared_answers.listen((*also, folder))
        # Our own folder last, because its answers take precedence.
        for source in (*also, folder):
            for path in sorted(source.glob("*.jsonl")):
                self._read(path)
        self._locations.pack()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        self._receive()
        return len(self._locations)

    def __contains__(self, key: str) -> bool:
        self._receive()
        return _short_key(key) in self._locations

    def recall(self, key: str, seed: Seed | None = None, task: str = OSS_INSTRUCT) -> Answer | None:
        """The answer to a request, or None. An answer from another folder is copied, with the current seed.

        Args:
            key: key of the request, 32 hex digits.
            seed: the seed behind the item, whose columns go with a copied answer.
            task: name of the task that sends it.
        """
        self._receive()
        location = self._locations.get(_short_key(key))
        if location is None:
            return None
        record = record_of(self._files.line(location))
        if record is None:  # the file has changed since it was indexed
            self.dropped += 1
            return None
        fields = orjson.loads(record)
        if fields["key"] != key:  # a hash collision: the index has half of each key
            return None
        answer = answer_of(fields)
        # The answer of another run: copied, so that this folder alone is enough to export its rows.
        if self._files.path(location).parent != self.folder:
            self.append(key, answer, seed, task)
        return answer

    def answers(self) -> Iterator[JournalEntry]:
        """All answers in this folder."""
        self._receive()
        for location in self._locations.values():
            if fields := self._fields_at(location):
                columns = fields.get("seed")
                seed = seed_of(columns) if columns else None
                yield JournalEntry(fields["key"], fields.get("task", OSS_INSTRUCT), seed, answer_of(fields))

    def in_seed_order(self, task: str = OSS_INSTRUCT) -> Iterator[tuple[Seed, Answer]]:
        """A task's answers in this folder with their seeds, in the order of the seeds."""
        locations = NumberMap()
        self._receive()
        for location in self._locations.values():
            if (fields := self._fields_at(location)) and fields.get("task", OSS_INSTRUCT) == task and fields.get("seed"):
                locations.set(fields["seed"]["index"], location)
        for location in locations.values():
            if fields := self._fields_at(location):
                yield seed_of(fields["seed"]), answer_of(fields)

    def append(self, key: str, answer: Answer, seed: Seed | None = None, task: str = OSS_INSTRUCT) -> None:
        """Write an answer; once this returns, it survives a kill of the process.

        Args:
            key: key of the request.
            answer: the completion, or the refusal.
            seed: the seed behind the item, whose columns go with the answer.
            task: name of the task that sent it.

        Raises:
            RunError: the disk is full or the folder cannot be written.
        """
        line = encode_line(key, answer, seed, task)
        try:
            if self._writer is None:
                self._writer = self._create()
            # One unbuffered call for the whole line: what it returns from is with the kernel, and survives a kill.
            written = os.write(self._writer, line)
            if written < len(line):  # the disk was full in the middle of the line
                raise OSError(28, "No space left on device")
        except OSError as error:
            self._drop_torn_line()
            raise RunError(
                f"The journal in {str(self.folder)!r} cannot be written: {error.strerror}. Everything received before is safe; "
                "free disk space and repeat the command or call."
            ) from error
        # Indexed and announced only now: a line that was not written whole must not be found.
        self._locations.set(_short_key(key), self._files.location(self._own, self._end))
        shared_answers.announce(self._shared_folder, (self._own, _short_key(key), self._end), self._mailbox)
        self._end += len(line)

    def claim(self, key: str, when_free: Callable[[], None]) -> bool:
        """Claim a request, so that no other stream of this process sends it.

        Args:
            key: of the request.
            when_free: called, in some thread, when the stream that has claimed it gets the answer or gives up.

        Returns:
            Whether the claim succeeded.
        """
        if key in self._claimed:
            return True
        if shared_answers.claim(self._shared_folder, key, when_free):
            self._claimed.add(key)
            return True
        return False

    def release(self, key: str) -> None:
        """Release the claim on a request, if there is one."""
        if key in self._claimed:
            self._claimed.discard(key)
            shared_answers.release(self._shared_folder, key)

    def release_all(self) -> None:
        """Release all claims."""
        while self._claimed:
            self.release(next(iter(self._claimed)))

    def close(self) -> None:
        """Sync the files to disk and close them."""
        self.release_all()
        if self._writer is not None:
            # Once per session: each line survives a kill of the process, and from here on also a power failure.
            os.fsync(self._writer)
            os.close(self._writer)
            self._writer = None
        self._files.close()

    def _fields_at(self, location: int) -> dict[str, Any] | None:
        """A line of this folder, parsed; None if it is another folder's or damaged."""
        if self._files.path(location).parent != self.folder or not (record := record_of(self._files.line(location))):
            return None
        fields: dict[str, Any] = orjson.loads(record)
        return fields

    def _drop_torn_line(self) -> None:
        """Cut off an incomplete last line, which would make the next line unreadable."""
        if self._writer is not None:
            with suppress(OSError):
                os.ftruncate(self._writer, self._end)

    def _create(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{socket.gethostname()}-{os.getpid()}"
        for number in range(10**6):
            path = self.folder / f"{stem}-{number}.jsonl"
            try:
                # O_EXCL: an earlier process, or one in a container of the same host name, may have had the same pid.
                writer = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            except FileExistsError:
                continue
            self._own, self._end = path, 0
            return writer
        raise FileExistsError(17, "no free file name", str(self.folder))

    def _receive(self) -> None:
        """Add the answers that other journals of this process received."""
        while self._mailbox:
            path, short, offset = self._mailbox.popleft()
            # Answers in our own folder take precedence.
            if path.parent == self.folder or self._locations.get(short) is None:
                self._locations.set(short, self._files.location(path, offset))

    def _read(self, path: Path) -> None:
        offset = 0
        with path.open("rb") as file:
            for line in file:
                if record_of(line) is None:
                    self.dropped += 1
                else:
                    self._locations.set(_short_key(key_of(line)), self._files.location(path, offset))
                offset += len(line)


def _short_key(key: str) -> int:
    """Half of a key, for the in-memory index."""
    return int(key[16:], 16)
