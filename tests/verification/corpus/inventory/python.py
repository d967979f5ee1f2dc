"""Python: an inventory, a median and a parser, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = '''
from __future__ import annotations

import re
from dataclasses import dataclass, field


class OutOfStockError(ValueError):
    """There is not enough of an item."""


@dataclass
class Inventory:
    """Counts of items by name."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, count: int = 1) -> None:
        if count <= 0:
            raise ValueError(f"count must be positive, got {count}")
        self.counts[name] = self.counts.get(name, 0) + count

    def remove(self, name: str, count: int = 1) -> int:
        have = self.counts.get(name, 0)
        if count > have:
            raise OutOfStockError(f"only {have} of {name}")
        self.counts[name] = have - count
        return self.counts[name]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def __contains__(self, name: str) -> bool:
        return self.counts.get(name, 0) > 0

    def __iter__(self):
        return iter(sorted(self.counts))


def median(values: list[float]) -> float | None:
    """The middle value; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def parse_pairs(text: str) -> dict[str, int]:
    """Numbers by name out of "a=1;b=2"."""
    found = {}
    for part in filter(None, text.split(";")):
        if not (match := re.fullmatch(r"\\s*(\\w+)\\s*=\\s*(-?\\d+)\\s*", part)):
            raise ValueError(f"bad pair: {part!r}")
        found[match[1]] = int(match[2])
    return found
'''
WRONG = {
    "the last one cannot be removed": ("if count > have", "if count >= have"),
    "upper median": ("(ordered[middle - 1] + ordered[middle]) / 2", "ordered[middle]"),
    "no negative numbers": ("(-?\\d+)", "(\\d+)"),
}
FULL = {
    "pytest with fixtures and classes": '''
import pytest

from inventory import Inventory, OutOfStockError, median, parse_pairs


@pytest.fixture
def inventory():
    """An inventory with some apples."""
    inv = Inventory()
    inv.add("apple", 3)
    yield inv
    inv.counts.clear()


@pytest.fixture(scope="module")
def text():
    return "a=1;b=-2"


class TestInventory:
    """Tests of the inventory."""

    def test_add(self, inventory):
        inventory.add("apple")
        assert inventory.total == 4, "one was added"

    def test_remove_all(self, inventory):
        assert inventory.remove("apple", 3) == 0
        assert "apple" not in inventory

    def test_remove_too_many(self, inventory):
        with pytest.raises(OutOfStockError) as excinfo:
            inventory.remove("apple", 4)
        assert "only 3" in str(excinfo.value)
        assert excinfo.type is OutOfStockError

    @pytest.mark.parametrize("count", [0, -1])
    def test_bad_count(self, inventory, count):
        with pytest.raises(ValueError, match=r"positive, got"):
            inventory.add("pear", count)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([1], 1), ([1, 2], 1.5), pytest.param([3, 1, 2], 2, id="unsorted")],
)
def test_median(values, expected):
    assert median(values) == expected


def test_parse(text):
    assert parse_pairs(text) == {"a": 1, "b": -2}


@pytest.mark.parametrize("bad", ["a", "a=", "=1", "a=b"])
def test_parse_errors(bad):
    pytest.raises(ValueError, parse_pairs, bad)
''',
    "unittest with subtests": """
import unittest

from solution import *


class TestInventory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.names = ["apple", "pear"]

    def setUp(self):
        self.inventory = Inventory()
        for name in self.names:
            self.inventory.add(name, 2)

    def tearDown(self):
        del self.inventory

    def test_total(self):
        self.assertEqual(self.inventory.total, 4)
        self.assertListEqual(list(self.inventory), self.names)

    def test_remove(self):
        self.assertEqual(self.inventory.remove("apple", 2), 0)
        self.assertNotIn("apple", self.inventory)

    def test_remove_error(self):
        with self.assertRaisesRegex(OutOfStockError, "only 2 of pear"):
            self.inventory.remove("pear", 3)


