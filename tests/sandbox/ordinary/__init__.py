"""Ordinary programs that use their language fully and must pass: `=== name | value` begins one whose `solve(3)` is the value."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Ordinary:
    """A Python program and what its `solve(3)` returns."""

    name: str
    text: str
    value: Any


def python_programs(file: str = "python.txt") -> list[Ordinary]:
    """The programs of a file."""
    found = []
    for part in (HERE / file).read_text("utf-8").split("=== ")[1:]:
        head, _, text = part.partition("\n")
        name, _, value = head.partition(" | ")
        found.append(Ordinary(name, text.rstrip() + "\n", ast.literal_eval(value)))
    return found
