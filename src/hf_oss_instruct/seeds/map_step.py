"""The sampler `hash` for `Dataset.map` or datatrove: a table of documents in, a table of seeds out.

rows = load_dataset("parquet", data_files=files, split="train", streaming=True, columns=columns).with_format("arrow")
features, other = Features.from_arrow_schema(SEEDS), [name for name in columns if name not in SEEDS.names]
seeds = rows.map(HashSeeds("my-code"), batched=True, remove_columns=other, features=features)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from hf_oss_instruct.data import Document, Provenance, digest
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.seeds.filters import Filters
from hf_oss_instruct.seeds.reading import ReadOptions
from hf_oss_instruct.seeds.sampling import MAX_REFUSALS, hash_spans
from hf_oss_instruct.seeds.tables.columns import Columns, table_columns
from hf_oss_instruct.seeds.vectorized import Span, first_spans
from hf_oss_instruct.spec.seeds import MAX_DOCUMENT_BYTES, MAX_SNIPPET_CHARS

KEPT_COLUMNS = ("lang", "repo_name", "repo_commit", "file_path", "license_type")
SEEDS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("seed_id", "seed", *KEPT_COLUMNS)),
        pa.field("start_line", pa.int64()),
        pa.field("end_line", pa.int64()),
        pa.field("licenses", pa.list_(pa.string())),
    ]
)
"""Columns of the seeds, named as in `data.SCHEMA`."""


@dataclass(frozen=True)
class HashSeeds:
    """Draws one seed from each document, with the same lines and ids as `sampling.sample`, whatever the batches and their order.

    Attributes:
        dataset, revision: name and revision of the source in rows; both are part of a seed's id.
        rng_seed: random seed of the draw.
        max_document_bytes, max_snippet_chars: larger documents and longer snippets are left out; 0 for no limit.
    """

    dataset: str
    revision: str | None = None
    rng_seed: int = 0
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    max_snippet_chars: int = MAX_SNIPPET_CHARS

    def __call__(self, table: pa.Table) -> pa.Table:
        """Draw the seeds of a batch of documents.

        Raises:
            SeedError: the table has no column of code.
            UsageError: some rows have no id.
        """
        columns = table_columns(table, ReadOptions(max_document_bytes=self.max_document_bytes))
        row_ids, texts = columns["row_id"], columns.texts
        if texts is None or None in row_ids:
            raise UsageError("Every document needs a unique ID (hexsha, content_id, blob_id, id), since sampling depends on it.")
        readable = [row for row in range(len(columns)) if row not in columns.skipped]
        limits = Filters((), self.max_snippet_chars)
        rows, drawn = list[int](), list[Span]()
        first = first_spans(texts.only(readable), [row_ids[row] for row in readable], self.rng_seed)
        for row, span in zip(readable, first, strict=True):
            unfit = not span[2] or span[2].isspace() or limits.snippet(span[2], "")
            if redrawn := self._redraw(row_ids[row], texts[row], limits) if unfit else span:
                rows.append(row)
                drawn.append(redrawn)
        # Taking rows copies their columns, which most batches need not do.
        if len(rows) < len(columns):
            columns = columns.take(rows)
        made: dict[str, Any] = {
            "seed_id": [
                digest(self.dataset, self.revision, row_ids[row], start, end)
                for row, (start, end, _) in zip(rows, drawn, strict=True)
            ],
            "start_line": [start for start, _, _ in drawn],
            "end_line": [end for _, end, _ in drawn],
            "seed": [text for _, _, text in drawn],
        }
        return pa.table([_column(field, columns, made) for field in SEEDS], schema=SEEDS)

    def _redraw(self, row_id: str, content: str, limits: Filters) -> Span | None:
        """Draw again where the first snippet was blank or too long."""
        document = Document(content, Provenance(self.dataset, self.revision, row_id, 0, ""))
        spans = islice(hash_spans(document, self.rng_seed), MAX_REFUSALS) if content.strip() else ()
        return next((span for span in spans if not limits.snippet(span[2], "")), None)


def _column(field: pa.Field, columns: Columns, made: dict[str, Any]) -> pa.Array:
    """The generated column, or the documents' own column unchanged."""
    own = columns.arrays.get(field.name)
    if field.name in made or own is None or not hasattr(own, "type"):
        return pa.array(made.get(field.name) or [None] * len(columns), field.type)
    return own if own.type == field.type else pa.array(columns[field.name], field.type)
