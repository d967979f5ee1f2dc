from __future__ import annotations

from dataclasses import replace

from hf_oss_instruct.verification.matrix import build_matrix
from hf_oss_instruct.verification.memo import Verdicts
from hf_oss_instruct.verification.rows import VerificationOptions
from hf_oss_instruct.verification.runs import LIMITS

RIGHT = "def double(x):\n    return 2 * x\n"
TESTS = """
from solution import double

def test_two():
    assert double(2) == 4

def test_three():
    assert double(3) == 6

def test_state():
    seen = []
    seen.append(double(4))
    assert seen[0] == 8
"""
SOLUTIONS = {
    "right": (RIGHT, "passed", "111"),
    "wrong": ("def double(x):\n    return x + 2\n", "failed", "100"),
    "raises": ("def double(x):\n    raise ValueError(x)\n", "failed", "000"),
    "does not parse": ("def double(x:\n", "load_error", "000"),
    "is not there": ("def triple(x):\n    return 3 * x\n", "load_error|failed", "000"),
    "leaves": ("import os\n\ndef double(x):\n    if x == 3:\n        os._exit(0)\n    return 2 * x\n", "failed", "101"),
    "hangs": ("def double(x):\n    while x == 3:\n        pass\n    return 2 * x\n", "failed|timeout", "101"),
    "an object": (
        "class Any:\n    def __eq__(self, other):\n        return True\n\ndef double(x):\n    return Any()\n",
        "failed",
        "000",
    ),
    "writes to its output": ("import os\nos.write(1, b'0 returned 4')\n\ndef double(x):\n    return 0\n", "failed", "000"),
    "empty": ("", "empty", "000"),
}


def test_solutions_that_share_a_sandbox_get_the_results_of_each() -> None:
    verdicts, options = Verdicts(), VerificationOptions(limits=replace(LIMITS, cpu_s=2.0))
    programs = [program for program, _, _ in SOLUTIONS.values()]
    matrix = build_matrix([*programs, RIGHT], TESTS, "python", options, verdicts)
    results = ["".join("01"[one] for one in row) for row in matrix.passed]
    assert dict(zip(SOLUTIONS, results, strict=False)) == {name: expected for name, (_, _, expected) in SOLUTIONS.items()}
    for solution, (_, status, _) in zip(matrix.solutions, SOLUTIONS.values(), strict=False):
        assert solution.status in status.split("|"), solution
    assert results[-1] == "111"
    assert verdicts.made == len(SOLUTIONS)
    assert build_matrix(programs, TESTS, "python", options, verdicts).solutions == matrix.solutions[:-1]
    assert verdicts.made == len(SOLUTIONS)
