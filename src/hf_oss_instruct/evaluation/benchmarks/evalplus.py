"""HumanEval+ and MBPP+ (arXiv 2305.01210): the base problems with many more inputs, graded against a reference solution.

Both forms of the data are supported: evalplus' own files (`base_input`, `plus_input`) and its Hub datasets (`test`, a program).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hf_oss_instruct.benchmarks.registry import BENCHMARKS, BenchmarkColumns
from hf_oss_instruct.evaluation.benchmarks import humaneval, mbpp
from hf_oss_instruct.evaluation.benchmarks.columns import column
from hf_oss_instruct.evaluation.benchmarks.test_program import arguments_in, calls_of
from hf_oss_instruct.evaluation.oracles import adapter_for, oracle_for
from hf_oss_instruct.evaluation.problems import Calls, Problem
from hf_oss_instruct.evaluation.sources import BenchmarkRow

_HUMANEVAL, _MBPP = (BENCHMARKS[name].columns for name in ("humaneval_plus", "mbpp_plus"))


def humaneval_plus(rows: Iterable[BenchmarkRow]) -> list[Problem]:
    """Parse rows of `HumanEvalPlus.jsonl` or `evalplus/humanevalplus`."""
    return [_humaneval(row) for row in rows]


def mbpp_plus(rows: Iterable[BenchmarkRow]) -> list[Problem]:
    """Parse rows of `MbppPlus.jsonl` or `evalplus/mbppplus`."""
    return [_mbpp_file(row) if "plus_input" in row.columns else _mbpp_hub(row) for row in rows]


def _humaneval(row: BenchmarkRow) -> Problem:
    task_id, prompt, entry_point, solution = _texts(row, _HUMANEVAL)
    oracle = oracle_for("humaneval", entry_point)
    if "plus_input" in row.columns:
        base = column(row, "base_input")
        calls = Calls([*base, *column(row, "plus_input")], len(base), float(column(row, "atol")), oracle=oracle)
    else:
        calls = calls_of(column(row, "test"), None, oracle)
    reference = prompt + solution
    return Problem(task_id, "python", prompt, entry_point, humaneval.STOP_TOKENS, row.fingerprint, reference, calls)


def _texts(row: BenchmarkRow, columns: BenchmarkColumns) -> tuple[str, str, str, str]:
    """Id, prompt, entry point and solution."""
    names = (columns.ids, columns.prompts, columns.entry_points, columns.solutions)
    task_id, prompt, entry_point, solution = (column(row, *possible) for possible in names)
    return task_id, prompt, entry_point, solution


def _mbpp_file(row: BenchmarkRow) -> Problem:
    task_id, prompt, entry_point, solution = _texts(row, _MBPP)
    # Only this form of the data lost types: the Hub's has its inputs as Python code.
    base, plus = (_as_python(int(task_id.split("/")[-1]), list(column(row, name) or ())) for name in ("base_input", "plus_input"))
    oracle, adapter = oracle_for("mbpp", entry_point), adapter_for("mbpp", entry_point)
    calls = Calls([*base, *plus], len(base), float(column(row, "atol")), oracle=oracle, adapter=adapter)
    reference = prompt + solution
    return Problem(task_id, "python", prompt, entry_point, mbpp.STOP_TOKENS, row.fingerprint, reference, calls)


def _mbpp_hub(row: BenchmarkRow) -> Problem:
    code, tests = column(row, *_MBPP.solutions), column(row, *_MBPP.assertions)
    entry_point = mbpp.called_in(tests, code)
    calls = calls_of(column(row, "test"), arguments_in(tests, entry_point), oracle_for("mbpp", entry_point))
    calls = replace(calls, adapter=adapter_for("mbpp", entry_point))
    prompt = mbpp.prompt(column(row, *_MBPP.prompts), tests[:1])
    task_id = f"Mbpp/{column(row, *_MBPP.ids)}"
    return Problem(task_id, "python", prompt, entry_point, mbpp.STOP_TOKENS, row.fingerprint, prompt + code, calls)


# JSON has no tuple, set or complex number. evalplus lists the tasks that need them: 26d6d00, data/mbpp.py.
_TUPLES = {2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809}
_LISTS_OF_TUPLES = {63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780}
_LIST_OF_TUPLES_FIRST = {75, 413, 444, 753}
_TUPLE_SECOND = {106, 750}
_TUPLE_FIRST = {250, 307, 405, 446, 617, 720, 763, 808}
_TUPLES_OF_TUPLES = {259, 401, 445}
_TUPLES_ALL_THE_WAY = {580, 615, 791}


def _as_python(number: int, inputs: list[Any]) -> list[Any]:
    """Restore the types that JSON lost in the inputs of an MBPP+ task."""
    return [_arguments(number, list(given)) for given in inputs]


def _arguments(number: int, given: list[Any]) -> list[Any]:
    if number in _TUPLES:
        return [tuple(value) for value in given]
    if number in _LISTS_OF_TUPLES:
        return [[tuple(item) for item in value] for value in given]
    if number in _LIST_OF_TUPLES_FIRST:
        return [[tuple(item) for item in given[0]], *given[1:]]
    if number in _TUPLE_SECOND:
        return [given[0], tuple(given[1])]
    if number in _TUPLE_FIRST:
        return [tuple(given[0]), *given[1:]]
    if number in _TUPLES_OF_TUPLES:
        return [tuple(tuple(item) for item in value) for value in given]
    if number in _TUPLES_ALL_THE_WAY:
        return [_tuple(value) for value in given]
    return _special(number, given)


def _special(number: int, given: list[Any]) -> list[Any]:
    match number:
        case 115:  # sets; evalplus stores an empty one as a dict
            return [[set(item) if isinstance(item, list) and item else {} for item in given[0]]]
        case 124:
            return [float(given[0]), complex(given[1])]
        case 252:
            return [complex(given[0])]
        case 278:
            return [tuple(tuple(item) if isinstance(item, list) else item for item in given[0])]
        case 722:
            return [{key: tuple(value) for key, value in given[0].items()}, *given[1:]]
    return given


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
