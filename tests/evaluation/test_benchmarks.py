"""The same problems out of every form of their data, and clear words for data that is something else."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.errors import EvaluationError, UsageError
from hf_oss_instruct.evaluation.benchmarks import load, multipl_e
from hf_oss_instruct.evaluation.benchmarks.test_program import arguments_in, calls_of
from tests.support.hub import LocalHub
from tests.support.warm import BASE, COMMAND

from . import toys
from .real import DATA, real_data

PROGRAM = """
import numpy as np
def assertion(out, exp, atol):
    assert out == exp

inputs = [[1, 2], [inf, -1], [(1, 2), {'a': {3}}], [set()]]
results = [3, nan, None, (True,)]
for i, (inp, exp) in enumerate(zip(inputs, results)):
    assertion(add(*inp), exp, 1e-06)
"""


def hub_form(row: dict[str, Any]) -> dict[str, Any]:
    """A row as evalplus' sets on the Hub have it: inputs and right answers inside a program."""
    names: dict[str, Any] = {}
    exec(row["prompt"] + row["canonical_solution"], names)
    inputs = row["base_input"] + row["plus_input"]
    results = [names[row["entry_point"]](*given) for given in inputs]
    lines = [
        "def check(candidate):",
        f"inputs = {inputs!r}",
        f"results = {results!r}",
        f"assertion(candidate(*inp), exp, {row['atol']})",
    ]
    test = "\n    ".join(lines)
    return {name: row[name] for name in ("task_id", "prompt", "canonical_solution", "entry_point")} | {"test": test}


@real_data
@pytest.mark.parametrize(
    ("task", "problems", "calls", "version"),
    [
        ("humaneval", 164, 0, "HumanEval (openai/human-eval)"),
        ("humaneval_plus", 164, 124253, "HumanEval+ v0.1.10"),
        ("mbpp_plus", 378, 41015, "MBPP+ v0.2.0"),
        ("multipl_e:java", 158, 0, "sha256:"),
        ("multipl_e:JavaScript", 161, 0, "sha256:"),
        ("multipl_e:go", 154, 0, "sha256:"),
    ],
)
def test_the_real_sets_are_read_with_their_version(task: str, problems: int, calls: int, version: str) -> None:
    benchmark = load(task, DATA)
    assert len(benchmark.problems) == problems
    assert sum(len(problem.calls.inputs) for problem in benchmark.problems.values() if problem.calls) == calls
    assert benchmark.version.startswith(version)


@real_data
def test_every_multipl_e_set_names_the_function_that_its_prompt_opens() -> None:
    for key in multipl_e.KEYS:
        problems = load(f"multipl_e:{key}", DATA / "multipl-e" / f"humaneval-{key}.jsonl").problems
        assert len(problems) > 150, key
        for problem in problems.values():
            assert problem.entry_point in problem.prompt, (key, problem.task_id)
            assert problem.tests
            assert problem.stop_tokens


def test_a_test_program_is_read_and_not_run() -> None:
    calls = calls_of(PROGRAM, [[1, 2]], "equal")
    assert calls.inputs == [[1, 2], [float("inf"), -1], [(1, 2), {"a": {3}}], [set()]]
    assert calls.expected is not None
    assert calls.expected[0] == 3
    assert calls.expected[1] != calls.expected[1]
    assert (calls.base, calls.tolerance) == (1, 1e-6)
    assert calls_of(PROGRAM, [[9, 9]], "equal").base is None  # the base inputs are not those that it begins with
    with pytest.raises(EvaluationError, match="assigns no `inputs`"):
        calls_of("import os; os._exit(0)", None, "equal")
    with pytest.raises(ValueError, match="malformed"):
        calls_of("inputs = [[__import__('os').getcwd()]]", None, "equal")


def test_assertions_give_the_arguments_of_their_calls() -> None:
    assert arguments_in(["assert add(1, (2,)) == 3", "assert not add([], -1)"], "add") == [[1, (2,)], [[], -1]]
    assert arguments_in(["assert add(open('x')) == 3"], "add") is None