class TestFunctions(unittest.TestCase):
    def test_median(self):
        for values, expected in [([], None), ([5], 5), ([4, 2], 3), ([9, 1, 5], 5)]:
            with self.subTest(values=values):
                self.assertEqual(median(values), expected)

    def test_float(self):
        self.assertAlmostEqual(median([0.1, 0.2]), 0.15, places=7)

    def test_parse(self):
        self.assertDictEqual(parse_pairs("x = -3; y=4;"), {"x": -3, "y": 4})
        self.assertRaises(ValueError, parse_pairs, "oops")


if __name__ == "__main__":
    unittest.main(verbosity=2)
""",
    "functions called under the main guard": """
from your_module import Inventory, median, parse_pairs


def test_inventory():
    inv = Inventory()
    inv.add("apple", 2)
    assert inv.remove("apple", 2) == 0, f"Expected 0, got {inv.total}"
    assert inv.total == 0
    try:
        inv.remove("apple")
        assert False, "Expected an error"
    except ValueError:
        pass


def test_median():
    assert median([1, 2, 3, 4]) == 2.5
    assert median([2]) == 2


def test_parse_pairs():
    assert parse_pairs("a=-1") == {"a": -1}
    assert parse_pairs("") == {}


if __name__ == "__main__":
    test_inventory()
    test_median()
    test_parse_pairs()
    print("All tests passed!")
""",
    "bare asserts between statements": """
# Test cases
inv = Inventory()
inv.add("bolt", 5)
assert inv.total == 5
left = inv.remove("bolt", 5)
assert left == 0
assert "bolt" not in inv
values = [7, 1, 3, 2]
assert median(values) == 2.5
assert values == [7, 1, 3, 2]  # unchanged
result = parse_pairs("k=-9")
assert result["k"] == -9
assert len(result) == 1
print("ok")
""",
    "a helper and a table": """
import math

CASES = [
    ([1, 2], 1.5),
    ([5, 1, 3], 3),
    ([-1, -2, -3, -4], -2.5),
]


def close(a, b, tolerance=1e-9):
    return math.isclose(a, b, abs_tol=tolerance)


def test_median_table():
    for values, expected in CASES:
        assert close(median(values), expected), (values, expected)


def test_remove_to_zero():
    inv = Inventory({"a": 1})
    inv.remove("a")
    assert inv.counts == {"a": 0}


def test_negative():
    assert list(parse_pairs("p=-1;q=2").items()) == [("p", -1), ("q", 2)]
""",
    "a run_tests function": """
def run_tests():
    # Test 1: medians
    assert median([4, 2]) == 3, "Test 1 failed"
    assert median([]) is None
    # Test 2: all of an item
    inv = Inventory({"x": 2})
    assert inv.remove("x", 2) == 0, "Test 2 failed"
    # Test 3: negative numbers
    assert parse_pairs("n=-7") == {"n": -7}, "Test 3 failed"
    print("All test cases passed.")


run_tests()
""",
    "module attribute access": """
import solution as s
from unittest import TestCase, main


class Tests(TestCase):
    def check(self, values, expected):
        self.assertEqual(s.median(values), expected)

    def test_even(self):
        self.check([1, 3], 2)

    def test_all(self):
        inv = s.Inventory({"z": 4})
        self.assertEqual(inv.remove("z", 4), 0)
        self.assertFalse("z" in inv)

    def test_pairs(self):
        self.assertEqual(s.parse_pairs("a=-5"), {"a": -5})


main(exit=False)
""",
    "a package import and a path": """
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pytest
from src.inventory import Inventory, OutOfStockError
from src.inventory import median, parse_pairs


def make(**counts):
    return Inventory(dict(counts))


def test_remove():
    inv = make(nut=1)
    inv.remove("nut")
    assert not inv.total


def test_exc():
    with pytest.raises((OutOfStockError, KeyError)):
        make().remove("none")


