"""Which rows of a whole set say what an earlier one said: exactly, nearly, or by the names they define."""

from __future__ import annotations

import random
import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hf_oss_instruct.curation import annotations, ngrams
from hf_oss_instruct.curation.duplicates import exact, minhash, near, same_names
from hf_oss_instruct.curation.duplicates.distinct_tasks import distinct_tasks
from hf_oss_instruct.data import Row
from hf_oss_instruct.storage import spill
from tests.support.near import near_pairs

FEW = st.text(alphabet="ab \n\u3000", max_size=3)


def table(solutions: list[str], **columns: list[str]) -> pa.Table:
    ids = [f"id{number}" for number in range(len(solutions))]
    columns |= {"seed_id": ids, "solution": solutions}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def sentence(rng: random.Random, length: int = 60) -> list[str]:
    return [f"w{rng.randrange(500)}" for _ in range(length)]


def jaccard(one: str, other: str) -> float:
    first, second = (
        {tuple(w[at : at + 5]) for at in range(len(w) - 4)} for w in (re.findall(r"\w+", one), re.findall(r"\w+", other))
    )
    return len(first & second) / len(first | second)


@given(st.lists(st.tuples(FEW, FEW, FEW), max_size=10))
def test_a_whole_table_is_judged_as_its_rows_one_after_the_other(texts: list[tuple[str, str, str]]) -> None:
    one_by_one = exact.ExactDuplicates()
    rows: list[Row] = [dict(zip(exact.COMPARED, text, strict=True)) for text in texts]  # type: ignore[misc]
    expected = [one_by_one(row).reason for row in rows]
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in exact.COMPARED}  # type: ignore[literal-required]
    found = exact.exact_duplicates(pa.table(columns))
    assert (found["reason"].to_pylist() if texts else []) == expected


def test_a_repeated_seed_id_is_a_duplicate() -> None:
    rows = pa.table({"seed_id": ["a", "b", "a"], "solution": ["x", "y", "z"]})
    assert exact.exact_duplicates(rows)["reason"].to_pylist() == [None, None, "duplicate"]


def test_a_nearly_equal_row_is_rejected_for_the_earlier_one_and_says_how_alike_they_are() -> None:
    rng = random.Random(0)
    first = sentence(rng)
    second = [*first[:30], "changed", *first[31:]]
    found = near.near_duplicates(table([" ".join(first), " ".join(sentence(rng)), "  ".join(second)]))
    assert found["reason"].to_pylist() == [None, None, "near_duplicate"]
    assert found["detail"][2].as_py() == f"its solution is {jaccard(' '.join(first), ' '.join(second)):.0%} that of id0"


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())], ids=str)
@pytest.mark.parametrize("reasons", [[None] * 5, [None, "license", None, None, None], ["license"] * 5])
def test_the_type_of_a_text_column_changes_nothing(kind: pa.DataType, reasons: list[str | None]) -> None:
    first = sentence(random.Random(0))
    texts = [
        " ".join(first),
        " ".join([*first[:30], "changed", *first[31:]]),
        None,
        "",
        " ".join([*first[:40], "new", *first[41:]]),
    ]
    plain = pa.table(
        {
            "seed_id": [f"id{number}" for number in range(5)],
            "solution": pa.array(texts, pa.string()),
            "reason": pa.array(reasons, pa.string()),
            "detail": pa.nulls(5, pa.string()),
        }
    )
    expected = near.near_duplicates(plain).select(["reason", "detail"])
    assert expected["reason"][4].as_py() == ("license" if reasons[0] else "near_duplicate")
    found = near.near_duplicates(plain.set_column(1, "solution", plain["solution"].cast(kind)))
    assert found.select(["reason", "detail"]).equals(expected)


