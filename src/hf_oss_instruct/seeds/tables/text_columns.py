"""Decode a column of code into texts within the limits, and record which rows are skipped and why."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from hf_oss_instruct.seeds.reading import NotTextError, ReadOptions, decode
from hf_oss_instruct.seeds.vectorized import Integers, TextBuffer
from hf_oss_instruct.storage.arrow import flat, holds_text


def read_contents(array: pa.Array, reading: ReadOptions, name: str) -> tuple[TextBuffer, dict[int, str]]:
    """The texts of a column, and row → reason for those that are skipped.

    Args:
        array: a column of strings or binary values; nulls and values of other types count as empty.
        reading: how they are read.
        name: name of the table in errors.
    """
    array, skipped = flat(array), dict[int, str]()
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        array = array.view(pa.string() if pa.types.is_binary(array.type) else pa.large_string())
    elif not holds_text(array.type):
        return TextBuffer.none(len(array)), skipped
    try:
        # One check of the whole column; only if it finds text that is not UTF-8, values are decoded one by one.
        array.validate(full=True)
    except pa.ArrowInvalid:
        array, skipped = _decoded(array, reading)
    texts = TextBuffer.of(array, as_stored=reading.as_stored, name=name)
    if reading.max_document_bytes:
        sizes = texts.stop - texts.start  # (texts,), bytes
        skipped |= dict.fromkeys(np.flatnonzero(sizes > reading.max_document_bytes).tolist(), "too_large")
    # The minimum shows in one pass whether there is any null character, which hardly any table has.
    if not reading.as_stored and len(texts.data) and not texts.data.min():
        skipped |= dict.fromkeys(_rows_at(np.flatnonzero(texts.data == 0), texts), "binary")
    return texts, skipped


def _decoded(array: pa.Array, reading: ReadOptions) -> tuple[pa.Array, dict[int, str]]:
    """Decode a column in which some texts are not UTF-8."""
    texts, skipped = [], {}
    wide = pa.types.is_large_string(array.type)
    for row, value in enumerate(array.view(pa.large_binary() if wide else pa.binary()).to_pylist()):
        text = ""
        try:
            text = decode(value, reading.encoding)[0] if value else ""
        except NotTextError as error:
            skipped[row] = error.reason
        texts.append(text)
    return pa.array(texts, pa.large_string()), skipped


def _rows_at(offsets: Integers, texts: TextBuffer) -> Iterable[int]:
    """The texts that contain certain bytes."""
    rows = np.searchsorted(texts.start, offsets, side="right") - 1  # (offsets,)
    inside = (rows >= 0) & (offsets < texts.stop[rows])  # (offsets,)
    numbers: list[int] = np.unique(rows[inside]).tolist()
    return numbers
