"""Which of the paper's ten categories a row belongs to: by words, or by a text model.

Magicoder assigns a category by the similarity of INSTRUCTOR embeddings to ten queries (arXiv 2312.02120, figure 2). Without a
model, the category whose words weigh most in the row is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_oss_instruct.curation.categories import CATEGORIES, OTHER
from hf_oss_instruct.display import error_message
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.reporting.rows import ReportRows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from hf_oss_instruct.reporting.tfidf import TfIdf

RULES = "words, weighted by how rare they are in this dataset"
LEAST = 0.04
"""Minimum weight of a row's best category; below it, the row has none."""


class ByWords:
    """Assigns each row the category whose words weigh most in it.

    Args:
        found: vectors with columns for `WORDS`.
    """

    def __init__(self, found: TfIdf) -> None:
        from scipy.sparse import csr_matrix

        columns = [found.column_of(words.split()) for words in CATEGORIES.values()]
        numbers = np.repeat(np.arange(len(columns)), [len(one) for one in columns])
        ones = np.ones(len(numbers), np.float32)
        self._speaks_for = csr_matrix((ones, (np.concatenate(columns), numbers)), (len(found.columns), len(columns)))
        self._best: list[np.ndarray[Any, np.dtype[np.int64]]] = []

    def add(self, rows: csr_matrix) -> None:
        """Assign the next rows, given by their vectors."""
        scores = (rows @ self._speaks_for).toarray()
        best = scores.argmax(axis=1)
        best[scores.max(axis=1) < LEAST] = len(CATEGORIES)
        self._best.append(best)

    def numbers(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(rows,): number of each row's category, `len(CATEGORIES)` where hardly one of their words stands."""
        return np.concatenate(self._best)


def by_model(rows: ReportRows, name: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(rows,): number of the category whose name is nearest to the problem, by mean-pooled embeddings of a model.

    Args:
        rows: the dataset.
        name: a text encoder of `transformers`: its name on the Hub, or a folder.

    Raises:
        UsageError: transformers is not installed, or the model does not exist.
    """
    embed = _embedder(name)
    queries = embed([f"{category} programming problem" for category in CATEGORIES])
    parts = [
        (embed(problems[start : start + 32].to_pylist()) @ queries.T).argmax(axis=1)
        for problems, _ in rows.texts()
        for start in range(0, len(problems), 32)
    ]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _embedder(name: str) -> Any:
    try:
        import torch
        from transformers import AutoModel, AutoTokenizer

        tokenizer, model = AutoTokenizer.from_pretrained(name), AutoModel.from_pretrained(name).eval()
    except ImportError:
        raise UsageError(f"--category-model {name} needs transformers: {install_command('local')}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"The model {name!r} cannot be loaded: {error_message(error)}.") from error
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token

    def embed(texts: list[str]) -> np.ndarray[Any, Any]:
        inputs = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=512)
        with torch.inference_mode():
            hidden = model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        vectors: np.ndarray[Any, Any] = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return vectors

    return embed


def counted(numbers: np.ndarray[Any, np.dtype[np.int64]], method: str) -> dict[str, Any]:
    """Rows of each category, and how they were assigned."""
    names = [*CATEGORIES, OTHER]
    counts = np.bincount(numbers, minlength=len(names))
    return {
        "method": method,
        "rows": {name: int(rows) for name, rows in zip(names, counts, strict=True) if rows or name != OTHER},
    }


def names(numbers: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[str]:
    """The name of each row's category."""
    every = [*CATEGORIES, OTHER]
    return (every[number] for number in numbers.tolist())
