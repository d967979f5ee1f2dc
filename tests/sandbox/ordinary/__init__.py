"""Ordinary programs that use their language fully and must pass: `=== name | value` begins one whose `solve(3)` is the value."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_BEGINS = re.compile(r"^=== ", re.MULTILINE)


@dataclass(frozen=True)
class Ordinary:
    """A Python program and what its `solve(3)` returns."""

    name: str
    text: str
    value: Any


def python_programs(file: str = "python.txt") -> list[Ordinary]:
    """The programs of a file."""
    found = []
    for part in _BEGINS.split((HERE / file).read_text("utf-8"))[1:]:
        head, _, text = part.partition("\n")
        name, _, value = head.partition(" | ")
        found.append(Ordinary(name, text.rstrip() + "\n", ast.literal_eval(value)))
    return found


MAINS = {
    "c": ("int main(void) {\n", "check{}();", "}\n"),
    "cpp": ("int main() {\n", "check{}();", "}\n"),
    "csharp": ("static void Main() {\n", "check{}();", "}\n}\n"),
    "d": ("void main() {\n", "check{}();", "}\n"),
    "go": ("func main() {\n", "check{}()", "}\n"),
    "java": ("public static void main(String[] args) throws Exception {\n", "check{}();", "}\n}\n"),
    "javascript": ("", "check{}();", ""),
    "lua": ("", "check{}()", ""),
    "perl": ("", "check{}();", ""),
    "php": ("", "check{}();", ""),
    "r": ("", "check{}()", ""),
    "racket": ("", "(check{})", ""),
    "ruby": ("", "check{}", ""),
    "rust": ("fn main() {\n", "check{}();", "}\n"),
    "shell": ("", "check{}", ""),
    "typescript": ("", "check{}();", ""),
}
"""Language → what stands before the calls of its checks, a call, and what stands after."""


@dataclass(frozen=True)
class Parts:
    """A language's programs: what they share, and name and text of each, which defines `check1`, `check2` …"""

    language: str
    head: str
    parts: list[tuple[str, str]]

    def program(self, numbers: list[int]) -> tuple[str, str]:
        """Text and tests with some of the parts, counted from 1."""
        before, call, after = MAINS[self.language]
        text = self.head + "".join(text for number, (_, text) in enumerate(self.parts, 1) if number in numbers)
        return text, before + "".join(call.format(number) + "\n" for number in numbers) + after


def parts(language: str) -> Parts:
    """The programs of a language."""
    head, *found = _BEGINS.split((HERE / f"{language}.txt").read_text("utf-8"))
    named = [part.partition("\n")[::2] for part in found]
    return Parts(language, head, [(name, text) for name, text in named])
