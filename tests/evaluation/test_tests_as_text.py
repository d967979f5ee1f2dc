"""Python tests that are statements (HumanEval's `check`, MBPP's assertions, the metric): what passes and what does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.integrations.metric import code_eval
from hf_oss_instruct.evaluation.problems import Benchmark
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import score

HALF = "def half(x):\n    return x / 2\n"
GUARD = "\n\nif __name__ == '__main__':\n    "
RIGHT = {
    "alone": HALF,
    "asks for input": f"{HALF}{GUARD}print(half(float(input('number: '))))\n",
    "has tests of its own": (
        f"import unittest\n{HALF}\nclass Own(unittest.TestCase):\n    def test(self):\n        self.assertEqual(half(2), 1)\n"
        f"{GUARD}unittest.main()\n"
    ),
    "leaves": f"import sys\n{HALF}{GUARD}sys.exit(half(2))\n",
    "reads its command line": f"import argparse\n{HALF}{GUARD}argparse.ArgumentParser().parse_args(['x'])\n",
    "never ends": f"{HALF}{GUARD}while True: pass\n",
    "is checked in a guard of two sides": f"{HALF}\nif '__main__' == __name__ and half(4) == 2:\n    raise SystemExit\n",
    "gives a Fraction": "from fractions import Fraction\ndef half(x):\n    return Fraction(x) / 2\n",
    "gives a Decimal that is equal": "from decimal import Decimal\ndef half(x):\n    return Decimal(x) / 2\n",
    "gives a number of numpy": "import numpy\ndef half(x):\n    return numpy.float64(x) / 2\n",
    "uses itself as a module": f"import sys\n{HALF}\nassert sys.modules[__name__].half(2) == 1\n",
}
WRONG = {
    "wrong": ("def half(x):\n    return x\n", "wrong_answer"),
    "equal to everything": (
        "class Same(float):\n    def __eq__(self, other): return True\n    __hash__ = None\ndef half(x):\n    return Same(x)\n",
        "wrong_answer",
    ),
    "an object": ("class Same:\n    def __eq__(self, other): return True\ndef half(x):\n    return Same()\n", "wrong_answer"),
    "takes the copying over": (
        "import inside.values as v\nclass Same:\n    def __eq__(self, other): return True\n"
        "v.loads = v._decoded = lambda *a: Same()\ndef half(x):\n    return x\n",
        "runtime_error",
    ),
    "leaves outside of a guard": (f"import sys\n{HALF}\nsys.exit(0)\n", "runtime_error"),
}


@pytest.fixture
def humaneval(tmp_path: Path) -> Benchmark:
    row = {
        "task_id": "HumanEval/900",
        "prompt": 'def half(x):\n    """Half of a number."""\n',
        "entry_point": "half",
        "canonical_solution": "    return x / 2\n",
        "test": "def check(candidate):\n    assert candidate(2) == 1\n    assert candidate(5) == 2.5\n",
    }
    (tmp_path / "HumanEval.jsonl").write_text(json.dumps(row) + "\n")
    return load("humaneval", tmp_path)


@pytest.fixture
def mbpp(tmp_path: Path) -> Benchmark:
    tests = ["assert half(2) == 1", "assert half(5) == 2.5"]
    row = {"task_id": 11, "text": "Write a function that halves.", "code": HALF, "test_list": tests}
    (tmp_path / "mbpp.jsonl").write_text(json.dumps(row) + "\n")
    return load("mbpp", tmp_path)


@pytest.mark.parametrize("task", ["humaneval", "mbpp"])
def test_right_programs_pass_whatever_they_do_when_they_are_run(task: str, request: pytest.FixtureRequest) -> None:
    benchmark: Benchmark = request.getfixturevalue(task)
    (task_id,) = benchmark.problems
    verdicts = score(benchmark, [Sample(task_id, number, text, "solution") for number, text in enumerate(RIGHT.values())])
    assert {name: (one.status, one.stderr) for name, one in zip(RIGHT, verdicts, strict=True) if not one.passed} == {}


def test_wrong_programs_do_not(humaneval: Benchmark) -> None:
    texts = [text for text, _ in WRONG.values()]
    verdicts = score(humaneval, [Sample("HumanEval/900", number, text, "solution") for number, text in enumerate(texts)])
    found = {name: one.status for name, one in zip(WRONG, verdicts, strict=True)}
    assert found == {name: status for name, (_, status) in WRONG.items()}


def test_the_metric_runs_no_guard_of_the_program_and_every_line_of_the_tests() -> None:
    tests = f"assert half(2) == 1{GUARD}assert half(4) == 2"
    scores, found = code_eval([[*RIGHT.values(), "def half(x):\n    return 1\n"]], [tests], 1, 2)
    assert [row["passed"] for _, row in found[0]] == [True] * len(RIGHT) + [False]
    assert scores == {"pass@1": pytest.approx(len(RIGHT) / (len(RIGHT) + 1))}
