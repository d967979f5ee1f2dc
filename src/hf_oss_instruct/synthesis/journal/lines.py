"""The format of a journal line: a record in JSON with its checksum."""

from __future__ import annotations

import zlib
from typing import Any, TypeAlias

import orjson

from hf_oss_instruct.data import Completion, Seed, storable
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.schemas import provenance_columns

HEAD = b'{"crc":"%08x","record":'
HEAD_LENGTH = len(HEAD % 0)
KEY = slice(HEAD_LENGTH + len('{"key":"'), HEAD_LENGTH + len('{"key":"') + 32)
"""Position of the key in a line, so that it is found without parsing the record."""
COMPLETION_FIELDS = tuple(Completion.__dataclass_fields__)
OSS_INSTRUCT = "oss_instruct"
"""The task of lines without one: the only task in the first version of the format."""
Answer: TypeAlias = Completion | RowRejectedError


def key_of(line: bytes) -> str:
    """The key in an undamaged line."""
    return line[KEY].decode()


def encode_line(key: str, answer: Answer, seed: Seed | None, task: str) -> bytes:
    """Build a line with key, answer and the seed's columns, so that a journal alone is enough to write rows.

    Args:
        key: key of the request, 32 hex digits.
        answer: the completion, or the refusal.
        seed: the seed behind the item; None for an answer without one.
        task: name of the task that sent it.
    """
    # The key stays the first field: `key_of` reads it by its position.
    fields: dict[str, Any] = {"key": key}
    if task != OSS_INSTRUCT:
        fields["task"] = task
    if isinstance(answer, RowRejectedError):
        fields |= {"refused": answer.reason, "detail": storable(answer.detail)}
    else:
        fields |= {name: value for name in COMPLETION_FIELDS if (value := getattr(answer, name)) is not None}
    if seed is not None:
        fields["seed"] = provenance_columns(seed)
    record = orjson.dumps(fields)
    return HEAD % zlib.crc32(record) + record + b"}\n"


def record_of(line: bytes) -> bytes | None:
    """Parse the record of a line; None if the line is damaged."""
    record = line[HEAD_LENGTH:-2]
    return record if line == HEAD % zlib.crc32(record) + record + b"}\n" else None


def answer_of(fields: dict[str, object]) -> Answer:
    """The answer in a parsed record."""
    fields = {name: value for name, value in fields.items() if name not in ("key", "task", "seed")}
    if "refused" in fields:
        return RowRejectedError(str(fields["refused"]), str(fields["detail"]))
    return Completion(**{"finish_reason": None, **fields})  # type: ignore[arg-type]  # the CRC matches, so we wrote it