def test_mbpp_plus_is_the_same_in_both_forms(tmp_path: Path) -> None:
    code = "def first(pair):\n    return pair[0]\n"
    hub = {
        "task_id": 750,
        "code": code,
        "prompt": "Write a function.",
        "test_list": ["assert first([5, (1, 2)]) == 5"],
        "test": "inputs = [[[5, (1, 2)]], [[6, (3,)]]]\nresults = [5, 6]\nfor i in 1:\n    pass\n".replace(
            "for i in 1:\n    pass\n", ""
        ),
    }
    pq.write_table(pa.Table.from_pylist([hub]), tmp_path / "test-0.parquet")
    from_hub = load("mbpp_plus", tmp_path / "test-0.parquet").problems["Mbpp/750"]
    assert from_hub.calls is not None
    assert (from_hub.entry_point, from_hub.calls.base) == ("first", 1)
    file = {
        "task_id": "Mbpp/106",
        "prompt": '"""\nWrite.\n"""\n',
        "entry_point": "add_lists",
        "canonical_solution": "\ndef add_lists(a, b):\n    return b + tuple(a)\n",
        "base_input": [[[5, 6], [9, 10]]],
        "plus_input": [[[], []]],
        "atol": 0,
    }
    toys.write_lines(tmp_path / "MbppPlus.jsonl", [file])
    from_file = load("mbpp_plus", tmp_path).problems["Mbpp/106"]
    assert from_file.calls is not None
    assert from_file.calls.inputs == [[[5, 6], (9, 10)], [[], ()]]  # the tuple that JSON lost


def test_mbpp_reads_the_test_split_and_finds_the_function_that_is_asked_for(tmp_path: Path) -> None:
    row = {
        "task_id": 11,
        "text": "Add.",
        "code": "import math\r\ndef helper(x):\r\n    return x\r\ndef add(a, b):\r\n    return helper(a) + b",
        "test_list": ["assert math.isclose(add(1, 2), 3)"],
        "test_setup_code": "import math",
    }
    toys.write_lines(tmp_path / "mbpp.jsonl", [row, row | {"task_id": 5}])
    problems = load("mbpp", tmp_path).problems
    assert list(problems) == ["Mbpp/11"]
    assert problems["Mbpp/11"].entry_point == "add"
    assert problems["Mbpp/11"].prompt == '"""\nAdd.\nassert math.isclose(add(1, 2), 3)\n"""\n'


@pytest.mark.parametrize(
    ("task", "says"),
    [
        ("humanevil", "Unknown task 'humanevil'"),
        ("multipl_e", "Write multipl_e:java"),
        ("multipl_e:klingon", "language 'klingon'"),
        ("multipl_e:kotlin", "language 'kotlin'"),
        ("mbpp_plus", "contains no MbppPlus"),
    ],
)
def test_what_there_is_not_is_said_with_what_there_is(task: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        load(task, tmp_path)


def test_other_data_and_broken_files_are_clear_errors(tmp_path: Path) -> None:
    (tmp_path / "HumanEvalPlus.jsonl").write_text('{"question": "?"}\n')
    with pytest.raises(EvaluationError, match="no column task_id, only question"):
        load("humaneval_plus", tmp_path)
    (tmp_path / "HumanEvalPlus.jsonl").write_text('{"task_id": ')
    with pytest.raises(EvaluationError, match="cannot be read"):
        load("humaneval_plus", tmp_path)
    (tmp_path / "HumanEvalPlus.jsonl").unlink()
    (tmp_path / "HumanEvalPlus.jsonl.gz").write_bytes(gzip.compress(b"x" * 999)[:20])
    with pytest.raises(EvaluationError, match="Download it again"):
        load("humaneval_plus", tmp_path)


def test_two_files_of_one_name_are_not_guessed_between(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        toys.plus(tmp_path / folder)
    with pytest.raises(UsageError, match="contains 2 files"):
        load("humaneval_plus", tmp_path)
    assert load("humaneval_plus", tmp_path / "a").version.startswith("sha256:")


def test_the_hub_form_scores_as_the_file_does_and_names_its_commit(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([hub_form(row) for row in toys.PLUS])
    pq.write_table(table, tmp_path / "set.parquet")
    samples = toys.write_lines(tmp_path / "samples.jsonl", toys.canonical())
    with LocalHub() as hub:
        commit = hub.put("evalplus/humanevalplus", "data/test-00000-of-00001.parquet", (tmp_path / "set.parquet").read_bytes())
        environment = os.environ | hub.environment(tmp_path / "home")
        words = [COMMAND, "score", "--task", "humaneval_plus", "--revision", commit, "--format", "json", samples]
        done = BASE.run(words, env=environment)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        pinned = BASE.run([*words[:4], samples], env=environment)
    assert found["version"] == f"evalplus/humanevalplus@{commit}"
    assert found["scores"]["plus"]["pass@1"]["mean"] == 1.0
    assert "base" not in found["scores"]  # which inputs are the base benchmark's, this form does not say
    assert pinned.returncode == 1  # the pinned commit is not on this Hub
    assert "Pass local files with --data" in pinned.stderr
