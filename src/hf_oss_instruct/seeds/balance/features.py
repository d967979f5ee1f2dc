"""The topic of a snippet: its category by words, and its cluster, without a model by hashed words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from xxhash import xxh3_64_intdigest

from hf_oss_instruct.curation.categories import CATEGORIES, OTHER

if TYPE_CHECKING:
    from hf_oss_instruct.embeddings import Vectors

CLUSTERS = 16
DIMENSIONS = 256
"""Numbers of a vector, to which the words and pairs of words of a snippet are hashed."""
ROUNDS = 10
"""Rounds of k-means, which has hardly moved for long by then."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
"""Parts of identifiers: `HTTPServer` and `http_server` have the same."""
_CATEGORY_OF_WORD = {word: number for number, words in enumerate(CATEGORIES.values()) for word in words.split()}
_NAMES = tuple(CATEGORIES)


def words_of(snippet: str) -> list[str]:
    """The words of a snippet in lower case, identifiers split at underscores and capital letters."""
    return [word.lower() for word in _WORD.findall(snippet)]


def category_of(snippet: str, path: str | None) -> str:
    """The category that most distinct words of snippet and path indicate, the first of several; `OTHER` without any."""
    known_words = {word for word in words_of(f"{path or ''} {snippet}") if word in _CATEGORY_OF_WORD}
    if not known_words:
        return OTHER
    votes = np.bincount([_CATEGORY_OF_WORD[word] for word in known_words], minlength=len(_NAMES))  # (categories,)
    return _NAMES[int(votes.argmax())]


class Clusters(Protocol):
    """Assigns snippets to clusters of similar ones. The same first snippets give the same clusters.

    Attributes:
        at_once: snippets that are best assigned together.
    """

    at_once: int

    def of(self, snippets: Sequence[str]) -> list[int]:
        """The number of each snippet's cluster, from 0."""
        ...


class HashedClusters:
    """Clusters of snippets: k-means over hashed words and pairs of words, weighted by how rare they are (TF-IDF).

    Args:
        snippets: those to learn from.
    """

    at_once = 1

    def __init__(self, snippets: Sequence[str]) -> None:
        counts = np.stack([_hashed(snippet) for snippet in snippets])  # (snippets, DIMENSIONS)
        rarity = np.log((1 + len(counts)) / (1 + (counts != 0).sum(axis=0)))  # (DIMENSIONS,)
        self._rarity = rarity
        self._centers = centers_of(self._weighted(counts))

    def of(self, snippets: Sequence[str]) -> list[int]:
        """See `Clusters.of`."""
        counts = np.stack([_hashed(snippet) for snippet in snippets])  # (snippets, DIMENSIONS)
        return [int(cluster) for cluster in nearest(self._weighted(counts), self._centers)]

    def _weighted(self, counts: Vectors) -> Vectors:
        return _normalized(np.sign(counts) * np.log1p(np.abs(counts)) * self._rarity)


def centers_of(vectors: Vectors) -> Vectors:
    """(at most CLUSTERS, dimensions): the centers of clusters of vectors of length 1, by spherical k-means."""
    centers = _scatter(vectors)
    for _ in range(ROUNDS):
        cluster_of = nearest(vectors, centers)  # (vectors,)
        sums = np.zeros_like(centers)  # (clusters, dimensions)
        np.add.at(sums, cluster_of, vectors)
        filled = np.bincount(cluster_of, minlength=len(sums)) > 0  # (clusters,)
        # A cluster that has lost all its vectors keeps its center.
        centers[filled] = _normalized(sums[filled])
    return centers


def nearest(vectors: Vectors, centers: Vectors) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(vectors,): the number of the center nearest to each."""
    # Rounded, so that the order in which a processor adds does not decide between centers that are equally near.
    return np.asarray(np.round(vectors @ centers.T, 9).argmax(axis=1), np.int64)


def _hashed(snippet: str) -> Vectors:
    """(DIMENSIONS,): how often each word and pair of neighboring words occurs, those with the same hash together.

    Source:
        Weinberger et al. 2009, "Feature hashing for large scale multitask learning", with a sign so that collisions cancel.
    """
    words = words_of(snippet)
    features = (*words, *map(" ".join, pairwise(words)))
    numbers = np.array([xxh3_64_intdigest(feature.encode()) for feature in features], np.uint64)  # (features,)
    signs = np.where(numbers >> np.uint64(63), 1.0, -1.0)  # (features,)
    buckets = (numbers % np.uint64(DIMENSIONS)).astype(np.int64)  # (features,)
    return np.bincount(buckets, signs, DIMENSIONS).astype(np.float64)


def _scatter(vectors: Vectors) -> Vectors:
    """First centers, far from each other: each is the vector least like all before it."""
    chosen = [0]
    alike = vectors @ vectors[0]  # (vectors,): similarity to the nearest chosen one
    while len(chosen) < min(CLUSTERS, len(vectors)):
        chosen.append(int(alike.argmin()))
        alike = np.maximum(alike, vectors @ vectors[chosen[-1]])  # (vectors,)
    return vectors[chosen].copy()


def _normalized(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)  # (vectors, 1)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float64)
