from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = '''
def clamp(x, low=0, high=10):
    """The value within bounds."""
    if low > high:
        raise ValueError("low > high")
    if x < low:
        return low
    if x > high:
        return high
    return x
'''
STACK = """
class Stack:
    def __init__(self, items=()):
        self.items = list(items)

    def push(self, item):
        self.items.append(item)
        return self

    def pop(self):
        if not self.items:
            raise IndexError("empty")
        return self.items.pop()

    def __len__(self):
        return len(self.items)

    def __eq__(self, other):
        return isinstance(other, Stack) and self.items == other.items
"""
WORDS = """
from collections import Counter
from typing import Dict

def count_words(text: str) -> Dict[str, int]:
    return dict(Counter(text.lower().split()))
"""
STRONG = "assert clamp(5) == 5\nassert clamp(-1) == 0 and clamp(0, 1) == 1\nassert clamp(11) == 10\nassert clamp(10, 0, 9) == 9\n"
RIGHT = {
    "bare asserts": (CLAMP, STRONG),
    "pytest, raises and parametrize": (
        CLAMP,
        """
import pytest
from solution import clamp

@pytest.fixture
def bounds():
    return (2, 4)

@pytest.mark.parametrize("given, expected", [(1, 1), (11, 10), (-1, 0)])
def test_clamp(given, expected):
    assert clamp(given) == expected

def test_bounds(bounds):
    assert clamp(9, *bounds) == 4

def test_error():
    with pytest.raises(ValueError, match="low"):
        clamp(1, 3, 2)

def test_near():
    assert clamp(0.1 + 0.2) == pytest.approx(0.3)
""",
    ),
    "unittest with a main guard": (
        CLAMP,
        """
import unittest
from your_module import clamp

class TestClamp(unittest.TestCase):
    def setUp(self):
        self.high = 7

    def test_inside(self):
        self.assertEqual(clamp(3), 3)

    def test_high(self):
        self.assertEqual(clamp(9, high=self.high), 7)

    def test_low(self):
        self.assertEqual(clamp(-9), 0)

    def test_error(self):
        with self.assertRaises(ValueError):
            clamp(1, 3, 2)

if __name__ == "__main__":
    unittest.main()
""",
    ),
    "a function that main calls": (
        CLAMP,
        "def run_tests():\n    assert clamp(5) == 5\n    assert clamp(50) == 10\n    assert clamp(-5) == 0\n    print('ok')\n\n"
        'if __name__ == "__main__":\n    run_tests()\n',
    ),
    "objects that are compared": (
        STACK,
        """
from stack import Stack
import pytest

def test_push():
    assert Stack().push(1) == Stack([1])

def test_pop():
    stack = Stack([1, 2])
    assert stack.pop() == 2
    assert len(stack) == 1

def test_empty():
    with pytest.raises(IndexError):
        Stack().pop()
""",
    ),
    "a script with state": (
        STACK,
        "stack = Stack()\nstack.push('a')\nassert len(stack) == 1\nstack.push('b')\nassert stack.pop() == 'b'\n"
        "try:\n    Stack().pop()\n    assert False\nexcept IndexError:\n    pass\n",
    ),
    "a class as pytest has it": (
        WORDS,
        "import solution\n\nclass TestWords:\n    def setup_method(self):\n        self.text = 'a B a'\n\n"
        "    def test_counts(self):\n        assert solution.count_words(self.text) == {'a': 2, 'b': 1}\n\n"
        "    def test_empty(self):\n        assert solution.count_words('') == {}\n",
    ),
    "output that is looked at": (
        "def greet(name):\n    print(f'Hello, {name}!')\n",
        "from solution import greet\n\ndef test_greet(capsys):\n    greet('Ada')\n    assert capsys.readouterr().out == 'Hello, Ada!\\n'\n",
    ),
    "HumanEval's check": (
        CLAMP,
        "def check(candidate):\n    assert candidate(5) == 5\n    assert candidate(-5) == 0\n    assert candidate(50) == 10\n\ncheck(clamp)\n",
    ),
    "a generator": (
        "def evens(n):\n    for i in range(n):\n        if i % 2 == 0:\n            yield i\n",
        "def test_evens():\n    assert list(evens(5)) == [0, 2, 4]\n    assert list(evens(0)) == []\n",
    ),
    "coroutines": (
        "import asyncio\n\nasync def double(x):\n    await asyncio.sleep(0)\n    return 2 * x\n",
        "import asyncio\nfrom solution import double\n\ndef test_double():\n    assert asyncio.run(double(4)) == 8\n",
    ),
    "a dataclass and a mock": (
        "from dataclasses import dataclass\n\n@dataclass\nclass Account:\n    balance: int = 0\n\n"
        "    def pay(self, amount, notify):\n        if amount > self.balance:\n            return False\n"
        "        self.balance -= amount\n        notify(amount)\n        return True\n",
        "from unittest.mock import Mock, ANY\nfrom account import Account\n\ndef test_pay():\n    notify = Mock()\n    account = Account(10)\n"
        "    assert account.pay(4, notify)\n    assert account == Account(6)\n    notify.assert_called_once_with(4)\n    assert notify.call_args[0] == (ANY,)\n\n"
        "def test_too_much():\n    assert not Account(1).pay(2, Mock())\n",
    ),
    "random, but right": (
        "import random\n\ndef shuffled(items):\n    found = list(items)\n    random.shuffle(found)\n    return found\n",
        "from solution import shuffled\n\ndef test_same_items():\n    assert sorted(shuffled(range(20))) == list(range(20))\n",
    ),
}
WRONG = {
    "off by one": (CLAMP.replace("x > high", "x >= high + 2"), STRONG),
    "bounds swapped": (CLAMP.replace("return low", "return high"), STRONG),
    "raises": ("def clamp(*bounds):\n    raise TypeError\n", STRONG),
    "no such function": ("def clip(x):\n    return x\n", STRONG),
    "no Python": ("def clamp(x:\n    return\n", STRONG),
    "a test fails": (CLAMP, STRONG + "assert clamp(12) == 12\n"),
    "import that fails": (STACK, "from stack import Stack, Queue\n\ndef test_it():\n    assert len(Stack([1])) == 1\n"),
}
VACUOUS = {
    "asserts nothing": "def test_it():\n    clamp(3)\n",
    "only prints": "print(clamp(3))\n",
    "constants": "def test_it():\n    x = clamp(3)\n    assert True\n    assert 1 + 1 == 2\n",
    "equal to itself": "def test_it():\n    assert clamp(3) == clamp(3)\n",
    "type only": "def test_it():\n    assert isinstance(clamp(3), int)\n",
    "not None": "def test_it():\n    assert clamp(3) is not None\n    assert clamp(30) is not None\n",
    "assertion caught": "def test_it():\n    try:\n        assert clamp(3) == 17\n    except AssertionError:\n        pass\n",
    "never called": "def verify():\n    assert clamp(3) == 3\n",
    "inner function": "def test_it():\n    def inner():\n        assert clamp(3) == 3\n",
    "returns early": "def test_it():\n    return\n    assert clamp(3) == 3\n",
    "condition never true": "def test_it():\n    if clamp(3) == 99:\n        assert clamp(3) == 3\n",
    "source": "import inspect\n\ndef test_it():\n    assert 'return low' in inspect.getsource(clamp)\n",
    "redefined": "def clamp(x):\n    return x\n\ndef test_it():\n    assert clamp(3) == 3\n    assert clamp(-3) == -3\n",
    "a pasted copy": "def own(x):\n    return min(max(x, 0), 10)\n\ndef test_it():\n    assert own(30) == 10\n    assert own(-3) == 0\n",
    "skipped": "import pytest\n\n@pytest.mark.skip(reason='later')\ndef test_it():\n    assert clamp(3) == 3\n",
    "skips itself": "import unittest\n\nclass TestIt(unittest.TestCase):\n    def test_it(self):\n        self.skipTest('no')\n        self.assertEqual(clamp(3), 3)\n",
    "leaves": "import sys\nsys.exit(0)\nassert clamp(3) == 3\n",
    "a tuple": "def test_it():\n    assert (clamp(3) == 17, 'always true')\n",
    "loop over nothing": "def test_it():\n    for given, expected in []:\n        assert clamp(given) == expected\n",
    "callable": "def test_it():\n    assert callable(clamp)\n",
    "mock instead": "from unittest.mock import Mock\n\ndef test_it():\n    clamp = Mock(return_value=3)\n    assert clamp(3) == 3\n",
}
FLAKY = {
    "random": "import random\n\ndef test_it():\n    assert clamp(3) == 3\n    assert random.random() < 0.6\n",
    "order of tests": "seen = []\n\ndef test_a():\n    seen.append(1)\n    assert clamp(3) == 3\n\ndef test_b():\n    assert seen == [1] and clamp(30) == 10\n",
    "time zone": "import time\n\ndef test_it():\n    assert clamp(30) == 10\n    assert time.timezone == 0\n",
}
HOSTILE = {
    "leaves at once": "import os\nos._exit(0)\n",
    "leaves when called": "import os\n\ndef clamp(*bounds):\n    os._exit(0)\n",
    "raises SystemExit": "def clamp(*bounds):\n    raise SystemExit(0)\n",
    "equal to all": "class E:\n    def __eq__(self, other):\n        return True\n    def __hash__(self):\n        return 0\n\ndef clamp(*bounds):\n    return E()\n",
    "an int equal to all": "class E(int):\n    def __eq__(self, other):\n        return True\n\ndef clamp(*bounds):\n    return E(3)\n",
    "a list of such": "class E:\n    def __eq__(self, other):\n        return True\n\ndef clamp(*bounds):\n    return [E()]\n",
    "patches unittest": "import unittest\nfor name in dir(unittest.TestCase):\n    if name.startswith('assert'):\n        setattr(unittest.TestCase, name, lambda *given, **named: None)\n\ndef clamp(*bounds):\n    return None\n",
    "patches when called": "import unittest\n\ndef clamp(*bounds):\n    unittest.TestCase.assertEqual = lambda *given: None\n    return None\n",
    "patches builtins": "import builtins\nbuiltins.AssertionError = None\nbuiltins.isinstance = lambda *given: True\n\ndef clamp(*bounds):\n    return None\n",
    "kills the harness": "import os, signal\n\ndef clamp(*bounds):\n    os.kill(os.getppid(), signal.SIGKILL)\n    os.kill(os.getpid(), signal.SIGKILL)\n",
}
TESTED = "import unittest\n\nclass TestIt(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(clamp(30), 10)\n\ndef test_low():\n    x = clamp(-3)\n    assert x == 0\n"
ELSEWHERE = {
    "third party": ("import flask\n\ndef clamp(x):\n    return x\n", STRONG),
    "network": (
        "import urllib.request\n\ndef get(url):\n    return urllib.request.urlopen(url).status\n",
        "def test_get():\n    assert get('http://example.org/') == 200\n",
    ),
    "screen": (
        "import tkinter\n\ndef window():\n    return tkinter.Tk()\n",
        "def test_window():\n    assert window().title() == 'tk'\n",
    ),
    "third party in tests": (CLAMP, "import requests\n\ndef test_it():\n    assert clamp(3) == 3\n"),
}

CASES = [
    *(Case(name, "python", *pair, "passed", "right", True) for name, pair in RIGHT.items()),
    *(Case(name, "python", *pair, "tests_failed", "wrong", True) for name, pair in WRONG.items()),
    *(Case(name, "python", CLAMP, tests, "tests_vacuous", "vacuous", True) for name, tests in VACUOUS.items()),
    *(Case(name, "python", CLAMP, tests, "tests_flaky|tests_failed", "flaky", True) for name, tests in FLAKY.items()),
    *(Case(name, "python", program, TESTED, "tests_failed", "hostile", True) for name, program in HOSTILE.items()),
    *(Case(name, "python", *pair, "not_verifiable", "elsewhere", True) for name, pair in ELSEWHERE.items()),
    Case("a loop", "python", "def clamp(x):\n    while True:\n        pass\n", STRONG, "tests_failed", "hanging"),
    Case("sleep", "python", "import time\n\ndef clamp(x):\n    time.sleep(3600)\n", "assert clamp(5) == 5\n", "tests_failed", "hanging"),
]  # fmt: skip
