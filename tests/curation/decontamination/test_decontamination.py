"""Which rows quote a benchmark: each rule on a made-up task, then the labelled test bed of real ones."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.decontamination import benchmark_index
from hf_oss_instruct.curation.decontamination.benchmark_tasks import tasks_of
from hf_oss_instruct.curation.decontamination.quotes import Decontamination
from tests.support import contamination as bed

PROMPT = '''def count_lonely_herons(ponds):
    """ Given the ponds of a valley, count herons that fish without any other heron within three ponds on either side.
    >>> count_lonely_herons([1, 0, 0, 0, 1])
    2
    """
'''
SOLUTION = """    total = 0
    for place, pond in enumerate(ponds):
        around = ponds[max(place - 3, 0):place] + ponds[place + 1:place + 4]
        if pond == 1 and sum(around) == 0:
            total += 1
    return total
"""
TASK = {"task_id": "H/7", "prompt": PROMPT, "canonical_solution": SOLUTION, "entry_point": "count_lonely_herons"}
SHORT = {"task_id": "H/8", "prompt": "Write a function to fold every napkin into a swan.", "code": "def fold(): return 1"}
INDEX = benchmark_index.build(list(tasks_of("herons", [TASK, SHORT])))


def check(*texts: str, drop: bool = True, column: str = "solution") -> pa.Table:
    rows = pa.table({"seed_id": [str(number) for number in range(len(texts))], column: ngrams.of_strings(list(texts))})
    return Decontamination(INDEX, drop=drop)(rows)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (PROMPT, "quote"),
        (
            "// Given the ponds of a valley, count\n//   herons that fish WITHOUT any other heron within three ponds.",
            "words",
        ),
        (
            "/**\n * Herons that fish without any other heron within three ponds on either side are counted, given the\n */",
            "words",
        ),
        (
            "Given the ponds of a valley count all herons that fish without any other heron within three nearby ponds",
            "share",
        ),
        (SOLUTION.replace("    ", "\t"), "quote"),
        ("Please fold every napkin into a swan, twice.", "prompt"),
    ],
)
def test_a_quote_is_rejected_with_benchmark_task_and_rule(text: str, rule: str) -> None:
    row = check(text).to_pylist()[0]
    assert row["reason"] == "contaminated"
    task = "H/8" if rule == "prompt" else "H/7"
    assert f"herons:{task}:{rule}" in row["contaminated_by"]
    assert f"herons:{task}:{rule}" in row["detail"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (SOLUTION.replace("place", "i").replace("around", "near").replace("ponds", "xs").replace("pond", "x"), "code"),
        ("int countLonelyHerons(std::vector<int> p) { return 0; }", "name"),
        ("const countLonelyHerons = (ponds) => {", "name"),
    ],
)
def test_likely_solutions_are_flagged_and_stay(text: str, rule: str) -> None:
    row = check(text).to_pylist()[0]
    assert f"benchmark:herons:H/7:{rule}" in row["flags"]
    assert row["reason"] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "return count_lonely_herons(ponds)",  # a call defines nothing
        "Herons are birds. Ponds are water. Count them.",
        "1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
    ],
)
def test_what_quotes_nothing_has_no_mark(text: str) -> None:
    row = check(text).to_pylist()[0]
    assert (row["reason"], row["contaminated_by"], row["flags"]) == (None, None, None)


ORDINARY, HELD_OUT = (
    (Path(__file__).parent / "data" / f"{name}_statements.txt").read_text("utf-8").splitlines()
    for name in ("ordinary", "held_out")
)
"""500 and 100 statements in the style of the benchmarks, about other things; the second were written before the present rule."""
ENDINGS = (
    "a lighthouse keeper's weekly supply orders by harbor.",
    "glaciers drawn on an old expedition chart.",
    "violins that were tuned during the rehearsal.",
    "tramway tickets stamped after midnight.",
    "beehives along the southern orchard wall.",
)
STOCK = [
    "Write a function to find the number of ways to paint a fence of n posts with k colors.",
    "Create a function to check whether a given string is a valid mobile number of Peru.",
    "Write a python function to find the difference between the largest and smallest fjord of a given coast.",
    "Write a function that takes a list of integers as input and returns the sum of the squares of the even ones.",
]


def test_an_opening_is_no_quote_and_thirteen_words_are() -> None:
    index = benchmark_index.build(list(tasks_of("stock", [{"task_id": at, "text": text} for at, text in enumerate(STOCK)])))

    def hits(*texts: str) -> list[bool]:
        rows = pa.table({"problem": ngrams.of_strings(list(texts))})
        return [bool(hit) for hit in Decontamination(index)(rows)["contaminated_by"].to_pylist()]

    other = [*ORDINARY, *HELD_OUT]
    assert sum(hits(*other)) <= len(other) / 200  # two share 13 words with one of these: a known limit
    assert not any(hits(*(" ".join([*text.split()[:10], ending]) for text, ending in zip(STOCK, ENDINGS, strict=False))))
    assert all(hits(*STOCK))
    assert hits("Please write a function that takes a list of integers as input and returns the sum of the squares") == [True]
    assert hits("Today: find the number of ways to paint a fence of n posts, quickly.") == [True]


COMMENTED = {
    "java": "class Problem {{\n    /**\n     * {0}\n     * {1}\n     */\n    public static int f(int[] ponds) {{\n",
    "js": "/* {0}\n  {1}\n*/\nconst f = (ponds) => {{\n",
    "php": "<?php\n/*\n{0}\n{1}\n*/\nfunction f($ponds) {{\n",
    "cs": "using System;\nclass Problem {{\n    // {0}\n    // {1}\n    public static long F(List<long> ponds) {{\n",
    "ml": "(* {0}\n   {1} *)\nlet f ponds =\n",
    "hs": "{{- {0}\n   {1} -}}\nf :: [Int] -> Int\n",
    "lua": "-- {0}\n-- {1}\nlocal function f(ponds)\n",
    "rkt": "#lang racket\n\n;; {0}\n;; {1}\n(define (f ponds)\n",
    "rb": "# {0}\n# {1}\ndef f(ponds)\n",
}


@pytest.mark.parametrize("language", COMMENTED)
def test_a_prompt_in_comments_is_read_to_its_end(language: str) -> None:
    first, last = (
        "Given the ponds of a valley, count herons that fish alone",
        "and never more than seven of them in any single pond",
    )
    [task] = tasks_of("b", [{"name": "f", "prompt": COMMENTED[language].format(first, last)}])
    assert [" ".join(text.split()) for text in task.statements] == [f"{first} {last}"]


def test_flagging_instead_of_dropping_says_the_same_and_rejects_nothing() -> None:
    dropped, flagged = check(PROMPT), check(PROMPT, drop=False)
    assert flagged["contaminated_by"] == dropped["contaminated_by"]
    assert flagged["reason"].to_pylist() == [None]


def test_every_text_column_is_looked_at_and_a_row_is_judged_alone() -> None:
    assert check("fine", PROMPT, "fine", column="problem")["reason"].to_pylist() == [None, "contaminated", None]
    assert check("Please fold every", "napkin into a swan.")["reason"].to_pylist() == [None, None]


def test_a_row_of_ten_megabytes_is_read_to_its_end() -> None:
    assert check("x = 1\n" * 1_700_000 + PROMPT)["reason"].to_pylist() == ["contaminated"]


def test_an_index_on_disk_says_what_the_one_in_memory_says(tmp_path: Path) -> None:
    INDEX.save(tmp_path / "index.npz")
    rows = pa.table({"solution": [PROMPT, SOLUTION, "fold every napkin into a swan", "int countLonelyHerons(int p) {"]})
    assert Decontamination(benchmark_index.BenchmarkIndex.load(tmp_path / "index.npz"))(rows) == Decontamination(INDEX)(rows)


def test_a_damaged_index_in_the_cache_is_built_again(fresh_cache: Path) -> None:
    tasks = list(tasks_of("herons", [TASK]))
    benchmark_index.cached(tasks)
    (path,) = (fresh_cache / "oss-instruct" / "benchmark_index").glob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert benchmark_index.cached(tasks).names == ("herons:H/7",)
    assert len(benchmark_index.BenchmarkIndex.load(path).names) == 1


real = pytest.mark.skipif(not bed.DATA.is_dir(), reason="the benchmarks' files are not on this machine")


@real
def test_the_test_bed_is_caught_and_flagged_with_only_the_python_originals_in_the_index() -> None:
    cases = list(bed.contaminated())
    rows = pa.table({"solution": ngrams.of_strings([case.text for case in cases])})
    out = Decontamination(benchmark_index.build(bed.humaneval()))(rows)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for case, hits, flags in zip(cases, out["contaminated_by"].to_pylist(), out["flags"].to_pylist(), strict=True):
        own = any(hit.startswith(f"{case.task}:") for hit in hits or [])
        seen = own or any(flag.startswith(f"benchmark:{case.task}:") for flag in flags or [])
        for at, value in enumerate((1, own, seen)):
            counts[case.kind][at] += value
    caught = {kind: hit / n for kind, (n, hit, _) in counts.items()}
    seen_of = {kind: seen / n for kind, (n, _, seen) in counts.items()}
    for kind in ("prompt verbatim", "prompt and solution verbatim", "docstring reflowed", "without doctests"):
        assert caught[kind] == 1, kind
    for language in bed.COMMENTED:
        assert caught[f"MultiPL-E {language}"] >= 0.98, language
    for kind in (
        "solution renamed",
        "solution and function renamed",
        *(f"HumanEval-X {name} solution" for name in bed.TRANSLATED),
    ):
        assert seen_of[kind] >= 0.75, kind


@real
def test_of_500_ordinary_statements_at_most_one_in_200_is_dropped() -> None:
    index = benchmark_index.build([*bed.humaneval(), *bed.mbpp()])

    def dropped(texts: list[str]) -> list[str]:
        rows = pa.table({"problem": ngrams.of_strings(texts)})
        hits = Decontamination(index)(rows)["contaminated_by"].to_pylist()
        return [text for text, hit in zip(texts, hits, strict=True) if hit]

    begun_with = [max(task.statements, key=len).partition("\nassert")[0].split() for task in bed.mbpp()]
    begun = [" ".join([*text[:10], ENDINGS[at % 5]]) for at, text in enumerate(begun_with) if len(text) > 10]
    for texts, n, most in ((ORDINARY, 500, 2), (HELD_OUT, 100, 1), (begun, 332, 5)):
        assert len(texts) == n
        assert len(dropped(texts)) <= most, dropped(texts)


@real
@pytest.mark.parametrize("clean", [1_000, pytest.param(5_000, marks=pytest.mark.long)])
def test_another_benchmark_and_clean_code_and_prose_are_kept(clean: int) -> None:
    cases = [*bed.clean(clean), *(bed.Case("MBPP", None, "\n".join(task.statements), False) for task in bed.mbpp())]
    rows = pa.table({"solution": ngrams.of_strings([case.text for case in cases])})
    out = Decontamination(benchmark_index.build(bed.humaneval()))(rows)
    dropped = [case.text for case, reason in zip(cases, out["reason"].to_pylist(), strict=True) if reason]
    assert len(dropped) <= len(cases) / 5_000, dropped
