"""Which lines become seeds, in which order, and is it so for any batch, shard and order of the documents?"""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.data import Document, Provenance, Seed, Skipped
from hf_oss_instruct.errors import SeedError, SeedsExhaustedError, UsageError
from hf_oss_instruct.seeds.resolve import open_source
from hf_oss_instruct.seeds.sampling import SAMPLERS, hash_spans, sample
from hf_oss_instruct.seeds.source import Source
from hf_oss_instruct.spec.seeds import SeedPlan

EVERYTHING = 10**9
"""More seeds than any source here holds."""


@dataclass(frozen=True)
class Shelf(Source):
    """A source in memory: documents in the order in which they stand."""

    items: Iterable[Document | Skipped]
    name: str = "shelf"
    revision: str | None = None

    def documents(
        self, languages: Collection[str] | None, order_seed: int | None, assumed: str | None = None
    ) -> Iterator[Document | Skipped]:
        for item in self.items:
            if isinstance(item, Skipped) or languages is None or item.origin.lang in languages:
                yield item


def document(content: str, row_id: str = "a", lang: str = "python", number: int = 0) -> Document:
    return Document(content, Provenance("shelf", None, row_id, number, lang))


def numbered(*contents: str, lang: str = "python") -> list[Document]:
    return [document(content, f"{lang}/{number}", lang, number) for number, content in enumerate(contents)]


def lines(n: int) -> str:
    return "".join(f"line {number}\n" for number in range(1, n + 1))


def drain(items: Iterable[Document | Skipped], **plan: object) -> tuple[list[Seed], Counter[str], str]:
    """Everything that a plan gives: seeds, reasons of what gave none, and the words of `SeedsExhaustedError`."""
    seeds, reasons, words = [], Counter[str](), ""
    try:
        for item in sample(Shelf(items), SeedPlan(**{"filters": (), "licenses": "any"} | plan)):  # type: ignore[arg-type]
            if isinstance(item, Seed):
                seeds.append(item)
            else:
                reasons[item.reason] += 1
    except SeedsExhaustedError as end:
        words = str(end)
    return seeds, reasons, words


def places(seeds: Iterable[Seed]) -> set[tuple[str, int, int, str]]:
    return {(seed.origin.row_id, seed.start_line, seed.end_line, seed.snippet) for seed in seeds}


# What str.splitlines takes for a line break and \n is not, blanks, and some text in which they drown.
_pieces = st.sampled_from(["\n", "\n\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", " ", "\t", "x = 1", "é", "😀", "}"])
contents = st.lists(_pieces, max_size=60).map("".join)
shelves = st.lists(contents, max_size=12).map(lambda found: numbered(*found))
rng_seeds = st.integers(0, 2**63 - 1)


