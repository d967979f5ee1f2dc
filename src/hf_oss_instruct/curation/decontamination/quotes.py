"""Find rows that quote a benchmark, in words or in code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.annotations import CONTAMINATED_BY, flag, not_rejected, reject
from hf_oss_instruct.curation.decontamination import benchmark_index, normalization
from hf_oss_instruct.curation.decontamination.benchmark_index import BenchmarkIndex
from hf_oss_instruct.curation.decontamination.inverted_index import InvertedIndex
from hf_oss_instruct.curation.duplicates.exact import COMPARED
from hf_oss_instruct.curation.ngrams import ColumnTexts
from hf_oss_instruct.storage.spill import Hashes, Positions, distinct

MAX_HITS = 8
"""Maximum number of hits recorded per row."""
Hit = tuple[int, int, str]
"""Row, task number, rule."""


@dataclass(frozen=True, slots=True)
class Decontamination:
    """Rejects rows that quote a benchmark, and flags rows whose code resembles a solution of one.

    Rules that reject: `quote` (40 or more characters of a statement or solution, ignoring white space and comment markers, to
    its end), `words` (13 consecutive words of a statement or ten of a solution), `share` (half of a prompt's 5-grams, one of
    them from its last third), `prompt` (a whole short prompt).
    Rules that flag: `code` (20 consecutive tokens, ignoring names), `name` (an entry point's name).

    Attributes:
        index: what to search for.
        columns: the text columns to search.
        drop: whether rows are rejected; otherwise they only get `contaminated_by`.
    """

    index: BenchmarkIndex
    columns: Sequence[str] = COMPARED
    drop: bool = True

    name, version = "decontamination", benchmark_index.VERSION

    def __call__(self, table: pa.Table) -> pa.Table:
        """The table with `contaminated_by` and `flags` filled, and contaminated rows rejected."""
        alive = not_rejected(table)
        certain: dict[int, list[str]] = defaultdict(list)
        likely: dict[int, list[str]] = defaultdict(list)
        for column in self.columns:
            if column not in table.column_names:
                continue
            for rows in ngrams.texts(table[column]):
                for found, into in ((_quotes(rows, self.index), certain), (_similar_code(rows, self.index), likely)):
                    for row, task, rule in found:
                        if alive[row]:
                            into[row].append(f"{self.index.names[task]}:{rule}")
        certain, likely = ({row: _labels(hits) for row, hits in found.items()} for found in (certain, likely))
        table = flag(table, certain, CONTAMINATED_BY)
        table = flag(table, {row: [f"benchmark:{hit}" for hit in hits] for row, hits in likely.items()})
        return reject(table, "contaminated", {row: ", ".join(hits) for row, hits in certain.items()} if self.drop else {})


def _labels(hits: list[str]) -> list[str]:
    return sorted(set(hits))[:MAX_HITS]


def _quotes(rows: ColumnTexts, index: BenchmarkIndex) -> Iterator[Hit]:
    words = normalization.prose_words(rows)
    wanted = {
        *benchmark_index.WHOLE_PROMPT_WORDS,
        benchmark_index.PROMPT_NGRAM,
        benchmark_index.SOLUTION_NGRAM,
        benchmark_index.STATEMENT_NGRAM,
    }
    for length, grams, row_of in ngrams.ngrams_of_lengths(words.hashes, words.ends, wanted):
        if length in benchmark_index.WHOLE_PROMPT_WORDS:
            yield from _hits(index.whole, grams, row_of + rows.first, "prompt")
        if length == benchmark_index.PROMPT_NGRAM:
            yield from _shares(rows.first, grams, row_of, index)
        if length == benchmark_index.SOLUTION_NGRAM:
            yield from _hits(index.long, grams, row_of + rows.first, "words")
        if length == benchmark_index.STATEMENT_NGRAM:
            yield from _hits(index.statement, grams, row_of + rows.first, "words")
    yield from _substrings(rows, index)


def _hits(lookup: InvertedIndex, hashes: Hashes, rows: Positions, rule: str) -> Iterator[Hit]:
    positions, entries = lookup.find(hashes)
    for row, task in zip(*(part.tolist() for part in lookup.expand(rows[positions], entries)), strict=True):
        yield row, task, rule


def _shares(first: int, grams: Hashes, row_of: Positions, index: BenchmarkIndex) -> Iterator[Hit]:
    """Rows that contain half of a prompt's distinct short n-grams, including one after its beginning."""
    positions, at = index.short.find(grams)  # both (known,)
    # Row and number in one integer, which sorts fast. An n-gram that a row repeats counts once.
    pairs = distinct(row_of[positions] << 32 | at)  # (pairs,)
    rows, owners = index.short.expand(pairs >> 32, pairs & (2**32 - 1))
    both, position, counts = np.unique(rows << 32 | owners // 2, return_inverse=True, return_counts=True)  # (row and prose,)
    late = np.bincount(position, owners % 2, len(both)) > 0  # (row and prose,)
    of = both & (2**32 - 1)
    enough = (index.needed[of] > 0) & (counts >= index.needed[of]) & late  # (row and prose,)
    for pair in both[enough].tolist():
        yield (pair >> 32) + first, int(index.prose_tasks[pair & (2**32 - 1)]), "share"


def _substrings(rows: ColumnTexts, index: BenchmarkIndex) -> Iterator[Hit]:
    """Rows that contain a whole quote. Only rows that contain its first characters are searched."""
    # Cheap tests first: a table by eight bytes at every offset, the hash of 40 bytes where that is true,
    # and the whole quote where its beginning is there.
    data, ends = normalization.without_whitespace(rows)  # (bytes,), (rows + 1,)
    starts = np.flatnonzero(np.take(index.beginnings, benchmark_index.prefilter_slots(ngrams.sliding_uint64(data))))  # (starts,)
    row_of = np.searchsorted(ends, starts, "right") - 1  # (starts,)
    # `windows` would read across the end of a row.
    starts = starts[ends[row_of + 1] - starts >= benchmark_index.MIN_QUOTE_CHARS]
    positions, at = index.windows.find(ngrams.windows(data, starts, benchmark_index.MIN_QUOTE_CHARS))
    row_of = np.searchsorted(ends, starts[positions], "right") - 1  # (positions,)
    for row, quote in set(zip(*(part.tolist() for part in index.windows.expand(row_of, at)), strict=True)):
        if index.quotes[quote] in data[ends[row] : ends[row + 1]].tobytes():
            yield row + rows.first, int(index.quote_tasks[quote]), "quote"


def _similar_code(rows: ColumnTexts, index: BenchmarkIndex) -> Iterator[Hit]:
    hashes, ends, _ = normalization.tokens_without_identifiers(rows)
    grams, row_of = ngrams.grams(hashes, ends, benchmark_index.BLIND_NGRAM)
    yield from _hits(index.blind, grams, row_of + rows.first, "code")
    names, lines = normalization.plain_names(rows)
    positions, at = index.called.find(names.hashes)
    starts = normalization.with_underscores(names.starts[positions], lines).tolist()
    defined = [number for number, start in enumerate(starts) if normalization.is_defined(rows.data, start)]
    row_of = np.searchsorted(names.ends, positions[defined], "right") - 1 + rows.first  # (defined,)
    for row, task in zip(*(part.tolist() for part in index.called.expand(row_of, at[defined])), strict=True):
        yield row, task, "name"
