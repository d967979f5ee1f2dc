"""Small benchmarks of our own in the forms of the real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hf_oss_instruct.evaluation.benchmarks import load
from hf_oss_instruct.evaluation.problems import Benchmark

PLUS: list[dict[str, Any]] = [
    {
        "task_id": "HumanEval/900",
        "prompt": 'def add(a, b):\n    """Add two numbers.\n    >>> add(1, 2)\n    3\n    """\n',
        "entry_point": "add",
        "canonical_solution": "    return a + b\n",
        "base_input": [[1, 2], [0, 0]],
        "plus_input": [[-5, 5], [2.5, 2.5], [10**30, 1]],
        "atol": 0,
    },
    {
        "task_id": "HumanEval/901",
        "prompt": 'import math\n\n\ndef half(x):\n    return x / 2\n\n\ndef root(x):\n    """The square root of x."""\n',
        "entry_point": "root",
        "canonical_solution": "    return math.sqrt(half(x) * 2)\n",
        "base_input": [[4.0]],
        "plus_input": [[2.0], [0.0]],
        "atol": 1e-6,
    },
    {
        "task_id": "HumanEval/902",
        "prompt": 'def evens(n):\n    """Even numbers below n."""\n',
        "entry_point": "evens",
        "canonical_solution": "    return list(range(0, n, 2))\n",
        "base_input": [[5]],
        "plus_input": [[0], [200000]],
        "atol": 0,
    },
]
"""Three problems as evalplus writes them: whole numbers, floats with imports and a helper, and a large answer."""

SCRIPT: dict[str, Any] = {
    "name": "HumanEval_900_add_two",
    "language": "js",
    "prompt": "//Add two numbers.\nfunction add_two(a, b){\n",
    "tests": (
        "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = add_two;\n"
        "  assert.deepEqual(candidate(1, 2),3);\n  assert.deepEqual(candidate(5, -5),0);\n}\n\ntest();"
    ),
    "stop_tokens": ["\nfunction ", "\n/*", "\n//", "\nconsole.log"],
}
CPLUSPLUS: dict[str, Any] = {
    "name": "HumanEval_900_add_two",
    "language": "cpp",
    "prompt": "#include<assert.h>\n#include<bits/stdc++.h>\n// Add two numbers.\nlong add_two(long a, long b) {\n",
    "tests": (
        "}\nint main() {\n    auto candidate = add_two;\n    assert(candidate((1), (2)) == (3));\n"
        "    assert(candidate((5), (-5)) == (0));\n}\n"
    ),
    "stop_tokens": ["\n}"],
}
JAVA: dict[str, Any] = {
    "name": "HumanEval_900_add_two",
    "language": "java",
    "prompt": (
        "import java.util.*;\nimport org.javatuples.*;\nclass Problem {\n    // Add two numbers.\n"
        "    public static Pair<Long, Long> addTwo(long a, long b) {\n"
    ),
    "tests": (
        "    }\n    public static void main(String[] args) {\n    assert(addTwo((1l), (2l)).equals((Pair.with(3l, 1l))));\n"
        "    assert(addTwo((5l), (-5l)).equals((Pair.with(0l, 5l))));\n    }\n\n}\n"
    ),
    "stop_tokens": ["\n    }\n"],
}
SHELL: dict[str, Any] = {
    "name": "HumanEval_900_add_two",
    "language": "sh",
    "prompt": "#!/bin/bash\n# Add two numbers.\nadd_two() {\n",
    "tests": (
        '}\n\ncandidate() {\n    add_two "$@"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate "1" "2") = "3" ]]\n'
        '    [[ $(candidate "5" "-5") = "0" ]]\n}\n\nrun_test'
    ),
    "stop_tokens": ["\n}"],
}


def plus(folder: Path, rows: list[dict[str, Any]] | None = None) -> Benchmark:
    """The small problems as HumanEval+; the file stays in the folder for `--data`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "HumanEvalPlus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows or PLUS))
    return load("humaneval_plus", folder)


def multipl_e(folder: Path, row: dict[str, Any]) -> Benchmark:
    """One problem as MultiPL-E has it."""
    folder.mkdir(parents=True, exist_ok=True)
    key = row["language"].partition("_")[0]  # Go's is `go_test.go`
    (folder / f"humaneval-{key}.jsonl").write_text(json.dumps(row) + "\n")
    return load(f"multipl_e:{key}", folder)


def canonical() -> list[dict[str, str]]:
    """Lines of samples that solve the small problems."""
    return [{"task_id": row["task_id"], "completion": row["canonical_solution"]} for row in PLUS]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    """Samples as JSON lines."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
