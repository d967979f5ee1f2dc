"""Extract the tasks of a benchmark from its rows: prompts, solutions and entry points to search for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from hf_oss_instruct.benchmarks.registry import USUAL_COLUMNS, BenchmarkColumns

SOLUTIONS_PER_TASK = 5
"""Solutions per task that are searched for; APPS has up to a thousand."""

# Comment markers: `///`, `//!`, `*`, `/**`, `#`, `--`, `;;`, `%`.
_MARKS = re.compile(r"(?m)^[ \t]*(?:///?!?|\*+/?|/\*+|#+|--|;+|%+)[ \t]?")
_QUOTED = re.compile(r"\"\"\"(.*?)\"\"\"|'''(.*?)'''", re.DOTALL)
_BLOCK = re.compile(
    r"^[ \t]*(?:/\*+(.*?)\*+/|\(\*+(.*?)\*+\)|\{-(.*?)-\}|#\|(.*?)\|#|--\[\[(.*?)\]\]|=begin\b(.*?)^=end)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
"""Comments that are blocks: C, Java, JavaScript, PHP, C#, Swift …; OCaml, Haskell, Lisp, Lua, Ruby."""
# Lines that begin with `#` and are code, not comments.
_DIRECTIVE = re.compile(r"\s*#(?:!|(?:include|lang|define|pragma|import|using|if|ifdef|ifndef|endif)\b)")
_FEWEST = 5
"""Least number of words of a comment that may be a problem statement."""
# Where examples begin.
_STOP = re.compile(r"(?im)^\s*(?:>>>|assert\b|(?:for )?examples?\b.{0,12}$|note\b.{0,4}$|-----|e\.?g\.?[:,]|input\s*:?$)")
# An opening that statements share, whatever they are about.
_LEAD = re.compile(
    r"(?i)^\W*(?:write|create|implement|define)\s+(?:a|an|the)?\s*(?:python\s+)?(?:function|program|code)?\s*(?:that|which|to|for)?\s+"
)
_DEFINES = re.compile(r"(?m)^\s*(?:def|class|func|fn|function)\s+(\w+)")
# The function that an assertion calls, maybe inside of another call: `assert set(f(x)) == …`.
_CALLED = re.compile(r"assert\s+(?:\w+\()?(\w+)\s*\(")


@dataclass(frozen=True, slots=True)
class BenchmarkTask:
    """A task of a benchmark.

    Attributes:
        name: benchmark and id: `humaneval:HumanEval/0`.
        statements: the full problem texts, with examples, without the code around them.
        proses: only their prose: no examples, and no opening such as "Write a function to".
        solutions: programs that solve it.
        entry_points: names of the functions to write.
    """

    name: str
    statements: tuple[str, ...]
    proses: tuple[str, ...]
    solutions: tuple[str, ...] = ()
    entry_points: tuple[str, ...] = ()


def tasks_of(
    benchmark: str, rows: Iterable[Mapping[str, Any]], columns: BenchmarkColumns = USUAL_COLUMNS
) -> Iterator[BenchmarkTask]:
    """The tasks in a benchmark's rows.

    Args:
        benchmark: its name, before the colon of the tasks' names.
        rows: column → value. A row with neither prompt nor solution yields no task.
        columns: which columns hold what; by default they are recognized by the names that benchmarks use.
    """
    for number, row in enumerate(rows):
        prompts = [_text(row[name]) for name in columns.prompts if row.get(name)]
        solutions = [part for name in columns.solutions for part in _programs(row.get(name))][:SOLUTIONS_PER_TASK]
        statements = [statement(prompt) for prompt in prompts]
        if not any(statements) and not solutions:
            continue
        yield BenchmarkTask(
            f"{benchmark}:{id_of(row, columns, number)}",
            tuple(dict.fromkeys(filter(None, statements))),
            tuple(dict.fromkeys(filter(None, map(prose, statements)))),
            tuple(dict.fromkeys(solutions)),
            tuple(_entry_points(row, columns, prompts, solutions)),
        )


def id_of(row: Mapping[str, Any], columns: BenchmarkColumns, number: int) -> str:
    """The id of a row, or its number if it has none."""
    return next((str(row[name]) for name in columns.ids if row.get(name) not in (None, "")), str(number))


def statement(prompt: str) -> str:
    """The problem statement in a prompt: its last docstring, else its comments, else all of it."""
    quoted: list[str] = [one or other for one, other in _QUOTED.findall(prompt) if (one or other).strip()]
    if quoted:
        # Earlier docstrings are of helper functions, as in HumanEval/38.
        return quoted[-1].strip()
    blocks = [text for found in _BLOCK.findall(prompt) for text in found if len(text.split()) >= _FEWEST]
    if blocks:
        return without_comment_markers(blocks[-1]).strip()
    comments = [line for line in prompt.split("\n") if _MARKS.match(line) and not _DIRECTIVE.match(line)]
    return without_comment_markers("\n".join(comments) if _is_code(prompt, comments) else prompt).strip()


def _is_code(prompt: str, comments: list[str]) -> bool:
    """Whether a prompt with these comment lines begins a program: `int f(int x) {`, or `def f(x)` after most words."""
    lines = prompt.rstrip().split("\n")
    mostly = 2 * sum(len(line.split()) for line in comments) > len(prompt.split())
    below = "(" in lines[-1] and not _MARKS.match(lines[-1])
    return bool(comments) and (lines[-1].endswith(("(", "{", ";")) or (mostly and below))


def prose(text: str) -> str:
    """The text of a statement before its first example, without an opening such as "Write a function to"."""
    stop = _STOP.search(text)
    before = text[: stop.start()] if stop else text
    return _LEAD.sub("", before if before.strip() else text).strip()


def without_comment_markers(text: str) -> str:
    """Text without comment markers at the beginning of its lines."""
    return _MARKS.sub("", text)


def _text(value: object) -> str:
    return "\n".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _programs(value: Any) -> list[str]:
    """Solutions as a list; APPS stores them as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(value)
    values = value if isinstance(value, list) else [value]
    return [program for program in values if isinstance(program, str) and program.strip()]


def _entry_points(row: Mapping[str, Any], columns: BenchmarkColumns, prompts: list[str], solutions: list[str]) -> list[str]:
    if named := [row[name] for name in columns.entry_points if isinstance(row.get(name), str) and row[name]]:
        return named[:1]
    called = _CALLED.findall(_text(next((row[name] for name in columns.assertions if row.get(name)), "")))[:1]
    # The last definition, since helper functions come before the task's.
    return called or [name for text in (*prompts, *solutions[:1]) for name in _DEFINES.findall(text)[-1:]][:1]
