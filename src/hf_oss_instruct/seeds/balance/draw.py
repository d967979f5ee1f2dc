"""Draw about the same number of seeds from each language, category and cluster, lazily and in a reproducible order."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from hf_oss_instruct.data import Seed, Skipped
from hf_oss_instruct.seeds.balance.features import Clusters, HashedClusters, category_of

INITIAL_CANDIDATES = 512
"""Candidates that clusters are learned from, before the first seed. It does not depend on the number of seeds: a preview of three
shows the first three of a large run."""
CANDIDATES_PER_SEED = 4
"""Candidates that are drawn for each seed."""
MAX_CANDIDATES = 16_384
"""Candidates in memory; the oldest of the largest group gives way to a new one."""
REASON = "balance"
"""Why a candidate was passed over, in counts of snippets."""

Group: TypeAlias = tuple[str, str, int]
"""Language, category and cluster."""


def balanced(
    drawn: Iterable[Seed | Skipped], learn: Callable[[Sequence[str]], Clusters] = HashedClusters
) -> Iterator[Seed | Skipped]:
    """The same seeds in another order: each comes from a language, category and cluster that has given few so far.

    Candidates that are not needed yet wait and may come later, so that no seed is lost if the source is small.

    Args:
        drawn: seeds and skipped documents, as the sampler draws them.
        learn: gives the clusters, from the snippets of the first candidates.

    Yields:
        Seeds, and skipped documents as soon as they occur.
    """
    candidates, waiting = iter(drawn), list[Seed]()
    for item in candidates:
        if isinstance(item, Skipped):
            yield item
            continue
        waiting.append(item)
        if len(waiting) == INITIAL_CANDIDATES:
            break
    if not waiting:
        return
    pool, clusters = _Pool(), learn([seed.snippet for seed in waiting])
    for seed, cluster in zip(waiting, clusters.of([seed.snippet for seed in waiting]), strict=True):
        pool.add(seed, cluster)
    following = _clustered(candidates, clusters)
    while pool:
        yield pool.next()
        wanted = CANDIDATES_PER_SEED
        while wanted and (more := next(following, None)) is not None:
            if isinstance(more, Skipped):
                yield more
                continue
            wanted -= 1
            if passed_over := pool.add(*more):
                yield Skipped(REASON, passed_over.origin.lang, snippet=True)


def _clustered(candidates: Iterator[Seed | Skipped], clusters: Clusters) -> Iterator[tuple[Seed, int] | Skipped]:
    """Candidates with their clusters, read in batches."""
    while portion := list(islice(candidates, clusters.at_once)):
        seeds = [item for item in portion if isinstance(item, Seed)]
        cluster_of = iter(clusters.of([seed.snippet for seed in seeds]) if seeds else ())
        for item in portion:
            yield item if isinstance(item, Skipped) else (item, next(cluster_of))


class _Pool:
    """Candidates by language, category and cluster, and how many seeds each of these has given so far."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, dict[int, deque[Seed]]]] = {}
        self._given, self._size = Counter[str | int](), 0

    def __bool__(self) -> bool:
        return self._size > 0

    def add(self, seed: Seed, cluster: int) -> Seed | None:
        """Add a candidate of a cluster; return the one that gives way to it, if there is no room."""
        categories = self._waiting.setdefault(seed.origin.lang, {})
        clusters = categories.setdefault(category_of(seed.snippet, seed.origin.file_path), {})
        clusters.setdefault(cluster, deque()).append(seed)
        self._size += 1
        return self._take(*self._largest()) if self._size > MAX_CANDIDATES else None

    def next(self) -> Seed:
        """Take the oldest candidate of the language that has given fewest seeds, and in it of such a category and cluster."""
        language = min(self._waiting, key=self._given.__getitem__)
        category = min(self._waiting[language], key=self._given.__getitem__)
        cluster = min(self._waiting[language][category], key=self._given.__getitem__)
        # One counter: the seeds of a category or cluster count together, whatever their language.
        self._given.update((language, category, cluster))
        return self._take(language, category, cluster)

    def _largest(self) -> Group:
        return max(
            (len(candidates), (language, category, cluster))
            for language, categories in self._waiting.items()
            for category, clusters in categories.items()
            for cluster, candidates in clusters.items()
        )[1]

    def _take(self, language: str, category: str, cluster: int) -> Seed:
        categories = self._waiting[language]
        clusters = categories[category]
        seed = clusters[cluster].popleft()
        self._size -= 1
        # Empty groups go, so that every group that `next` may choose has a candidate.
        if not clusters[cluster]:
            del clusters[cluster]
            if not clusters:
                del categories[category]
                if not categories:
                    del self._waiting[language]
        return seed
