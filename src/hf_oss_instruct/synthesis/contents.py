"""The column of a table that holds code, as texts: decoded, within the limits, and what of it is left out and why."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.synthesis.picking import Integers, Texts
from hf_oss_instruct.synthesis.reading import NotText, ReadOptions, decode

TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values behind a dictionary, run ends or an extension type."""
    while True:
        if isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        elif pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
            kind = kind.value_type
        else:
            return kind


def holds_text(kind: pa.DataType, *, or_bytes: bool = False) -> bool:
    """Whether a column of this type holds strings of any kind, or bytes where these will do."""
    values = value_type(kind)
    return any(is_kind(values) for is_kind in (*TEXT, *(BYTES if or_bytes else ())))


def flat(array: pa.Array) -> pa.Array:
    """The same values in a plain array: no dictionary, run ends, extension type or view."""
    while array.type != value_type(array.type):
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        else:
            array = pc.run_end_decode(array)
    if pa.types.is_string_view(array.type):
        return array.cast(pa.large_string())
    if pa.types.is_binary_view(array.type) or pa.types.is_fixed_size_binary(array.type):
        return array.cast(pa.large_binary())
    return array


def read_contents(array: pa.Array, reading: ReadOptions, name: str) -> tuple[Texts, dict[int, str]]:
    """The texts of a column, and row → reason for those that are left out.

    Args:
        array: a column of strings or bytes of any kind; a null, and a value of any other kind, is empty.
        reading: how they are read.
        name: where they come from, for errors.
    """
    array, left_out = flat(array), dict[int, str]()
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        array = array.view(pa.string() if pa.types.is_binary(array.type) else pa.large_string())
    elif not holds_text(array.type):
        return Texts.none(len(array)), left_out
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        array, left_out = _decoded(array, reading)
    texts = Texts.of(array, as_stored=reading.as_stored, name=name)
    if reading.max_document_bytes:
        sizes = texts.stop - texts.start
        left_out |= dict.fromkeys(np.flatnonzero(sizes > reading.max_document_bytes).tolist(), "too_large")
    if not reading.as_stored and len(texts.data) and not texts.data.min():
        left_out |= dict.fromkeys(_holding(np.flatnonzero(texts.data == 0), texts), "binary")
    return texts, left_out


def _decoded(array: pa.Array, reading: ReadOptions) -> tuple[pa.Array, dict[int, str]]:
    """The texts of a column in which some are not UTF-8."""
    texts, left_out = [], {}
    wide = pa.types.is_large_string(array.type)
    for row, value in enumerate(array.view(pa.large_binary() if wide else pa.binary()).to_pylist()):
        text = ""
        try:
            text = decode(value, reading.encoding)[0] if value else ""
        except NotText as error:
            left_out[row] = error.reason
        texts.append(text)
    return pa.array(texts, pa.large_string()), left_out


def _holding(places: Integers, texts: Texts) -> Iterable[int]:
    """The texts in which some bytes stand."""
    rows = np.searchsorted(texts.start, places, side="right") - 1
    inside = (rows >= 0) & (places < texts.stop[rows])
    found: list[int] = np.unique(rows[inside]).tolist()
    return found
