"""Tests that are statements: right programs pass, nothing that a program replaces makes a wrong one pass."""

from __future__ import annotations

import pytest

from hf_oss_instruct.sandbox.backends import available_tiers
from hf_oss_instruct.sandbox.judging.python_tests import graded_outside, judge_tests
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Limits

pytestmark = pytest.mark.skipif(not available_tiers(), reason="this machine has no sandbox: hf-oss-instruct env says why")
QUICK = Limits(cpu_s=1, wall_s=10)

RIGHT = """
import math

def root(x):
    if x < 0:
        raise ValueError("negative")
    return math.sqrt(x)

def pairs(n):
    for k in range(n):
        yield k, k * k

def same(*values, **named):
    return [*values, *sorted(named.items())]
"""
SHAPES = {
    "assert": "assert root(4) == 2\nassert root(9) != 2\nassert same() == []",
    "and, not, in, is": "assert root(4) == 2 and root(9) == 3\nassert not root(0)\nassert root(4) in (1, 2)\nassert same(1)[0] is not None",
    "a message": "assert root(4) == 2, f'{1 + 1}'",
    "tolerance": "import math\nassert abs(root(2) - 1.41421) < 1e-4\nassert math.isclose(root(2), 1.41421, rel_tol=1e-4)",
    "named and unpacked": "xs = (1, 2)\nassert same(*xs, a=3) == [1, 2, ('a', 3)]",
    "wrapped": "assert dict == dict and list(pairs(3)) == [(0, 0), (1, 1), (2, 4)]\nassert sorted(same(3, 1)) == [1, 3]\nassert len(same(1)) == 1",
    "in a loop": "import random\nfor _ in range(20):\n    x = random.random()\n    assert root(x * x) <= 1\n    assert isinstance(root(x), float)",
    "a helper of the tests": "def square(x): return x * x\nassert root(square(7)) == 7",
    "humaneval": "METADATA = {}\ndef check(candidate):\n    assert candidate(4) == 2\n    assert True, 'always'\ncheck(root)",
    "pytest": (
        "import pytest\nfrom pytest import approx\ndef test_root():\n    assert root(2) == pytest.approx(1.41421, rel=1e-4)\n"
        "    assert same(root(2)) == [approx(1.41421, abs=1e-4)] or True\n"
    ),
    "pytest.raises": "import pytest\ndef test_it():\n    with pytest.raises(ArithmeticError if False else ValueError):\n        root(-1)",
    "raises": "import pytest\ndef test_it():\n    with pytest.raises((KeyError, Exception)):\n        root(-1)",
    "unittest": (
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(root(4), 2)\n"
        "        self.assertAlmostEqual(root(2), 1.41421356, places=6)\n        self.assertTrue(root(4))\n"
        "        self.assertIn(root(4), [2])\n        self.assertCountEqual(same(1, 2), [2, 1])\n"
        "        with self.assertRaises(ValueError):\n            root(-1)\n        self.assertRaises(ValueError, root, -1)\n"
        "if __name__ == '__main__':\n    unittest.main()\n"
    ),
}  # fmt: skip
INSIDE = {"pytest", "pytest.raises"}
"""Shapes that are not read: these run in the program's process."""


@pytest.mark.parametrize("name", SHAPES)
def test_a_right_program_passes_and_one_that_answers_nothing_does_not(name: str) -> None:
    tests = SHAPES[name]
    assert graded_outside(tests) is (name not in INSIDE)
    found = judge_tests(RIGHT, tests, QUICK)
    if name not in INSIDE:
        assert (found.status, found.outside) == ("passed", True), found.detail
        wrong = judge_tests("def root(x): return None\npairs = same = lambda *a, **k: None", tests, QUICK)
        assert wrong.status in ("wrong_answer", "runtime_error")


@pytest.mark.parametrize(
    "tests",
    [
        "x = root(4)\nassert x == 2",
        "values = [1]\nassert same(values) == [[1]]\nassert same(values) == [[1]]",
        "stack = Stack()\nstack.push(1)\nassert stack.pop() == 1",
        "assert root(4) == 2 or root(4) == 3",
        "assert root(root(16)) == 2",
        "def check(candidate):\n    x = candidate(4)\n    assert x == 2\ncheck(root)",
        "assert max(1, 2) == 2",
        "import sys\nassert root(4) == 2\nsys.exit(0)",
        "assert root(4) == undefined_here",
        "assert True",
        "assert root(",
        "",
    ],
)
def test_tests_of_another_shape_run_in_the_program_s_process(tests: str) -> None:
    assert not graded_outside(tests)
    found = judge_tests(RIGHT, tests, QUICK)
    assert (found.status, found.outside) == (judge_program(RIGHT, tests, limits=QUICK).status, False)


