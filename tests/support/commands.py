"""Run a command in this process, and read the report that it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from hf_oss_instruct.cli import cli


def run(*words: str, ends_with: int = 0) -> str:
    """What a command prints; it must end with this exit code."""
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == ends_with, done.output
    return done.output


def report_of(out: Path) -> dict[str, Any]:
    """The `run.json` of a folder."""
    found: dict[str, Any] = json.loads((out / "run.json").read_text())
    return found
