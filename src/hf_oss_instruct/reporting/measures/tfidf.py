"""Rows and benchmark problems as TF-IDF vectors, as in Magicoder's analysis: scikit-learn's definition with its defaults.

The rows are read twice, first for the frequencies of words, then for the vectors, so that memory does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.reporting.measures.word_counts import MAX_CHARS, Frequencies, WordCounts, counted, hashes_of, spelled
from hf_oss_instruct.reporting.rows import ReportRows
from hf_oss_instruct.storage.spill import Hashes, Positions, distinct

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SAMPLE_ROWS = 20_000
"""Rows whose vectors are kept, evenly spaced."""


@dataclass(frozen=True)
class TfIdf:
    """Vectors of the rows, and of other texts. Each is tf · idf of length 1, or 0 if the text has no word.

    A column is a word of the sample, of the other texts or of the named words. Further words only count for the lengths.

    Attributes:
        columns: (columns,): the hash of each word, sorted.
        sample: (sample, columns): vectors of some rows.
        positions: (sample,): their numbers.
        others: (texts, columns): vectors of the other texts.
        count: number of rows.
    """

    columns: Hashes
    sample: csr_matrix
    positions: Positions
    others: csr_matrix
    count: int
    _rows: ReportRows
    _scale: _Scale

    def batches(self) -> Iterator[csr_matrix]:
        """(some rows, columns): the vectors of all rows, in their order."""
        for counts in counted(_joined(self._rows)):
            yield self._scale.vectors(counts)

    def column_of(self, words: Sequence[str]) -> Positions:
        """The columns of the given words that occur in some text."""
        hashes = np.unique(hashes_of(words))  # (distinct words,)
        return np.flatnonzero(np.isin(self.columns, hashes))

    def spelled(self, columns: Sequence[int]) -> dict[int, str]:
        """Column → its word."""
        words = spelled(_joined(self._rows), [int(self.columns[column]) for column in columns])
        return {int(column): words[int(self.columns[column])] for column in columns if int(self.columns[column]) in words}


def vectors(rows: ReportRows, others: Sequence[str] = (), named: Sequence[str] = ()) -> TfIdf | None:
    """Vectorize the rows, each as one text (problem, blank, solution), with one vocabulary for everything.

    Args:
        rows: the dataset.
        others: further texts, such as the problems of benchmarks.
        named: words that must have a column if some text has them.

    Returns:
        The vectors; None if no row has a word.
    """
    frequencies, count = Frequencies(), rows.kept.count_rows()
    positions, parts, first = spaced(count, SAMPLE_ROWS), [], 0
    for batch in counted(_joined(rows)):
        frequencies.add(batch.words)
        inside = slice(*np.searchsorted(positions, (first, first + batch.texts)))
        # Only the counts of the sample are kept; those of all rows are made again by `batches`.
        parts.append(_select(batch, positions[inside] - first))
        first += batch.texts
    extra = list(counted(ngrams.of_strings(list(others)).chunks)) if others else []
    frequencies.finish()
    if not len(frequencies.words):
        return None
    for batch in extra:
        frequencies.add(batch.words)
    frequencies.finish()
    # scikit-learn's smoothed idf, as if one more text held every word.
    idf = np.log((1 + count + len(others)) / (1 + frequencies.texts)) + 1  # (words,)
    words = [part.words for part in (*parts, *extra)] + [np.intersect1d(hashes_of(named), frequencies.words)]
    columns = distinct(np.concatenate(words))  # (columns,)
    scale = _Scale(frequencies.words, idf.astype(np.float32), columns)
    return TfIdf(columns, scale.stacked(parts), positions, scale.stacked(extra), count, rows, scale)


@dataclass(frozen=True)
class _Scale:
    """What turns counts of words into vectors.

    Attributes:
        words: (words,): all words, sorted.
        idf: (words,): the inverse document frequency of each, ln((1 + n) / (1 + df)) + 1.
        columns: (columns,): those that have a column, sorted.
    """

    words: Hashes
    idf: np.ndarray[Any, np.dtype[np.float32]]
    columns: Hashes

    def vectors(self, counts: WordCounts) -> csr_matrix:
        from scipy.sparse import csr_matrix

        weights = counts.counts * self.idf[np.searchsorted(self.words, counts.words)]  # (pairs,)
        lengths = np.sqrt(np.bincount(counts.rows, weights.astype(np.float64) ** 2, counts.texts))  # (texts,)
        # By the length over all words, also those without a column, so that cosines are those of the whole vocabulary.
        weights = (weights / lengths[counts.rows]).astype(np.float32)  # (pairs,)
        columns = np.minimum(np.searchsorted(self.columns, counts.words), len(self.columns) - 1)  # (pairs,)
        known = self.columns[columns] == counts.words  # (pairs,): whether the word has a column
        ends = np.concatenate([[0], np.cumsum(np.bincount(counts.rows[known], minlength=counts.texts))])  # (texts + 1,)
        return csr_matrix((weights[known], columns[known], ends), (counts.texts, len(self.columns)))

    def stacked(self, parts: Sequence[WordCounts]) -> csr_matrix:
        from scipy.sparse import csr_matrix, vstack

        matrices = [self.vectors(part) for part in parts if part.texts]
        return vstack(matrices, format="csr") if matrices else csr_matrix((0, len(self.columns)), dtype=np.float32)


def spaced(count: int, most: int) -> Positions:
    """At most `most` of the first `count` numbers, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _select(counts: WordCounts, rows: Positions) -> WordCounts:
    """The counts of some of the texts, renumbered."""
    if len(rows) == counts.texts:
        return counts
    number = np.full(counts.texts, -1)  # (texts,): the new number, -1 for those left out
    number[rows] = np.arange(len(rows))
    chosen = number[counts.rows] >= 0  # (pairs,)
    return WordCounts(counts.words[chosen], counts.counts[chosen], number[counts.rows[chosen]], len(rows))


def _joined(rows: ReportRows) -> Iterable[pa.Array]:
    for texts in rows.texts():
        yield pc.binary_join_element_wise(*map(_cut, texts), pa.scalar(" ", pa.large_string()))


def _cut(texts: pa.Array) -> pa.Array:
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    return pc.utf8_slice_codeunits(texts, 0, MAX_CHARS) if longest > MAX_CHARS else texts
