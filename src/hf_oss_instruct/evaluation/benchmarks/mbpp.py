"""MBPP (arXiv 2108.07732): one-sentence problems with three assertions each."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from hf_oss_instruct.benchmarks.registry import BENCHMARKS
from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.errors import EvaluationError
from hf_oss_instruct.evaluation.benchmarks.columns import column
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.evaluation.sources import BenchmarkRow

STOP_TOKENS = ("\nassert ", "\nprint(", "\nif __name__", '\n"""', "\n# Test", "\n```")
TEST_IDS = range(11, 511)
"""IDs of the paper's test split; a local file contains all 974 problems."""
_COLUMNS = BENCHMARKS["mbpp"].columns


def problems(rows: Iterable[BenchmarkRow]) -> list[Problem]:
    """Parse rows with `task_id, text, code, test_list` and optionally `test_setup_code`."""
    return [_problem(row) for row in rows if column(row, *_COLUMNS.ids) in TEST_IDS]


def prompt(text: str, tests: list[str]) -> str:
    """Build the prompt that evalplus uses: a docstring with the sentence and the assertions."""
    return f'"""\n{text.strip()}\n' + "\n".join(tests) + '\n"""\n'


def _problem(row: BenchmarkRow) -> Problem:
    # Code in MBPP's files has Windows line ends.
    tests, code = column(row, *_COLUMNS.assertions), column(row, *_COLUMNS.solutions).replace("\r\n", "\n")
    return Problem(
        f"Mbpp/{column(row, *_COLUMNS.ids)}",
        "python",
        prompt(column(row, *_COLUMNS.prompts), tests[:1]),
        called_in(tests, code),
        STOP_TOKENS,
        row.fingerprint,
        code,
        tests="\n".join([row.columns.get("test_setup_code") or "", *tests, ""]),
    )


def called_in(tests: list[str], code: str) -> str:
    """Find the function of `code` that the assertions call.

    Raises:
        EvaluationError: they call none of its functions.
    """
    defined = {node.name for node in parse_module(code).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    calls = [node for test in tests for node in ast.walk(parse_module(test)) if isinstance(node, ast.Call)]
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id in defined:
            return call.func.id
    raise EvaluationError(
        f"The tests {tests[:1]} call none of the functions {sorted(defined)} of the reference solution. Check --data."
    )
