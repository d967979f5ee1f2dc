"""Rows and benchmark problems as TF-IDF vectors, as in Magicoder's analysis: scikit-learn's definition with its defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_oss_instruct.reporting.rows import ReportRows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LONGEST = 100_000
"""Characters of a text that are read: a cell of a megabyte is not prose."""


@dataclass(frozen=True)
class TfIdf:
    """Vectors of the rows, and of other texts, in the space of all their words.

    Attributes:
        terms: (words,): the words, by column.
        idf: (words,): the inverse document frequency of each word, ln((1 + n) / (1 + df)) + 1.
        rows: (rows, words): tf · idf, each row of length 1, or 0 if it has no word.
        others: (texts, words): the same of the other texts.
    """

    terms: np.ndarray[Any, Any]
    idf: np.ndarray[Any, Any]
    rows: csr_matrix
    others: csr_matrix


def vectors(rows: ReportRows, others: Iterable[str] = ()) -> TfIdf | None:
    """Vectorize the rows, each as one text (problem, blank, solution), with one vocabulary for everything.

    Args:
        rows: the dataset.
        others: further texts, such as the problems of benchmarks.

    Returns:
        The vectors; None if no row has a word.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    extra = list(others)
    vectorizer = TfidfVectorizer(dtype=np.float32)
    try:
        matrix = vectorizer.fit_transform(_joined(rows, extra))
    except ValueError:  # an empty vocabulary
        return None
    end = matrix.shape[0] - len(extra)
    return TfIdf(vectorizer.get_feature_names_out(), vectorizer.idf_, matrix[:end], matrix[end:])


def _joined(rows: ReportRows, others: Iterable[str]) -> Iterator[str]:
    for problems, solutions in rows.texts():
        for problem, solution in zip(problems.to_pylist(), solutions.to_pylist(), strict=True):
            yield f"{problem[:LONGEST]} {solution[:LONGEST]}"
    yield from others
