"""What quotes a benchmark: per benchmark and rule, and the passages side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from hf_oss_instruct.curation.decontamination.benchmarks import BenchmarkList
from hf_oss_instruct.reporting.access import RowAccess
from hf_oss_instruct.reporting.rows import ReportRows, batches

MAX_PASSAGES = 12
"""Passages that are shown for each benchmark."""
MAX_WORDS = 600
"""Words of a text that are compared."""
CHECK_COLUMNS = ("reason", "detail", "contaminated_by", "flags")
"""Columns in which checks store their findings."""
NAME_RULE = "name"
"""The rule that only compares the name of a function: it has no passage."""
CONTEXT_WORDS = 12
"""Words around a passage."""
_WORD = re.compile(r"\S+")
# `humaneval:HumanEval/0:quote`; in `flags` with `benchmark:` before it.
_HIT = re.compile(r"^(?:benchmark:)?(.+):([a-z_]+)$")


def contamination(rows: ReportRows, lists: Sequence[BenchmarkList] = ()) -> list[dict[str, Any]]:
    """What decontamination found, as its annotations and the details of rejections say.

    Args:
        rows: the dataset.
        lists: the benchmarks, whose texts are put beside the rows'.

    Returns:
        For each benchmark: `rules` (rule → rows, rejected and kept apart) and `passages`: the row, the problem, the rule, and the
        common passage with the words around it, in the row and in the benchmark (None without the benchmark's text).
    """
    tasks = {task.name.lower(): (*task.statements, *task.solutions) for listed in lists for task in listed.tasks}
    benchmarks: dict[str, _Benchmark] = {}
    for row in _annotated(rows):
        counted: set[tuple[str, str]] = set()
        for task, rule in row.hits:
            benchmark = task.partition(":")[0]
            entry = benchmarks.setdefault(benchmark, _Benchmark())
            # A row counts once for each rule, however many tasks it quotes.
            if (benchmark, rule) not in counted:
                entry.rules.setdefault(rule, Counter())[row.table] += 1
            counted.add((benchmark, rule))
            if rule != NAME_RULE and (row.table, row.position) not in entry.shown and len(entry.passages) < MAX_PASSAGES:
                entry.shown.add((row.table, row.position))
                where = {"table": row.table, "row": row.position, "problem": task, "rule": rule}
                entry.passages.append(where | _passage(row.texts(), tasks.get(task.lower(), ())))
    return [
        {"benchmark": name, "rules": {rule: dict(rows) for rule, rows in entry.rules.items()}, "passages": entry.passages}
        for name, entry in sorted(benchmarks.items())
    ]


@dataclass
class _Benchmark:
    rules: dict[str, Counter[str]] = field(default_factory=dict)
    passages: list[dict[str, Any]] = field(default_factory=list)
    shown: set[tuple[str, int]] = field(default_factory=set)


@dataclass(frozen=True)
class _Row:
    """A row that a rule found: its table and number, and (task, rule) of each hit."""

    table: str
    position: int
    hits: list[tuple[str, str]]
    access: RowAccess
    columns: tuple[str, ...]

    def texts(self) -> list[str]:
        return [text for text in self.access.take([self.position], self.columns)[0].values() if isinstance(text, str) and text]


def _annotated(rows: ReportRows) -> Iterator[_Row]:
    for name, table in (("rejected", rows.rejected), ("kept", rows.kept)):
        marks = [] if table is None else [mark for mark in CHECK_COLUMNS if mark in table.schema.names]
        if table is None or not marks:
            continue
        access, position = RowAccess(table), 0
        for batch in batches(table, marks):
            for row in batch.to_pylist():
                if hits := _hits(row):
                    yield _Row(name, position, hits, access, (rows.problem, rows.solution, "received"))
                position += 1


def _hits(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    certain = _words(row.get("contaminated_by"))
    if row.get("reason") == "contaminated" and not certain:
        # Some tables name the hits only here, as decontamination joins them.
        certain = str(row.get("detail") or "").split(", ")
    flags = [flag for flag in _words(row.get("flags")) if flag.startswith("benchmark:")]
    return [(match[1], match[2]) for hit in (*certain, *flags) if (match := _HIT.match(hit))]


def _words(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _passage(texts: Sequence[str], tasks: Sequence[str]) -> dict[str, Any]:
    """The longest run of words that a row's texts and a problem's have in common, and the words around it in both."""
    best: tuple[int, str, str] = (0, "", "")
    for text in texts:
        for task in tasks:
            ours, theirs = list(_WORD.finditer(text))[:MAX_WORDS], list(_WORD.finditer(task))[:MAX_WORDS]
            # `autojunk` would ignore the frequent words of longer texts.
            matcher = SequenceMatcher(
                None, [word[0].lower() for word in ours], [word[0].lower() for word in theirs], autojunk=False
            )
            match = matcher.find_longest_match()
            if match.size > best[0]:
                best = match.size, _context(text, ours, match.a, match.size), _context(task, theirs, match.b, match.size)
    if best[0]:
        return {"in_row": best[1], "in_benchmark": best[2], "words": best[0]}
    return {"in_row": texts[0][:600] if texts else "", "in_benchmark": tasks[0][:600] if tasks else None, "words": 0}


def _context(text: str, words: Sequence[re.Match[str]], start: int, size: int) -> str:
    first, last = max(0, start - CONTEXT_WORDS), min(len(words), start + size + CONTEXT_WORDS) - 1
    return ("… " if first else "") + text[words[first].start() : words[last].end()] + (" …" if last < len(words) - 1 else "")
