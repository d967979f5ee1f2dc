"""How similar a dataset is to benchmarks: TF-IDF cosine of each row to its nearest problem, and the nearest pairs to look at.

Wei et al., "Magicoder" (arXiv 2312.02120), figure 3: the mean, over the rows, of the highest cosine to the 164 problems of
HumanEval, where a problem is its prompt with its canonical solution. Published there: OSS-Instruct 0.105, evol-codealpaca-v1
0.131, CodeAlpaca (Self-Instruct) 0.169.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_oss_instruct.curation.decontamination.benchmark_tasks import id_of
from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from hf_oss_instruct.reporting.measures.tfidf import TfIdf

PUBLISHED = {"OSS-Instruct": 0.105, "Evol-Instruct": 0.131, "Self-Instruct": 0.169}
"""The paper's means for HumanEval."""
MAX_PAIRS = 10
"""Pairs that are listed for each benchmark."""
BIN_WIDTH = 0.02
"""Width of a histogram's bin."""


def texts_of(listed: BenchmarkList) -> list[tuple[str, str]]:
    """Id and text of each problem of a benchmark: the prompt with the canonical solution."""
    texts, columns = [], listed.columns
    for number, row in enumerate(listed.rows):
        parts = [
            next((_text(row[name]) for name in names if row.get(name)), "") for names in (columns.prompts, columns.solutions)
        ]
        if any(parts):
            # HumanEval's solution continues the prompt; others are apart from it.
            texts.append((id_of(row, columns, number), "".join(parts) if parts[0].endswith("\n") else "\n".join(parts)))
    return texts


class BenchmarkSimilarity:
    """Compares the rows with benchmarks.

    Args:
        found: vectors of the rows, and of the problems of one benchmark after the other; None if no row has a word.
        lists: the benchmarks.
        texts: their problems, as `texts_of` returns them.
    """

    def __init__(self, tf_idf: TfIdf | None, lists: Sequence[BenchmarkList], texts: Sequence[Sequence[tuple[str, str]]]) -> None:
        self._lists, self._texts = lists, texts
        self._ends = np.cumsum([0, *map(len, texts)])  # (benchmarks + 1,)
        self._problems = tf_idf.others.T.tocsr() if tf_idf else None
        self._maxima: list[list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]] = [[] for _ in texts]

    def add(self, rows: csr_matrix) -> None:
        """Compare the next rows, given by their vectors: the highest cosine of each to a problem, and which one that is."""
        if not self._ends[-1]:
            return
        cosines = (rows @ self._problems).toarray()  # (some rows, problems)
        for maxima, start, end in zip(self._maxima, self._ends, self._ends[1:], strict=False):
            if end > start:
                own = cosines[:, start:end]  # (some rows, problems of the benchmark)
                maxima.append((own.max(axis=1), own.argmax(axis=1)))

    def results(self) -> list[dict[str, Any]]:
        """For each benchmark its mean of maxima, a histogram and the nearest pairs; or why it could not be compared.

        The histogram has lists of first, end and rows; a pair the number of the row, id and text of the problem, and the cosine.
        """
        measured = []
        for listed, problems, maxima in zip(self._lists, self._texts, self._maxima, strict=True):
            head: dict[str, Any] = {"benchmark": listed.name, "revision": listed.revision, "problems": len(problems)}
            if maxima:
                highest, nearest = (np.concatenate(parts) for parts in zip(*maxima, strict=True))  # both (rows,)
                measured.append(head | _measured(highest, nearest, problems))
            else:
                measured.append(head | {"not_done": listed.why or ("no row has a word" if problems else "it has no problems")})
        return measured


def _measured(
    highest: np.ndarray[Any, Any], nearest: np.ndarray[Any, Any], problems: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    counts = np.bincount((highest / BIN_WIDTH).astype(np.int64))  # (bins,)
    order = np.argsort(-highest, kind="stable")[:MAX_PAIRS]  # (nearest,)
    return {
        "mean_of_maxima": round(float(highest.mean()), 4),
        "max": round(float(highest.max()), 4),
        "histogram": [
            [round(bin_ * BIN_WIDTH, 2), round((bin_ + 1) * BIN_WIDTH, 2), int(rows)] for bin_, rows in enumerate(counts)
        ],
        "nearest": [
            {
                "row": int(row),
                "problem": problems[nearest[row]][0],
                "text": problems[nearest[row]][1],
                "cosine": round(float(highest[row]), 4),
            }
            for row in order
        ],
    }


def _text(value: Any) -> str:
    values: Mapping[str, Any] | list[Any] = value
    return "\n".join(map(str, values)) if isinstance(values, list) else str(values)
