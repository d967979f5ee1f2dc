"""The paper's decontamination: rows that contain a benchmark's docstring or solution, ignoring case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from hf_oss_instruct.curation import ngrams
from hf_oss_instruct.curation.annotations import CONTAMINATED_BY, flag, not_rejected, reject
from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList
from hf_oss_instruct.curation.decontamination.inverted_index import InvertedIndex

COLUMNS = ("problem", "solution")
GENERIC = frozenset(["return x + y", "return len(string)", "return n**2", "return .join(strings)"])
"""Solutions of HumanEval that are too generic to search for. The last one lost its quotation marks in the paper's own code."""
# Task ids of MBPP's test split.
MBPP_TEST = range(11, 511)


def _docstring(prompt: str) -> str:
    """The text between the last pair of triple quotes."""
    # Of two docstrings the second one, since the first belongs to a helper function.
    mark = '"""' if '"""' in prompt else "'''"
    return prompt.split(mark)[3 if prompt.count(mark) == 4 else 1].strip() if mark in prompt else ""


def _before_solution(prompt: str) -> str:
    # DS-1000's markers.
    for mark in ("SOLUTION START", "BEGIN SOLUTION"):
        if mark in prompt:
            return prompt.split(mark)[0]
    return ""


def _column(*names: str) -> Callable[[Mapping[str, Any]], Iterator[str]]:
    return lambda row: (str(row[name]).strip() for name in names if row.get(name))


def _humaneval(row: Mapping[str, Any]) -> Iterator[str]:
    yield _docstring(row.get("prompt") or "")
    solution = (row.get("canonical_solution") or "").strip()
    yield "" if solution in GENERIC else solution


def _mbpp(row: Mapping[str, Any]) -> Iterator[str]:
    if int(row.get("task_id") or 0) in MBPP_TEST:
        yield from (str(row[name]) for name in ("text", "code") if row.get(name))


SUBSTRINGS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "mbpp": _mbpp,
    "humaneval": _humaneval,
    "apps": _column("question"),
    "gsm8k": _column("question"),
    "ds1000": lambda row: iter([_before_solution(row.get("prompt") or "")]),
}
"""Benchmark → the parts of a row that the paper searches for, in its order. It ignores other benchmarks."""


class MagicoderRule:
    """The paper's decontamination, decision for decision.

    Args:
        lists: the benchmarks; those that the paper ignores are ignored.
        columns: the text columns, joined with a blank line between them.

    Source:
        ise-uiuc/magicoder, `decontamination/find_substrings.py` and `benchmark_data.py`, after bigcode-project/bigcode-dataset.
    """

    name, version = "decontamination", 1

    def __init__(self, lists: Iterable[BenchmarkList], columns: Sequence[str] = COLUMNS, drop: bool = True) -> None:
        by_name = {listed.name: listed for listed in lists}
        self._columns, self._drop = columns, drop
        self._substrings = [
            (name, substring.lower())
            for name, substrings in SUBSTRINGS.items()
            if name in by_name
            for row in by_name[name].rows
            for substring in substrings(row)
            if substring
        ]
        # A substring can only occur where its first eight bytes occur.
        firsts = [substring.encode(errors="replace")[: ngrams.WORD_BYTES] for _, substring in self._substrings]
        long = [number for number, first in enumerate(firsts) if len(first) == ngrams.WORD_BYTES]
        self._short = [number for number, first in enumerate(firsts) if len(first) < ngrams.WORD_BYTES]
        joined = np.frombuffer(b"".join(firsts[number] for number in long), np.uint8)  # (8 · long,)
        self._firsts = InvertedIndex.of(
            ngrams.mix64(ngrams.sliding_uint64(joined)[:: ngrams.WORD_BYTES]), np.array(long, np.int32)
        )

    def __call__(self, table: pa.Table) -> pa.Table:
        """The table with `contaminated_by` filled, and contaminated rows rejected."""
        alive = not_rejected(table)
        parts = [[value or "" for value in table[name].to_pylist()] for name in self._columns if name in table.column_names]
        contents = ["\n\n".join(values).lower() for values in zip(*parts, strict=True)]
        hits = {row: [self._substrings[number][0] + ":substring"] for row, number in self._first(contents) if alive[row]}
        table = flag(table, hits, CONTAMINATED_BY)
        return reject(table, "contaminated", {row: names[0] for row, names in hits.items()} if self._drop else {})

    def _first(self, contents: list[str]) -> Iterator[tuple[int, int]]:
        """Rows that contain a substring, and the first one that each contains."""
        for rows in ngrams.texts(ngrams.of_strings(contents)):
            positions, entries = self._firsts.find(ngrams.mix64(ngrams.sliding_uint64(rows.data)))
            row_of = np.searchsorted(rows.ends, positions, "right") - 1  # (positions,)
            possible: dict[int, set[int]] = {}
            for row, number in zip(*(part.tolist() for part in self._firsts.expand(row_of, entries)), strict=True):
                possible.setdefault(row, set()).add(number)
            for row in range(len(rows)):
                for number in sorted(possible.get(row, set()).union(self._short)):
                    if self._substrings[number][1] in contents[rows.first + row]:
                        yield rows.first + row, number
                        break
