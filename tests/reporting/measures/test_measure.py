"""The numbers of a report are those of its rows, whatever the folder says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pds
import pytest

from hf_oss_instruct.curation.decontamination.benchmarks import find
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.reporting.measures.lengths import count_words
from hf_oss_instruct.reporting.measures.measure import ReportOptions, measure
from hf_oss_instruct.reporting.measures.similarity import texts_of
from hf_oss_instruct.reporting.measures.tfidf import vectors
from hf_oss_instruct.reporting.measures.verified_run import verified_run
from hf_oss_instruct.reporting.measures.word_counts import Frequencies, counted, hashes_of
from hf_oss_instruct.reporting.rows import ReportRows, open_rows
from hf_oss_instruct.schemas import JUDGING, SCHEMA, VERIFIED_SCHEMA
from tests.reporting.datasets import ATTACK, benchmark, judged, kept, rejected, run_folder, verified
from tests.support.near import near_pairs

ROWS = [kept(number) for number in range(40)]


def test_the_funnel_is_counted_from_the_rows_and_adds_up(tmp_path: Path) -> None:
    fallen = [rejected(number, ("truncated", "duplicate", "truncated")[number % 3]) for number in range(9)]
    folder = run_folder(tmp_path / "run", ROWS[:20], fallen, kept=999, pending=3, documents_skipped={"test": 5})
    funnel = measure(open_rows(folder))["funnel"]
    assert funnel["kept"] == 20
    assert funnel["rejected"] == {"truncated": 6, "duplicate": 3}
    assert funnel["requested"] == funnel["kept"] + sum(funnel["rejected"].values()) + funnel["pending"] == 32
    assert funnel["documents_skipped"] == {"test": 5}


def test_what_is_in_it_is_counted_with_what_is_not_stated(tmp_path: Path) -> None:
    rows = [kept(0) | {"licenses": None, "repo_name": None}, kept(1) | {"licenses": []}, *ROWS[2:]]
    found = measure(open_rows(run_folder(tmp_path / "run", rows)))["composition"]
    assert found["languages"]["rows"] == {"cpp": 10, "java": 10, "python": 10, "typescript": 10}
    assert found["licenses"]["rows"]["not stated"] == 2
    assert found["repositories"] == {"distinct": 8, "rows": found["repositories"]["rows"], "others": 0}
    assert found["file_types"]["rows"] == {".txt": 30, ".py": 10}


def test_similarity_is_the_mean_of_the_highest_cosines_of_scikit_learn(tmp_path: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_similarity

    lists = find([str(benchmark(tmp_path / "toy.jsonl"))])
    found = measure(open_rows(pa.Table.from_pylist(ROWS)), ReportOptions(tuple(lists)))["similarity"]
    rows = [f"{row['problem']} {row['solution']}" for row in ROWS]
    problems = [text for _, text in texts_of(lists[0])]
    vectors = TfidfVectorizer().fit(rows + problems)
    cosines = cosine_similarity(vectors.transform(rows), vectors.transform(problems))
    assert found[0]["mean_of_maxima"] == pytest.approx(cosines.max(axis=1).mean(), abs=1e-4)
    nearest = found[0]["nearest"][0]
    assert nearest["cosine"] == pytest.approx(cosines.max(), abs=1e-4)
    assert nearest["row"] == int(cosines.max(axis=1).argmax())
    assert nearest["problem"] == "Toy/0"
    assert nearest["row_text"].startswith("Sort the nodes")
    assert sum(rows for *_, rows in found[0]["histogram"]) == len(ROWS)


def test_vectors_are_those_of_scikit_learn_in_every_script(tmp_path: Path) -> None:
    from scipy.sparse import vstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = "Über naïve ÉCOLE “quoted”—dashed 変数 を 増やす x_1 a B7 ñ ½ ٣٤ e\u0301tude __init__ " + "long" * 40
    texts = [(f"{words} number{number % 5}", "return tree" if number % 2 else "") for number in range(30)] + [("", " \t.")]
    others = ["naïve sort of a tree", "…"]
    found = vectors(open_rows([{"problem": one, "solution": other} for one, other in texts]), others, ("tree", "absent"))
    assert found
    expected = TfidfVectorizer().fit([f"{one} {other}" for one, other in texts] + others)
    names = found.spelled(range(len(found.columns)))
    assert set(expected.vocabulary_) - set(names.values()) == {"of", "sort"}  # no row has them, so that no row spells them
    order = [expected.vocabulary_[name] for name in names.values()]
    for got, want in (
        (vstack(list(found.batches())), expected.transform([f"{one} {other}" for one, other in texts])),
        (found.sample, expected.transform([f"{one} {other}" for one, other in texts])),
        (found.others, expected.transform(others)),
    ):
        assert got.shape[0] == want.shape[0]
        assert np.allclose(got.toarray()[:, list(names)], want.toarray()[:, order], atol=1e-6)
    assert len(found.column_of(["tree", "absent"])) == 1


def test_texts_are_counted_in_portions_as_they_are_together() -> None:
    texts = pa.array([f"word{number % 97} of text {number}" for number in range(5_000)], pa.large_string())
    frequencies = Frequencies()
    for number, found in enumerate(counted([texts.slice(0, 3_000), texts.slice(3_000)])):
        frequencies.add(found.words)
        if number % 3 == 0:
            frequencies.finish()
    frequencies.finish()
    known = dict(zip(frequencies.words.tolist(), frequencies.texts.tolist(), strict=True))
    assert [known[int(one)] for one in hashes_of(["of", "text", "word0", "word96", "4999"])] == [5_000, 5_000, 52, 51, 1]
    assert np.array_equal(frequencies.words, np.unique(frequencies.words))


def test_a_benchmark_that_cannot_be_had_is_said_to_be_missing() -> None:
    found = measure(open_rows(ROWS), ReportOptions(tuple(find(["humaneval"]))))["similarity"]
    assert found[0]["benchmark"] == "humaneval"
    assert "cannot be reached" in found[0]["not_done"]


def test_lengths_name_their_tokenizer_and_count_words_and_punctuation() -> None:
    rows = [{"problem": "Add a_b, 12!", "solution": ""}, {"problem": "one", "solution": "f(x)"}]
    found = measure(open_rows(rows))["lengths"]
    assert found["tokenizer"] == "words, numbers and punctuation marks"
    assert found["problem"]["sum"] == 5 + 1
    assert found["solution"]["max"] == 4
    assert sum(rows for *_, rows in found["problem"]["histogram"]) == 2


def test_lengths_of_ascii_and_other_texts_are_counted_alike() -> None:
    texts = ["a_b+c", "", "\t\n ", "x\x01y", "naïve — f(x)", "変数 を", "one", "two three"]
    pattern = re.compile(r"\w+|[^\w\t\n\f\r ]")
    assert list(count_words(pa.array(texts, pa.large_string()))) == [len(pattern.findall(text)) for text in texts]


def test_categories_come_from_the_words_of_a_row() -> None:
    found = measure(open_rows(ROWS))["categories"]["rows"]
    assert found["Algorithmic and Data Structure"] == 10
    assert found["Security and Cryptography"] == 10
    assert found["Database and SQL"] == 10
    assert found["Web"] == 10


def test_diversity_joins_near_duplicates_and_finds_the_topics() -> None:
    copies = [kept(number) | {"problem": " ".join(f"word{n}" for n in range(60)) + f" end{number}"} for number in range(5)]
    found = measure(open_rows([*ROWS, *copies]))["diversity"]
    assert (found["rows"], found["distinct_problems"], found["distinct_tasks"]) == (45, 45, 41)
    assert found["near_duplicate_rate"] == pytest.approx(4 / 45, abs=1e-4)
    assert sum(one["rows"] for one in found["clusters"]) == 45
    assert len(found["map"]) == 45
    assert all(0 <= x <= 1 and 0 <= y <= 1 for _, _, x, y in found["map"])


def test_the_same_rows_give_the_same_numbers(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", ROWS)
    assert json.dumps(measure(open_rows(folder))) == json.dumps(measure(open_rows(folder)))


def test_verification_counts_yield_pass_rates_and_difficulty(tmp_path: Path) -> None:
    fallen = [rejected(0, "tests_failed"), rejected(4, "tests_vacuous"), rejected(1, "duplicate")]
    folder = run_folder(tmp_path / "run", [verified(number) for number in range(40)], fallen, VERIFIED_SCHEMA)
    found = measure(open_rows(folder))["verification"]
    assert found["verified"] == 40
    assert found["execution_status"] == {"failed": 30, "passed": 10}
    assert found["difficulty"] == {"easy": 20, "medium": 10, "hard": 0, "unsolved": 10}
    assert found["pass_rate"]["mean"] == pytest.approx((1 + 0.5 + 0 + 0.8) / 4)
    assert found["mutation_score"]["histogram"][7] == [0.7, 0.8, 40]
    assert found["flaky"] == {"rows": 0, "of": 40, "reruns": 120, "bound": 3 / 120}
    assert found["by_language"]["python"] == {"passed": 10, "kept": 10, "rejected": 2}


def test_the_run_says_what_verification_made_of_the_rejected_rows_too(tmp_path: Path) -> None:
    said = {
        "funnel": {"pairs": 114, "with_tests": 4, "kept": 0},
        "languages": {"python": {"pairs": 114, "passed": 2}, ATTACK: {"pairs": ATTACK, "passed": -1}, "go": None},
        "attempts": [{"attempt": 1, "tried": 114, "pass_rate": 0.5, "solved_by_then": 0.5}, ATTACK],
        "tests": {"run": 12, "weak": 0},
        "mutation_score": {"mean": 0.9375, "rows": 2},
        "flake_bound": {"reruns": 12, "bound": 0.25},
        "sandbox": {"bubblewrap": 4},
        "toolchains": {"python": "python 3.11.7"},
    }
    found = measure(open_rows(run_folder(tmp_path / "run", ROWS, verification=said)))["verified_run"]
    assert found["funnel"] == {"pairs": 114, "with_tests": 4, "kept": 0}
    assert found["languages"]["python"] == {"pairs": 114, "passed": 2, "toolchain": "python 3.11.7"}
    assert all(one["pairs"] == one["passed"] == 0 for name, one in found["languages"].items() if name != "python")
    assert found["attempts"] == [{"attempt": 1, "tried": 114, "pass_rate": 0.5, "solved_by_then": 0.5}]
    assert (found["flake_bound"]["bound"], found["mutation_score"]["mean"]) == (0.25, 0.9375)
    for broken in ({}, {"funnel": ATTACK}, [], 7, {"funnel": {"pairs": "x"}, "attempts": 3, "tests": [], "languages": "y"}):
        found = verified_run(ReportRows("run", pds.dataset(pa.table({})), run={"verification": broken}))
        assert found is None or found["attempts"] == []


def test_judge_scores_are_averaged_by_criterion_and_by_judge(tmp_path: Path) -> None:
    rows = [judged(number) for number in range(8)] + [kept(8)]
    found = measure(open_rows(run_folder(tmp_path / "run", rows, schema=pa.schema([*SCHEMA, *JUDGING]))))["judge_scores"]
    assert (found["rows"], found["mean"]) == (8, 3.5)
    assert found["criterion"] == {"clarity": {"mean": 3.0, "scores": 16}, "use": {"mean": 4.0, "scores": 16}}
    assert {one["mean"] for one in found["judge"].values()} == {3.5}
    assert found["histogram"] == [[2.875, 3.125, 4], [3.125, 3.375, 0], [3.375, 3.625, 0], [3.625, 3.875, 0], [3.875, 4.125, 4]]
    assert measure(open_rows([kept(0) | {"judge_mean": "high", "judge_scores": 3}]))["judge_scores"] is None


def test_false_accepts_and_rejects_where_the_truth_is_known() -> None:
    rows = [verified(number) | {"correct": number % 10 != 0} for number in range(40)]
    found = measure(open_rows(rows))["verification"]["truth"]
    assert (found["wrong"], found["right"]) == (4, 36)
    assert (found["false_accept_rate"], found["false_reject_rate"], found["j"]) == (1.0, 0.0, 0.0)


def test_rows_that_nobody_ran_have_no_verification() -> None:
    assert measure(open_rows(ROWS))["verification"] is None


def test_contamination_counts_rules_and_shows_the_passage_beside_the_benchmark(tmp_path: Path) -> None:
    quoting = kept(0) | {"problem": "Please do this: Sort the nodes of a binary tree by depth. Thank you."}
    flagged = kept(1) | {"flags": ["benchmark:toy:Toy/1:name"], "contaminated_by": None}
    fallen = [
        rejected(2, "contaminated", "toy:Toy/0:quote, toy:Toy/0:words")
        | {"received": "Sort the nodes of a binary tree by depth, fast"}
    ]
    folder = run_folder(tmp_path / "run", [quoting | {"contaminated_by": ["toy:Toy/0:quote"]}, flagged], fallen)
    found = measure(open_rows(folder), ReportOptions(tuple(find([str(benchmark(tmp_path / "toy.jsonl"))]))))["contamination"]
    assert [one["benchmark"] for one in found] == ["toy"]
    assert found[0]["rules"] == {"quote": {"rejected": 1, "kept": 1}, "words": {"rejected": 1}, "name": {"kept": 1}}
    dropped, stays = found[0]["passages"]
    assert (dropped["table"], stays["table"]) == ("rejected", "kept")
    assert "Sort the nodes of a binary tree by depth" in dropped["in_row"]
    assert "Sort the nodes of a binary tree by depth" in stays["in_benchmark"]
    assert stays["words"] >= 8


def test_training_and_scores_are_found_in_the_folder_and_below(tmp_path: Path) -> None:
    for name in ("model", "eval"):
        (tmp_path / name).mkdir()
    losses = [[step, 2.0 - step / 1000] for step in range(1000)]
    (tmp_path / "model/training.json").write_text(json.dumps({"losses": losses, "scores": [{"step": 5, "score/pass@1": 0.25}]}))
    score = {"pass@1": {"mean": 0.5, "low": 0.4, "high": 0.6, "problems": 164}}
    (tmp_path / "eval/results.json").write_text(json.dumps({"task": "humaneval", "scores": {"base": score}}))
    found = measure(open_rows(tmp_path))
    assert found["trainings"][0]["losses"][-1] == [999, pytest.approx(1.001)]
    assert len(found["trainings"][0]["losses"]) <= 401
    assert found["results"] == [
        {
            "folder": "eval",
            "task": "humaneval",
            "tests": "base",
            "measure": "pass@1",
            "mean": 0.5,
            "low": 0.4,
            "high": 0.6,
            "problems": 164,
        }
    ]


def test_rows_of_others_are_recognized_by_their_columns_or_named(tmp_path: Path) -> None:
    rows = [{"instruction": f"Sort list {number}", "response": "x"} for number in range(3)]
    assert measure(open_rows(rows))["lengths"]["problem"]["max"] == 3
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps({"ask": "a b", "code": "c"}) for _ in range(3)))
    with pytest.raises(UsageError, match="Choose two with --columns: ask, code"):
        open_rows(tmp_path / "rows.jsonl")
    assert measure(open_rows(tmp_path / "rows.jsonl", ("ask", "code")))["lengths"]["problem"]["sum"] == 6


def test_empty_texts_huge_cells_and_nulls_are_measured(tmp_path: Path) -> None:
    rows = [kept(0) | {"problem": "word " * 400_000}, kept(1) | {"solution": ""}, kept(2)]
    found = measure(open_rows(run_folder(tmp_path / "run", rows)))
    assert found["lengths"]["problem"]["max"] == 400_000
    assert measure(open_rows([{"problem": None, "solution": None}]))["lengths"]["problem"]["max"] == 0
    assert measure(open_rows(run_folder(tmp_path / "none", [], [rejected(0, "empty")])))["funnel"]["kept"] == 0


def test_distinct_tasks_are_the_groups_that_near_duplicates_form() -> None:
    # Each text is the one before it with a few words changed: neighbors are near duplicates, the ends of a chain are not.
    random, problems = np.random.default_rng(0), []
    for _ in range(6):
        words = [f"w{n}" for n in random.integers(0, 10**6, 60)]
        for _ in range(int(random.integers(1, 12))):
            words[int(random.integers(0, 60))] = f"w{random.integers(0, 10**6)}"
            problems.append(" ".join(words))
    links = near_pairs(pa.chunked_array([problems]))
    group = list(range(len(problems)))
    for _ in problems:
        for one, other in links:
            group[one] = group[other] = min(group[one], group[other])
    found = measure(open_rows([kept(number) | {"problem": text} for number, text in enumerate(problems)]))["diversity"]
    assert found["distinct_tasks"] == len(set(group)) < len(problems)
