"""Samples as people have them: good ones are numbered, bad ones are named with their line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.samples import checked, read_samples

from . import toys


def test_lines_of_one_problem_are_its_samples_in_order(tmp_path: Path) -> None:
    lines = [{"task_id": "A/1", "completion": "x"}, {"task_id": "A/2", "solution": "y"}, {"task_id": "A/1", "answer": "z"}]
    found = read_samples(toys.write_lines(tmp_path / "s.jsonl", lines))
    assert [(one.task_id, one.number, one.text, one.kind) for one in found] == [
        ("A/1", 0, "x", "completion"),
        ("A/2", 0, "y", "solution"),
        ("A/1", 1, "z", "answer"),
    ]


def test_multipl_e_folders_give_completions_or_whole_programs(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "one.json.gz", "wt") as file:
        json.dump({"name": "HumanEval_1_x", "completions": ["a", "b"]}, file)
    (tmp_path / "two.results.json").write_text(
        json.dumps({"name": "HumanEval_2_y", "results": [{"program": "p", "status": "OK"}]})
    )
    found = read_samples(tmp_path)
    assert [(one.task_id, one.number, one.kind) for one in found] == [
        ("HumanEval_1_x", 0, "completion"),
        ("HumanEval_1_x", 1, "completion"),
        ("HumanEval_2_y", 0, "program"),
    ]


def test_lightevals_details_give_every_sample_of_a_document(tmp_path: Path) -> None:
    row = {"doc": {"specific": {"task_id": "A/1"}}, "model_response": {"text": ["a", "b"]}}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "details.parquet")
    assert [(one.number, one.text) for one in read_samples(tmp_path / "details.parquet")] == [(0, "a"), (1, "b")]
    pq.write_table(pa.Table.from_pylist([{"doc": {"query": "?"}, "model_response": {"text": ["a"]}}]), tmp_path / "other.parquet")
    with pytest.raises(EvaluationError, match=r"other\.parquet, row 1 has no task_id"):
        read_samples(tmp_path / "other.parquet")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "contains no samples"),
        ("\n\n", "contains no samples"),
        ('{"task_id": "A/1", "completion": "x"}\n{"task_id": ', "line 2 is not JSON"),
        ("[1]\n", "line 1 is not a JSON object but list"),
        ('{"completion": "x"}\n', "line 1 has no task_id"),
        ('{"task_id": "A/1", "text": "x"}\n', "line 1 has none of solution"),
        ('{"task_id": "A/1", "completion": 5}\n', "line 1 has 5 as completion, which is not a string"),
        ('{"task_id": "A/1", "sample": 0, "solution": "x"}\n' * 2, "line 2 holds sample 0 of 'A/1', which occurs twice"),
    ],
)
def test_bad_files_are_named_with_their_line(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_text(content)
    with pytest.raises(EvaluationError, match=says):
        read_samples(path)


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No sample file found"):
        read_samples(tmp_path / "none.jsonl")


def test_missing_problems_are_an_error_or_are_listed_and_unknown_ones_are_always_an_error(tmp_path: Path) -> None:
    benchmark = toys.plus(tmp_path)
    lines: list[dict[str, Any]] = [{"task_id": "HumanEval/901", "completion": "x"}]
    some = read_samples(toys.write_lines(tmp_path / "s.jsonl", lines))
    with pytest.raises(EvaluationError, match=r"2 of 3 problems have no sample, such as 'HumanEval/900'.*--allow-missing"):
        checked(some, benchmark)
    assert checked(some, benchmark, allow_missing=True)[1] == ["HumanEval/900", "HumanEval/902"]
    wrong = read_samples(toys.write_lines(tmp_path / "w.jsonl", [*lines, {"task_id": "Mbpp/1", "completion": "x"}]))
    with pytest.raises(EvaluationError, match=r"not in humaneval_plus .*such as 'Mbpp/1'.*'HumanEval/900'"):
        checked(wrong, benchmark, allow_missing=True)


def test_a_null_is_an_empty_answer_and_ids_of_other_tools_are_understood(tmp_path: Path) -> None:
    benchmark = toys.plus(tmp_path)
    lines: list[dict[str, Any]] = [
        {"task_id": "HumanEval/900", "answer": None},
        {"task_id": 900, "completion": "a"},
        {"task_id": "901", "completion": "b"},
        {"task_id": "HumanEval_902_evens", "completion": "c"},
        {"task_id": "humaneval/902", "completion": "d"},
    ]
    found, missing = checked(read_samples(toys.write_lines(tmp_path / "s.jsonl", lines)), benchmark)
    assert missing == []
    assert [(one.task_id, one.number, one.text) for one in found] == [
        ("HumanEval/900", 0, ""),
        ("HumanEval/900", 1, "a"),
        ("HumanEval/901", 0, "b"),
        ("HumanEval/902", 0, "c"),
        ("HumanEval/902", 1, "d"),
    ]
    for odd in (5, "Mbpp/900", "x"):
        wrong = read_samples(toys.write_lines(tmp_path / "w.jsonl", [{"task_id": odd, "completion": "x"}]))
        with pytest.raises(EvaluationError, match="not in humaneval_plus"):
            checked(wrong, benchmark, allow_missing=True)


def test_a_bare_new_line_inside_a_text_is_read_and_a_torn_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text('{"task_id": "A/1", "completion": "a\nb\n"}\n{"task_id": "A/2", "completion": "c"}\n')
    assert [(one.task_id, one.text) for one in read_samples(tmp_path / "s.jsonl")] == [("A/1", "a\nb\n"), ("A/2", "c")]
    (tmp_path / "t.jsonl").write_text('{"task_id": "A/1", "completion": "a\n{"task_id": "A/2", "completion": "c"}\n')
    with pytest.raises(EvaluationError, match="line 1 is not JSON"):
        read_samples(tmp_path / "t.jsonl")


def test_evalplus_folders_hold_a_program_in_each_file(tmp_path: Path) -> None:
    benchmark = toys.plus(tmp_path / "data")
    for name, text in (("HumanEval_900/0.py", "a"), ("HumanEval_900/1.py", "b"), ("HumanEval_901/0.py", "c")):
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text(text)
    found, _ = checked(read_samples(tmp_path / "out"), benchmark, allow_missing=True)
    assert [(one.task_id, one.number, one.text, one.kind) for one in found] == [
        ("HumanEval/900", 0, "a", "solution"),
        ("HumanEval/900", 1, "b", "solution"),
        ("HumanEval/901", 0, "c", "solution"),
    ]
