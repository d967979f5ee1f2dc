"""MultiPL-E (arXiv 2208.08227): HumanEval and MBPP translated to other languages, with prompts, stop tokens and tests."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hf_oss_instruct.benchmarks.registry import BENCHMARKS, MULTIPL_E_SCORED, HubBenchmark, canonical, part_of
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.evaluation.benchmarks.columns import column
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.evaluation.sources import BenchmarkRow

KEYS = MULTIPL_E_SCORED
"""MultiPL-E's key → the language's name in `languages.LANGUAGES`."""
_COLUMNS = BENCHMARKS["multipl_e"].columns
# MultiPL-E's names are `HumanEval_2_truncate_number`.
_NUMBER = re.compile(r"^(HumanEval|mbpp)_\d+_")


def source(name: str) -> tuple[str, HubBenchmark]:
    """Return the full name of a task, and the part of the benchmark that has its files.

    Args:
        name: a language, as MultiPL-E's key or any name that `find_language` accepts; with the prefix `mbpp-` for MBPP.

    Raises:
        UsageError: MultiPL-E does not have this language, or it is not supported.
    """
    task = canonical(f"multipl_e:{name}")
    subset = task.partition(":")[2]
    if not subset:
        raise UsageError(
            "multipl_e has a task for each language, which are scored one by one. Write multipl_e:java, or another of: "
            f"{', '.join(KEYS)}."
        )
    if (key := subset.removeprefix("mbpp-")) not in KEYS:
        raise UsageError(f"MultiPL-E's language {key!r} cannot be scored. Use one of: {', '.join(KEYS)}.")
    return task, part_of(BENCHMARKS["multipl_e"], subset)


def problems(rows: Iterable[BenchmarkRow]) -> list[Problem]:
    """Parse rows with `name, language, prompt, tests, stop_tokens`."""
    return [_problem(row) for row in rows]


def _problem(row: BenchmarkRow) -> Problem:
    name, prompt = column(row, *_COLUMNS.ids), column(row, *_COLUMNS.prompts)
    key = column(row, "language").partition("_")[0]  # Go's is `go_test.go`
    if key not in KEYS:
        raise UsageError(f"MultiPL-E's language {key!r} is not supported. Use one of: {', '.join(KEYS)}.")
    stops = tuple(column(row, "stop_tokens"))
    return Problem(
        name, KEYS[key], prompt, _entry_point(name, prompt), stops, row.fingerprint, tests=column(row, "tests", "test")
    )


def _entry_point(name: str, prompt: str) -> str:
    """Return the function's name as its language spells it: `check_dict_case`, `checkDictCase`, `CheckDictCase`."""
    plain = _NUMBER.sub("", name)
    wanted = plain.replace("_", "").lower()
    words = re.findall(r"[A-Za-z_][\w-]*", prompt.rstrip().rpartition("\n>>>")[2])
    spelled = next((word for word in reversed(words) if word.replace("_", "").replace("-", "").lower() == wanted), None)
    if spelled is None:  # renamed in one language, as `strlen` is in C++
        called = re.findall(r"([A-Za-z_]\w*)\s*\(", prompt.rstrip().rpartition("\n")[2])
        spelled = called[0] if called else plain
    return str(spelled)
