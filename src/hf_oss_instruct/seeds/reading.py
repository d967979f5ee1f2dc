"""Decode documents: detect the encoding, and reject files that are not text or are too large."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hf_oss_instruct.charsets import known_charset
from hf_oss_instruct.spec.seeds import MAX_DOCUMENT_BYTES, SeedPlan
from hf_oss_instruct.storage.formats import BOMS, UTF8

COMMENT = rb"[ \t\f]*(?:\#|//|/\*|--|;|%|\(\*)"
DECLARATION = re.compile(rb"(?:(?:%s[^\r\n]*|[ \t\f]*)(?:\r\n?|\n))?%s[^\r\n]*?coding[:=][ \t]*([-\w.]+)" % (COMMENT, COMMENT))
"""`# -*- coding: latin-1 -*-` in a comment on the first or second line, as PEP 263, Ruby, Emacs and Vim write it."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a source reads its documents.

    Attributes:
        encoding: encoding of text that is neither UTF-8 nor declares its encoding.
        max_document_bytes: larger documents are skipped; 0 for no limit.
        code_column: column of a table that holds the code; detected by default.
        as_stored: keep the text of tables as stored, with starcoderdata's `<reponame>…` prefixes and byte order marks, as
            the paper's sampler reads it.
    """

    encoding: str | None = None
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    code_column: str | None = None
    as_stored: bool = False

    @classmethod
    def of(cls, plan: SeedPlan) -> ReadOptions:
        """The options of a plan that concern reading."""
        return cls(plan.encoding, plan.max_document_bytes, plan.code_column, as_stored=plan.sampler == "magicoder")

    def is_too_large(self, size: int) -> bool:
        """Whether a document with this number of bytes is skipped."""
        return 0 < self.max_document_bytes < size


DEFAULT = ReadOptions()


class NotTextError(ValueError):
    """The bytes cannot be decoded with certainty.

    Args:
        reason: `binary`, `not_utf8` (no encoding is declared) or `undecodable` (the declared encoding does not fit).
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode(data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Decode a document. Returns its text without a byte order mark, and its encoding.

    In order: a byte order mark, a declaration in the first two lines (PEP 263), UTF-8 if the bytes are valid, then
    `encoding`. The encoding is never guessed.

    Args:
        data: the whole document.
        encoding: a name that `charsets.charset` accepts.

    Raises:
        NotTextError: it cannot be decoded, or contains null characters.
    """
    for mark, name in BOMS:
        if data.startswith(mark):
            return _text(data[len(mark) :], name, "undecodable")
    if (
        # A match in UTF-16 or binary data would be chance.
        b"\0" not in data
        and (declared := DECLARATION.match(data[:2048]))
        and (named := known_charset(declared[1].decode("latin-1")))
    ):
        return _text(data, named, "undecodable")
    if encoding is None:
        return _text(data, UTF8, "not_utf8")
    # Otherwise it may be UTF-16 or ISO-2022, whose bytes can be valid UTF-8.
    if b"\0" not in data and b"\x1b" not in data:
        try:
            return data.decode(), UTF8
        except UnicodeDecodeError:
            pass
    return _text(data, encoding, "undecodable")


def decode_start(data: bytes) -> str:
    """Decode the beginning of a document leniently: good enough to detect its language, not to draw a snippet from."""
    mark, name = next(((mark, name) for mark, name in BOMS if data.startswith(mark)), (b"", UTF8))
    return data[len(mark) :].decode(name, errors="replace")


def _text(data: bytes, encoding: str, reason: str) -> tuple[str, str]:
    if encoding == UTF8 and b"\0" in data:
        raise NotTextError("binary")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise NotTextError(reason) from None
    if "\0" in text:
        raise NotTextError("binary")
    return text.removeprefix("\ufeff"), encoding
