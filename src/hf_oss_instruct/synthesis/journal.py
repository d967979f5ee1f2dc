"""What teachers answered, on disk before it is used, and never asked twice.

A folder of append-only files, one for each writing process (`<host>-<pid>-<n>.jsonl`), all read on open. Each line carries the
CRC-32 of its record; a torn or flipped line is dropped and counted, and its question is asked again. Records hold no clock
value, no URL and no key.
"""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import orjson

from hf_oss_instruct.data import Completion, Seed, provenance_columns, seed_of, storable
from hf_oss_instruct.errors import RowRejectedError, RunError
from hf_oss_instruct.packed import NumberMap
from hf_oss_instruct.synthesis import shared_answers

HEAD = b'{"crc":"%08x","record":'
HEAD_LENGTH = len(HEAD % 0)
KEY = slice(HEAD_LENGTH + len('{"key":"'), HEAD_LENGTH + len('{"key":"') + 32)
"""Where the key stands in a line: found without parsing the record."""
OFFSET_BITS = 44
"""Of a line's place in 64 bits: 16 TiB of a file, a million files."""
LINE = 8192
"""Bytes read for one line; few lines have more."""
COMPLETION_FIELDS = tuple(Completion.__dataclass_fields__)
OSS_INSTRUCT = "oss_instruct"
"""The task of lines that name none: the only one there was when the format began."""
Answer: TypeAlias = Completion | RowRejectedError


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One answer.

    Attributes:
        key: the question's.
        task: name of the generation task that asked it.
        seed: the seed behind the item; None in journals of other programs' making.
        answer: what the teacher said, or why it refused.
    """

    key: str
    task: str
    seed: Seed | None
    answer: Answer


class Journal:
    """Answers by key.

    Args:
        folder: where this process writes; made when the first answer comes.
        also: folders with answers of other runs. What is found there is copied into `folder` when it is used.

    Attributes:
        dropped: number of damaged lines that were left out.
    """

    def __init__(self, folder: Path, also: Iterable[Path] = ()) -> None:
        self.folder, self.dropped = folder, 0
        self._files: list[Path] = []
        self._readers: dict[int, int] = {}
        self._places = NumberMap()
        self._writer: int | None = None
        self._own = self._end = 0
        self._place, self._claimed = shared_answers.place_of(folder), set[str]()
        self._numbers: dict[Path, int] = {}
        self._news = shared_answers.listen((*also, folder))  # before the files are read: what is written meanwhile is not missed
        # Our own folder last: its answers win.
        for place in (*also, folder):
            for path in sorted(place.glob("*.jsonl")):
                self._read(path)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        self._hear()
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        self._hear()
        return _short(key) in self._places

    def recall(self, key: str, seed: Seed | None = None, task: str = OSS_INSTRUCT) -> Answer | None:
        """What was answered to this question, or None; an answer of another folder is copied with the seed as it is now."""
        self._hear()
        place = self._places.get(_short(key))
        if place is None:
            return None
        record = self._record_at(place)
        if record is None:  # changed under our hands since it was indexed
            self.dropped += 1
            return None
        fields = orjson.loads(record)
        if fields["key"] != key:  # another key with the same half
            return None
        answer = _answer(fields)
        if self._files[place >> OFFSET_BITS].parent != self.folder:
            self.append(key, answer, seed, task)
        return answer

    def answers(self) -> Iterator[JournalEntry]:
        """Everything in this folder."""
        self._hear()
        for place in self._places.values():
            number = place >> OFFSET_BITS
            if self._files[number].parent == self.folder and (record := self._record_at(place)):
                fields = orjson.loads(record)
                columns = fields.get("seed")
                seed = seed_of(columns) if columns else None
                yield JournalEntry(fields["key"], fields.get("task", OSS_INSTRUCT), seed, _answer(fields))

    def append(self, key: str, answer: Answer, seed: Seed | None = None, task: str = OSS_INSTRUCT) -> None:
        """Write one answer; when this returns, a killed process does not lose it.

        Args:
            key: the question's.
            answer: what the teacher said, or why it refused.
            seed: the seed behind the item, whose columns go with the answer.
            task: name of the task that asked.

        Raises:
            RunError: the disk is full or the folder cannot be written.
        """
        record = _encode(key, answer, seed, task)
        line = HEAD % zlib.crc32(record) + record + b"}\n"
        try:
            if self._writer is None:
                self._writer = self._create()
            written = os.write(self._writer, line)
            if written < len(line):  # the disk filled up in the middle of a line
                raise OSError(28, "No space left on device")
        except OSError as error:
            self._drop_torn_line()
            raise RunError(
                f"The journal in {str(self.folder)!r} cannot be written: {error.strerror}. Everything received before is safe; "
                "make room and run the same command again."
            ) from error
        path = self._files[self._own]
        self._places.set(_short(key), _place(self._own, self._end))
        shared_answers.tell(self._place, (path, _short(key), self._end), self._news)
        self._end += len(line)

    def claim(self, key: str, when_free: Callable[[], None]) -> bool:
        """Take on a question, so that no other stream of this process asks it too.

        Args:
            key: the question.
            when_free: called, in some thread, when the stream that asks it already has its answer or has given it up.

        Returns:
            Whether it is ours to ask.
        """
        if key in self._claimed:
            return True
        if shared_answers.claim(self._place, key, when_free):
            self._claimed.add(key)
            return True
        return False

    def release(self, key: str) -> None:
        """Let others ask a question that was taken on, if it was."""
        if key in self._claimed:
            self._claimed.discard(key)
            shared_answers.release(self._place, key)

    def release_all(self) -> None:
        """Let others ask all questions that were taken on."""
        while self._claimed:
            self.release(next(iter(self._claimed)))

    def close(self) -> None:
        """Force what was written to the disk and close the files."""
        self.release_all()
        if self._writer is not None:
            os.fsync(self._writer)
            os.close(self._writer)
            self._writer = None
        while self._readers:
            os.close(self._readers.popitem()[1])

    def _record_at(self, place: int) -> bytes | None:
        reader, offset, line = self._reader(place >> OFFSET_BITS), place & 2**OFFSET_BITS - 1, b""
        while b"\n" not in line and (more := os.pread(reader, LINE, offset + len(line))):
            line += more
        return _record(line[: line.find(b"\n") + 1])

    def _reader(self, number: int) -> int:
        if number not in self._readers:
            self._readers[number] = os.open(self._files[number], os.O_RDONLY)
        return self._readers[number]

    def _drop_torn_line(self) -> None:
        """What follows a torn line would be lost with it."""
        if self._writer is not None:
            with suppress(OSError):
                os.ftruncate(self._writer, self._end)

    def _create(self) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{socket.gethostname()}-{os.getpid()}"
        for number in range(10**6):
            path = self.folder / f"{stem}-{number}.jsonl"
            try:
                writer = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            except FileExistsError:
                continue
            self._own, self._end = self._add(path), 0
            return writer
        raise FileExistsError(17, "no free file name", str(self.folder))

    def _hear(self) -> None:
        """Take in what other journals of this process were answered."""
        while self._news:
            path, short, offset = self._news.popleft()
            number = self._numbers[path] if path in self._numbers else self._add(path)
            if path.parent == self.folder or self._places.get(short) is None:  # our own folder's answers win
                self._places.set(short, _place(number, offset))

    def _add(self, path: Path) -> int:
        self._files.append(path)
        self._numbers[path] = len(self._files) - 1
        return self._numbers[path]

    def _read(self, path: Path) -> None:
        number = self._add(path)
        offset = 0
        with path.open("rb") as file:
            for line in file:
                if _record(line) is None:
                    self.dropped += 1
                else:
                    self._places.set(_short(line[KEY].decode()), _place(number, offset))
                offset += len(line)


def _short(key: str) -> int:
    """Half of a key, for the index in memory."""
    return int(key[16:], 16)


def _place(number: int, offset: int) -> int:
    """Where a line lies, in one number: which file, and where in it."""
    return number << OFFSET_BITS | offset


def _record(line: bytes) -> bytes | None:
    """The record in a line, or None if the line is damaged."""
    record = line[HEAD_LENGTH:-2]
    return record if line == HEAD % zlib.crc32(record) + record + b"}\n" else None


def _encode(key: str, answer: Answer, seed: Seed | None, task: str) -> bytes:
    """A record: the key first, the answer, and the seed's columns, so that a journal alone gives rows with their origin."""
    fields: dict[str, Any] = {"key": key}
    if task != OSS_INSTRUCT:
        fields["task"] = task
    if isinstance(answer, RowRejectedError):
        fields |= {"refused": answer.reason, "detail": storable(answer.detail)}
    else:
        fields |= {name: value for name in COMPLETION_FIELDS if (value := getattr(answer, name)) is not None}
    if seed is not None:
        fields["seed"] = provenance_columns(seed)
    return orjson.dumps(fields)


def _answer(fields: dict[str, object]) -> Answer:
    fields = {name: value for name, value in fields.items() if name not in ("key", "task", "seed")}
    if "refused" in fields:
        return RowRejectedError(str(fields["refused"]), str(fields["detail"]))
    return Completion(**{"finish_reason": None, **fields})  # type: ignore[arg-type]  # the CRC holds: we wrote it