def test_similarity_does_not_travel_along_a_chain() -> None:
    rng = random.Random(1)
    links = [sentence(rng, 80)]
    for step in range(1, 6):
        changed = list(links[-1])
        changed[step * 12] = f"changed{step}"
        links.append(changed)
    texts = [" ".join(link) for link in links]
    assert jaccard(texts[0], texts[1]) > 0.7 > jaccard(texts[0], texts[5])
    reasons = near.near_duplicates(table(texts))["reason"].to_pylist()
    kept = [text for text, reason in zip(texts, reasons, strict=True) if reason is None]
    assert len(kept) > 1
    assert all(jaccard(one, other) < 0.7 for one in kept for other in kept if one != other)
    rejected = [text for text, reason in zip(texts, reasons, strict=True) if reason]
    assert rejected
    assert all(any(jaccard(text, one) >= 0.7 for one in kept) for text in rejected)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_a_row_is_rejected_for_the_first_kept_row_that_it_resembles(rng_seed: int, at_once: int) -> None:
    rng = random.Random(rng_seed)
    texts = [[sentence(rng) for _ in range(3)] for _ in exact.COMPARED]
    for _ in range(30):
        for column in texts:  # a copy of an earlier text with a changed word: chains, and rows that resemble many
            column.append([rng.choice(["other", word]) if rng.random() < 0.05 else word for word in rng.choice(column)])
    columns = {name: [" ".join(words) for words in column] for name, column in zip(exact.COMPARED, texts, strict=True)}
    rows = table(**columns, solutions=columns.pop("solution"))
    alike = [(name, near_pairs(rows[name])) for name in exact.COMPARED]
    expected: list[str | None] = []
    for row in range(len(rows)):
        kept = [before for before in range(row) if expected[before] is None]
        found = ((name, pairs[row, before], f"id{before}") for before in kept for name, pairs in alike if (row, before) in pairs)
        expected.append(next((near.near_duplicate_detail(*one) for one in found), None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "MERGE_NUMBERS", at_once)
        assert near.near_duplicates(rows)["detail"].to_pylist() == expected


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_no_pair_is_called_near_that_is_not_and_few_are_missed(rng_seed: int) -> None:
    rng = random.Random(rng_seed)
    texts = [sentence(rng, rng.randrange(20, 120)) for _ in range(30)]
    for _ in range(30):
        copy = list(rng.choice(texts))
        for place in rng.sample(range(len(copy)), rng.randrange(0, 4)):
            copy[place] = "other"
        texts.append(copy)
    joined = [" ".join(text) for text in texts]
    found = near_pairs(ngrams.of_strings(joined))
    assert all(abs(jaccard(joined[a], joined[b]) - value) < 1e-9 and value >= 0.7 for (a, b), value in found.items())
    true = {(a, b) for a in range(60) for b in range(a) if jaccard(joined[a], joined[b]) >= 0.7}
    assert len(true - found.keys()) <= 1 + len(true) // 10


def test_short_texts_are_not_called_nearly_equal() -> None:
    assert near.near_duplicates(table(["return a + b", "return a - b"]))["reason"].to_pylist() == [None, None]


def test_rows_that_define_the_same_names_are_flagged_and_stay() -> None:
    code = ["def area(r): ...\ndef edge(r): ...", "class X: pass", "function edge(){}\nfunction area(){}", "def main(): ..."]
    found = same_names.same_names(table([*code, "def main(): pass"]))
    assert found["flags"].to_pylist() == [None, None, ["same_names:id0"], None, None]
    assert "reason" not in found.column_names


def test_the_keep_set_of_a_fit_is_the_ids_of_the_rows_that_stay() -> None:
    text = " ".join(sentence(random.Random(2)))
    rows = table([text, text.upper(), text + " more", "else"])
    assert near.ids_to_keep(rows) == {"id0", "id1", "id3"}
    assert near.ids_to_keep(rows, threshold=None) == {"id0", "id1", "id2", "id3"}


def test_cluster_sizes_count_the_kept_row_too() -> None:
    details = ["its seed is 90% that of a", "its solution is 80% that of a", "its seed is 71% that of b", None]
    assert near.cluster_sizes(details) == {"2": 1, "3": 1}


def test_the_same_rows_stay_however_little_is_in_memory_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(4)
    problems = [sentence(rng) for _ in range(40)]
    for _ in range(200):  # chains of near duplicates, of each problem several
        changed = list(rng.choice(problems))
        changed[rng.randrange(len(changed))] = f"w{rng.randrange(500)}"
        problems.append(changed)
    code = [f"def f{rng.randrange(150)}(x):\n    return {number}" for number in range(len(problems))]
    whole = table(code, problem=[" ".join(words) for words in problems])
    rows = pa.concat_tables(whole.slice(first, 7) for first in range(0, len(whole), 7))

    def found() -> tuple[pa.Table, dict[str, object]]:
        return same_names.same_names(near.near_duplicates(exact.exact_duplicates(rows))), distinct_tasks(
            lambda: rows["problem"].chunks
        )

    (marked, tasks) = found()
    for module, name, size in (
        (spill, "MEMORY_BYTES", 64),
        (spill, "RANGE_NUMBERS", 50),
        (spill, "SORT_NUMBERS", 50),
        (spill, "MERGE_NUMBERS", 20),
        # Of some ranges the n-grams are kept between rounds, of others they are not.
        (minhash, "MAX_HELD_TEXTS", 8),
        (minhash, "HELD_PAIRS", 3),
        (near, "DETAILS_BUFFER", 3),
        (annotations, "CHUNK_ROWS", 7),
    ):
        monkeypatch.setattr(module, name, size)
    assert marked["reason"].null_count < len(rows)
    assert marked["flags"].null_count < len(rows)
    assert (marked, tasks) == found()
    assert near.near_duplicates(exact.exact_duplicates(whole))["detail"] == marked["detail"]


@pytest.mark.parametrize("rows", [table([]), pa.table({"seed_id": ["a"], "solution": pa.array([None], pa.string())})])
def test_nothing_to_compare_is_no_error(rows: pa.Table) -> None:
    for step in (exact.exact_duplicates, near.near_duplicates, same_names.same_names):
        assert len(step(rows)) == len(rows)


@pytest.mark.parametrize(
    ("text", "word", "other"),
    [
        (
            "编写一个函数，接收一个整数列表，返回其中所有偶数的平方之和；如果列表为空，则返回零，并且不得修改原来的列表。",
            "平方",
            "立方",
        ),
        (
            "整数のリストを受け取り、すべての偶数の二乗の合計を返す関数を書いてください。リストが空の場合はゼロを返します。",
            "二乗",
            "三乗",
        ),
        ("เขียนฟังก์ชันที่รับรายการของจำนวนเต็มแล้วคืนค่าผลรวมของกำลังสองของจำนวนคู่ทั้งหมดในรายการนั้น", "กำลังสอง", "กำลังสาม"),
    ],
    ids=["Chinese", "Japanese", "Thai"],
)
def test_scripts_without_spaces_are_compared_by_characters(text: str, word: str, other: str) -> None:
    assert word in text
    different = "".join(reversed(text))
    column = ngrams.of_strings([text, text.replace(word, other), different])
    [(pair, similarity)] = near_pairs(column).items()
    assert pair == (1, 0)
    assert similarity < 1


def test_pairs_of_more_texts_than_have_numbers_of_16_bits_are_compared_as_they_are() -> None:
    rng = random.Random(3)
    one, other = (" ".join(sentence(rng, 20)) for _ in range(2))
    texts = [one, other] * 2**15 + [one, one, other, one]
    found = minhash.similarities(texts, range(0, len(texts), 2), range(1, len(texts), 2))
    assert found == [0.0] * 2**15 + [1.0, 0.0]
