"""Balanced seeds: even by language, category and cluster, each seed once, and the same ones every time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.data import Provenance, Seed, Skipped
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.seeds.balance import draw
from hf_oss_instruct.seeds.balance.draw import balanced
from hf_oss_instruct.seeds.balance.features import HashedClusters, category_of, words_of
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.seeds.sampling import sample
from hf_oss_instruct.spec.seeds import SeedPlan
from hf_oss_instruct.spec.shard import Shard

TOPICS = {
    "Web": "response = server.handle(request.url, session.cookie, '{}')",
    "Database and SQL": "cursor.execute('select {} from orders join tables')  # sql query",
    "Mathematical and Computational": "area_{} = sqrt(radius) * polynomial(matrix)",
}


def seed(number: int, snippet: str, lang: str = "python") -> Seed:
    return Seed(snippet, 1, 1, Provenance("corpus", "v1", f"{number}", 0, lang), "hash/1", 0)


def drawn(count: int) -> list[Seed | Skipped]:
    """Eight in ten are about the Web, and nine in ten in Python."""
    shares = [("Web", 0.8), ("Database and SQL", 0.12), ("Mathematical and Computational", 0.08)]
    topics = [topic for topic, share in shares for _ in range(round(count * share))]
    every = ((n, topics[n * 7919 % len(topics)]) for n in range(count))
    return [seed(n, TOPICS[topic].format(n), "rust" if n % 10 == 3 else "python") for n, topic in every]


def test_rare_categories_and_languages_get_as_many_seeds_as_frequent_ones() -> None:
    found = [item for item in islice(balanced(drawn(3_000)), 300) if isinstance(item, Seed)]
    by_category = Counter(category_of(one.snippet, None) for one in found)
    by_language = Counter(one.origin.lang for one in found)
    assert by_category.keys() == TOPICS.keys()
    assert max(by_category.values()) <= 1.5 * min(by_category.values()), by_category
    assert max(by_language.values()) <= min(by_language.values()) + 1, by_language


def test_no_seed_is_lost_or_repeated_and_what_was_skipped_comes_by() -> None:
    source = [Skipped("binary"), *drawn(1_000), Skipped("empty", "python")]
    found = list(balanced(source))
    assert Counter(item.seed_id for item in found if isinstance(item, Seed)) == Counter(
        item.seed_id for item in source if isinstance(item, Seed)
    )
    assert [item for item in found if isinstance(item, Skipped)] == [source[0], source[-1]]
    assert list(balanced([])) == []


def test_it_reads_a_few_candidates_for_each_seed() -> None:
    read = 0

    def source() -> Iterator[Seed | Skipped]:
        nonlocal read
        for item in drawn(20_000):
            read += 1
            yield item

    assert len(list(islice(balanced(source()), 100))) == 100
    assert read <= draw.INITIAL_CANDIDATES + 100 * draw.CANDIDATES_PER_SEED


def test_what_finds_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "MAX_CANDIDATES", 600)
    found = list(balanced(drawn(2_000)))
    passed_over = [item for item in found if isinstance(item, Skipped)]
    assert set(passed_over) == {Skipped("balance", "python", snippet=True)}
    assert len(passed_over) + sum(isinstance(item, Seed) for item in found) == 2_000


def test_a_small_run_is_the_beginning_of_a_large_one_and_shards_make_up_the_whole(tmp_path: Path) -> None:
    for number in range(30):
        text = "".join(f"def task_{number}_{n}(x):\n    return x + {n}\n\n" for n in range(10))
        (tmp_path / f"{number}.py").write_text(text)
    source = open_source(str(tmp_path))

    def seeds(**options: Any) -> list[tuple[int, str]]:
        plan = SeedPlan(str(tmp_path), filters=(), balance=True, **options)
        return [(item.index, item.seed_id) for item in sample(source, plan) if isinstance(item, Seed)]

    whole = seeds(n=40)
    assert len(set(whole)) == 40
    assert seeds(n=7) == whole[:7]
    assert sorted(seeds(n=40, shard=Shard(0, 2)) + seeds(n=40, shard=Shard(1, 2))) == whole


def test_clusters_are_those_of_like_snippets() -> None:
    snippets = [item.snippet for item in drawn(300) if isinstance(item, Seed)]
    clusters = HashedClusters(snippets)
    of_topic = {topic: set(clusters.of([text.format(n) for n in range(5)])) for topic, text in TOPICS.items()}
    web, sql, math = of_topic.values()
    assert not web & sql
    assert not web & math
    assert not sql & math
    assert HashedClusters(snippets[:1]).of(["x"]) == [0]
    assert HashedClusters(["", " "]).of([""])[0] in (0, 1)


def test_identifiers_are_split_into_words() -> None:
    assert words_of("HTTPServer.find_allUsers(x1)") == ["http", "server", "find", "all", "users", "x"]


def test_the_papers_sampler_is_not_balanced() -> None:
    with pytest.raises(UsageError, match="Leave out balance"):
        SeedPlan(sampler="magicoder", balance=True)
