"""Map the columns of a table to the fields of a document, by the names that public code datasets use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa

from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.storage.arrow import holds_text

CODE = (
    *("content", "code", "whole_func_string", "func_code_string", "original_string", "function", "func", "source_code"),
    *("file_content", "file_contents", "contents", "code_snippet", "snippet", "text", "body", "source"),
)
"""Columns that hold code (The Stack, github-code, CodeSearchNet, Defects4J-like datasets, …), the most specific names first."""
FIELDS: dict[str, tuple[str, ...]] = {
    "content": CODE,
    "row_id": ("hexsha", "content_id", "blob_id", "id", "row_id"),
    "lang": ("lang", "language", "programming_language"),
    "repo_name": ("max_stars_repo_name", "repo_name", "repository_name", "repo_path", "repo"),
    "repo_commit": ("max_stars_repo_head_hexsha", "commit_id", "revision_id", "repo_commit"),
    "file_path": ("max_stars_repo_path", "file_path", "func_path_in_repository", "path", "filename", "file_name"),
    "licenses": ("max_stars_repo_licenses", "detected_licenses", "licenses", "license"),
    "license_type": ("license_type",),
    "is_vendor": ("is_vendor",),
    "is_generated": ("is_generated",),
    "blob_id": ("blob_id",),
    "encoding": ("src_encoding",),
    "bytes": ("length_bytes",),
}
"""Field → names of its column: those of The Stack v1 and starcoderdata first, then of v3 and v2, then plain words."""


def fields_of(names: Iterable[str], texts: Iterable[str], reading: ReadOptions) -> dict[str, str]:
    """Field → its column, for the existing fields; the code must be in one of `texts`.

    Args:
        names: names of all columns.
        texts: names of those that may hold text.
        reading: names the column with the code, if the user did.
    """
    present, readable = set(names), set(texts)
    # In reverse, because the last of several columns stays in the dict: the first name in `FIELDS` wins.
    column_of = {field: column for field, columns in FIELDS.items() for column in columns[::-1] if column in present}
    code = [column for column in ([reading.code_column] if reading.code_column else CODE) if column in readable]
    return (
        column_of | {"content": code[0]} if code else {field: column for field, column in column_of.items() if field != "content"}
    )


def text_columns(fields: Iterable[pa.Field]) -> list[str]:
    """Return the names of the columns that may hold text."""
    return [field.name for field in fields if pa.types.is_null(field.type) or holds_text(field.type, or_bytes=True)]


def require_content(fields: Mapping[str, str], names: Iterable[str], path: str, reading: ReadOptions) -> None:
    """Raise if a table has neither code nor the ids of Software Heritage.

    Args:
        fields: field → its column.
        names: names of all columns.
        path: name of the table.
        reading: how its contents are read.

    Raises:
        SeedError: the message names the columns that the table has.
    """
    if "content" in fields or ("blob_id" in fields and not reading.code_column):
        return
    shown = ", ".join(sorted(names))
    if reading.code_column:
        raise SeedError(f"{path!r} has no text in a column {reading.code_column!r}; it has {shown}. Pass one with --code-column.")
    raise SeedError(
        f"{path!r} has no text in a column called {', '.join(CODE[:3])}, …; it has {shown}. Name the column that holds the code: "
        "--code-column NAME."
    )
