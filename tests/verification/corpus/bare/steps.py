"""Commands that run a pair, and what tells that it passed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path


class NotProvableError(Exception):
    """The framework or toolchain of a case is not installed, or there is none that can be run bare."""


@dataclass(frozen=True)
class Step:
    """A command.

    Attributes:
        command: its arguments.
        given: its standard input.
        output: what it has to print; None for anything.
        says: a pattern of what a framework prints when it found tests: a run of none would prove nothing.
    """

    command: list[str]
    given: str = ""
    output: str | None = None
    says: str = ""

    def is_passed_by(self, returncode: int, stdout: str) -> bool:
        """Whether this is the end of a run that passed."""
        if returncode or not re.search(self.says, stdout, re.MULTILINE):
            return False
        return self.output is None or stdout.split() == self.output.split()


def steps(*commands: list[str]) -> list[Step]:
    """Commands that pass when they exit with 0."""
    return [Step(command) for command in commands]


def pairs(tests: str, *command: str) -> list[Step]:
    """Inputs and outputs, where the tests are such JSON; empty otherwise."""
    if not tests.lstrip().startswith("[{"):
        return []
    return [Step(list(command), one["input"], one["output"]) for one in json.loads(tests)]


def needs(framework: str, path: str, package: str) -> None:
    """Raise `NotProvableError` unless a file of a Debian package is there."""
    if not Path(path).exists():
        raise NotProvableError(f"{framework}: apt-get install --no-install-recommends {package}")


def split(pattern: str, text: str) -> tuple[str, str]:
    """The lines of a text that match, imports say, and the rest."""
    return "".join(re.findall(pattern, text, re.MULTILINE)), re.sub(pattern, "", text, flags=re.MULTILINE)
