"""How diverse a dataset is: distinct tasks, near duplicates, clusters of similar rows, and a map of them in two dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from hf_oss_instruct.curation.dedup import THRESHOLD
from hf_oss_instruct.curation.minhash import near_pairs
from hf_oss_instruct.reporting.rows import ReportRows

if TYPE_CHECKING:
    from hf_oss_instruct.reporting.tfidf import TfIdf

FITTED = 20_000
"""Rows from which dimensions and clusters are learned; all rows are assigned."""
DIMENSIONS = 32
CLUSTERS = 10
ON_THE_MAP = 1_500
"""Rows on the map, evenly spaced."""
FEWEST = 20
"""Rows below which clusters and a map say nothing."""
RNG_SEED = 20231204


def distinct(rows: ReportRows) -> dict[str, Any]:
    """Count distinct problems: word for word, and after near duplicates (Jaccard of word 5-grams ≥ 0.7) are joined."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    column = rows.column(rows.problem)
    if column is None or not len(column):
        return {"rows": 0}
    column = pa.chunked_array([pc.fill_null(pc.cast(column, pa.large_string()), "").combine_chunks()])
    later, earlier, _ = near_pairs(column, THRESHOLD)
    links = coo_matrix((np.ones(len(later)), (later, earlier)), (len(column), len(column)))
    tasks, _ = connected_components(links, directed=False)
    exact = len(pc.unique(pc.replace_substring_regex(pc.utf8_lower(column), r"\s+", " ")))
    return {
        "rows": len(column),
        "distinct_problems": exact,
        "distinct_tasks": min(int(tasks), exact),
        "near_duplicate_rate": round(1 - min(int(tasks), exact) / len(column), 4),
        "threshold": THRESHOLD,
    }


def clusters(found: TfIdf) -> dict[str, Any] | None:
    """Group similar rows (k-means in the space of a truncated SVD), and place a sample of them on a map (t-SNE).

    Returns:
        `clusters`: rows and typical words of each; `effective`: exp of the entropy of their sizes, between 1 and their number;
        `map`: lists of (number of the row, cluster, x, y) with x and y between 0 and 1. None for fewer than `FEWEST` rows.
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize
    from threadpoolctl import threadpool_limits

    count, words = found.rows.shape
    if count < FEWEST or words <= DIMENSIONS:
        return None
    sample = _spaced(count, FITTED)
    k = int(np.clip(np.sqrt(count / 2), 2, CLUSTERS))
    with threadpool_limits(1):  # OpenMP's threads wait for each other by spinning: fifty times the CPU time on a busy machine
        svd = TruncatedSVD(min(DIMENSIONS, len(sample) - 1), random_state=RNG_SEED, n_iter=3).fit(found.rows[sample])
        placed = normalize(svd.transform(found.rows))
        means = MiniBatchKMeans(k, random_state=RNG_SEED, n_init=3).fit(placed[sample])
        labels = means.predict(placed)
        points = _map(placed)
    sizes = np.bincount(labels, minlength=k)
    order = np.argsort(-sizes, kind="stable")
    renumbered = np.argsort(order)[labels]
    shares = sizes[sizes > 0] / count
    centers = [_center(found, np.flatnonzero(labels == label)) for label in order]
    overall = _center(found, sample)
    return {
        "clusters": [
            {"rows": int(sizes[label]), "words": _typical(center - overall, found.terms)}
            for label, center in zip(order, centers, strict=True)
        ],
        "effective": round(float(np.exp(-(shares * np.log(shares)).sum())), 1),
        "map": [[row, int(renumbered[row]), x, y] for row, x, y in points],
    }


def _center(found: TfIdf, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    some = rows[_spaced(len(rows), 2_000)] if len(rows) else rows
    center: np.ndarray[Any, Any] = np.asarray(found.rows[some].mean(axis=0)).ravel() if len(some) else np.zeros(len(found.terms))
    return center


def _typical(difference: np.ndarray[Any, Any], terms: np.ndarray[Any, Any]) -> list[str]:
    """The words that a cluster has more of than the dataset."""
    words = [str(terms[place]) for place in np.argsort(-difference)[:20]]
    return [word for word in words if not word.isdigit() and 2 < len(word) < 20][:4]


def _map(placed: np.ndarray[Any, Any]) -> list[tuple[int, float, float]]:
    """Number, x and y of a sample of the rows."""
    from sklearn.manifold import TSNE

    sample = _spaced(len(placed), ON_THE_MAP)
    perplexity = min(30.0, (len(sample) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=RNG_SEED, max_iter=500, n_jobs=1)
    points = tsne.fit_transform(placed[sample].astype(np.float32))
    low, high = points.min(axis=0), points.max(axis=0)
    points = (points - low) / np.where(high > low, high - low, 1)
    return [(int(row), round(float(x), 3), round(float(y), 3)) for row, (x, y) in zip(sample, points, strict=True)]


def _spaced(count: int, most: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """At most so many of the first `count` numbers, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