class TestHash:
    @given(shelves, rng_seeds, st.data())
    def test_any_shards_in_any_order_give_the_same_seeds(
        self, documents: list[Document], rng_seed: int, data: st.DataObject
    ) -> None:
        options = {"n": EVERYTHING, "snippets_per_document": 3, "rng_seed": rng_seed}
        whole, reasons, _ = drain(documents, **options)
        shuffled = data.draw(st.permutations(documents))
        cuts = sorted(data.draw(st.lists(st.integers(0, len(documents)), max_size=4)))
        shards = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(documents)], strict=True)]
        parts = [drain(shard, **options) for shard in shards]
        assert {seed.seed_id for seeds, _, _ in parts for seed in seeds} == {seed.seed_id for seed in whole}
        assert places(seed for seeds, _, _ in parts for seed in seeds) == places(whole)
        assert sum((skipped for _, skipped, _ in parts), Counter()) == reasons

    @settings(max_examples=15)
    @given(st.data())
    def test_tables_of_any_cut_give_the_same_seeds(self, data: st.DataObject) -> None:
        documents = data.draw(st.lists(contents, min_size=1, max_size=20).map(lambda found: numbered(*found)))
        expected, _, _ = drain(documents, n=EVERYTHING, snippets_per_document=2)
        rest = data.draw(st.permutations(documents))
        with tempfile.TemporaryDirectory() as name:
            for shard in range(data.draw(st.integers(1, 4))):
                size = data.draw(st.integers(0, len(rest)))
                write_table(Path(name, f"{shard}.parquet"), rest[:size], row_group=data.draw(st.integers(1, 5)))
                rest = rest[size:]
            write_jsonl(Path(name, "rest.jsonl"), rest)
            assert places(drain_path(name, n=EVERYTHING, snippets_per_document=2)) == places(expected)

    def test_a_corpus_larger_than_a_batch_gives_the_same_seeds_from_one_file_and_from_many(self, tmp_path: Path) -> None:
        documents = numbered(*(lines(1 + number % 40) for number in range(700)))
        shuffled = random.Random(0).sample(documents, len(documents))
        write_table(tmp_path / "one/all.parquet", documents, row_group=1000)
        for shard in range(7):
            write_table(tmp_path / f"many/{shard}.parquet", shuffled[shard::7], row_group=9)
        one, many = (drain_path(tmp_path / name) for name in ("one", "many"))
        assert len(one) == 700
        assert places(one) == places(many) == places(drain(documents)[0])

    @given(contents, st.text(max_size=5), rng_seeds)
    def test_a_snippet_is_1_to_15_whole_lines_that_stand_where_it_says(self, content: str, row_id: str, rng_seed: int) -> None:
        seeds, _, _ = drain([document(content, row_id)], n=EVERYTHING, snippets_per_document=8, rng_seed=rng_seed)
        for seed in seeds:
            assert 1 <= seed.start_line <= seed.end_line <= seed.start_line + 14
            assert seed.snippet == "\n".join(content.split("\n")[seed.start_line - 1 : seed.end_line])
            assert seed.snippet.strip()
            assert seed.end_line <= content.removesuffix("\n").count("\n") + 1

    @given(contents, rng_seeds)
    def test_draws_of_one_document_are_distinct(self, content: str, rng_seed: int) -> None:
        seeds, _, _ = drain([document(content)], n=EVERYTHING, rng_seed=rng_seed)
        assert len({(seed.start_line, seed.end_line) for seed in seeds}) == len({seed.seed_id for seed in seeds}) == len(seeds)

    @given(contents, st.text(max_size=8), rng_seeds)
    def test_the_first_draw_is_the_reference_pickers_unless_that_is_blank(self, content: str, row_id: str, rng_seed: int) -> None:
        """The picker of the fact sheet: length from the low half of the hash, start from the high half."""
        own = content.split("\n")[: -1 if content.endswith("\n") else None]
        value = xxhash.xxh3_64_intdigest(row_id.encode(), rng_seed)
        start, length = ((value >> 32) * len(own)) >> 32, 1 + (value & 0xFFFFFFFF) % 15
        reference = "\n".join(own[start : start + length])
        if reference.strip():
            assert next(hash_spans(document(content, row_id), rng_seed))[::2] == (start + 1, reference)

    def test_version_1_of_the_sampler_always_draws_these_lines(self) -> None:
        """Whoever changes what is drawn makes rows that claim `hash/1` irreproducible: a change is `hash/2`."""
        spans = [span[:2] for span in islice(hash_spans(document(lines(40), "some/file.py"), 976), 5)]
        mostly_blank = document("\n" * 9 + "x\n" + "\n" * 9 + "y\n", "some/file.py")
        assert SAMPLERS["hash"] == "hash/1"
        assert spans == [(19, 31), (23, 26), (13, 19), (2, 11), (31, 32)]
        assert [span[:2] for span in islice(hash_spans(mostly_blank, 976), 4)] == [(10, 20), (6, 11), (7, 13), (1, 10)]

    def test_every_length_and_every_line_is_drawn_about_as_often(self) -> None:
        seeds, _, _ = drain(numbered(*[lines(30)] * 3000))
        starts = Counter(seed.start_line for seed in seeds)
        lengths = Counter(seed.end_line - seed.start_line + 1 for seed in seeds if seed.start_line <= 16)
        assert set(starts) == set(range(1, 31))
        assert set(lengths) == set(range(1, 16))
        assert min(starts.values()) > 60  # 100 expected
        assert min(lengths.values()) > 60  # about 107 expected

    @pytest.mark.parametrize("mark", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\r \r"])
    def test_only_a_newline_ends_a_line(self, mark: str) -> None:
        [seed], _, _ = drain([document(f"a{mark}b{mark}c\n")])
        assert (seed.snippet, seed.start_line, seed.end_line) == (f"a{mark}b{mark}c", 1, 1)

    def test_a_carriage_return_before_the_newline_stays_in_the_line(self) -> None:
        seeds, _, _ = drain([document("a\r\nb\r\n", f"row {n}") for n in range(100)])
        assert {seed.snippet for seed in seeds} == {"a\r", "b\r", "a\r\nb\r"}

    def test_another_rng_seed_or_another_row_id_draws_other_lines(self) -> None:
        def spans(rng_seed: int, prefix: str) -> list[tuple[int, int]]:
            seeds, _, _ = drain([document(lines(200), f"{prefix}{n}") for n in range(50)], rng_seed=rng_seed)
            return [(seed.start_line, seed.end_line) for seed in seeds]

        assert spans(1, "a") == spans(1, "a") != spans(2, "a")
        assert spans(1, "a") != spans(1, "b")

    def test_a_document_that_drew_blank_lines_is_drawn_again(self) -> None:
        content = "\n" * 20 + "x = 1\n" + "\n" * 20
        seeds, reasons, _ = drain([document(content, f"row {n}") for n in range(200)])
        assert (len(seeds), reasons) == (200, Counter())
        assert {seed.snippet.strip() for seed in seeds} == {"x = 1"}

    @pytest.mark.parametrize("content", ["", "\n", "\n\n\n", " \t\n\r\n ", "\f\n\u2028"])
    def test_an_empty_or_blank_document_is_skipped_with_a_reason(self, content: str) -> None:
        assert drain([document(content)])[:2] == ([], Counter({"empty": 1}))

    def test_a_document_that_is_all_but_blank_is_skipped_with_a_reason(self) -> None:
        assert drain([document("\n" * 10**6 + "x" + "\n" * 10**6)])[:2] == ([], Counter({"blank": 1}))

    @pytest.mark.parametrize("content", ["a\nb", "a\nb\n"])
    def test_a_last_newline_makes_no_line_and_its_lack_loses_none(self, content: str) -> None:
        seeds, _, _ = drain([document(content, f"row {n}") for n in range(100)])
        assert {seed.snippet for seed in seeds} == {"a", "b", "a\nb"}

    def test_a_document_of_one_line_gives_one_seed_however_many_are_asked_for(self) -> None:
        seeds, _, words = drain([document("a\n")], n=3)
        assert [seed.snippet for seed in seeds] == ["a"]
        assert "1 of 3" in words


class TestPlan:
    @given(shelves, st.sampled_from([None, 1, 2, 5]), st.data())
    def test_fewer_seeds_are_the_beginning_of_more(
        self, documents: list[Document], most: int | None, data: st.DataObject
    ) -> None:
        everything, _, _ = drain(documents, n=EVERYTHING, snippets_per_document=most)
        n = data.draw(st.integers(1, max(len(everything), 1)))
        fewer, _, words = drain(documents, n=n, snippets_per_document=most)
        assert fewer == everything[:n]
        assert [seed.index for seed in fewer] == list(range(len(fewer)))
        assert bool(words) == (n > len(everything))

    def test_ten_seeds_are_the_first_ten_of_twenty_when_documents_must_be_drawn_again(self) -> None:
        documents = numbered(*(lines(30) for _ in range(7)))
        ten, twenty = (drain(documents, n=n)[0] for n in (10, 20))
        assert (len(ten), len(twenty)) == (10, 20)
        assert ten == twenty[:10]
        assert Counter(seed.origin.row_id for seed in twenty) == {f"python/{n}": 3 if n < 6 else 2 for n in range(7)}

    def test_without_a_number_each_document_gives_one_seed(self) -> None:
        seeds, _, words = drain(numbered(lines(30), "", lines(30)))
        assert ([seed.origin.raw_index for seed in seeds], words) == ([0, 2], "")

    def test_auto_draws_again_only_if_n_asks_for_more(self) -> None:
        documents = numbered(*[lines(50)] * 3)
        assert [seed.origin.raw_index for seed in drain(documents, n=3)[0]] == [0, 1, 2]
        assert [seed.origin.raw_index for seed in drain(documents, n=5)[0]] == [0, 1, 2, 0, 1]

    @pytest.mark.parametrize("most", [1, 2, 4])
    def test_snippets_per_document_caps_what_one_document_gives(self, most: int) -> None:
        seeds, _, words = drain(numbered(*[lines(100)] * 3), n=20, snippets_per_document=most)
        assert Counter(seed.origin.raw_index for seed in seeds) == {0: most, 1: most, 2: most}
        assert f"{3 * most} of 20" in words

    def test_a_source_with_too_little_gives_all_it_has_and_then_says_so(self) -> None:
        seeds = sample(Shelf(numbered("a\n", "b\n")), SeedPlan(n=1500, filters=(), licenses="any"))
        assert [next(seeds).snippet, next(seeds).snippet] == ["a", "b"]  # type: ignore[union-attr]
        with pytest.raises(SeedsExhaustedError, match=r"shelf yielded 2 of 1,500 requested seeds"):
            next(seeds)
        assert issubclass(SeedsExhaustedError, SeedError)

    def test_exactly_enough_is_enough(self) -> None:
        assert drain(numbered("a\n", "b\n"), n=2)[2] == ""

    def test_languages_come_one_after_the_other_with_their_own_counts(self) -> None:
        python, cpp, java = (numbered(*[lines(20)] * 4, lang=lang) for lang in ("python", "cpp", "java"))
        mixed = [file for trio in zip(python, cpp, java, strict=True) for file in trio]
        seeds, _, _ = drain(mixed, languages=(("java", 3), ("python", 5)))
        assert [seed.origin.lang for seed in seeds] == ["java"] * 3 + ["python"] * 5
        assert [seed.index for seed in seeds] == list(range(8))
        assert SeedPlan(languages=(("java", 3), ("python", 5))).requested == 8

    def test_a_language_that_runs_out_is_named_and_does_not_keep_back_the_next(self) -> None:
        documents = numbered("a\n", lang="java") + numbered("b\n", "c\n", lang="rust")
        seeds, _, words = drain(documents, languages=(("java", 3), ("swift", 1), ("rust", 2)))
        assert [seed.snippet for seed in seeds] == ["a", "b", "c"]
        assert "1 of 3 requested seeds in java" in words
        assert "0 of 1 requested seeds in swift" in words
        assert "rust" not in words

    def test_bare_languages_filter_and_keep_the_sources_order(self) -> None:
        python, cpp, java = (numbered(*[lines(20)] * 2, lang=lang) for lang in ("python", "cpp", "java"))
        mixed = [file for trio in zip(python, cpp, java, strict=True) for file in trio]
        names = (("java", None), ("python", None))
        assert [seed.origin.lang for seed in drain(mixed, languages=names)[0]] == ["python", "java"] * 2
        assert [seed.origin.lang for seed in drain(mixed, languages=names, n=3)[0]] == ["python", "java", "python"]

    def test_what_gives_nothing_is_counted_once_however_often_documents_are_drawn(self) -> None:
        documents = [Skipped("binary"), *numbered(lines(90), ""), Skipped("vendored")]
        seeds, reasons, _ = drain(documents, n=10)
        assert (len(seeds), reasons) == (10, {"binary": 1, "empty": 1, "vendored": 1})

    def test_a_seed_records_who_drew_it_and_where_it_comes_from(self) -> None:
        origin = Provenance("set", "rev", "id", 7, "go", "ns/repo", "c0ffee", "a/b.go", ("MIT",), "permissive")
        [seed], _, _ = drain([Document("x := 1\n", origin)], rng_seed=5)
        assert seed == Seed("x := 1", 1, 1, origin, "hash/1", 5, index=0)

    def test_the_id_of_a_seed_is_a_function_of_its_place_alone(self) -> None:
        seed = Seed("x", 1, 2, Provenance("set", "rev", "id", 7, "go"), "hash/1", 5)
        assert len(seed.seed_id) == 32
        assert seed.at(3).seed_id == replace(seed, rng_seed=6, snippet="y").seed_id == seed.seed_id
        elsewhere = [("other", "rev", "id"), ("set", "other", "id"), ("set", None, "id"), ("set", "rev", "other")]
        origins = [Provenance(*place, 7, "go") for place in elsewhere]
        others = [Seed("x", 1, 2, origin, "hash/1", 5) for origin in origins]
        others += [Seed("x", 2, 2, seed.origin, "hash/1", 5), Seed("x", 1, 3, seed.origin, "hash/1", 5)]
        assert len({other.seed_id for other in [seed, *others]}) == 7

    @pytest.mark.parametrize(
        ("plan", "words"),
        [
            ({"sampler": "dice"}, "'dice'.*hash, functions, magicoder"),
            ({"n": 0}, "at least 1, not 0"),
            ({"n": -5}, "not -5"),
            ({"n": 5, "snippets_per_document": 0}, "at least 1, not 0"),
            ({"languages": (("python", 0),)}, "at least 1, not 0"),
            ({"n": 5, "languages": (("python", 2),)}, "only without counts"),
            ({"languages": (("python", 2), ("java", None))}, "every language or for none"),
            ({"languages": (("cpp", 2), ("cpp", 1))}, "cpp"),  # the same seeds twice
            ({"rng_seed": -1}, "not -1"),
            ({"rng_seed": 2**63}, str(2**63)),
        ],
    )
    def test_a_plan_that_makes_no_sense_is_refused_with_the_value(self, plan: dict[str, object], words: str) -> None:
        with pytest.raises(UsageError, match=words):
            SeedPlan(**plan)  # type: ignore[arg-type]


TWO_FUNCTIONS = '''\
import os

def first(path):
    """Give the size of a file in bytes, links followed to their target."""
    return os.stat(path).st_size


def bare(x):
    return x

class Box:
    def second(self):
        """Give the box back, unopened, as it came."""
        return self
'''


class TestFunctions:
    def test_a_documented_function_is_a_seed_with_its_own_lines(self) -> None:
        seeds, _, words = drain([document(TWO_FUNCTIONS)], n=EVERYTHING, sampler="functions")
        assert {(seed.start_line, seed.end_line) for seed in seeds} == {(3, 5), (12, 14)}
        for seed in seeds:
            assert seed.snippet == "\n".join(TWO_FUNCTIONS.split("\n")[seed.start_line - 1 : seed.end_line])
        assert {seed.sampler for seed in seeds} == {"functions/1"}
        assert "2 of" in words

    def test_the_order_of_functions_is_drawn_by_hash(self) -> None:
        firsts = {drain([document(TWO_FUNCTIONS, f"row {n}")], sampler="functions")[0][0].start_line for n in range(20)}
        assert firsts == {3, 12}

    @pytest.mark.parametrize(
        ("lang", "content"), [("python", "x = 1\n"), ("python", "def f(:\n"), ("tcl", "# doc\nproc f {} {}\n")]
    )
    def test_a_document_without_one_is_skipped_with_a_reason(self, lang: str, content: str) -> None:
        _, reasons, _ = drain([document(content, lang=lang)], sampler="functions")
        assert reasons == {"no_documented_function": 1}

    def test_an_empty_document_is_skipped_as_empty(self) -> None:
        assert drain([document(" \n")], sampler="functions")[1] == {"empty": 1}


@cache
def short_documents(n: int = 2500) -> tuple[str, ...]:
    """Contents with every kind of line break that `splitlines` knows, blank lines, and none without a line."""
    rng = random.Random(4)
    ends = ["\n"] * 12 + ["\r\n", "\n\n", "\f", "\v", "\u2028", "\r"]
    return tuple("".join(f"{i} {j}{rng.choice(ends)}" for j in range(rng.randint(1, 40))) for i in range(n))


@cache
def papers_own(n: int = 2500) -> list[tuple[str, int]]:
    """Snippet and row number in the order of the paper, by `datasets` itself as section 1.1 of the fact sheet describes it."""
    from datasets import Dataset

    def snippet(content: str) -> str:
        cut = content.splitlines(keepends=True)
        first = random.choice(range(len(cut)))
        return "".join(cut[first : first + random.randint(1, 15)])

    def batch(columns: dict[str, list[str]], rows: list[int]) -> dict[str, list[object]]:
        random.seed(976 + rows[0])
        return {"snippet": [snippet(content) for content in columns["content"]], "row": list(rows)}

    table = Dataset.from_dict({"content": list(short_documents(n))})
    drawn = table.map(batch, batched=True, batch_size=1000, with_indices=True).shuffle(seed=976)
    return [(row["snippet"], row["row"]) for row in drawn]


class TestMagicoder:
    def test_snippets_and_their_order_are_the_papers_to_the_bit(self) -> None:
        seeds, _, _ = drain(numbered(*short_documents()), sampler="magicoder", rng_seed=976)
        assert [(seed.snippet, seed.origin.raw_index) for seed in seeds] == papers_own()
        assert [seed.index for seed in seeds] == list(range(2500))
        assert {(seed.sampler, seed.rng_seed) for seed in seeds} == {("magicoder/1", 976)}

    def test_fewer_are_the_beginning_of_the_papers_order(self) -> None:
        seeds, _, _ = drain(numbered(*short_documents()), n=40, sampler="magicoder", rng_seed=976)
        assert [(seed.snippet, seed.origin.raw_index) for seed in seeds] == papers_own()[:40]

    def test_it_leaves_the_worlds_random_numbers_alone(self) -> None:
        random.seed(1)
        drain(numbered(*short_documents()[:10]), sampler="magicoder", rng_seed=976)
        assert random.random() == random.Random(1).random()

    def test_an_empty_document_is_skipped_with_a_reason_and_moves_no_other_chunk(self) -> None:
        holed = list(short_documents())
        holed[1500] = ""
        seeds, reasons, _ = drain(numbered(*holed), sampler="magicoder", rng_seed=976)
        assert (len(seeds), reasons) == (2499, {"empty": 1})
        got = [(seed.snippet, row) for seed in seeds if (row := seed.origin.raw_index) < 1500 or row >= 2000]
        assert got == [(snippet, row) for snippet, row in papers_own() if row < 1500 or row >= 2000]
        assert [seed.index for seed in seeds] == list(range(2499))

    def test_a_file_that_is_left_out_takes_no_place_among_the_documents(self) -> None:
        documents = numbered(*short_documents())
        between = [*documents[:700], Skipped("binary"), *documents[700:], Skipped("vendored")]
        seeds, reasons, _ = drain(between, sampler="magicoder", rng_seed=976)
        assert [(seed.snippet, seed.origin.raw_index) for seed in seeds] == papers_own()
        assert reasons == {"binary": 1, "vendored": 1}

    def test_its_line_numbers_count_newlines_as_everyone_elses_do(self) -> None:
        seeds, _, _ = drain(numbered(*short_documents()[:300]), sampler="magicoder", rng_seed=976)
        assert len(seeds) > 100
        for seed in seeds:
            own = short_documents()[seed.origin.raw_index].split("\n")
            around = "\n".join(own[seed.start_line - 1 : seed.end_line]) + "\n"
            assert seed.snippet in around
            assert seed.snippet[-1:] in own[seed.end_line - 1] + "\n"

    def test_a_plain_snippet_is_exactly_the_lines_it_names(self) -> None:
        seeds, _, _ = drain(numbered(*[lines(30)] * 50), sampler="magicoder", rng_seed=976)
        assert len(seeds) == 50
        for seed in seeds:
            assert seed.snippet == "".join(f"line {n}\n" for n in range(seed.start_line, seed.end_line + 1))

    def test_blank_snippets_stay_as_they_do_in_the_paper(self) -> None:
        seeds, reasons, _ = drain([document("\n\n\n")], sampler="magicoder", rng_seed=976)
        assert ([seed.snippet.strip() for seed in seeds], reasons) == ([""], {})

    def test_no_more_than_the_papers_150_000_documents_are_read(self) -> None:
        one, endless = document(""), count()
        next(sample(Shelf(one for _ in endless), SeedPlan(sampler="magicoder")))
        assert next(endless) == 150_000


TABLE = pa.schema([("content", pa.string()), ("hexsha", pa.string()), ("lang", pa.string())])


def rows(documents: list[Document]) -> list[dict[str, str]]:
    return [{"content": file.content, "hexsha": file.origin.row_id, "lang": "Python"} for file in documents]


def write_table(path: Path, documents: list[Document], row_group: int) -> None:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows(documents), TABLE), path, row_group_size=row_group)


def write_jsonl(path: Path, documents: list[Document]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows(documents)))


def drain_path(folder: Path | str, **plan: object) -> list[Seed]:
    return drain(list(open_source(str(folder)).documents(None, None)), **plan)[0]
