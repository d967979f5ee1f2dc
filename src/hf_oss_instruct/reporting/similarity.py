"""How similar a dataset is to benchmarks: TF-IDF cosine of each row to its nearest problem, and the nearest pairs to look at.

Wei et al., "Magicoder" (arXiv 2312.02120), figure 3: the mean, over the rows, of the highest cosine to the 164 problems of
HumanEval, where a problem is its prompt with its canonical solution. Published there: OSS-Instruct 0.105, evol-codealpaca-v1
0.131, CodeAlpaca (Self-Instruct) 0.169.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_oss_instruct.curation.benchmark_tasks import IDS, PROMPTS, SOLUTIONS
from hf_oss_instruct.curation.benchmarks import BenchmarkList

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from hf_oss_instruct.reporting.tfidf import TfIdf

PUBLISHED = {"OSS-Instruct": 0.105, "Evol-Instruct": 0.131, "Self-Instruct": 0.169}
"""The paper's means for HumanEval."""
NEAREST = 10
"""Pairs that are listed for each benchmark."""
AT_ONCE = 4096
STEP = 0.02
"""Width of a histogram's bin."""


def texts_of(listed: BenchmarkList) -> list[tuple[str, str]]:
    """Id and text of each problem of a benchmark: the prompt with the canonical solution."""
    found = []
    for number, row in enumerate(listed.rows):
        parts = [next((_text(row[name]) for name in names if row.get(name)), "") for names in (PROMPTS, SOLUTIONS)]
        name = next((str(row[name]) for name in IDS if row.get(name) not in (None, "")), str(number))
        if any(parts):
            found.append((name, "".join(parts) if parts[0].endswith("\n") else "\n".join(parts)))
    return found


def similarity(
    found: TfIdf | None, lists: Sequence[BenchmarkList], texts: Sequence[Sequence[tuple[str, str]]]
) -> list[dict[str, Any]]:
    """Compare the rows with benchmarks.

    Args:
        found: vectors of the rows and of the problems of all benchmarks, one benchmark after the other.
        lists: the benchmarks.
        texts: their problems, as `texts_of` returns them.

    Returns:
        For each benchmark its mean of maxima, a histogram (lists of first, end, rows) and the nearest pairs (number of the row,
        id and text of the problem, cosine); or why it could not be compared.
    """
    measured, start = [], 0
    for listed, problems in zip(lists, texts, strict=True):
        head: dict[str, Any] = {"benchmark": listed.name, "revision": listed.revision, "problems": len(problems)}
        if not problems or found is None or not found.rows.shape[0]:
            measured.append(head | {"not_done": listed.why or ("no row has a word" if problems else "it has no problems")})
            continue
        highest, nearest = maxima(found.rows, found.others[start : start + len(problems)])
        start += len(problems)
        measured.append(head | _measured(highest, nearest, problems))
    return measured


def maxima(rows: csr_matrix, others: csr_matrix) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The highest cosine of each row to any of the other vectors, and which one that is."""
    highest, nearest = np.zeros(rows.shape[0], np.float32), np.zeros(rows.shape[0], np.int64)
    turned = others.T.tocsr()
    for first in range(0, rows.shape[0], AT_ONCE):
        cosines = (rows[first : first + AT_ONCE] @ turned).toarray()
        nearest[first : first + AT_ONCE] = cosines.argmax(axis=1)
        highest[first : first + AT_ONCE] = cosines.max(axis=1)
    return highest, nearest


def _measured(
    highest: np.ndarray[Any, Any], nearest: np.ndarray[Any, Any], problems: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    counts = np.bincount((highest / STEP).astype(np.int64))
    order = np.argsort(-highest, kind="stable")[:NEAREST]
    return {
        "mean_of_maxima": round(float(highest.mean()), 4),
        "max": round(float(highest.max()), 4),
        "histogram": [[round(bin_ * STEP, 2), round((bin_ + 1) * STEP, 2), int(rows)] for bin_, rows in enumerate(counts)],
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
