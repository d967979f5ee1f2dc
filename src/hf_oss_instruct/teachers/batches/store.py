"""The records of batches on disk, in the folder `batches/` of a journal, so that a kill at any moment loses and repeats nothing.

For each batch: `NAME.json`, its record, written before every step that cannot be taken back; `NAME.jsonl`, the file to
upload, until the batch was created; `NAME.results.jsonl` when it has ended. No record contains a URL or a key.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from hf_oss_instruct.data import Request
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.storage.workdir import atomic_stream, write_atomically
from hf_oss_instruct.structured import matching, read_object
from hf_oss_instruct.teachers.mixture import MixedTeacher
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.terminal.display import plural

FOLDER = "batches"
CHUNK_BYTES = 2**20
"""Bytes that are copied at a time."""
_RECORD = {"teacher": str, "requests": {...: [int]}, "file_id": (str, type(None)), "batch_id": (str, type(None)), "ended": bool}


@dataclass(frozen=True)
class Batch:
    """A batch as it is recorded.

    Attributes:
        name: its name on disk; sorted by name, batches are in the order in which they were made.
        teacher: identity of the teacher.
        requests: key of each request → the most tokens of its prompt and answer.
        file_id: the uploaded file. From then on the provider may have created the batch, even if `batch_id` is unknown.
        batch_id: the batch.
        ended: whether the results are on disk.
    """

    name: str
    teacher: str
    requests: dict[str, Sequence[int]] = field(repr=False)
    file_id: str | None = None
    batch_id: str | None = None
    ended: bool = False


class BatchStore:
    """The batches of one journal.

    Args:
        journal: folder of the journal.
    """

    def __init__(self, journal: Path) -> None:
        self.folder = journal / FOLDER

    def batches(self) -> list[Batch]:
        """All batches, the oldest first.

        Raises:
            RunError: a record cannot be read.
        """
        return [self._read(path) for path in sorted(self.folder.glob("*.json"))]

    def new(self, teacher: str, requests: Sequence[Request], lines: Sequence[bytes]) -> Batch:
        """Write the file of a new batch, and its record.

        Args:
            teacher: identity of the teacher.
            requests: the requests.
            lines: the line of each in the file to upload, with its line end.

        Raises:
            RunError: they cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        # The number keeps batches in order; the rest of the name is unique at the provider, which gets it as metadata.
        number = max((int(path.name[:6]) for path in self.folder.glob("*.json")), default=-1) + 1
        name = f"{number:06d}-{uuid.uuid4().hex}"
        # Before the record, whose presence means that the file is whole.
        write_atomically(self.upload_of(name), b"".join(lines))
        return self.record(Batch(name, teacher, {request.key: request.most_tokens for request in requests}))

    def record(self, batch: Batch, **changes: Any) -> Batch:
        """Record a step of a batch; once this returns, it survives a kill of the process."""
        batch = replace(batch, **changes)
        fields = {name: value for name, value in asdict(batch).items() if name != "name"}
        write_atomically(self.folder / f"{batch.name}.json", json.dumps(fields) + "\n")
        # From here on the provider has the requests, and the record their keys.
        if batch.batch_id:
            self.upload_of(batch.name).unlink(missing_ok=True)
        return batch

    def drop(self, batch: Batch) -> None:
        """Forget a batch that was never created."""
        (self.folder / f"{batch.name}.json").unlink(missing_ok=True)
        self.upload_of(batch.name).unlink(missing_ok=True)

    def upload_of(self, name: str) -> Path:
        """The file to upload."""
        return self.folder / f"{name}.jsonl"

    def results_of(self, batch: Batch) -> Path:
        """The file with the results."""
        return self.folder / f"{batch.name}.results.jsonl"

    def join(self, parts: Sequence[Path], results: Path) -> None:
        """Make one file of results out of several, which are removed."""
        with atomic_stream(results) as write:
            for part in parts:
                with part.open("rb") as file:
                    last = b""
                    while chunk := file.read(CHUNK_BYTES):
                        write(chunk)
                        last = chunk
                # Otherwise the first line of the next part would be added to this one.
                if last and not last.endswith(b"\n"):
                    write(b"\n")
        for part in parts:
            part.unlink()

    def results(self, batch: Batch) -> Iterator[tuple[str, dict[str, Any]]]:
        """The results of a batch that has ended: key and line, in the provider's order, without unreadable lines."""
        with self.results_of(batch).open("rb") as file:
            for line in file:
                try:
                    result = orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
                if isinstance(result, dict) and isinstance(result.get("custom_id"), str):
                    yield result["custom_id"], result

    def _read(self, path: Path) -> Batch:
        try:
            record = read_object(path)
            matching(record, _RECORD, repr(str(path)))
        except ValueError as error:
            raise RunError(
                f"{error}. It is the record of a batch that may already be paid for. Move it away to send the requests again."
            ) from error
        return Batch(path.stem, **{name: record[name] for name in _RECORD})


def has_answer(line: dict[str, Any]) -> bool:
    """Whether a line of results has a response with an answer, which was paid for."""
    response = line.get("response")
    return isinstance(response, dict) and response.get("status_code") == 200


def unanswered(journal: Path, teachers: Container[str] | None = None) -> dict[str, tuple[int, int]]:
    """Requests that are in batches, or were answered there: key → the most tokens of prompt and answer.

    Args:
        journal: folder of the journal.
        teachers: identities of the teachers whose batches count; all by default.
    """
    store, unanswered_attempts = BatchStore(journal), dict[str, tuple[int, int]]()
    for batch in store.batches():
        if not batch.file_id or (teachers is not None and batch.teacher not in teachers):
            continue
        answered = {key for key, line in store.results(batch) if has_answer(line)} if batch.ended else batch.requests.keys()
        unanswered_attempts |= {key: (most[0], most[1]) for key, most in batch.requests.items() if key in answered}
    return unanswered_attempts


def check_batches(journal: Path, teacher: Teacher, in_journal: Callable[[str], bool]) -> None:
    """Refuse to request directly what batches of an earlier session are being paid for, or were.

    Args:
        journal: folder of the journal.
        teacher: the teacher.
        in_journal: whether the journal has the answer to the request with a key.

    Raises:
        RunError: there are batches of this teacher, and it does not read them.
    """
    direct = [
        member.identity
        for member in (teacher.teachers if isinstance(teacher, MixedTeacher) else [teacher])
        if not member.uses_batches
    ]
    if not direct or not (journal / FOLDER).is_dir():
        return
    # A kill may leave a batch whose results are on disk, but not in the journal.
    paid = [key for key in unanswered(journal, direct) if not in_journal(key)]
    if paid:
        raise RunError(
            f"{plural(len(paid), 'request')} to {teacher.identity} went into batches, and would be paid for again. Pass --batch "
            f"to collect the answers, or delete {str(journal / FOLDER)!r} to abandon them."
        )
