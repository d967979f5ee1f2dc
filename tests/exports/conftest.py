"""Verified rows of every kind, as `synthesize` leaves them, and each export of them, made once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hf_oss_instruct.exports.export import Exported, export_to
from hf_oss_instruct.schemas import PREFERENCE_SCHEMA
from hf_oss_instruct.storage.shards import Shards

DOUBLE = "def double(x):\n    return 2 * x\n"
PYTEST = """from solution import double
import pytest

def test_it():
    assert double(2) == 4
    with pytest.raises(TypeError):
        double(None)
"""
STACK = """class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)
"""
UNITTEST = """import unittest

class TestStack(unittest.TestCase):
    def test_push(self):
        stack = Stack()
        stack.push(1)
        self.assertEqual(stack.items, [1])
"""
TOTAL = "import sys\nprint(sum(map(int, sys.stdin.read().split())))\n"
SUM = "#include <iostream>\nint main() {\n    int a, b;\n    std::cin >> a >> b;\n    std::cout << a + b << std::endl;\n}\n"
JAVA = "class A {\n    static int one() {\n        return 1;\n    }\n}\n"


def row(problem: str, solution: str, tests: Any, lang: str = "python", status: str | None = "passed") -> dict[str, Any]:
    return {"problem": problem, "solution": solution, "tests": tests, "lang": lang, "execution_status": status}


ROWS = [
    row("Write double(x).", f"Here:\n```python\n{DOUBLE}```\n", [PYTEST]),
    row("Write a stack.", STACK, [UNITTEST]),
    row("Add two numbers.", SUM, ['{"input": "1 2\\n", "output": "3\\n"}'], "cpp"),
    row("Add all numbers.", TOTAL, ['{"input": "1 2 3", "output": "6"}', '{"input": "", "output": "0"}']),
    row("Say hello.", "echo hello\n", ['{"input": "", "output": "hello\\n\\n"}'], "shell"),
    row("Return one.", JAVA, ["class T {\n    @Test\n    void t() {\n        assertEquals(1, A.one());\n    }\n}\n"], "java"),
    row("A wrong one.", "def one():\n    return 1\n", ["assert one() == 2"]),
    row("A vacuous one.", "def one():\n    return 1\n", ["assert 1 == 1"]),
    row("Not verified.", "def one():\n    return 1\n", ["assert one() == 1"], status="tests_failed"),
    row("No tests.", "def one():\n    return 1\n", None, status=None),
]  # fmt: skip
PREFERENCES = [{"prompt": "Write double(x).", "chosen": DOUBLE, "rejected": "def double(x):\n    return x\n"}]


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with verified rows, as `synthesize` leaves it."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "data").mkdir()
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "data" / "train-00000-of-00001.parquet")
    preference = Shards(folder / "preference", PREFERENCE_SCHEMA)
    preference.add(PREFERENCES[0])
    preference.finish()
    report = {"teacher": "a-teacher", "kept": len(ROWS), "checks": [{"name": "duplicates", "status": "done"}]}
    (folder / "run.json").write_text(json.dumps(report))
    return folder


@pytest.fixture(scope="session")
def exported(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Exported, Path]]:
    """Make the export of a format, once: what it came to, and its folder, which tests leave as it is."""
    by_kind: dict[str, tuple[Exported, Path]] = {}

    def export(kind: str) -> tuple[Exported, Path]:
        if kind not in by_kind:
            out = tmp_path_factory.mktemp("exports") / f"pairs-{kind}"
            by_kind[kind] = export_to(kind, pairs, out), out
        return by_kind[kind]

    return export