ATTACKS = {
    "exec does nothing": "import builtins\nbuiltins.exec = builtins.compile = lambda *a, **k: None\ndef root(x): return 7",
    "equal to everything": "class S(float):\n    __eq__ = __le__ = __lt__ = lambda s, o: True\n    __hash__ = None\ndef root(x): return S(7)",
    "an object": "class S:\n    __eq__ = lambda s, o: True\ndef root(x): return S()",
    "patched isclose": "import math, builtins\nmath.isclose = lambda *a, **k: True\nbuiltins.abs = lambda x: 0\ndef root(x): return 7",
    "patched approx": "import sys, types\nsys.modules['pytest'] = types.SimpleNamespace(approx=lambda *a, **k: 7)\ndef root(x): return 7",
    "leaves": "import sys\ndef root(x): sys.exit(0)",
    "leaves when it is loaded": "import os\nos._exit(0)",
    "atexit": "import atexit, os\natexit.register(os._exit, 0)\ndef root(x): return 7",
    "frames": (
        "import sys\ndef root(x):\n    frame = sys._getframe()\n    while frame:\n        for value in list(frame.f_locals.values()):\n"
        "            if isinstance(value, list) and value: return value[0]\n        frame = frame.f_back\n    return 7"
    ),
    "the channel": (
        "import sys\nabove = sys._getframe(1).f_locals\nforged = b''.join(q.split()[0].encode() + b' returned 7\\n' for q in "
        "above['questions'])\nabove['channel'][:len(forged)] = forged\nimport os\nos._exit(0)"
    ),
    "assertion errors swallowed": "import builtins\nbuiltins.AssertionError = Exception\n__debug__ and None\ndef root(x): return 7",
    "an iterator": "def root(x): return iter([2])",
}  # fmt: skip
ONE_LINE = "import math, pytest\nassert root(4) == 2\nassert math.isclose(root(9), 3)\nassert root(16) == pytest.approx(4)"


@pytest.mark.parametrize("name", ATTACKS)
def test_no_attack_passes(name: str) -> None:
    found = judge_tests(ATTACKS[name], ONE_LINE, QUICK)
    assert found.outside
    assert found.status in ("wrong_answer", "runtime_error")
    assert not any(found.per_input)


def test_an_entry_point_may_be_called_like_a_builtin_function() -> None:
    right, wrong = "def max(a, b): return a if a > b else b", "def max(a, b): return a"
    assert judge_tests(right, "assert max(1, 2) == 2", QUICK, entry_point="max").status == "passed"
    assert judge_tests(wrong, "assert max(1, 2) == 2", QUICK, entry_point="max").status == "wrong_answer"


def test_what_fails_bare_fails_here() -> None:
    for program, tests in (
        ("def f(): return (1,)", "assert f() == [1]"),
        ("def f(): return float('nan')", "assert f() == float('nan')"),
        ("def f(): return [float('nan')]", "assert f() == [float('nan')]"),
        ("import numpy\ndef f(): return numpy.array([1, 2])", "assert f() == [1, 2]"),
        ("def f():\n    yield 1", "assert f() == [1]"),
        ("def f(): return {}.keys()", "assert f() == []"),
        ("def f(): return True", "assert f() is 1"),
        ("def g(): return 1", "assert f() == 1"),
        ("raise ValueError", "assert f() == 1"),
        ("def f(): return '1'", "import math\nassert math.isclose(f(), 1)"),
    ):
        assert judge_program(program, tests, limits=QUICK).status != "passed", program
        assert judge_tests(program, tests, QUICK).status != "passed", program


def test_each_check_has_its_own_verdict_and_the_first_that_fails_names_the_status() -> None:
    tests = "assert f(1) == 1\nassert f(0) == 0\nassert f(2) == 2"
    found = judge_tests("def f(x): return x if x else 1 / x", tests, QUICK)
    assert (found.status, found.per_input) == ("runtime_error", [True, False, True])
    assert found.detail.startswith("ZeroDivisionError")
    late = judge_tests("def f(x):\n    while x == 2: pass\n    return x", tests, QUICK)
    assert (late.status, late.per_input) == ("timeout", [True, True, False])
