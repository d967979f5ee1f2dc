"""The metric in place of `code_eval`: the same call, the same results, but in the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

import hf_oss_instruct
from hf_oss_instruct.errors import UsageError
from tests.support.extras import needs

needs("evaluate")
ADD = "def add(a, b):\n    return a + b\n"
SUBTRACT = "def add(a, b):\n    return a - b\n"
TEST = "assert add(2, 3) == 5"


@pytest.fixture
def metric(tmp_path: Path) -> Any:
    import evaluate

    return evaluate.load(hf_oss_instruct.metric_path(), cache_dir=str(tmp_path))


def test_the_call_and_the_results_are_those_of_code_eval(metric: Any) -> None:
    pass_at_k, results = metric.compute(references=[TEST], predictions=[[SUBTRACT, ADD]], k=[1, 2])
    assert pass_at_k == {"pass@1": 0.5, "pass@2": 1.0}
    wrong, right = (row for _, row in results[0])
    assert [number for number, _ in results[0]] == [0, 1]
    assert wrong.pop("result").startswith("failed: AssertionError")
    assert wrong == {"task_id": 0, "passed": False, "completion_id": 0, "graded": "outside"}
    assert right == {"task_id": 0, "passed": True, "result": "passed", "completion_id": 1, "graded": "outside"}


def test_k_beyond_the_candidates_is_left_out_as_there(metric: Any) -> None:
    assert metric.compute(references=[TEST, TEST], predictions=[[ADD, ADD], [SUBTRACT]])[0] == {"pass@1": 0.5}
    assert metric.compute(references=[TEST], predictions=[[ADD]], k=1)[0] == {"pass@1": 1.0}


@pytest.mark.parametrize(("program", "result"), [
    ("import os\nos._exit(0)", "failed: it ended before its last test"),
    ("raise SystemExit", "failed: it ended before its last test"),
    ("while True:\n    pass", "timed out"),
    ("def add(a, b:", "failed: SyntaxError"),
    ("", "failed: empty_answer"),
    ("import socket\nsocket.create_connection(('127.0.0.1', 9))\n" + ADD, "failed: "),
    ("open('/etc/hf-oss-instruct', 'w')\n" + ADD, "failed: "),
])  # fmt: skip
def test_what_does_not_reach_the_end_of_its_tests_has_failed(metric: Any, program: str, result: str) -> None:
    pass_at_k, results = metric.compute(references=[TEST], predictions=[[program]], k=[1], timeout=1.0, num_workers=1)
    assert pass_at_k == {"pass@1": 0.0}
    assert results[0][0][1]["result"].startswith(result)


def test_lists_of_different_lengths_are_wrong_usage() -> None:
    from hf_oss_instruct.evaluation.integrations.metric import code_eval

    with pytest.raises(UsageError, match="1 lists of candidates and 2 tests"):
        code_eval([[ADD]], [TEST, TEST])


def test_the_example_in_the_documentation_runs() -> None:
    root = Path(__file__).parents[3]
    examples = list(Sybil(parsers=[PythonCodeBlockParser()], path=str(root)).parse(root / "docs" / "evaluation.md").examples())
    for example in examples:
        example.evaluate()
    assert examples
