"""Which of the paper's ten categories a row belongs to: by words, or by a text model.

Magicoder assigns a category by the similarity of INSTRUCTOR embeddings to ten queries (arXiv 2312.02120, figure 2). Without a
model, the category whose words weigh most in the row is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_oss_instruct.curation.categories import CATEGORIES, OTHER
from hf_oss_instruct.embeddings import EmbeddingModel
from hf_oss_instruct.reporting.rows import ReportRows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from hf_oss_instruct.reporting.measures.tfidf import TfIdf

RULES = "words, weighted by how rare they are in this dataset"
MIN_WEIGHT = 0.04
"""Minimum weight of a row's best category; below it, the row has none."""
BATCH_SIZE = 256
"""Problems that are embedded at once."""


class KeywordCategories:
    """Assigns each row the category whose words weigh most in it.

    Args:
        found: vectors with columns for `WORDS`.
    """

    def __init__(self, vectors: TfIdf) -> None:
        from scipy.sparse import csr_matrix

        columns = [vectors.column_of(words.split()) for words in CATEGORIES.values()]
        numbers = np.repeat(np.arange(len(columns)), [len(of_category) for of_category in columns])  # (words with a column,)
        ones = np.ones(len(numbers), np.float32)  # (words with a column,)
        self._speaks_for = csr_matrix((ones, (np.concatenate(columns), numbers)), (len(vectors.columns), len(columns)))
        self._best: list[np.ndarray[Any, np.dtype[np.int64]]] = []

    def add(self, rows: csr_matrix) -> None:
        """Assign the next rows, given by their vectors."""
        scores = (rows @ self._speaks_for).toarray()  # (rows, categories)
        best = scores.argmax(axis=1)  # (rows,)
        best[scores.max(axis=1) < MIN_WEIGHT] = len(CATEGORIES)
        self._best.append(best)

    def numbers(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(rows,): number of each row's category, `len(CATEGORIES)` if almost none of its words occurs."""
        return np.concatenate(self._best)


def by_model(rows: ReportRows, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(rows,): number of the category whose name is nearest to the problem, by embeddings of a model.

    Args:
        rows: the dataset.
        name: a text encoder of `transformers`: its name on the Hub, or a folder.

    Raises:
        UsageError: transformers is not installed, or the model does not exist.
    """
    embed = EmbeddingModel.named(name).load().embed
    queries = embed([f"{category} programming problem" for category in CATEGORIES])  # (categories, dimensions)
    parts = [
        (embed(problems[start : start + BATCH_SIZE].to_pylist()) @ queries.T).argmax(axis=1)
        for problems, _ in rows.texts()
        for start in range(0, len(problems), BATCH_SIZE)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def counted(numbers: np.ndarray[Any, np.dtype[np.int64]], method: str) -> dict[str, Any]:
    """Rows of each category, and how they were assigned."""
    names = [*CATEGORIES, OTHER]
    counts = np.bincount(numbers, minlength=len(names))  # (categories + 1,)
    return {
        "method": method,
        "rows": {name: int(rows) for name, rows in zip(names, counts, strict=True) if rows or name != OTHER},
    }


def names(numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[str]:
    """The name of each row's category."""
    every = [*CATEGORIES, OTHER]
    return (every[number] for number in numbers.tolist())
