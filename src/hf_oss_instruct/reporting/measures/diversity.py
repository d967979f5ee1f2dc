"""How diverse a dataset is: distinct tasks, near duplicates, clusters of similar rows, and a map of them in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from hf_oss_instruct.curation.duplicates.distinct_tasks import distinct_tasks
from hf_oss_instruct.reporting.measures.tfidf import spaced
from hf_oss_instruct.reporting.rows import ReportRows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from hf_oss_instruct.reporting.measures.tfidf import TfIdf

DIMENSIONS = 32
CLUSTERS = 10
MAX_MAP_ROWS = 1_500
"""Rows on the map, evenly spaced."""
MIN_ROWS = 20
"""Rows below which clusters and a map say nothing."""
TYPICAL_WORDS = 20
"""Words of a cluster that are looked at, of which up to four are shown."""
RNG_SEED = 20231204


def distinct(rows: ReportRows) -> dict[str, Any]:
    """Count the distinct problems of the kept rows, see `distinct_tasks`."""
    if rows.problem not in rows.kept.schema.names:
        return {"rows": 0}
    return distinct_tasks(rows.problems)


class RowClusters:
    """Groups similar rows (k-means in the space of a truncated SVD) and places a sample of them on a map (t-SNE).

    Dimensions and clusters are learned from the sample; every row is assigned.

    Args:
        found: the vectors.
    """

    def __init__(self, vectors: TfIdf) -> None:
        from sklearn.decomposition import TruncatedSVD

        self._found, self._placed = vectors, [np.empty((0, DIMENSIONS), np.float32)]
        # A truncated SVD needs more columns than dimensions.
        self.possible = vectors.count >= MIN_ROWS and len(vectors.columns) > DIMENSIONS
        if self.possible:
            with _one_thread():
                svd = TruncatedSVD(min(DIMENSIONS, len(vectors.positions) - 1), random_state=RNG_SEED, n_iter=3).fit(
                    vectors.sample
                )
            self._axes = svd.components_.T.astype(np.float32)  # (columns, dimensions)
            self._placed = []

    def add(self, rows: csr_matrix) -> None:
        """Place the next rows, given by their vectors."""
        from sklearn.preprocessing import normalize

        if self.possible:
            self._placed.append(normalize(rows @ self._axes))  # (some rows, dimensions)

    def results(self) -> dict[str, Any]:
        """The clusters and the map; nothing for fewer than `MIN_ROWS` rows.

        Returns:
            `clusters`: rows and typical words of each; `effective`: exp of the entropy of their sizes, at most their number;
            `map`: lists of (number of the row, cluster, x, y) with x and y between 0 and 1.
        """
        from sklearn.cluster import MiniBatchKMeans

        if not self.possible:
            return {}
        placed = np.concatenate(self._placed)  # (rows, dimensions)
        # The parts are freed before the memory for clusters is needed.
        self._placed = []
        count, positions = len(placed), self._found.positions
        # A rule of thumb for the number of clusters, √(n / 2), within what a reader can tell apart.
        k = int(np.clip(np.sqrt(count / 2), 2, CLUSTERS))
        with _one_thread():
            labels = MiniBatchKMeans(k, random_state=RNG_SEED, n_init=3).fit(placed[positions]).predict(placed)
            points = _map(placed)
        sizes = np.bincount(labels, minlength=k)  # (clusters,)
        # Clusters are numbered by size, so that the numbers mean something.
        order = np.argsort(-sizes, kind="stable")  # (clusters,)
        renumbered = np.argsort(order)[labels]  # (rows,)
        shares = sizes[sizes > 0] / count  # (clusters with rows,)
        words = self._typical([labels[positions] == label for label in order])
        return {
            "clusters": [{"rows": int(sizes[label]), "words": some} for label, some in zip(order, words, strict=True)],
            "effective": round(float(np.exp(-(shares * np.log(shares)).sum())), 1),
            "map": [[row, int(renumbered[row]), x, y] for row, x, y in points],
        }

    def _typical(self, clusters: Sequence[np.ndarray[Any, np.dtype[np.bool_]]]) -> list[list[str]]:
        """The words that each cluster has more of than the dataset, by the sampled rows."""
        sample = self._found.sample
        overall = np.asarray(sample.mean(axis=0)).ravel()  # (columns,)
        centers = [np.asarray(sample[rows].mean(axis=0)).ravel() if rows.any() else overall for rows in clusters]
        best = [np.argsort(overall - center, kind="stable")[:TYPICAL_WORDS].tolist() for center in centers]
        spelled = self._found.spelled(sorted({column for columns in best for column in columns}))
        named = [[spelled[column] for column in columns if column in spelled] for columns in best]
        # Numbers, very short words and long identifiers describe no cluster.
        return [[word for word in words if not word.isdigit() and 2 < len(word) < 20][:4] for words in named]


def _map(placed: np.ndarray[Any, Any]) -> list[tuple[int, float, float]]:
    """Number, x and y of a sample of the rows."""
    from sklearn.manifold import TSNE

    sample = spaced(len(placed), MAX_MAP_ROWS)
    # t-SNE needs a perplexity below the number of points; 30 is scikit-learn's default.
    perplexity = min(30.0, (len(sample) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=RNG_SEED, max_iter=500, n_jobs=1)
    points = tsne.fit_transform(placed[sample])  # (sample, 2)
    low, high = points.min(axis=0), points.max(axis=0)  # (2,)
    points = (points - low) / np.where(high > low, high - low, 1)  # (sample, 2)
    return [(int(row), round(float(x), 3), round(float(y), 3)) for row, (x, y) in zip(sample, points, strict=True)]


def _one_thread() -> AbstractContextManager[Any]:
    """One thread for linear algebra: OpenMP's threads spin while they wait, on a busy machine for fifty times the CPU time."""
    from threadpoolctl import threadpool_limits

    limit: AbstractContextManager[Any] = threadpool_limits(1)
    return limit