def test_functions(monkeypatch, tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text("a=-1;b=3")
    assert parse_pairs(path.read_text()) == {"a": -1, "b": 3}
    assert median([1.0, 2.0]) == pytest.approx(1.5, rel=1e-6)
""",
    "a check of candidates with metadata": """
METADATA = {"author": "x", "dataset": "test"}


def check(candidate):
    assert candidate([1, 2, 3, 4]) == 2.5
    assert candidate([3]) == 3
    assert candidate([]) is None
    inv = Inventory({"i": 1})
    assert inv.remove("i") == 0
    assert parse_pairs("a=-2") == {"a": -2}


check(median)
""",
    "a runner that counts": """
import traceback


def test_a():
    assert median([10, 20]) == 15


def test_b():
    inv = Inventory({"q": 3})
    assert inv.remove("q", 3) == 0


def test_c():
    assert parse_pairs("a=-2") == {"a": -2}


def main():
    failures = 0
    for test in (test_a, test_b, test_c):
        try:
            test()
            print(f"{test.__name__}: PASS")
        except AssertionError:
            traceback.print_exc()
            failures += 1
    return failures


if __name__ == "__main__":
    raise SystemExit(main())
""",
    "mocks and captured output": """
from unittest import mock
from unittest.mock import patch, MagicMock
import io
import contextlib

import inventory
from inventory import Inventory, median, parse_pairs


def test_printed(capsys):
    print(median([1, 2]))
    assert capsys.readouterr().out.strip() == "1.5"


def test_redirect():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print(parse_pairs("a=-1"))
    assert out.getvalue() == "{'a': -1}\\n"


@patch("inventory.median", return_value=42)
def test_patched(fake):
    assert inventory.median([1]) == 42
    fake.assert_called_once_with([1])


def test_all_removed():
    inv = Inventory()
    inv.add("w")
    with mock.patch.object(inv, "add", MagicMock()) as added:
        inv.add("w")
    added.assert_called_once()
    assert inv.remove("w") == 0
""",
    "coroutines and hypothesis-free properties": """
import asyncio
import random
import unittest


class TestAsync(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.inv = Inventory({"a": 1})

    async def test_remove(self):
        await asyncio.sleep(0)
        self.assertEqual(self.inv.remove("a"), 0)


def test_shuffled():
    rng = random.Random(7)
    for _ in range(20):
        values = [rng.randint(-50, 50) for _ in range(rng.randint(1, 9))]
        import statistics
        assert median(values) == statistics.median(values)


def test_pairs():
    for n in range(-3, 3):
        assert parse_pairs(f"n={n}") == {"n": n}
""",
}
VACUOUS = {
    "looks at hasattr": "def test_it():\n    inv = Inventory()\n    assert hasattr(inv, 'add')\n    assert callable(median)\n",
    "truthy or falsy": "def test_it():\n    value = median([1, 2])\n    assert value or not value\n",
    "raises nothing": "import pytest\n\ndef test_it():\n    try:\n        parse_pairs('a=1')\n    except Exception:\n        pytest.fail('it raised')\n",
    "any exception is taken": "import pytest\n\ndef test_it():\n    with pytest.raises(Exception):\n        assert median([1, 2]) == 99\n",
    "compares two calls": "def test_it():\n    a, b = median([1, 2, 3]), median([1, 2, 3])\n    assert a == b\n",
    "unittest without assertions": "import unittest\n\nclass TestIt(unittest.TestCase):\n    def test_it(self):\n        median([1, 2])\n        self.assertTrue(True)\n",
    "an approximate comparison to itself": "import pytest\n\ndef test_it():\n    value = median([1, 2])\n    assert value == pytest.approx(value)\n",
    "patched away": "from unittest.mock import patch\nimport solution\n\ndef test_it():\n    with patch.object(solution, 'median', return_value=1.5):\n        assert solution.median([1, 2]) == 1.5\n",
    "a coroutine that is not awaited": "async def later():\n    assert median([1, 2]) == 99\n\ndef test_it():\n    later()\n",
    "a generator that is not run": "def test_it():\n    yield\n    assert median([1, 2]) == 99\n",
    "expected failure": "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    assert median([1, 2]) == 1.5\n",
    "returned instead of asserted": "def test_it():\n    return median([1, 2]) == 1.5\n",
    "a length that is never negative": "def test_it():\n    assert len(parse_pairs('a=1')) >= 0 or True\n",
    "string of anything": "def test_it():\n    assert str(median([1, 2])) != ''\n    assert f'{median([1])}'\n",
}
